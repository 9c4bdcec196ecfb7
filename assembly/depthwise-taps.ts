/**
 * The sum of a depthwise convolution over one copied band of one channel, channels-first:
 *
 *   to[row][i] = activation(bias + Σ_tap weight[tap] · from[row · rowStep + offset[tap] + i])       i = 0 … width − 1
 *
 * A vector is four pixels, a weight is spread over its lanes. The band has its border, so no tap needs a test, and every load is inside it.
 *
 * 3×3 kernels keep their nine weights in registers and take one vector after the other; the last ends with the row, and sums some pixels a
 * second time. Other kernels load each weight once for up to eight vectors.
 */
import { Called, Clamped, CLAMP, finish } from "./activation";
import { ConvParams } from "./params";
import { accumulate, madd, storeLanes } from "./simd";

/** Rows of at least one vector. `line` lies between the rows of the kernel, `tap1` and `tap2` between its first column and the others. */
// @ts-ignore: decorator
@inline
function band3x3<F>(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, line: usize, tap1: usize, tap2: usize, weights: usize, bias: usize, to: usize, outRowBytes: usize,
): void {
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const start = v128.load32_splat(bias);
  const w00 = v128.load32_splat(weights), w01 = v128.load32_splat(weights, 4), w02 = v128.load32_splat(weights, 8);
  const w10 = v128.load32_splat(weights, 12), w11 = v128.load32_splat(weights, 16), w12 = v128.load32_splat(weights, 20);
  const w20 = v128.load32_splat(weights, 24), w21 = v128.load32_splat(weights, 28), w22 = v128.load32_splat(weights, 32);
  const last = outRowBytes - 16;
  for (let row = rows; row != 0; row--) {
    for (let at: usize = 0; at < outRowBytes; at += 16) {
      if (at > last) at = last;
      const x0 = from + at;
      const x1 = x0 + line;
      const x2 = x1 + line;
      let acc = accumulate(start, w00, v128.load(x0));
      acc = accumulate(acc, w01, v128.load(x0 + tap1));
      acc = accumulate(acc, w02, v128.load(x0 + tap2));
      acc = accumulate(acc, w10, v128.load(x1));
      acc = accumulate(acc, w11, v128.load(x1 + tap1));
      acc = accumulate(acc, w12, v128.load(x1 + tap2));
      acc = accumulate(acc, w20, v128.load(x2));
      acc = accumulate(acc, w21, v128.load(x2 + tap1));
      acc = accumulate(acc, w22, v128.load(x2 + tap2));
      v128.store(to + at, finish<F>(p, acc, low, high));
    }
    from += rowStep;
    to += outRowBytes;
  }
}

// @ts-ignore: decorator
@inline
function storeAt<F>(p: ConvParams, to: usize, v: v128, low: v128, high: v128, isWhole: bool, lanes: i32): void {
  v = finish<F>(p, v, low, high);
  if (isWhole) v128.store(to, v);
  else storeLanes(to, v, lanes);
}

/**
 * Up to eight vectors at once, of which `wanted` are stored, `whole` of them with all four lanes and the rest with the first `lanes`. The
 * conditions inside the loop are on purpose: V8 would otherwise load all operands of a step before the first product, two more than it has
 * registers, and they spare most of the work behind a row. What is summed beyond `wanted` reads the slack behind the band.
 */
// @ts-ignore: decorator
@inline
function block<F>(
  p: ConvParams, from: usize, offsets: usize, weights: usize, bias: usize, to: usize, wanted: i32, whole: i32, lanes: i32,
): void {
  const end = offsets + (<usize>(p.kH * p.kW) << 2);
  let acc0 = v128.load32_splat(bias);
  let acc1 = acc0, acc2 = acc0, acc3 = acc0, acc4 = acc0, acc5 = acc0, acc6 = acc0, acc7 = acc0;
  do {
    const w = v128.load32_splat(weights);
    const x = from + load<usize>(offsets);
    weights += 4;
    offsets += 4;
    acc0 = madd(w, v128.load(x), acc0);
    if (wanted > 1) {
      acc1 = madd(w, v128.load(x, 16), acc1);
      if (wanted > 2) {
        acc2 = madd(w, v128.load(x, 32), acc2);
        acc3 = madd(w, v128.load(x, 48), acc3);
        if (wanted > 4) {
          acc4 = madd(w, v128.load(x, 64), acc4);
          acc5 = madd(w, v128.load(x, 80), acc5);
          if (wanted > 6) {
            acc6 = madd(w, v128.load(x, 96), acc6);
            acc7 = madd(w, v128.load(x, 112), acc7);
          }
        }
      }
    }
  } while (offsets != end);
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  storeAt<F>(p, to, acc0, low, high, whole > 0, lanes);
  if (wanted > 1) storeAt<F>(p, to + 16, acc1, low, high, whole > 1, lanes);
  if (wanted > 2) storeAt<F>(p, to + 32, acc2, low, high, whole > 2, lanes);
  if (wanted > 3) storeAt<F>(p, to + 48, acc3, low, high, whole > 3, lanes);
  if (wanted > 4) storeAt<F>(p, to + 64, acc4, low, high, whole > 4, lanes);
  if (wanted > 5) storeAt<F>(p, to + 80, acc5, low, high, whole > 5, lanes);
  if (wanted > 6) storeAt<F>(p, to + 96, acc6, low, high, whole > 6, lanes);
  if (wanted > 7) storeAt<F>(p, to + 112, acc7, low, high, whole > 7, lanes);
}

// Functions of their own: inside the loops over a band, the loop over the taps would have to keep its counters in memory.

function blockOfAny(p: ConvParams, from: usize, offsets: usize, weights: usize, bias: usize, to: usize, wanted: i32, whole: i32, lanes: i32): void {
  if (p.activation == CLAMP) block<Clamped>(p, from, offsets, weights, bias, to, wanted, whole, lanes);
  else block<Called>(p, from, offsets, weights, bias, to, wanted, whole, lanes);
}

function any3x3(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, line: usize, tap1: usize, tap2: usize, weights: usize, bias: usize, to: usize, outRowBytes: usize,
): void {
  if (p.activation == CLAMP) band3x3<Clamped>(p, rows, from, rowStep, line, tap1, tap2, weights, bias, to, outRowBytes);
  else band3x3<Called>(p, rows, from, rowStep, line, tap1, tap2, weights, bias, to, outRowBytes);
}

/** `width` outputs to a row; rows of the band are `rowStep` bytes apart. `offsets` holds the bytes from a pixel's first tap to each. */
export function tapsChannelsFirst(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, weights: usize, bias: usize, to: usize, width: i32,
): void {
  const outRowBytes = <usize>width << 2;
  if (p.kH == 3 && p.kW == 3 && width >= 4) {
    const tap1 = load<usize>(offsets, 4), tap2 = load<usize>(offsets, 8), line = load<usize>(offsets, 12);
    any3x3(p, rows, from, rowStep, line, tap1, tap2, weights, bias, to, outRowBytes);
    return;
  }
  const vectors = (width + 3) >> 2;
  const whole = width >> 2;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < vectors; i += 8) {
      const at = <usize>i << 4;
      blockOfAny(p, from + at, offsets, weights, bias, to + at, vectors - i, whole - i, width & 3);
    }
    from += rowStep;
    to += outRowBytes;
  }
}
