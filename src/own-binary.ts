/**
 * The builds that come with the package, inlined: deflated, as text, the one for relaxed SIMD as a patch of the other.
 * Where hosts compile no bytes another file stands in for this one: see tsdown.config.ts.
 */
import { inflate } from './inflate.ts';
import { applyPatch } from './patch.ts';
import { plainBytes, plainText, relaxedPatchBytes, relaxedPatchText } from './wasm-binary.ts';

/** What hosts like Node have at hand, which is faster than a function that was never called before. */
interface Host {
  readonly Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> };
  readonly process?: {
    getBuiltinModule?: (name: 'node:zlib') => { inflateRawSync?(bytes: Uint8Array): Uint8Array<ArrayBuffer> } | undefined;
  };
}

function bytesOf(text: string): Uint8Array {
  const { Buffer } = globalThis as Host;
  if (Buffer !== undefined) return Buffer.from(text, 'base64');
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

function unpacked(text: string, size: number): Uint8Array<ArrayBuffer> {
  const zlib = (globalThis as Host).process?.getBuiltinModule?.('node:zlib');
  return zlib?.inflateRawSync?.(bytesOf(text)) ?? inflate(bytesOf(text), size);
}

/** A build on a memory of its own: a binary, or what was made of it already. */
export function ownBinary(relaxed: boolean): Uint8Array<ArrayBuffer> | WebAssembly.Module {
  const plain = unpacked(plainText, plainBytes);
  return relaxed ? applyPatch(plain, unpacked(relaxedPatchText, relaxedPatchBytes)) : plain;
}
