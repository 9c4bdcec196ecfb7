/**
 * The sum of a depthwise convolution over one copied band of one channel, channels-first:
 *
 *   to[row][i] = clamp(bias + Σ_tap weight[tap] · from[row · rowStep + offset[tap] + i])       i = 0 … width − 1
 *
 * A vector is four pixels, a weight is spread over its lanes. The band has its border, so no tap needs a test; loads end at most a vector behind it, where bands.ts has room.
 *
 * 3×3 kernels have depthwise-taps-3x3.ts, five columns depthwise-taps-5.ts. Others take four vectors of two rows that share rows of the image: seven loads for eight products.
 * Vectors that are no fours are summed three by three, in four rows at a time, by depthwise-taps-twelve.ts, with relaxed SIMD.
 */
import { clamp } from "./activation";
import { rows3x3 } from "./depthwise-taps-3x3";
import { FIVE_LEAST, rowsOfFive } from "./depthwise-taps-5";
import { TWELVE_LEAST, twelveSums } from "./depthwise-taps-twelve";
import { ConvParams } from "./params";
import { madd, storeLanes } from "./simd";

// @ts-ignore: decorator
@inline
function storeAt(to: usize, v: v128, low: v128, high: v128, isWhole: bool, lanes: i32): void {
  v = clamp(v, low, high);
  if (isWhole) v128.store(to, v);
  else storeLanes(to, v, lanes);
}

/**
 * Up to eight vectors of one row, `wanted` of them stored, `whole` of them with all four lanes and the rest with the first `lanes`. The conditions
 * inside the loop are on purpose: V8 would otherwise load all operands of a step before the first product, more than it has
 * registers, and they spare most of the work behind a row. What is summed beyond `wanted` reads the slack behind the band.
 */
function oneRow(
  p: ConvParams, from: usize, offsets: usize, weights: usize, bias: usize, bounds: usize, to: usize, wanted: i32, whole: i32, lanes: i32,
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
  const low = v128.load32_splat(bounds), high = v128.load32_splat(bounds, 4);
  storeAt(to, acc0, low, high, whole > 0, lanes);
  if (wanted > 1) storeAt(to + 16, acc1, low, high, whole > 1, lanes);
  if (wanted > 2) storeAt(to + 32, acc2, low, high, whole > 2, lanes);
  if (wanted > 3) storeAt(to + 48, acc3, low, high, whole > 3, lanes);
  if (wanted > 4) storeAt(to + 64, acc4, low, high, whole > 4, lanes);
  if (wanted > 5) storeAt(to + 80, acc5, low, high, whole > 5, lanes);
  if (wanted > 6) storeAt(to + 96, acc6, low, high, whole > 6, lanes);
  if (wanted > 7) storeAt(to + 112, acc7, low, high, whole > 7, lanes);
}

/**
 * Up to four vectors of each of two rows of outputs, the second of which sees what the first sees `apart` bytes of taps further: first the taps that only the first row
 * sees, then those that both do, then those of the second alone. `below` lies between the two in the band, `toBelow` in the output.
 */
function twoRows(
  p: ConvParams, from: usize, below: usize, offsets: usize, apart: usize, weights: usize, bias: usize, bounds: usize, to: usize, toBelow: usize,
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
  const low = v128.load32_splat(bounds), high = v128.load32_splat(bounds, 4);
  storeAt(to, acc0, low, high, whole > 0, lanes);
  if (wanted > 1) storeAt(to + 16, acc1, low, high, whole > 1, lanes);
  if (wanted > 2) storeAt(to + 32, acc2, low, high, whole > 2, lanes);
  if (wanted > 3) storeAt(to + 48, acc3, low, high, whole > 3, lanes);
  to += toBelow;
  storeAt(to, acc4, low, high, whole > 0, lanes);
  if (wanted > 1) storeAt(to + 16, acc5, low, high, whole > 1, lanes);
  if (wanted > 2) storeAt(to + 32, acc6, low, high, whole > 2, lanes);
  if (wanted > 3) storeAt(to + 48, acc7, low, high, whole > 3, lanes);
}

