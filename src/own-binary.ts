/**
 * The builds that come with the package, inlined: deflated as one, as text, the one for relaxed SIMD as a patch of the other. In Node the files, where they are.
 * Where hosts compile no bytes another file stands in for this one: see tsdown.config.ts.
 */
import { inflate } from './inflate.ts';
import { applyPatch } from './patch.ts';
import { place } from './place.ts';
import { binariesText, patchBytes, plainBytes, relaxedBytes } from './wasm-binary.ts';

/** What hosts like Node have at hand, which is faster than a function that was never called before. */
interface Host {
  readonly Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> };
  readonly process?: {
    readonly versions?: { readonly node?: string; readonly deno?: string; readonly bun?: string };
    getBuiltinModule?: (name: 'node:fs' | 'node:zlib') => Builtin | undefined;
  };
}

interface Builtin {
  inflateSync?(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
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
    const bytes = process?.getBuiltinModule?.('node:fs')?.readFileSync?.(new URL(`kernels${relaxed ? '-relaxed' : ''}.wasm`, here));
    // One that was cut off, or is of another version, is not asked what it is.
    return bytes?.length === (relaxed ? relaxedBytes : plainBytes) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The only place that has the text: bundlers may write it wherever it is used. */
function packedBinaries(): Uint8Array<ArrayBuffer> {
  return bytesOf(binariesText);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as Host;
  if (Buffer !== undefined) return Buffer.from(text, 'base64');
  const { fromBase64 } = Uint8Array as { fromBase64?(text: string): Uint8Array<ArrayBuffer> };
  if (fromBase64 !== undefined) return fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Before the deflated bytes. */
const HEADER_BYTES = 2;

/** By Node, which is there at once. */
function zlibInflate(): Builtin['inflateSync'] {
  return (globalThis as Host).process?.getBuiltinModule?.('node:zlib')?.inflateSync;
}

/** By what pages and workers have. @throws where they do not: before Firefox 113, Safari 16.4 */
async function streamInflate(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Response(packed).body as ReadableStream<Uint8Array<ArrayBuffer>>;
  return new Uint8Array(await new Response(stream.pipeThrough(new DecompressionStream('deflate'))).arrayBuffer());
}

/** @param inflated the build for plain SIMD and the patch */
function buildIn(inflated: Uint8Array<ArrayBuffer>, relaxed: boolean): Uint8Array<ArrayBuffer> {
  const plain = inflated.subarray(0, plainBytes);
  return relaxed ? applyPatch(plain, inflated.subarray(plainBytes)) : plain;
}

/** Whether the host reads or unpacks the binary in a millisecond or two: to do it later would take half of one more. */
export function isAtHand(): boolean {
  return (globalThis as Host).process?.getBuiltinModule !== undefined;
}

/** A build on a memory of its own, by what a host has at hand: a binary, or what was made of it already. */
function binaryAtHand(relaxed: boolean): Uint8Array<ArrayBuffer> | undefined {
  const file = fileBinary(relaxed);
  if (file !== undefined) return file;
  const inflated = zlibInflate()?.(packedBinaries());
  return inflated && buildIn(inflated, relaxed);
}

/** The same at once, by our own means where the host has none. */
export function ownBinary(relaxed: boolean): Uint8Array<ArrayBuffer> | WebAssembly.Module {
  return binaryAtHand(relaxed) ?? buildIn(inflate(packedBinaries().subarray(HEADER_BYTES), plainBytes + patchBytes), relaxed);
}

/**
 * The same without holding up the calling thread, and without our own inflate, which a page should not load that does not need it; never called before, it would
 * take most of the first call there (`npm run bench:start`).
 *
 * @throws where the host has no `DecompressionStream`
 */
export async function ownBinaryLater(relaxed: boolean): Promise<Uint8Array<ArrayBuffer> | WebAssembly.Module> {
  return binaryAtHand(relaxed) ?? buildIn(await streamInflate(packedBinaries()), relaxed);
}
