/**
 * The sums of depthwise 3×3, channels-first, down a column of vectors: the same for planes in place (depthwise-3x3-down.ts, depthwise-3x3-dilated.ts) and copied (depthwise-taps-3x3.ts), cell by
 * cell, so that any of them may compute a row. A row of the image serves the three rows of results that see it: three loads for nine products. Nine weights, two results on their way, three vectors of cells and a
 * sum are all of the 15 registers that V8 has (one more without relaxed SIMD).
 */
import { clamp } from "./activation";
import { ConvParams } from "./params";
import { accumulate } from "./simd";

/** The bias, and what the first row of the kernel adds. */
// @ts-ignore: decorator
@inline
export function firstRow(bias: usize, w0: v128, w1: v128, w2: v128, v0: v128, v1: v128, v2: v128): v128 {
  return accumulate(accumulate(accumulate(v128.load32_splat(bias), w0, v0), w1, v1), w2, v2);
}

/** What another row of the kernel adds: a sum of its own. */
// @ts-ignore: decorator
@inline
export function nextRow(acc: v128, w0: v128, w1: v128, w2: v128, v0: v128, v1: v128, v2: v128): v128 {
  const sum = accumulate(f32x4.mul(w0, v0), w1, v1);
  return f32x4.add(acc, accumulate(sum, w2, v2));
}

/** Most rows at a time, and as many where there are more: the end of a short loop is foreseen, and lines stay in L1 from one vector to the next. */
export const MOST_ROWS = 30;
export const ROWS = 16;

/** Between the bounds, if there are any. They are read anew for each vector: beside nine weights they would push something out of the registers. */
// @ts-ignore: decorator
@inline
export function bound(p: ConvParams, bounded: bool, a: v128): v128 {
  if (bounded) {
    const bounds = changetype<usize>(p);
    a = clamp(a, v128.load32_splat(bounds, offsetof<ConvParams>("low")), v128.load32_splat(bounds, offsetof<ConvParams>("high")));
  }
  return a;
}
