/**
 * A binary as what it does not share with another one: runs of bytes of its own, each followed by a run that is copied from there.
 *
 *     patch = size of the result, runs, runs × (own, copied, from), bytes of all own runs
 *
 * All numbers are LEB128; `from` counts from the end of the last run that was copied, as a signed number: 0, −1, 1, −2 … are 0, 1, 2, 3 …
 * scripts/make-patch.ts writes it.
 */
export function applyPatch(old: Uint8Array, patch: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 0;
  const number = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = patch[at++] as number;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const result = new Uint8Array(number());
  const runs = Array.from({ length: number() }, () => [number(), number(), number()] as const);
  let [to, from] = [0, 0];
  for (const [own, copied, step] of runs) {
    result.set(patch.subarray(at, at + own), to);
    at += own;
    to += own;
    from += (step >> 1) ^ -(step & 1);
    result.set(old.subarray(from, from + copied), to);
    from += copied;
    to += copied;
  }
  return result;
}
