/** Binaries that users give, compiled, and checked to be ours. */
import { conflict, detached, hostError, wrongType } from './check.ts';
import type { Kernels } from './kernels.ts';
import { versionNumber, versionText } from './version.ts';
import { version } from './wasm-binary.ts';

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

/** @throws TypeError for a module that is another program's */
export function checkModule(op: string, module: WebAssembly.Module): WebAssembly.Module {
  const marker = WebAssembly.Module.exports(module).some(({ name }) => name === 'convChannelsFirst');
  if (!marker) throw wrongType(op, 'wasm', 'a binary of wasm-conv', module);
  return module;
}

/** @throws RangeError for a binary of another version */
export function checkVersion(op: string, kernels: Kernels): void {
  const found = Number(kernels.version.value);
  if (found !== versionNumber(version)) {
    throw conflict(op, `wasm is a binary of version ${versionText(found)}, this is version ${version}`);
  }
}
