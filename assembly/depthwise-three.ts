/**
 * Strips of a depthwise convolution under three columns whose positions share columns (see depthwise-strip.ts): along them each column of the image is loaded
 * once for all the products it is part of. Column j feeds position i with weight j − i at stride 1.
 */
import { clamp } from "./activation";
import { Grid, put } from "./depthwise-grid";
import { accumulate } from "./simd";

/** Which columns the border cuts: the first of the first position, the last of the last. */
export const CUT_LEFT = 1;
export const CUT_RIGHT = 2;

/** Four positions, four of which the border cuts columns, three, likewise: types, since asc settles conditions on types itself, see activation.ts. */
type Inside = i32;
type Cut = f32;
type Three = f64;

/**
 * Four neighbours under three columns and up to three rows, row after row: a loop over the rows costs as much as a sixth of the products. Two vectors of channels share the addresses, which
 * are as many as loads, and their sums do not wait for each other. The conditions on `outer` leave out the rows that the border cuts; those on `bytes` always hold: before version 24 Node
 * would load all of a row first, more than it has registers for.
 *
 * `times`, each `hop` bytes further, where nothing is cut. Else once: what a loop keeps in registers is missing in that over the channels, 5 %.
 *
 * `cut`: which columns are missing. Where there are no bounds the clamp, which the units of products do, is left out: 2–6 %.
 */
