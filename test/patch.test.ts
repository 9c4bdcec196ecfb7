import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makePatch } from '../scripts/make-patch.ts';
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
