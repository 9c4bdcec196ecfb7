/**
 * A binary as what it does not share with another one: runs of bytes of its own, each followed by a run that is copied from there.
 *
 *     patch = size of the result, runs, bytes of all own runs, their count first, runs × (own, copied, from)
 *
 * All numbers are LEB128; `from` counts from the end of the last run that was copied, as a signed number: 0, −1, 1, −2 … are 0, 1, 2, 3 …
 * scripts/make-patch.ts writes it.
 *
 * Thousands of runs by a function that runs once: views of the two would take most of the time, so all bytes lie in one array, in which they are copied.
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
  const [size, runs, ownBytes] = [number(), number(), number()];
  const all = new Uint8Array(size + old.length + patch.length);
  all.set(old, size);
  all.set(patch, size + old.length);
  let own = size + old.length + at;
  at += ownBytes;
  let [to, from] = [0, size];
  for (let run = 0; run < runs; run++) {
    const [fresh, copied, step] = [number(), number(), number()];
    all.copyWithin(to, own, own + fresh);
    own += fresh;
    to += fresh;
    from += (step >> 1) ^ -(step & 1);
    all.copyWithin(to, from, from + copied);
    from += copied;
    to += copied;
  }
  return all.subarray(0, size);
}