// @ts-ignore: decorator
@inline
function twice<C>(
  times: i32, hop: usize, toHop: usize, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, cut: i32, weights: usize,
  bias: usize,
): void {
  const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
  const outerStep = grid.outerStep, outerWeights = grid.outerWeights, next = grid.innerWeights, outer = grid.outer;
  const bounded = grid.low > -Infinity || grid.high < Infinity;
  const left = (cut & CUT_LEFT) == 0, right = (cut & CUT_RIGHT) == 0;
  for (let i = 0; ; ) {
    const image = from + <usize>i * hop, result = to + <usize>i * toHop;
    for (let at: usize = 0; at < bytes; at += 32) {
      // The last two vectors end with the channels: some are summed a second time.
      if (at > bytes - 32) at = bytes - 32;
      let acc0 = v128.load(bias + at);
      let acc1 = acc0, acc2 = acc0, acc3 = acc0;
      let sum0 = v128.load(bias + at, 16);
      let sum1 = sum0, sum2 = sum0, sum3 = sum0;
      let line = image + at;
      let row = weights + at;
      if (outer > 0) {
        const r0 = row, r1 = r0 + next, r2 = r1 + next;
        const x0 = line, x1 = x0 + step, x2 = x1 + step, x3 = x2 + step, x4 = x3 + step, x5 = x4 + step;
        {
          const w0 = v128.load(r0), w1 = v128.load(r1), w2 = v128.load(r2);
          if (!isFloat<C>() || left) acc0 = accumulate(acc0, w0, v128.load(x0));
          let v = v128.load(x1);
          acc0 = accumulate(acc0, w1, v);
          acc1 = accumulate(acc1, w0, v);
          if (bytes > 1) {
            v = v128.load(x2);
            acc0 = accumulate(acc0, w2, v);
            acc1 = accumulate(acc1, w1, v);
            acc2 = accumulate(acc2, w0, v);
            v = v128.load(x3);
            acc1 = accumulate(acc1, w2, v);
            acc2 = accumulate(acc2, w1, v);
            if (sizeof<C>() < 8) acc3 = accumulate(acc3, w0, v);
            if (sizeof<C>() < 8 || right) {
              v = v128.load(x4);
              acc2 = accumulate(acc2, w2, v);
              if (sizeof<C>() < 8) acc3 = accumulate(acc3, w1, v);
            }
            if (sizeof<C>() < 8 && (!isFloat<C>() || right)) acc3 = accumulate(acc3, w2, v128.load(x5));
          }
        }
        if (isFloat<C>() || bytes > 2) {
          const w0 = v128.load(r0, 16), w1 = v128.load(r1, 16), w2 = v128.load(r2, 16);
          if (!isFloat<C>() || left) sum0 = accumulate(sum0, w0, v128.load(x0, 16));
          let v = v128.load(x1, 16);
          sum0 = accumulate(sum0, w1, v);
          sum1 = accumulate(sum1, w0, v);
          if (bytes > 3) {
            v = v128.load(x2, 16);
            sum0 = accumulate(sum0, w2, v);
            sum1 = accumulate(sum1, w1, v);
            sum2 = accumulate(sum2, w0, v);
            v = v128.load(x3, 16);
            sum1 = accumulate(sum1, w2, v);
            sum2 = accumulate(sum2, w1, v);
            if (sizeof<C>() < 8) sum3 = accumulate(sum3, w0, v);
            if (sizeof<C>() < 8 || right) {
              v = v128.load(x4, 16);
              sum2 = accumulate(sum2, w2, v);
              if (sizeof<C>() < 8) sum3 = accumulate(sum3, w1, v);
            }
            if (sizeof<C>() < 8 && (!isFloat<C>() || right)) sum3 = accumulate(sum3, w2, v128.load(x5, 16));
          }
        }
        line += outerStep;
        row += outerWeights;
      }
      if (outer > 1) {
        const r0 = row, r1 = r0 + next, r2 = r1 + next;
        const x0 = line, x1 = x0 + step, x2 = x1 + step, x3 = x2 + step, x4 = x3 + step, x5 = x4 + step;
        {
          const w0 = v128.load(r0), w1 = v128.load(r1), w2 = v128.load(r2);
          if (!isFloat<C>() || left) acc0 = accumulate(acc0, w0, v128.load(x0));
          let v = v128.load(x1);
          acc0 = accumulate(acc0, w1, v);
          acc1 = accumulate(acc1, w0, v);
          if (bytes > 1) {
            v = v128.load(x2);
            acc0 = accumulate(acc0, w2, v);
            acc1 = accumulate(acc1, w1, v);
            acc2 = accumulate(acc2, w0, v);
            v = v128.load(x3);
            acc1 = accumulate(acc1, w2, v);
            acc2 = accumulate(acc2, w1, v);
            if (sizeof<C>() < 8) acc3 = accumulate(acc3, w0, v);
            if (sizeof<C>() < 8 || right) {
              v = v128.load(x4);
              acc2 = accumulate(acc2, w2, v);
              if (sizeof<C>() < 8) acc3 = accumulate(acc3, w1, v);
            }
            if (sizeof<C>() < 8 && (!isFloat<C>() || right)) acc3 = accumulate(acc3, w2, v128.load(x5));
          }
        }
        if (isFloat<C>() || bytes > 2) {
          const w0 = v128.load(r0, 16), w1 = v128.load(r1, 16), w2 = v128.load(r2, 16);
          if (!isFloat<C>() || left) sum0 = accumulate(sum0, w0, v128.load(x0, 16));
          let v = v128.load(x1, 16);
          sum0 = accumulate(sum0, w1, v);
          sum1 = accumulate(sum1, w0, v);
          if (bytes > 3) {
            v = v128.load(x2, 16);
            sum0 = accumulate(sum0, w2, v);
            sum1 = accumulate(sum1, w1, v);
            sum2 = accumulate(sum2, w0, v);
            v = v128.load(x3, 16);
            sum1 = accumulate(sum1, w2, v);
            sum2 = accumulate(sum2, w1, v);
            if (sizeof<C>() < 8) sum3 = accumulate(sum3, w0, v);
            if (sizeof<C>() < 8 || right) {
              v = v128.load(x4, 16);
              sum2 = accumulate(sum2, w2, v);
              if (sizeof<C>() < 8) sum3 = accumulate(sum3, w1, v);
            }
            if (sizeof<C>() < 8 && (!isFloat<C>() || right)) sum3 = accumulate(sum3, w2, v128.load(x5, 16));
          }
        }
        line += outerStep;
        row += outerWeights;
      }
      if (outer > 2) {
        const r0 = row, r1 = r0 + next, r2 = r1 + next;
        const x0 = line, x1 = x0 + step, x2 = x1 + step, x3 = x2 + step, x4 = x3 + step, x5 = x4 + step;
        {
          const w0 = v128.load(r0), w1 = v128.load(r1), w2 = v128.load(r2);
          if (!isFloat<C>() || left) acc0 = accumulate(acc0, w0, v128.load(x0));
          let v = v128.load(x1);
          acc0 = accumulate(acc0, w1, v);
          acc1 = accumulate(acc1, w0, v);
          if (bytes > 1) {
            v = v128.load(x2);
            acc0 = accumulate(acc0, w2, v);
            acc1 = accumulate(acc1, w1, v);
            acc2 = accumulate(acc2, w0, v);
            v = v128.load(x3);
            acc1 = accumulate(acc1, w2, v);
            acc2 = accumulate(acc2, w1, v);
            if (sizeof<C>() < 8) acc3 = accumulate(acc3, w0, v);
            if (sizeof<C>() < 8 || right) {
              v = v128.load(x4);
              acc2 = accumulate(acc2, w2, v);
              if (sizeof<C>() < 8) acc3 = accumulate(acc3, w1, v);
            }
            if (sizeof<C>() < 8 && (!isFloat<C>() || right)) acc3 = accumulate(acc3, w2, v128.load(x5));
          }
        }
        if (isFloat<C>() || bytes > 2) {
          const w0 = v128.load(r0, 16), w1 = v128.load(r1, 16), w2 = v128.load(r2, 16);
          if (!isFloat<C>() || left) sum0 = accumulate(sum0, w0, v128.load(x0, 16));
          let v = v128.load(x1, 16);
          sum0 = accumulate(sum0, w1, v);
          sum1 = accumulate(sum1, w0, v);
          if (bytes > 3) {
            v = v128.load(x2, 16);
            sum0 = accumulate(sum0, w2, v);
            sum1 = accumulate(sum1, w1, v);
            sum2 = accumulate(sum2, w0, v);
            v = v128.load(x3, 16);
            sum1 = accumulate(sum1, w2, v);
            sum2 = accumulate(sum2, w1, v);
            if (sizeof<C>() < 8) sum3 = accumulate(sum3, w0, v);
            if (sizeof<C>() < 8 || right) {
              v = v128.load(x4, 16);
              sum2 = accumulate(sum2, w2, v);
              if (sizeof<C>() < 8) sum3 = accumulate(sum3, w1, v);
            }
            if (sizeof<C>() < 8 && (!isFloat<C>() || right)) sum3 = accumulate(sum3, w2, v128.load(x5, 16));
          }
        }
      }
      if (bounded) {
        acc0 = clamp(acc0, low, high);
        acc1 = clamp(acc1, low, high);
        acc2 = clamp(acc2, low, high);
        if (sizeof<C>() < 8) acc3 = clamp(acc3, low, high);
        sum0 = clamp(sum0, low, high);
        sum1 = clamp(sum1, low, high);
        sum2 = clamp(sum2, low, high);
        if (sizeof<C>() < 8) sum3 = clamp(sum3, low, high);
      }
      let y = result + at;
      v128.store(y, acc0);
      v128.store(y, sum0, 16);
      y += toStep;
      v128.store(y, acc1);
      v128.store(y, sum1, 16);
      y += toStep;
      v128.store(y, acc2);
      v128.store(y, sum2, 16);
      if (sizeof<C>() < 8) {
        y += toStep;
        v128.store(y, acc3);
        v128.store(y, sum3, 16);
      }
    }
    if (isFloat<C>() || ++i >= times) break;
  }
}

