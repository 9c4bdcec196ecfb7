/**
 * Strips of a depthwise convolution under five or seven columns whose neighbouring positions share columns (see depthwise-strip.ts): along them each column of
 * the image is loaded once for all the products it is part of. Column j feeds position i with weight j − i.
 *
 * Two vectors of channels at a time: they share the addresses, which are as many as loads, and their eight sums do not wait for each other.
 */
import { Grid, put } from "./depthwise-grid";
import { accumulate } from "./simd";

/** Four neighbours under five columns. The conditions on `bytes` always hold, and keep V8 from loading more than it has registers for. */
function five(count: i32, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
  const outerStep = grid.outerStep, outerWeights = grid.outerWeights, next = grid.innerWeights, outer = grid.outer;
  // What is last ends with the channels, what was last with the strip: some are summed a second time.
  const last = bytes - 32;
  const behind = count - 4;
  for (let i = 0; ; i += 4) {
    if (i > behind) i = behind;
    const image = from + <usize>i * step, result = to + <usize>i * toStep;
    for (let at: usize = 0; at < bytes; at += 32) {
      if (at > last) at = last;
      let acc0 = v128.load(bias + at);
      let acc1 = acc0, acc2 = acc0, acc3 = acc0;
      let sum0 = v128.load(bias + at, 16);
      let sum1 = sum0, sum2 = sum0, sum3 = sum0;
      let line = image + at;
      let row = weights + at;
      for (let n = outer; n > 0; n--) {
        const r0 = row, r1 = r0 + next, r2 = r1 + next, r3 = r2 + next, r4 = r3 + next;
        const x0 = line, x1 = x0 + step, x2 = x1 + step, x3 = x2 + step, x4 = x3 + step, x5 = x4 + step, x6 = x5 + step, x7 = x6 + step;
        {
          const w0 = v128.load(r0), w1 = v128.load(r1), w2 = v128.load(r2), w3 = v128.load(r3), w4 = v128.load(r4);
          let v = v128.load(x0);
          acc0 = accumulate(acc0, w0, v);
          v = v128.load(x1);
          acc0 = accumulate(acc0, w1, v);
          acc1 = accumulate(acc1, w0, v);
          v = v128.load(x2);
          acc0 = accumulate(acc0, w2, v);
          acc1 = accumulate(acc1, w1, v);
          acc2 = accumulate(acc2, w0, v);
          v = v128.load(x3);
          acc0 = accumulate(acc0, w3, v);
          acc1 = accumulate(acc1, w2, v);
          acc2 = accumulate(acc2, w1, v);
          acc3 = accumulate(acc3, w0, v);
          if (bytes > 1) {
            v = v128.load(x4);
            acc0 = accumulate(acc0, w4, v);
            acc1 = accumulate(acc1, w3, v);
            acc2 = accumulate(acc2, w2, v);
            acc3 = accumulate(acc3, w1, v);
            v = v128.load(x5);
            acc1 = accumulate(acc1, w4, v);
            acc2 = accumulate(acc2, w3, v);
            acc3 = accumulate(acc3, w2, v);
            v = v128.load(x6);
            acc2 = accumulate(acc2, w4, v);
            acc3 = accumulate(acc3, w3, v);
            v = v128.load(x7);
            acc3 = accumulate(acc3, w4, v);
          }
        }
        if (bytes > 2) {
          const w0 = v128.load(r0, 16), w1 = v128.load(r1, 16), w2 = v128.load(r2, 16), w3 = v128.load(r3, 16), w4 = v128.load(r4, 16);
          let v = v128.load(x0, 16);
          sum0 = accumulate(sum0, w0, v);
          v = v128.load(x1, 16);
          sum0 = accumulate(sum0, w1, v);
          sum1 = accumulate(sum1, w0, v);
          v = v128.load(x2, 16);
          sum0 = accumulate(sum0, w2, v);
          sum1 = accumulate(sum1, w1, v);
          sum2 = accumulate(sum2, w0, v);
          v = v128.load(x3, 16);
          sum0 = accumulate(sum0, w3, v);
          sum1 = accumulate(sum1, w2, v);
          sum2 = accumulate(sum2, w1, v);
          sum3 = accumulate(sum3, w0, v);
          if (bytes > 3) {
            v = v128.load(x4, 16);
            sum0 = accumulate(sum0, w4, v);
            sum1 = accumulate(sum1, w3, v);
            sum2 = accumulate(sum2, w2, v);
            sum3 = accumulate(sum3, w1, v);
            v = v128.load(x5, 16);
            sum1 = accumulate(sum1, w4, v);
            sum2 = accumulate(sum2, w3, v);
            sum3 = accumulate(sum3, w2, v);
            v = v128.load(x6, 16);
            sum2 = accumulate(sum2, w4, v);
            sum3 = accumulate(sum3, w3, v);
            v = v128.load(x7, 16);
            sum3 = accumulate(sum3, w4, v);
          }
        }
        line += outerStep;
        row += outerWeights;
      }
      let y = result + at;
      put(y, acc0, low, high);
      put(y + 16, sum0, low, high);
      put(y += toStep, acc1, low, high);
      put(y + 16, sum1, low, high);
      put(y += toStep, acc2, low, high);
      put(y + 16, sum2, low, high);
      put(y += toStep, acc3, low, high);
      put(y + 16, sum3, low, high);
    }
    if (i == behind) break;
  }
}

