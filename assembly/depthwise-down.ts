/** Strips of a depthwise convolution down the columns that the border cuts, beside rows under three columns: see besideRows in depthwise-strip.ts. */
import { Grid, put } from "./depthwise-grid";
import { accumulate } from "./simd";

/**
 * Four positions one below the other under three rows and the one or two columns that the border leaves, and likewise further down: what lies in a row is part of up to three of
 * them. Row after row, as the positions beside them.
 */
export function fourDown(count: i32, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
  const column = grid.innerStep, next = grid.innerWeights, two = grid.inner > 1;
  const behind = count - 4;
  for (let i = 0; ; i += 4) {
    // The last four end with the strip: some are summed a second time.
    if (i > behind) i = behind;
    const image = from + <usize>i * step, result = to + <usize>i * toStep;
    for (let at: usize = 0; at < bytes; at += 16) {
      let acc0 = v128.load(bias + at);
      let acc1 = acc0, acc2 = acc0, acc3 = acc0;
      let w = weights + at;
      const u0 = v128.load(w), v0 = two ? v128.load(w + next) : u0;
      w += grid.outerWeights;
      const u1 = v128.load(w), v1 = two ? v128.load(w + next) : u0;
      w += grid.outerWeights;
      const u2 = v128.load(w), v2 = two ? v128.load(w + next) : u0;
      let x = image + at;
      let v = v128.load(x);
      acc0 = accumulate(acc0, u0, v);
      if (two) {
        v = v128.load(x + column);
        acc0 = accumulate(acc0, v0, v);
      }
      v = v128.load(x += step);
      acc0 = accumulate(acc0, u1, v);
      acc1 = accumulate(acc1, u0, v);
      if (two) {
        v = v128.load(x + column);
        acc0 = accumulate(acc0, v1, v);
        acc1 = accumulate(acc1, v0, v);
      }
      v = v128.load(x += step);
      acc0 = accumulate(acc0, u2, v);
      acc1 = accumulate(acc1, u1, v);
      acc2 = accumulate(acc2, u0, v);
      if (two) {
        v = v128.load(x + column);
        acc0 = accumulate(acc0, v2, v);
        acc1 = accumulate(acc1, v1, v);
        acc2 = accumulate(acc2, v0, v);
      }
      v = v128.load(x += step);
      acc1 = accumulate(acc1, u2, v);
      acc2 = accumulate(acc2, u1, v);
      acc3 = accumulate(acc3, u0, v);
      if (two) {
        v = v128.load(x + column);
        acc1 = accumulate(acc1, v2, v);
        acc2 = accumulate(acc2, v1, v);
        acc3 = accumulate(acc3, v0, v);
      }
      v = v128.load(x += step);
      acc2 = accumulate(acc2, u2, v);
      acc3 = accumulate(acc3, u1, v);
      if (two) {
        v = v128.load(x + column);
        acc2 = accumulate(acc2, v2, v);
        acc3 = accumulate(acc3, v1, v);
      }
      x += step;
      acc3 = accumulate(acc3, u2, v128.load(x));
      if (two) acc3 = accumulate(acc3, v2, v128.load(x + column));
      let y = result + at;
      put(y, acc0, low, high);
      put(y += toStep, acc1, low, high);
      put(y += toStep, acc2, low, high);
      put(y + toStep, acc3, low, high);
    }
    if (i == behind) break;
  }
}
