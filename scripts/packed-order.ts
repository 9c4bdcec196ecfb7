/** Pieces of code in the order that gzip makes least of: it finds again what it has seen within 32 KB. */
import { deflateRawSync } from 'node:zlib';

/** Bytes of the runs by which pieces are alike. */
const RUN = 6;
/** The pieces most alike to one, on either side of which it is tried: three leave 12 to 160 bytes more of 40 kB. */
const TRIED = 4;
/** Times that each piece is tried. */
const ROUNDS = 2;

function runsOf(piece: Uint8Array): ReadonlySet<string> {
  const text = Buffer.from(piece).toString('latin1');
  return new Set(Array.from({ length: Math.max(0, text.length - RUN + 1) }, (_, at) => text.slice(at, at + RUN)));
}

function numberInCommon(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let number = 0;
  for (const run of a) if (b.has(run)) number++;
  return number;
}

/** For each piece those that have most runs in common with it. */
function nearestOf(pieces: readonly Uint8Array[]): readonly (readonly number[])[] {
  const runs = pieces.map(runsOf);
  return runs.map((own, piece) => {
    const alike = runs.map((others, other) => ({ other, number: numberInCommon(own, others) })).filter(({ other }) => other !== piece);
    return alike
      .sort((a, b) => b.number - a.number)
      .slice(0, TRIED)
      .map(({ other }) => other);
  });
}

/** @returns `order` with `piece` on one side of `beside` */
function moved(order: readonly number[], piece: number, beside: number, side: 0 | 1): number[] {
  const others = order.filter((other) => other !== piece);
  const at = others.indexOf(beside) + side;
  return [...others.slice(0, at), piece, ...others.slice(at)];
}

/** Bytes of the pieces one after the other, compressed. */
export function packedBytes(pieces: readonly Uint8Array[], order: readonly number[]): number {
  return deflateRawSync(Buffer.concat(order.map((i) => pieces[i] as Uint8Array)), { level: 9 }).length;
}

/** The pieces' numbers: each piece, the largest first, goes beside one most alike to it if fewer bytes are left so. */
export function packedOrder(pieces: readonly Uint8Array[]): readonly number[] {
  const nearest = nearestOf(pieces);
  const numbers = pieces.map((_, i) => i);
  let order: readonly number[] = numbers;
  let least = packedBytes(pieces, order);
  const largestFirst = [...numbers].sort((a, b) => (pieces[b] as Uint8Array).length - (pieces[a] as Uint8Array).length);
  for (const piece of Array.from({ length: ROUNDS }, () => largestFirst).flat()) {
    const besides = nearest[piece] as readonly number[];
    for (const candidate of besides.flatMap((beside) => [moved(order, piece, beside, 0), moved(order, piece, beside, 1)])) {
      const bytes = packedBytes(pieces, candidate);
      if (bytes < least) [order, least] = [candidate, bytes];
    }
  }
  return order;
}