/** Likewise under seven columns: first the four on the left, then the three on the right. Three columns of the image are loaded twice, and fourteen registers do. */
function seven(count: i32, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
  const outerStep = grid.outerStep, outerWeights = grid.outerWeights, next = grid.innerWeights, outer = grid.outer;
  // What is last ends with the channels, what was last with the strip: some are summed a second time.
  const last = bytes - 32;
  const behind = count - 4;
  for (let i = 0; ; i += 4) {
    if (i > behind) i = behind;
    const image = from + <usize>i * step, result = to + <usize>i * toStep;
    for (let at: usize = 0; at < bytes; at += 32) {
      if (at > last) at = last;
      let acc0 = v128.load(bias + at);
      let acc1 = acc0, acc2 = acc0, acc3 = acc0;
      let sum0 = v128.load(bias + at, 16);
      let sum1 = sum0, sum2 = sum0, sum3 = sum0;
      let line = image + at;
      let row = weights + at;
      for (let n = outer; n > 0; n--) {
        const r0 = row, r1 = r0 + next, r2 = r1 + next, r3 = r2 + next, r4 = r3 + next, r5 = r4 + next, r6 = r5 + next;
        const x0 = line, x1 = x0 + step, x2 = x1 + step, x3 = x2 + step, x4 = x3 + step;
        const x5 = x4 + step, x6 = x5 + step, x7 = x6 + step, x8 = x7 + step, x9 = x8 + step;
        {
          const w0 = v128.load(r0), w1 = v128.load(r1), w2 = v128.load(r2), w3 = v128.load(r3);
          let v = v128.load(x0);
          acc0 = accumulate(acc0, w0, v);
          v = v128.load(x1);
          acc0 = accumulate(acc0, w1, v);
          acc1 = accumulate(acc1, w0, v);
          v = v128.load(x2);
          acc0 = accumulate(acc0, w2, v);
          acc1 = accumulate(acc1, w1, v);
          acc2 = accumulate(acc2, w0, v);
          v = v128.load(x3);
          acc0 = accumulate(acc0, w3, v);
          acc1 = accumulate(acc1, w2, v);
          acc2 = accumulate(acc2, w1, v);
          acc3 = accumulate(acc3, w0, v);
          if (bytes > 1) {
            v = v128.load(x4);
            acc1 = accumulate(acc1, w3, v);
            acc2 = accumulate(acc2, w2, v);
            acc3 = accumulate(acc3, w1, v);
            v = v128.load(x5);
            acc2 = accumulate(acc2, w3, v);
            acc3 = accumulate(acc3, w2, v);
            v = v128.load(x6);
            acc3 = accumulate(acc3, w3, v);
          }
        }
        if (bytes > 2) {
          const w0 = v128.load(r0, 16), w1 = v128.load(r1, 16), w2 = v128.load(r2, 16), w3 = v128.load(r3, 16);
          let v = v128.load(x0, 16);
          sum0 = accumulate(sum0, w0, v);
          v = v128.load(x1, 16);
          sum0 = accumulate(sum0, w1, v);
          sum1 = accumulate(sum1, w0, v);
          v = v128.load(x2, 16);
          sum0 = accumulate(sum0, w2, v);
          sum1 = accumulate(sum1, w1, v);
          sum2 = accumulate(sum2, w0, v);
          v = v128.load(x3, 16);
          sum0 = accumulate(sum0, w3, v);
          sum1 = accumulate(sum1, w2, v);
          sum2 = accumulate(sum2, w1, v);
          sum3 = accumulate(sum3, w0, v);
          if (bytes > 3) {
            v = v128.load(x4, 16);
            sum1 = accumulate(sum1, w3, v);
            sum2 = accumulate(sum2, w2, v);
            sum3 = accumulate(sum3, w1, v);
            v = v128.load(x5, 16);
            sum2 = accumulate(sum2, w3, v);
            sum3 = accumulate(sum3, w2, v);
            v = v128.load(x6, 16);
            sum3 = accumulate(sum3, w3, v);
          }
        }
        {
          const w0 = v128.load(r4), w1 = v128.load(r5), w2 = v128.load(r6);
          let v = v128.load(x4);
          acc0 = accumulate(acc0, w0, v);
          v = v128.load(x5);
          acc0 = accumulate(acc0, w1, v);
          acc1 = accumulate(acc1, w0, v);
          v = v128.load(x6);
          acc0 = accumulate(acc0, w2, v);
          acc1 = accumulate(acc1, w1, v);
          acc2 = accumulate(acc2, w0, v);
          v = v128.load(x7);
          acc1 = accumulate(acc1, w2, v);
          acc2 = accumulate(acc2, w1, v);
          acc3 = accumulate(acc3, w0, v);
          v = v128.load(x8);
          acc2 = accumulate(acc2, w2, v);
          acc3 = accumulate(acc3, w1, v);
          v = v128.load(x9);
          acc3 = accumulate(acc3, w2, v);
        }
        if (bytes > 4) {
          const w0 = v128.load(r4, 16), w1 = v128.load(r5, 16), w2 = v128.load(r6, 16);
          let v = v128.load(x4, 16);
          sum0 = accumulate(sum0, w0, v);
          v = v128.load(x5, 16);
          sum0 = accumulate(sum0, w1, v);
          sum1 = accumulate(sum1, w0, v);
          v = v128.load(x6, 16);
          sum0 = accumulate(sum0, w2, v);
          sum1 = accumulate(sum1, w1, v);
          sum2 = accumulate(sum2, w0, v);
          v = v128.load(x7, 16);
          sum1 = accumulate(sum1, w2, v);
          sum2 = accumulate(sum2, w1, v);
          sum3 = accumulate(sum3, w0, v);
          v = v128.load(x8, 16);
          sum2 = accumulate(sum2, w2, v);
          sum3 = accumulate(sum3, w1, v);
          v = v128.load(x9, 16);
          sum3 = accumulate(sum3, w2, v);
        }
        line += outerStep;
        row += outerWeights;
      }
      let y = result + at;
      put(y, acc0, low, high);
      put(y + 16, sum0, low, high);
      put(y += toStep, acc1, low, high);
      put(y + 16, sum1, low, high);
      put(y += toStep, acc2, low, high);
      put(y + 16, sum2, low, high);
      put(y += toStep, acc3, low, high);
      put(y + 16, sum3, low, high);
    }
    if (i == behind) break;
  }
}

/** `count` neighbours under five columns or seven, of eight channels or more. */
export function wide(
  columns: i32, count: i32, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize,
): void {
  if (!ASC_NO_ASSERT) assert(bytes >= 32, "depthwise: less than two vectors");
  if (columns == 5) five(count, from, step, to, toStep, bytes, grid, weights, bias);
  else seven(count, from, step, to, toStep, bytes, grid, weights, bias);
}
