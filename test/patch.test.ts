import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makePatch } from '../scripts/make-patch.ts';
import { ownBinary } from '../src/own-binary.ts';
import { applyPatch } from '../src/patch.ts';

it('makes the new one of the old one, however little they share', () => {
  const bytes = fc.uint8Array({ maxLength: 300, max: 3 });
  fc.assert(
    fc.property(bytes, bytes, (old, fresh) => {
      expect(applyPatch(old, makePatch(old, fresh))).toEqual(fresh);
    }),
    { numRuns: 500 },
  );
});

it('is small where bytes were changed, put in, taken out or moved', () => {
  const old = Uint8Array.from({ length: 5000 }, (_, i) => Math.imul(i * i + i, 2654435761) >>> 24);
  const fresh = Uint8Array.from([...old.subarray(3000), 1, 2, 3, ...old.subarray(0, 1000), 9, ...old.subarray(1001, 2000)]);
  const patch = makePatch(old, fresh);
  expect(applyPatch(old, patch)).toEqual(fresh);
  expect(patch.length).toBeLessThan(30);
});

it.each([false, true])('holds both builds, the relaxed one %s', (relaxed) => {
  const file = readFileSync(`dist/kernels${relaxed ? '-relaxed' : ''}.wasm`);
  expect(Buffer.compare(ownBinary(relaxed) as Uint8Array, file)).toBe(0);
});

it('is unpacked by our own means where the host has none', async () => {
  const { Buffer: own, process: given } = globalThis;
  const file = readFileSync('dist/kernels-relaxed.wasm');
  Object.assign(globalThis, { Buffer: undefined, process: undefined });
  let binary: unknown;
  try {
    binary = ownBinary(true);
  } finally {
    Object.assign(globalThis, { Buffer: own, process: given });
  }
  expect(own.compare(binary as Uint8Array, file)).toBe(0);
});
