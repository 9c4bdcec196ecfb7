/** The builds that come with the package, compiled. */
import { hostError } from './check.ts';
import { isAtHand, ownBinary, ownBinaryLater } from './own-binary.ts';

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

function refused(op: string, cause: unknown): Error {
  return hostError(op, 'this host refuses to compile the binary here: an engine takes a module as option wasm', cause);
}

function compileOwn(op: string, binary: BufferSource): WebAssembly.Module {
  try {
    return new WebAssembly.Module(binary);
  } catch (cause) {
    throw refused(op, cause);
  }
}

/** The same, on whatever threads the host has for it. */
async function compileOwnLater(op: string, binary: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(binary);
  } catch (cause) {
    throw refused(op, cause);
  }
}

const own = new Map<boolean, WebAssembly.Module>();

/** A build that comes with the package, for a memory of its own. Compiled once; every engine makes its own instance. */
export function ownModule(op: string, relaxed: boolean): WebAssembly.Module {
  checkHost(op);
  let module = own.get(relaxed);
  if (module === undefined) {
    const binary = ownBinary(relaxed);
    module = isModule(binary) ? binary : compileOwn(op, binary);
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
 * @throws Error `ERR_HOST` as `ownModule`, and where there is no `DecompressionStream`
 */
export async function ownModuleLater(op: string, relaxed: boolean): Promise<WebAssembly.Module> {
  checkHost(op);
  return (
    own.get(relaxed) ??
    onceAtATime(coming, relaxed, async () => {
      const binary = await ownBinaryLater(relaxed).catch((cause) => {
        throw hostError(op, 'no DecompressionStream here; an engine of your own needs none', cause);
      });
      const module = isModule(binary) ? binary : await (isAtHand() ? compileOwn(op, binary) : compileOwnLater(op, binary));
      own.set(relaxed, module);
      return module;
    })
  );
}
