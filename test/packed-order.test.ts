/** Pieces alike come near each other where they are farther apart than gzip looks back. */
import { expect, it } from 'vitest';
import { packedBytes, packedOrder } from '../scripts/packed-order.ts';
import { fractions } from './cases.ts';

/** Bytes that nothing else has, which no compression makes less. */
function noise(seed: number, length: number): Uint8Array {
  return Uint8Array.from(fractions(length, seed), (x) => (x + 1) * 128);
}

it('two pieces alike, 40 kB apart, become neighbours', () => {
  const alike = noise(1, 2000);
  const pieces = [alike, ...[2, 3, 4, 5].map((seed) => noise(seed, 10_000)), alike.toReversed(), Uint8Array.of(1, ...alike)];
  const order = packedOrder(pieces);
  expect([...order].sort()).toEqual(pieces.map((_, i) => i));
  expect(Math.abs(order.indexOf(0) - order.indexOf(6))).toBe(1);
  const before = packedBytes(
    pieces,
    pieces.map((_, i) => i),
  );
  // What gzip finds again of 2,000 bytes costs a few dozen.
  expect(before - packedBytes(pieces, order)).toBeGreaterThan(1900);
});

it('pieces that have nothing in common, and those shorter than any run, stay', () => {
  const pieces = [noise(1, 300), Uint8Array.of(), noise(2, 400), Uint8Array.of(1, 2)];
  expect(packedOrder(pieces)).toEqual([0, 1, 2, 3]);
});
