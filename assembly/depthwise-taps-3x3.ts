/**
 * The sum of depthwise-taps.ts under a kernel of 3×3. Its nine weights stay in registers, a vector of four pixels follows the other; the last ends with the
 * row, and sums some pixels a second time. Two rows that share two of their three rows of the image are summed at once. Why sums and conditions stand as
 * they do is in depthwise-3x3.ts, whose sums these are, bit for bit: a part of an image may be copied where the whole is not.
 */
import { clamp } from "./activation";
import { ConvParams } from "./params";
import { accumulate, storeLanes } from "./simd";

/** What one row of the kernel adds. */
// @ts-ignore: decorator
@inline
function kernelRow(acc: v128, x: usize, tap1: usize, tap2: usize, w0: v128, w1: v128, w2: v128): v128 {
  let sum = f32x4.mul(w0, v128.load(x));
  sum = accumulate(sum, w1, v128.load(x + tap1));
  return f32x4.add(acc, accumulate(sum, w2, v128.load(x + tap2)));
}

/** The bounds are read anew for each vector: beside nine weights they would push something out of the registers. */
// @ts-ignore: decorator
@inline
function put(bounded: bool, bounds: usize, to: usize, v: v128): void {
  if (bounded) v = clamp(v, v128.load32_splat(bounds), v128.load32_splat(bounds, 4));
  v128.store(to, v);
}

/** A vector of each row of a pair. `x` is what the upper one sees first. */
// @ts-ignore: decorator
@inline
function pair(
  kH: i32, x: usize, line: usize, tap1: usize, tap2: usize, bias: usize, bounded: bool, bounds: usize, to: usize, below: usize,
  w00: v128, w01: v128, w02: v128, w10: v128, w11: v128, w12: v128, w20: v128, w21: v128, w22: v128,
): void {
  let a = v128.load32_splat(bias);
  let b = a;
  a = accumulate(a, w00, v128.load(x));
  a = accumulate(a, w01, v128.load(x + tap1));
  a = accumulate(a, w02, v128.load(x + tap2));
  x += line;
  if (kH > 0) {
    let v = v128.load(x);
    let sum = f32x4.mul(w10, v);
    b = accumulate(b, w00, v);
    v = v128.load(x + tap1);
    sum = accumulate(sum, w11, v);
    b = accumulate(b, w01, v);
    v = v128.load(x + tap2);
    a = f32x4.add(a, accumulate(sum, w12, v));
    b = accumulate(b, w02, v);
  }
  x += line;
  if (kH > 1) {
    let v = v128.load(x);
    let sum = f32x4.mul(w20, v), next = f32x4.mul(w10, v);
    v = v128.load(x + tap1);
    sum = accumulate(sum, w21, v);
    next = accumulate(next, w11, v);
    v = v128.load(x + tap2);
    a = f32x4.add(a, accumulate(sum, w22, v));
    b = f32x4.add(b, accumulate(next, w12, v));
  }
  x += line;
  if (kH > 2) b = kernelRow(b, x, tap1, tap2, w20, w21, w22);
  put(bounded, bounds, to, a);
  put(bounded, bounds, below, b);
}

/**
 * `line` lies between the rows of the kernel, `tap1` and `tap2` between its first column and the others. A row and the one `distance` rows further
 * are a pair: the second begins one row of the kernel below the first. `distance` ≥ `rows` where there are no such rows.
 */
export function rows3x3(
  p: ConvParams, rows: i32, distance: i32, from: usize, rowStep: usize, line: usize, tap1: usize, tap2: usize, weights: usize, bias: usize, bounds: usize,
  to: usize, outRowBytes: usize,
): void {
  const w00 = v128.load32_splat(weights), w01 = v128.load32_splat(weights, 4), w02 = v128.load32_splat(weights, 8);
  const w10 = v128.load32_splat(weights, 12), w11 = v128.load32_splat(weights, 16), w12 = v128.load32_splat(weights, 20);
  const w20 = v128.load32_splat(weights, 24), w21 = v128.load32_splat(weights, 28), w22 = v128.load32_splat(weights, 32);
  const last = outRowBytes - 16;
  const kH = p.kH;
  const bounded = load<f32>(bounds) != -Infinity || load<f32>(bounds, 4) != Infinity;
  let row = 0;
  while (row < rows) {
    if (row + distance >= rows) {
      // Also rows of less than a vector, which reads what lies behind them in a row of the band.
      for (let at: usize = 0; at < outRowBytes; at += 16) {
        if (at > last) at = last;
        let x = from + at;
        let a = accumulate(v128.load32_splat(bias), w00, v128.load(x));
        a = accumulate(a, w01, v128.load(x + tap1));
        a = accumulate(a, w02, v128.load(x + tap2));
        x += line;
        if (kH > 0) a = kernelRow(a, x, tap1, tap2, w10, w11, w12);
        x += line;
        if (kH > 1) a = kernelRow(a, x, tap1, tap2, w20, w21, w22);
        if (bounded) a = clamp(a, v128.load32_splat(bounds), v128.load32_splat(bounds, 4));
        storeLanes(to + at, a, p.outW);
      }
    } else {
      const below = to + <usize>distance * outRowBytes;
      let at: usize = 0;
      for (; at + 16 <= last; at += 32) {
        const x = from + at, y = to + at, z = below + at;
        pair(kH, x, line, tap1, tap2, bias, bounded, bounds, y, z, w00, w01, w02, w10, w11, w12, w20, w21, w22);
        pair(kH, x + 16, line, tap1, tap2, bias, bounded, bounds, y + 16, z + 16, w00, w01, w02, w10, w11, w12, w20, w21, w22);
      }
      for (; at < outRowBytes; at += 16) {
        if (at > last) at = last;
        pair(kH, from + at, line, tap1, tap2, bias, bounded, bounds, to + at, below + at, w00, w01, w02, w10, w11, w12, w20, w21, w22);
      }
    }
    row++;
    from += rowStep;
    to += outRowBytes;
    // The lower rows of `distance` pairs are done.
    if (row % (2 * distance) == distance) {
      row += distance;
      from += <usize>distance * rowStep;
      to += <usize>distance * outRowBytes;
    }
  }
}
