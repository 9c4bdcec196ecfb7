/**
 * The builds that come with the package, inlined: deflated, as text, the one for relaxed SIMD as a patch of the other. In Node the files, where they are.
 * Where hosts compile no bytes another file stands in for this one: see tsdown.config.ts.
 */
import { inflate } from './inflate.ts';
import { applyPatch } from './patch.ts';
import { place } from './place.ts';
import { plainBytes, plainText, relaxedPatchBytes, relaxedPatchText } from './wasm-binary.ts';

/** What hosts like Node have at hand, which is faster than a function that was never called before. */
interface Host {
  readonly Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> };
  readonly process?: {
    readonly versions?: { readonly node?: string; readonly deno?: string; readonly bun?: string };
    getBuiltinModule?: (name: 'node:fs' | 'node:zlib') => Builtin | undefined;
  };
}

interface Builtin {
  inflateRawSync?(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  readFileSync?(url: URL): Uint8Array<ArrayBuffer>;
}

/** Of webpack: it writes where its input lay for `import.meta.url`, and what lies there when the bundle runs is anybody's. */
declare const __webpack_require__: unknown;

/** The file beside this one: unpacking takes 3 ms of a new process, reading it a tenth of that. Deno would ask its user. */
function fileBinary(relaxed: boolean): Uint8Array<ArrayBuffer> | undefined {
  const { process } = globalThis as Host;
  const { node, deno, bun } = process?.versions ?? {};
  if (node === undefined || deno !== undefined || bun !== undefined || typeof __webpack_require__ !== 'undefined') return undefined;
  try {
    // Not written out in the calls of URL: bundlers would take it for a file of the user's.
    const here = import.meta.url;
    if (place !== new URL('place.js', here).href) return undefined;
    return process?.getBuiltinModule?.('node:fs')?.readFileSync?.(new URL(`kernels${relaxed ? '-relaxed' : ''}.wasm`, here));
  } catch {
    return undefined;
  }
}

function bytesOf(text: string): Uint8Array {
  const { Buffer } = globalThis as Host;
  if (Buffer !== undefined) return Buffer.from(text, 'base64');
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Node's, which is there at once. */
function zlibUnpacked(packed: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  return (globalThis as Host).process?.getBuiltinModule?.('node:zlib')?.inflateRawSync?.(packed);
}

function unpacked(text: string, size: number): Uint8Array<ArrayBuffer> {
  const packed = bytesOf(text);
  return zlibUnpacked(packed) ?? inflate(packed, size);
}

/** By what the host has built in, beside the page's script: our own function was never called before, and takes 20 ms where that takes 2. */
async function unpackedLater(text: string, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const packed = bytesOf(text) as Uint8Array<ArrayBuffer>;
  try {
    const found = zlibUnpacked(packed);
    if (found !== undefined) return found;
    // Unknown before Chrome 103, Firefox 113 and Safari 16.4, or without this format.
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    return inflate(packed, size);
  }
}

/** A build on a memory of its own: a binary, or what was made of it already. */
export function ownBinary(relaxed: boolean): Uint8Array<ArrayBuffer> | WebAssembly.Module {
  const file = fileBinary(relaxed);
  if (file !== undefined) return file;
  const plain = unpacked(plainText, plainBytes);
  return relaxed ? applyPatch(plain, unpacked(relaxedPatchText, relaxedPatchBytes)) : plain;
}

/** The same, without holding up the calling thread. */
export async function ownBinaryLater(relaxed: boolean): Promise<Uint8Array<ArrayBuffer> | WebAssembly.Module> {
  const file = fileBinary(relaxed);
  if (file !== undefined) return file;
  if (!relaxed) return unpackedLater(plainText, plainBytes);
  return applyPatch(...(await Promise.all([unpackedLater(plainText, plainBytes), unpackedLater(relaxedPatchText, relaxedPatchBytes)])));
}
