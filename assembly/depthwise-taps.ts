/**
 * The sum of a depthwise convolution over one copied band of one channel, channels-first:
 *
 *   to[row][i] = activation(bias + Σ_tap weight[tap] · from[row · rowStep + offset[tap] + i])       i = 0 … width − 1
 *
 * A vector is four pixels, a weight is spread over its lanes. The band has its border, so no tap needs a test, and every load is inside it.
 *
 * 3×3 kernels have depthwise-taps-3x3.ts. Others take four vectors of two rows that share rows of the image: seven loads for eight products.
 */
import { Called, Clamped, CLAMP, finish } from "./activation";
import { rows3x3 } from "./depthwise-taps-3x3";
import { ConvParams } from "./params";
import { madd, storeLanes } from "./simd";

// @ts-ignore: decorator
@inline
function storeAt<F>(p: ConvParams, to: usize, v: v128, low: v128, high: v128, isWhole: bool, lanes: i32): void {
  v = finish<F>(p, v, low, high);
  if (isWhole) v128.store(to, v);
  else storeLanes(to, v, lanes);
}

/**
 * Up to eight vectors of one row, `wanted` of them stored, `whole` of them with all four lanes and the rest with the first `lanes`. The conditions
 * inside the loop are on purpose: V8 would otherwise load all operands of a step before the first product, more than it has
 * registers, and they spare most of the work behind a row. What is summed beyond `wanted` reads the slack behind the band.
 */
// @ts-ignore: decorator
@inline
function oneRow<F>(
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

/**
 * Up to four vectors of each of two rows of outputs, the second of which sees what the first sees `apart` bytes of taps further: first the taps that only the first row
 * sees, then those that both do, then those of the second alone. `below` lies between the two in the band, `toBelow` in the output.
 */
// @ts-ignore: decorator
@inline
function twoRows<F>(
  p: ConvParams, from: usize, below: usize, offsets: usize, apart: usize, weights: usize, bias: usize, to: usize, toBelow: usize,
  wanted: i32, whole: i32, lanes: i32,
): void {
  const end = offsets + (<usize>(p.kH * p.kW) << 2);
  let acc0 = v128.load32_splat(bias);
  let acc1 = acc0, acc2 = acc0, acc3 = acc0, acc4 = acc0, acc5 = acc0, acc6 = acc0, acc7 = acc0;
  const both = offsets + apart;
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
      }
    }
  } while (offsets != both);
  weights -= apart;
  while (offsets != end) {
    const w = v128.load32_splat(weights + apart), next = v128.load32_splat(weights);
    const x = from + load<usize>(offsets);
    weights += 4;
    offsets += 4;
    let v = v128.load(x);
    acc0 = madd(w, v, acc0);
    acc4 = madd(next, v, acc4);
    if (wanted > 1) {
      v = v128.load(x, 16);
      acc1 = madd(w, v, acc1);
      acc5 = madd(next, v, acc5);
      if (wanted > 2) {
        v = v128.load(x, 32);
        acc2 = madd(w, v, acc2);
        acc6 = madd(next, v, acc6);
        if (wanted > 3) {
          v = v128.load(x, 48);
          acc3 = madd(w, v, acc3);
          acc7 = madd(next, v, acc7);
        }
      }
    }
  }
  offsets -= apart;
  from += below;
  do {
    const w = v128.load32_splat(weights);
    const x = from + load<usize>(offsets);
    weights += 4;
    offsets += 4;
    acc4 = madd(w, v128.load(x), acc4);
    if (wanted > 1) {
      acc5 = madd(w, v128.load(x, 16), acc5);
      if (wanted > 2) {
        acc6 = madd(w, v128.load(x, 32), acc6);
        acc7 = madd(w, v128.load(x, 48), acc7);
      }
    }
  } while (offsets != end);
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  storeAt<F>(p, to, acc0, low, high, whole > 0, lanes);
  if (wanted > 1) storeAt<F>(p, to + 16, acc1, low, high, whole > 1, lanes);
  if (wanted > 2) storeAt<F>(p, to + 32, acc2, low, high, whole > 2, lanes);
  if (wanted > 3) storeAt<F>(p, to + 48, acc3, low, high, whole > 3, lanes);
  to += toBelow;
  storeAt<F>(p, to, acc4, low, high, whole > 0, lanes);
  if (wanted > 1) storeAt<F>(p, to + 16, acc5, low, high, whole > 1, lanes);
  if (wanted > 2) storeAt<F>(p, to + 32, acc6, low, high, whole > 2, lanes);
  if (wanted > 3) storeAt<F>(p, to + 48, acc7, low, high, whole > 3, lanes);
}

// Functions of their own: inside the loops over a band, the loop over the taps would have to keep its counters in memory.

function oneRowOfAny(p: ConvParams, from: usize, offsets: usize, weights: usize, bias: usize, to: usize, wanted: i32, whole: i32, lanes: i32): void {
  if (p.activation == CLAMP) oneRow<Clamped>(p, from, offsets, weights, bias, to, wanted, whole, lanes);
  else oneRow<Called>(p, from, offsets, weights, bias, to, wanted, whole, lanes);
}

function twoRowsOfAny(
  p: ConvParams, from: usize, below: usize, offsets: usize, apart: usize, weights: usize, bias: usize, to: usize, toBelow: usize,
  wanted: i32, whole: i32, lanes: i32,
): void {
  if (p.activation == CLAMP) twoRows<Clamped>(p, from, below, offsets, apart, weights, bias, to, toBelow, wanted, whole, lanes);
  else twoRows<Called>(p, from, below, offsets, apart, weights, bias, to, toBelow, wanted, whole, lanes);
}

function greatestCommonDivisor(a: i32, b: i32): i32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** `width` outputs to a row; rows of the band are `rowStep` bytes apart. `offsets` holds the bytes from a pixel's first tap to each. */
export function tapsChannelsFirst(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, weights: usize, bias: usize, to: usize, width: i32,
): void {
  const outRowBytes = <usize>width << 2;
  // Rows `distance` apart see rows of the image that are `shift` rows of the kernel apart.
  const common = greatestCommonDivisor(p.strideH, p.dilationH);
  const distance = p.dilationH / common, shift = p.strideH / common;
  if (p.kH == 3 && p.kW == 3 && width >= 4) {
    const tap1 = load<usize>(offsets, 4), tap2 = load<usize>(offsets, 8), line = load<usize>(offsets, 12);
    // Rows that share less than two of three are taken one by one.
    rows3x3(p, rows, shift == 1 ? distance : rows, from, rowStep, line, tap1, tap2, weights, bias, to, outRowBytes);
    return;
  }
  const vectors = (width + 3) >> 2;
  const whole = width >> 2;
  const below = <usize>distance * rowStep, toBelow = <usize>distance * outRowBytes;
  const apart = <usize>(shift * p.kW) << 2;
  const pairs = shift < p.kH;
  let row = 0;
  while (row < rows) {
    const paired = pairs && row + distance < rows;
    const step = paired ? 4 : 8;
    for (let i = 0; i < vectors; i += step) {
      const at = <usize>i << 4;
      if (paired) twoRowsOfAny(p, from + at, below, offsets, apart, weights, bias, to + at, toBelow, vectors - i, whole - i, width & 3);
      else oneRowOfAny(p, from + at, offsets, weights, bias, to + at, vectors - i, whole - i, width & 3);
    }
    row++;
    from += rowStep;
    to += outRowBytes;
    // The lower halves of `distance` pairs are done.
    if (pairs && row % (2 * distance) == distance) {
      row += distance;
      from += below;
      to += toBelow;
    }
  }
}
