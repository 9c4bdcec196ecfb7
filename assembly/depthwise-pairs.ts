/**
 * Depthwise 3×3 at stride 1, channels-last: two rows of results by three neighbours at a time, 29 loads for 54 products, where four neighbours of one row in depthwise-three.ts take 27 for 36. Of the lines that they
 * read L1 holds all, where those of a column of depthwise-down.ts share too few of its sets. Sums are those of either, row after row and tap after tap, so that each may compute a cell.
 */
import { clamp } from "./activation";
import { Grid } from "./depthwise-grid";
import { accumulate } from "./simd";

/** Neighbours at a time. */
const WIDTH = 3;

/**
 * `count` columns of two results each, WIDTH at least. `above`, `below` say whether the first and the last row that they see are inside. The conditions on `x` always hold: without them V8 would load all of a row, and
 * compute all addresses, before the first product, more than it has registers for.
 */
export function pairs(
  count: i32, above: bool, below: bool, from: usize, step: usize, lineBytes: usize, to: usize, toStep: usize, toLine: usize, bytes: usize, grid: Grid, weights: usize,
  bias: usize,
): void {
  if (!ASC_NO_ASSERT) assert(count >= WIDTH, "depthwise: too few columns for pairs of rows");
  const bounded = grid.low > -Infinity || grid.high < Infinity;
  const next = grid.innerWeights;
  const last = count - WIDTH;
  for (let i = 0; ; i += WIDTH) {
    // The last three end with the row: some are summed a second time.
    i = min(i, last);
    const image = from + <usize>i * step, results = to + <usize>i * toStep;
    for (let at: usize = 0; at < bytes; at += 16) {
      if (at > bytes - 16) at = bytes - 16;
      let line = image + at, row = weights + at;
      let a0 = v128.load(bias + at);
      let a1 = a0, a2 = a0, b0 = a0, b1 = a0, b2 = a0;
      const w00 = v128.load(row), w01 = v128.load(row + next), w02 = v128.load(row + 2 * next);
      let x = line;
      if (above) {
        let v = v128.load(x);
        a0 = accumulate(a0, w00, v);
        v = v128.load(x += step);
        a0 = accumulate(a0, w01, v);
        a1 = accumulate(a1, w00, v);
        if (x != 0) {
          v = v128.load(x += step);
          a0 = accumulate(a0, w02, v);
          a1 = accumulate(a1, w01, v);
          a2 = accumulate(a2, w00, v);
          v = v128.load(x += step);
          a1 = accumulate(a1, w02, v);
          a2 = accumulate(a2, w01, v);
          a2 = accumulate(a2, w02, v128.load(x + step));
        }
      }
      x = line += lineBytes;
      row += 3 * next;
      const w10 = v128.load(row), w11 = v128.load(row + next), w12 = v128.load(row + 2 * next);
      let v = v128.load(x);
      a0 = accumulate(a0, w10, v);
      b0 = accumulate(b0, w00, v);
      v = v128.load(x += step);
      a0 = accumulate(a0, w11, v);
      a1 = accumulate(a1, w10, v);
      b0 = accumulate(b0, w01, v);
      b1 = accumulate(b1, w00, v);
      if (x != 0) {
        v = v128.load(x += step);
        a0 = accumulate(a0, w12, v);
        a1 = accumulate(a1, w11, v);
        a2 = accumulate(a2, w10, v);
        b0 = accumulate(b0, w02, v);
        b1 = accumulate(b1, w01, v);
        b2 = accumulate(b2, w00, v);
        v = v128.load(x += step);
        a1 = accumulate(a1, w12, v);
        a2 = accumulate(a2, w11, v);
        b1 = accumulate(b1, w02, v);
        b2 = accumulate(b2, w01, v);
        v = v128.load(x + step);
        a2 = accumulate(a2, w12, v);
        b2 = accumulate(b2, w02, v);
      }
      x = line += lineBytes;
      row += 3 * next;
      const w20 = v128.load(row), w21 = v128.load(row + next), w22 = v128.load(row + 2 * next);
      v = v128.load(x);
      a0 = accumulate(a0, w20, v);
      b0 = accumulate(b0, w10, v);
      v = v128.load(x += step);
      a0 = accumulate(a0, w21, v);
      a1 = accumulate(a1, w20, v);
      b0 = accumulate(b0, w11, v);
      b1 = accumulate(b1, w10, v);
      if (x != 0) {
        v = v128.load(x += step);
        a0 = accumulate(a0, w22, v);
        a1 = accumulate(a1, w21, v);
        a2 = accumulate(a2, w20, v);
        b0 = accumulate(b0, w12, v);
        b1 = accumulate(b1, w11, v);
        b2 = accumulate(b2, w10, v);
        v = v128.load(x += step);
        a1 = accumulate(a1, w22, v);
        a2 = accumulate(a2, w21, v);
        b1 = accumulate(b1, w12, v);
        b2 = accumulate(b2, w11, v);
        v = v128.load(x + step);
        a2 = accumulate(a2, w22, v);
        b2 = accumulate(b2, w12, v);
      }
      if (below) {
        x = line + lineBytes;
        v = v128.load(x);
        b0 = accumulate(b0, w20, v);
        v = v128.load(x += step);
        b0 = accumulate(b0, w21, v);
        b1 = accumulate(b1, w20, v);
        if (x != 0) {
          v = v128.load(x += step);
          b0 = accumulate(b0, w22, v);
          b1 = accumulate(b1, w21, v);
          b2 = accumulate(b2, w20, v);
          v = v128.load(x += step);
          b1 = accumulate(b1, w22, v);
          b2 = accumulate(b2, w21, v);
          b2 = accumulate(b2, w22, v128.load(x + step));
        }
      }
      if (bounded) {
        const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
        a0 = clamp(a0, low, high);
        a1 = clamp(a1, low, high);
        a2 = clamp(a2, low, high);
        b0 = clamp(b0, low, high);
        b1 = clamp(b1, low, high);
        b2 = clamp(b2, low, high);
      }
      let y = results + at;
      v128.store(y, a0);
      v128.store(y + toLine, b0);
      y += toStep;
      v128.store(y, a1);
      v128.store(y + toLine, b1);
      y += toStep;
      v128.store(y, a2);
      v128.store(y + toLine, b2);
    }
    if (i == last) break;
  }
}