/** Four neighbours, and as many `hop` bytes further. */
export function fours(
  times: i32, hop: usize, toHop: usize, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize,
): void {
  twice<Inside>(times, hop, toHop, from, step, to, toStep, bytes, grid, 0, weights, bias);
}

/** Four, of which the border cuts the first column of the first, the last of the last, or both. */
export function fourCut(
  from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, cut: i32, weights: usize, bias: usize,
): void {
  twice<Cut>(1, 0, 0, from, step, to, toStep, bytes, grid, cut, weights, bias);
}

/** Three, likewise: 0.9 of the time of four, which is what two or one left over of fours have to be better than. */
export function threeCut(
  from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, cut: i32, weights: usize, bias: usize,
): void {
  twice<Three>(1, 0, 0, from, step, to, toStep, bytes, grid, cut, weights, bias);
}

/**
 * Three positions two columns apart under three columns and up to three rows: seven columns, of which two are shared. Four positions at once are
 * slower by a tenth where the image is in L2, by a fifth where it is not: too many runs for the prefetcher; two load too many weights.
 */
export function threeApart(from: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
  const outerStep = grid.outerStep, outerWeights = grid.outerWeights, column = grid.innerStep, next = grid.innerWeights, outer = grid.outer;
  // The last vector ends with the channels, and sums some of them a second time.
  const last = bytes - 16;
  for (let at: usize = 0; at < bytes; at += 16) {
    if (at > last) at = last;
    let acc0 = v128.load(bias + at);
    let acc1 = acc0, acc2 = acc0;
    let line = from + at;
    let row = weights + at;
    if (outer > 0) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      acc0 = accumulate(acc0, w0, v128.load(x));
      acc0 = accumulate(acc0, w1, v128.load(x += column));
      let shared = v128.load(x += column);
      acc0 = accumulate(acc0, w2, shared);
      acc1 = accumulate(acc1, w0, shared);
      acc1 = accumulate(acc1, w1, v128.load(x += column));
      shared = v128.load(x += column);
      acc1 = accumulate(acc1, w2, shared);
      acc2 = accumulate(acc2, w0, shared);
      acc2 = accumulate(acc2, w1, v128.load(x += column));
      acc2 = accumulate(acc2, w2, v128.load(x + column));
      line += outerStep;
      row += outerWeights;
    }
    if (outer > 1) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      acc0 = accumulate(acc0, w0, v128.load(x));
      acc0 = accumulate(acc0, w1, v128.load(x += column));
      let shared = v128.load(x += column);
      acc0 = accumulate(acc0, w2, shared);
      acc1 = accumulate(acc1, w0, shared);
      acc1 = accumulate(acc1, w1, v128.load(x += column));
      shared = v128.load(x += column);
      acc1 = accumulate(acc1, w2, shared);
      acc2 = accumulate(acc2, w0, shared);
      acc2 = accumulate(acc2, w1, v128.load(x += column));
      acc2 = accumulate(acc2, w2, v128.load(x + column));
      line += outerStep;
      row += outerWeights;
    }
    if (outer > 2) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      acc0 = accumulate(acc0, w0, v128.load(x));
      acc0 = accumulate(acc0, w1, v128.load(x += column));
      let shared = v128.load(x += column);
      acc0 = accumulate(acc0, w2, shared);
      acc1 = accumulate(acc1, w0, shared);
      acc1 = accumulate(acc1, w1, v128.load(x += column));
      shared = v128.load(x += column);
      acc1 = accumulate(acc1, w2, shared);
      acc2 = accumulate(acc2, w0, shared);
      acc2 = accumulate(acc2, w1, v128.load(x += column));
      acc2 = accumulate(acc2, w2, v128.load(x + column));
    }
    put(to + at, acc0, low, high);
    put(to + at + toStep, acc1, low, high);
    put(to + at + 2 * toStep, acc2, low, high);
  }
}
