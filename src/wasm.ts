/** Sources of the binary → an instance with typed exports. */
import { instantiateSync } from '@assemblyscript/loader';
import { conflict, detached, hostError, wrongType } from './check.ts';
import { sharedBinary } from './shared-binary.ts';
import type { TaskKernels } from './task-kernels.ts';
import type { WasmSource } from './types.ts';
import { versionNumber, versionText } from './version.ts';
import { plainBinary, relaxedBinary, version } from './wasm-binary.ts';

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

/** Which build: plain 128-bit SIMD, or with fused multiply-add, whose sums are rounded less often; on a memory of its own, or one that threads share. */
export interface Build {
  readonly relaxed: boolean;
  readonly shared: boolean;
}

/** What a loader given by the user is asked for. */
function fileOf({ relaxed, shared }: Build): string {
  return `kernels${shared ? '-threads' : ''}${relaxed ? '-relaxed' : ''}.wasm`;
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

function checkHost(op: string): void {
  if (typeof WebAssembly !== 'object') throw hostError(op, 'this host has no WebAssembly');
  if (!WebAssembly.validate(simdProbe)) throw hostError(op, 'this host has no 128-bit WebAssembly SIMD');
}

function isBytes(source: unknown): source is BufferSource {
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

function compile(op: string, source: BufferSource): WebAssembly.Module {
  const bytes = plainBytes(op, source);
  if (!WebAssembly.validate(bytes)) {
    const isBinary = [0, 97, 115, 109].every((byte, i) => bytes[i] === byte);
    if (isBinary) throw hostError(op, 'this host does not know all instructions of the binary; kernels.wasm needs 128-bit SIMD alone');
    throw wrongType(op, 'wasm', 'a WebAssembly binary', bytes);
  }
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw hostError(op, 'this host refuses to compile the binary here: give a WebAssembly.Module as the option wasm', cause);
  }
}

const inlined = new Map<string, WebAssembly.Module>();

/** A build that comes with the package. Compiled once; every engine makes its own instance. */
function inlinedModule(op: string, build: Build): WebAssembly.Module {
  const file = fileOf(build);
  let module = inlined.get(file);
  if (module === undefined) {
    const bytes = Uint8Array.from(atob(build.relaxed ? relaxedBinary : plainBinary), (letter) => letter.charCodeAt(0));
    module = compile(op, build.shared ? (sharedBinary(bytes) as Uint8Array<ArrayBuffer>) : bytes);
    inlined.set(file, module);
  }
  return module;
}

/** What a function given by the user leads to. */
function sourceOf(op: string, source: (file: string) => unknown, build: Build): unknown {
  let given: unknown;
  try {
    given = source(fileOf(build));
  } catch (cause) {
    throw hostError(op, 'the function wasm failed', cause);
  }
  if (given === undefined) throw wrongType(op, 'the result of the function wasm', 'a binary', given);
  return given;
}

/** @throws Error `ERR_HOST` where the host refuses, TypeError for a source that is not at hand */
export function moduleSync(op: string, source: unknown, build: Build): WebAssembly.Module {
  checkHost(op);
  const given = typeof source === 'function' ? sourceOf(op, source as (file: string) => unknown, build) : source;
  if (given === undefined) return inlinedModule(op, build);
  if (given instanceof WebAssembly.Module) return given;
  if (isBytes(given)) return compile(op, given);
  throw wrongType(op, 'wasm', 'a WebAssembly.Module or bytes', given);
}

async function fetchBytes(op: string, url: URL): Promise<BufferSource | Response> {
  try {
    if (url.protocol !== 'file:') return await fetch(url);
    // For Node alone: bundlers for the web would look for the module.
    const name = 'node:fs/promises';
    const { readFile } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as typeof import('node:fs/promises');
    return await readFile(url);
  } catch (cause) {
    throw hostError(op, `cannot load ${url.href}`, cause);
  }
}

/** As `moduleSync`, from any source. */
export async function moduleOf(op: string, source: WasmSource | undefined, build: Build): Promise<WebAssembly.Module> {
  checkHost(op);
  if (source === undefined) return inlinedModule(op, build);
  const found = typeof source === 'function' ? sourceOf(op, source as (file: string) => unknown, build) : source;
  let given: unknown;
  try {
    given = await found;
  } catch (cause) {
    throw hostError(op, 'the promise of the option wasm failed', cause);
  }
  if (given instanceof URL) given = await fetchBytes(op, given);
  if (typeof Response === 'function' && given instanceof Response) {
    const { url, ok, status } = given;
    if (!ok) throw hostError(op, `cannot load ${url}: status ${status}`);
    try {
      given = await given.arrayBuffer();
    } catch (cause) {
      throw hostError(op, `cannot read ${url === '' ? 'the Response of the option wasm' : url}`, cause);
    }
  }
  if (given instanceof WebAssembly.Module) return given;
  if (isBytes(given)) return compile(op, given);
  throw wrongType(op, 'wasm', 'a WebAssembly.Module, bytes, a Response, a URL or a promise of one', given);
}

/**
 * An instance on `memory`.
 *
 * @throws RangeError for a binary of another version
 */
export function instantiate(op: string, module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const marker = WebAssembly.Module.exports(module).some(({ name }) => name === 'convChannelsFirst');
  if (!marker) throw wrongType(op, 'wasm', 'a binary of wasm-conv', module);
  let exports: Kernels & Record<string, unknown>;
  try {
    ({ exports } = instantiateSync<Kernels & Record<string, unknown>>(module, { env: { memory } }));
  } catch (cause) {
    throw hostError(op, 'wasm is not a binary of this version, it does not fit its imports', cause);
  }
  const found = Number(exports.version.value);
  if (found !== versionNumber(version)) {
    throw conflict(op, `wasm is a binary of version ${versionText(found)}, this is version ${version}`);
  }
  return exports;
}