function greatestCommonDivisor(a: i32, b: i32): i32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** p.outW outputs to a row; what neighbouring rows see of the band is `rowStep` bytes apart. `offsets` holds the bytes from a pixel's first tap to each, `bounds` the two of the clamp. */
export function tapsChannelsFirst(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, weights: usize, bias: usize, bounds: usize, to: usize,
): void {
  const width = p.outW;
  const outRowBytes = <usize>width << 2;
  // Rows `distance` apart see rows of the image that are `shift` rows of the kernel apart.
  const common = greatestCommonDivisor(p.strideH, p.dilationH);
  const distance = p.dilationH / common, shift = p.strideH / common;
  if (p.kH == 3 && p.kW == 3) {
    const tap1 = load<usize>(offsets, 4), tap2 = load<usize>(offsets, 8), line = load<usize>(offsets, 12);
    // Rows that share less than two of three are taken one by one, and those of less than a vector.
    rows3x3(p, rows, shift == 1 && width >= 4 ? distance : rows, from, rowStep, line, tap1, tap2, weights, bias, bounds, to, outRowBytes);
    return;
  }
  const vectors = (width + 3) >> 2;
  const whole = width >> 2;
  const below = <usize>distance * rowStep, toBelow = <usize>distance * outRowBytes;
  const apart = <usize>(shift * p.kW) << 2;
  const pairs = shift < p.kH;
  const five = p.kW == 5 && p.kH > 1 && p.strideH == 1 && p.strideW == 1 && (p.dilationW <= 2 || p.dilationW == 4) && width >= FIVE_LEAST;
  let row = 0;
  // Four vectors at a time, but as many threes as leave none empty or summed twice; of five vectors, two threes.
  const threes = vectors == 5 ? 2 : -vectors & 3, fours = (vectors - 3 * threes + 3) >> 2;
  if (ASC_FEATURE_RELAXED_SIMD && rows >= 4 && threes > 0 && pairs && distance <= 2 && width >= TWELVE_LEAST) {
    const quads = rows >> 2;
    row = quads << 2;
    const left = fours << 4;
    if (five) {
      if (fours > 0) rowsOfFive(p, row, from, rowStep, offsets, weights, bias, bounds, to, left);
    } else {
      for (let i = 0; i < row; i += distance == 1 ? 2 : (i & 1) == 0 ? 1 : 3) {
        const x = from + <usize>i * rowStep, y = to + <usize>i * outRowBytes;
        for (let at: usize = 0; at < <usize>left << 2; at += 64) {
          twoRows(p, x + at, below, offsets, apart, weights, bias, bounds, y + at, toBelow, 4, 4, 0);
        }
      }
    }
    const at = <usize>left << 2;
    twelveSums(p, quads, threes, from + at, rowStep, distance, offsets, apart, weights, bias, bounds, to + at, width - left);
  }
  if (five && row + 2 * distance <= rows) {
    const rest = (rows - row) / (2 * distance) * (2 * distance);
    rowsOfFive(p, rest, from + <usize>row * rowStep, rowStep, offsets, weights, bias, bounds, to + <usize>row * outRowBytes, width);
    row += rest;
  }
  from += <usize>row * rowStep;
  to += <usize>row * outRowBytes;
  while (row < rows) {
    const paired = pairs && row + distance < rows;
    const step = paired ? 4 : 8;
    for (let i = 0; i < vectors; i += step) {
      const at = <usize>i << 4;
      if (paired) twoRows(p, from + at, below, offsets, apart, weights, bias, bounds, to + at, toBelow, vectors - i, whole - i, width & 3);
      else oneRow(p, from + at, offsets, weights, bias, bounds, to + at, vectors - i, whole - i, width & 3);
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
