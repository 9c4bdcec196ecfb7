/** Two binaries → the patch that src/patch.ts applies. */

/** Bytes that two runs begin with alike: shorter runs cost as much as they save. */
const ANCHOR = 8;
/** Places of the old binary that are tried for each one of the new. */
const MOST_PLACES = 64;

interface Run {
  readonly own: number;
  readonly copied: number;
  readonly from: number;
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

function anchorsOf(bytes: Uint8Array): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (let at = 0; at + ANCHOR <= bytes.length; at++) {
    const key = String.fromCharCode(...bytes.subarray(at, at + ANCHOR));
    const found = places.get(key);
    if (found) found.push(at);
    else places.set(key, [at]);
  }
  return places;
}

function alike(old: Uint8Array, from: number, fresh: Uint8Array, to: number): number {
  let length = 0;
  while (from + length < old.length && to + length < fresh.length && old[from + length] === fresh[to + length]) length++;
  return length;
}

function runsOf(old: Uint8Array, fresh: Uint8Array): readonly Run[] {
  const places = anchorsOf(old);
  const runs: Run[] = [];
  let [own, expected] = [0, 0];
  for (let to = 0; to < fresh.length; ) {
    const key = String.fromCharCode(...fresh.subarray(to, to + ANCHOR));
    // Where the last run ended is the place that costs least to name.
    let [best, from] = [alike(old, expected, fresh, to), expected];
    for (const place of (places.get(key) ?? []).slice(0, MOST_PLACES)) {
      const length = alike(old, place, fresh, to);
      if (length > best + 2) [best, from] = [length, place];
    }
    if (best < (from === expected ? 3 : ANCHOR)) {
      own++;
      to++;
      // What is changed in place leaves what follows where it was.
      expected++;
      continue;
    }
    runs.push({ own, copied: best, from });
    to += best;
    expected = from + best;
    own = 0;
  }
  if (own > 0) runs.push({ own, copied: 0, from: expected });
  return runs;
}

export function makePatch(old: Uint8Array, fresh: Uint8Array): Uint8Array {
  const runs = runsOf(old, fresh);
  const numbers: number[] = [];
  const bytes: number[] = [];
  let [to, end] = [0, 0];
  for (const { own, copied, from } of runs) {
    const step = from - end;
    numbers.push(...leb(own), ...leb(copied), ...leb(step < 0 ? -2 * step - 1 : 2 * step));
    bytes.push(...fresh.subarray(to, to + own));
    to += own + copied;
    end = from + copied;
  }
  return Uint8Array.from([...leb(fresh.length), ...leb(runs.length), ...leb(bytes.length), ...bytes, ...numbers]);
}
