import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inflate } from '../src/inflate.ts';

/** What zlib makes of `bytes`, each way in which it can. */
function* deflated(bytes: Uint8Array): Generator<Uint8Array> {
  const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY } = constants;
  for (const strategy of [Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY])
    for (const level of [0, 1, 9]) yield deflateRawSync(bytes, { strategy, level });
}

function expectBack(bytes: Uint8Array): void {
  for (const packed of deflated(bytes)) expect(Buffer.compare(inflate(packed, bytes.length), bytes)).toBe(0);
}

it('gives back what zlib deflated: stored, with fixed codes and with codes of its own', () => {
  const text = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: size, max: 40 });
  fc.assert(fc.property(fc.oneof(text(400), fc.uint8Array({ maxLength: 400 })), expectBack), { numRuns: 200 });
});

it('gives back matches from next to nothing to the farthest, and the longest', () => {
  const random = Uint8Array.from({ length: 33_000 }, (_, i) => Math.imul(i * i + 7 * i, 2654435761) >>> 24);
  const far = new Uint8Array(random.length * 2);
  far.set(random);
  far.set(random, random.length);
  for (const bytes of [new Uint8Array(0), new Uint8Array(1), new Uint8Array(100_000), far, Buffer.from('abcab'.repeat(3000))])
    expectBack(bytes);
});

it('gives back several blocks', () => {
  // zlib ends a block after so many literals; beyond 64 KiB a stored one does not go on.
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i < 70_000 ? i % 251 : Math.imul(i ^ (i >> 3), 2246822519) >>> 25));
  expectBack(bytes);
});
