/** The binary → an instance with typed exports. */
import { conflict, detached, hostError, wrongType } from './check.ts';
import { isAtHand, ownBinary, ownBinaryLater } from './own-binary.ts';
import type { TaskKernels } from './task-kernels.ts';
import { versionNumber, versionText } from './version.ts';
import { version } from './wasm-binary.ts';

/** assembly/index.ts, as seen from here. Pointers are byte addresses. */
export interface Kernels extends TaskKernels {
  readonly heapBase: WebAssembly.Global;
  readonly version: WebAssembly.Global;
  /** 1 in the build for relaxed SIMD. */
  readonly relaxed: WebAssembly.Global;
  packWinograd(
    points: number,
    kH: number,
    kW: number,
    strideH: number,
    strideW: number,
    gathered: boolean,
    panels: number,
    channels: number,
    from: number,
    to: number,
    work: number,
  ): void;
  packPointwise(groups: number, groupOutC: number, groupInC: number, stride: number, weights: number, bias: number, to: number): void;
  packRows(params: number, from: number, to: number): void;
  packFours(params: number, from: number, to: number): void;
  packPanels(params: number, from: number, to: number): void;
  packTaps(params: number, from: number, to: number): void;
  packBias(to: number, from: number, outC: number, groups: number, stride: number, shuffle: number): void;
}

/** (module (func (result v128) i32.const 0 i8x16.splat)): valid where the host has 128-bit SIMD. */
const simdProbe = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11);

/** (module (func (result v128) (f32x4.relaxed_madd …))): valid where the host has relaxed SIMD. */
const relaxedProbe = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  19,
  1,
  17,
  0,
  65,
  0,
  253,
  15,
  65,
  0,
  253,
  15,
  65,
  0,
  253,
  15,
  253,
  133,
  2,
  11,
);

/** Whether the host has fused multiply-add. */
export function hasRelaxed(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(relaxedProbe);
}

/** @throws Error `ERR_HOST` where there is no 128-bit SIMD */
export function checkHost(op: string): void {
  if (typeof WebAssembly !== 'object') throw hostError(op, 'this host has no WebAssembly');
  if (!WebAssembly.validate(simdProbe)) throw hostError(op, 'this host has no 128-bit WebAssembly SIMD');
}

/** Of whatever realm: edge functions get theirs from the program around them, and it is of that one's class. */
export function isModule(source: unknown): source is WebAssembly.Module {
  try {
    WebAssembly.Module.exports(source as WebAssembly.Module);
    return true;
  } catch {
    return false;
  }
}

export function isBytes(source: unknown): source is BufferSource {
  return (
    ArrayBuffer.isView(source) ||
    source instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer === 'function' && source instanceof SharedArrayBuffer)
  );
}

/** Not every host takes a DataView, and none shared memory or a buffer that may be resized. */
function plainBytes(op: string, source: BufferSource | SharedArrayBuffer): Uint8Array<ArrayBuffer> {
  let view: Uint8Array;
  try {
    view = ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
  } catch {
    throw detached(op, 'wasm');
  }
  const { buffer } = view as { buffer: ArrayBufferLike & { readonly resizable?: boolean } };
  return buffer instanceof ArrayBuffer && buffer.resizable !== true ? (view as Uint8Array<ArrayBuffer>) : new Uint8Array(view);
}

/** Why a host did not compile. */
function refusal(op: string, bytes: Uint8Array<ArrayBuffer>, cause: unknown): Error {
  const isBinary = [0, 97, 115, 109].every((byte, i) => bytes[i] === byte);
  if (!isBinary) return wrongType(op, 'wasm', 'a WebAssembly binary', bytes);
  if (!WebAssembly.validate(bytes))
    return hostError(op, 'this host does not know all instructions of the binary; kernels.wasm needs 128-bit SIMD alone', cause);
  return hostError(op, 'this host refuses to compile the binary here: give a WebAssembly.Module as the option wasm', cause);
}

/** @throws Error `ERR_HOST` where the host refuses, TypeError for bytes that are no binary */
export function compile(op: string, source: BufferSource): WebAssembly.Module {
  const bytes = plainBytes(op, source);
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw refusal(op, bytes, cause);
  }
}

/** The same, on whatever threads the host has for it. */
export async function compileLater(op: string, source: BufferSource): Promise<WebAssembly.Module> {
  const bytes = plainBytes(op, source);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw refusal(op, bytes, cause);
  }
}

const own = new Map<boolean, WebAssembly.Module>();

/** A build that comes with the package, for a memory of its own. Compiled once; every engine makes its own instance. */
export function ownModule(op: string, relaxed: boolean): WebAssembly.Module {
  checkHost(op);
  let module = own.get(relaxed);
  if (module === undefined) {
    const binary = ownBinary(relaxed);
    module = isModule(binary) ? binary : compile(op, binary as Uint8Array<ArrayBuffer>);
    own.set(relaxed, module);
  }
  return module;
}

/** What is under way is not begun again. One that failed is. */
export function onceAtATime<Key, Value>(underway: Map<Key, Promise<Value>>, key: Key, make: () => Promise<Value>): Promise<Value> {
  let promise = underway.get(key);
  if (promise === undefined) {
    promise = make().finally(() => underway.delete(key));
    underway.set(key, promise);
  }
  return promise;
}

const coming = new Map<boolean, Promise<WebAssembly.Module>>();

/**
 * The same, without holding up the calling thread; `ownModule` has it at hand afterwards. Who asks meanwhile waits for the same one.
 *
 * @throws Error `ERR_HOST` as `ownModule`, and in a page that has no `DecompressionStream`
 */
export async function ownModuleLater(op: string, relaxed: boolean): Promise<WebAssembly.Module> {
  checkHost(op);
  return (
    own.get(relaxed) ??
    onceAtATime(coming, relaxed, async () => {
      const binary = await ownBinaryLater(relaxed).catch((cause) => {
        throw hostError(op, 'this host has no DecompressionStream; createEngine unpacks the binary without', cause);
      });
      const module = isModule(binary) ? binary : await (isAtHand() ? compile : compileLater)(op, binary as Uint8Array<ArrayBuffer>);
      own.set(relaxed, module);
      return module;
    })
  );
}

/**
 * An instance on `memory`.
 *
 * @throws RangeError for a binary of another version
 */
export function instantiate(op: string, module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const marker = WebAssembly.Module.exports(module).some(({ name }) => name === 'convChannelsFirst');
  if (!marker) throw wrongType(op, 'wasm', 'a binary of wasm-conv', module);
  let exports: Kernels;
  try {
    exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  } catch (cause) {
    // Some hosts compile whatever comes, and look at a page's policy only now.
    const misfit = cause instanceof WebAssembly.LinkError || cause instanceof TypeError;
    throw hostError(
      op,
      misfit ? 'wasm is not a binary of this version, it does not fit its imports' : 'this host refuses to run the binary here',
      cause,
    );
  }
  const found = Number(exports.version.value);
  if (found !== versionNumber(version)) {
    throw conflict(op, `wasm is a binary of version ${versionText(found)}, this is version ${version}`);
  }
  return exports;
}
