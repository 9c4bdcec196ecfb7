/** Where a binary comes from: what users give, or the package itself. */
import { hostError, wrongType } from './check.ts';
import { checkModule, compile, compileLater, isBytes } from './given-module.ts';
import { nodeModule } from './node-module.ts';
import { ownBinary, ownBinaryLater } from './own-binary.ts';
import { checkHost, isModule, onceAtATime, ownModule, ownModuleLater } from './own-module.ts';
import { sharedBinary } from './shared-binary.ts';
import type { WasmSource } from './types.ts';

/** Which build: plain 128-bit SIMD, or with fused multiply-add, whose sums are rounded less often; on a memory of its own, or one that threads share. */
export interface Build {
  readonly relaxed: boolean;
  readonly shared: boolean;
}

/** What a loader given by the user is asked for. */
function fileOf({ relaxed, shared }: Build): string {
  return `kernels${shared ? '-threads' : ''}${relaxed ? '-relaxed' : ''}.wasm`;
}

const shared = new Map<boolean, WebAssembly.Module>();
const sharedComing = new Map<boolean, Promise<WebAssembly.Module>>();

/** The build that comes with the package. One for threads is made of it where a host compiles bytes: where it does not, it has no threads either. */
async function packaged(op: string, { relaxed, shared: isShared }: Build): Promise<WebAssembly.Module> {
  // Some pages have no DecompressionStream: what is wrong elsewhere is wrong at once, too.
  if (!isShared) return ownModuleLater(op, relaxed).catch(() => ownModule(op, relaxed));
  const make = async (): Promise<WebAssembly.Module> => {
    const binary = await ownBinaryLater(relaxed).catch(() => ownBinary(relaxed));
    const module = isModule(binary) ? binary : await compileLater(op, sharedBinary(binary as Uint8Array) as Uint8Array<ArrayBuffer>);
    shared.set(relaxed, module);
    return module;
  };
  return shared.get(relaxed) ?? onceAtATime(sharedComing, relaxed, make);
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

/**
 * For a memory of its own, at once.
 *
 * @throws Error `ERR_HOST` where the host refuses, TypeError for a source that is not at hand
 */
export function moduleSync(op: string, source: unknown, relaxed: boolean): WebAssembly.Module {
  checkHost(op);
  const build = { relaxed, shared: false };
  const given = typeof source === 'function' ? sourceOf(op, source as (file: string) => unknown, build) : source;
  if (given === undefined) return ownModule(op, relaxed);
  if (isModule(given)) return checkModule(op, given);
  if (isBytes(given)) return checkModule(op, compile(op, given));
  throw wrongType(op, 'wasm', 'a WebAssembly.Module or bytes', given);
}

async function fetchBytes(op: string, url: URL): Promise<BufferSource | Response> {
  try {
    if (url.protocol !== 'file:') return await fetch(url);
    const files = await nodeModule<typeof import('node:fs/promises')>('fs/promises');
    // Other hosts that know such addresses fetch them.
    return files === undefined ? await fetch(url) : await files.readFile(url);
  } catch (cause) {
    throw hostError(op, `cannot load ${url.href}`, cause);
  }
}

/** From any source, without holding up the calling thread. */
export async function moduleOf(op: string, source: WasmSource | undefined, build: Build): Promise<WebAssembly.Module> {
  checkHost(op);
  if (source === undefined) return packaged(op, build);
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
  if (isModule(given)) return checkModule(op, given);
  if (isBytes(given)) return checkModule(op, await compileLater(op, given));
  throw wrongType(op, 'wasm', 'a WebAssembly.Module, bytes, a Response, a URL or a promise of one', given);
}
