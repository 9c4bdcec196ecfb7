/**
 * The sum of depthwise-taps.ts under a kernel of 3×3. Its nine weights stay in registers. Of rows that share two of their three rows of the image a vector is summed all the
 * way down; the last vector of a row ends with it, and sums some pixels a second time. The sums are those of depthwise-3x3.ts, bit for bit: a part of an image
 * may be copied where the whole is not.
 */
import { clamp } from "./activation";
import { firstRow, nextRow } from "./depthwise-3x3-column";
import { ConvParams } from "./params";
import { storeLanes } from "./simd";

/** The bounds are read anew for each vector: beside nine weights they would push something out of the registers. */
// @ts-ignore: decorator
@inline
function between(bounded: bool, bounds: usize, v: v128): v128 {
  return bounded ? clamp(v, v128.load32_splat(bounds), v128.load32_splat(bounds, 4)) : v;
}

/** `rows` ≥ 2 rows of results `toStep` apart, one vector wide. `x` is what the first one sees first, `line` bytes above what the next one does. */
// @ts-ignore: decorator
@inline
function down(
  rows: i32, x: usize, line: usize, tap1: usize, tap2: usize, bias: usize, bounded: bool, bounds: usize, to: usize, toStep: usize,
  w00: v128, w01: v128, w02: v128, w10: v128, w11: v128, w12: v128, w20: v128, w21: v128, w22: v128,
): void {
  let v0 = v128.load(x), v1 = v128.load(x + tap1), v2 = v128.load(x + tap2);
  let lower = firstRow(bias, w00, w01, w02, v0, v1, v2);
  x += line;
  v0 = v128.load(x), v1 = v128.load(x + tap1), v2 = v128.load(x + tap2);
  let upper = nextRow(lower, w10, w11, w12, v0, v1, v2);
  lower = firstRow(bias, w00, w01, w02, v0, v1, v2);
  for (; rows != 1; rows--) {
    x += line;
    v0 = v128.load(x), v1 = v128.load(x + tap1), v2 = v128.load(x + tap2);
    v128.store(to, between(bounded, bounds, nextRow(upper, w20, w21, w22, v0, v1, v2)));
    upper = nextRow(lower, w10, w11, w12, v0, v1, v2);
    lower = firstRow(bias, w00, w01, w02, v0, v1, v2);
    to += toStep;
  }
  x += line;
  v0 = v128.load(x), v1 = v128.load(x + tap1), v2 = v128.load(x + tap2);
  v128.store(to, between(bounded, bounds, nextRow(upper, w20, w21, w22, v0, v1, v2)));
}

/**
 * `line` lies between the rows of the kernel, `tap1` and `tap2` between its first column and the others. Of a row and the one `distance` rows further
 * the second begins one row of the kernel below the first. `distance` ≥ `rows` where there are no such rows.
 */
export function rows3x3(
  p: ConvParams, rows: i32, distance: i32, from: usize, rowStep: usize, line: usize, tap1: usize, tap2: usize, weights: usize, bias: usize, bounds: usize,
  to: usize, outRowBytes: usize,
): void {
  const w00 = v128.load32_splat(weights), w01 = v128.load32_splat(weights, 4), w02 = v128.load32_splat(weights, 8);
  const w10 = v128.load32_splat(weights, 12), w11 = v128.load32_splat(weights, 16), w12 = v128.load32_splat(weights, 20);
  const w20 = v128.load32_splat(weights, 24), w21 = v128.load32_splat(weights, 28), w22 = v128.load32_splat(weights, 32);
  const kH = p.kH;
  const last = outRowBytes - 16, toStep = <usize>distance * outRowBytes;
  const bounded = load<f32>(bounds) > -Infinity || load<f32>(bounds, 4) < Infinity;
  for (let phase = 0; phase < min(rows, distance); phase++) {
    const count = (rows - 1 - phase) / distance + 1;
    if (count > 1) {
      for (let at: usize = 0; at < outRowBytes; at += 16) {
        if (at > last) at = last;
        down(count, from + at, line, tap1, tap2, bias, bounded, bounds, to + at, toStep, w00, w01, w02, w10, w11, w12, w20, w21, w22);
      }
    } else {
      // Also rows of less than a vector, which reads what lies behind them in a row of the band.
      for (let at: usize = 0; at < outRowBytes; at += 16) {
        if (at > last) at = last;
        let x = from + at;
        let a = firstRow(bias, w00, w01, w02, v128.load(x), v128.load(x + tap1), v128.load(x + tap2));
        x += line;
        // Conditions that always hold keep V8 from loading for all rows at once.
        if (kH > 0) a = nextRow(a, w10, w11, w12, v128.load(x), v128.load(x + tap1), v128.load(x + tap2));
        x += line;
        if (kH > 1) a = nextRow(a, w20, w21, w22, v128.load(x), v128.load(x + tap1), v128.load(x + tap2));
        storeLanes(to + at, between(bounded, bounds, a), p.outW);
      }
    }
    from += rowStep;
    to += outRowBytes;
  }
}
