/**
 * The sum of a depthwise convolution over one band, for both layouts:
 *
 *   to[row][i] = activation(bias + Σ_tap weight[tap] · from[row · rowStep + i · step + offset[tap]])       i = 0 … count − 1
 *
 * One position is a vector. Channels-first (`splat`): four pixels of one channel, a weight is spread over the lanes. Channels-last: one
 * pixel of four channels, a weight is four floats. The band has its border, so no tap needs a test, and every load is inside it.
 *
 * `whole` positions of a row are stored with all four lanes, the rest of the `count` with the first `lanes`.
 *
 * 3×3 kernels keep their nine weights in registers and take one position after the other: 9 weights, sum, operand and two bounds are 13.
 * Other kernels load each weight once for up to eight positions.
 *
 * The type argument F says what follows the sum: a clamp (Clamped) or a call (Called). A type, since asc settles conditions on types itself;
 * a constant would survive until Binaryen has merged the two loops for their likeness, and V8 keeps nothing in registers across a loop
 * that may call.
 */
import { activate, clamp, CLAMP } from "./activation";
import { ConvParams } from "./params";
import { accumulate, madd, storeLanes } from "./simd";

type Clamped = f32;
type Called = i32;

// @ts-ignore: decorator
@inline
function loadWeight(splat: bool, at: usize): v128 {
  return splat ? v128.load32_splat(at) : v128.load(at);
}

/** `low` and `high` are the bounds, or the parameter of the activation in `low`. */
// @ts-ignore: decorator
@inline
function finish<F>(kind: i32, v: v128, low: v128, high: v128): v128 {
  if (isFloat<F>()) return clamp(v, low, high);
  return activate(kind, v, f32x4.extract_lane(low, 0));
}

/** Whole positions of a 3×3 kernel. The bias is read again for each: a register more would be one too many. */
// @ts-ignore: decorator
@inline
function band3x3<F>(
  splat: bool, p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, weightBytes: usize, bias: usize,
  to: usize, outRowStep: usize, outStep: usize, count: i32,
): void {
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const w00 = loadWeight(splat, weights), w01 = loadWeight(splat, weights + weightBytes), w02 = loadWeight(splat, weights + 2 * weightBytes);
  weights += 3 * weightBytes;
  const w10 = loadWeight(splat, weights), w11 = loadWeight(splat, weights + weightBytes), w12 = loadWeight(splat, weights + 2 * weightBytes);
  weights += 3 * weightBytes;
  const w20 = loadWeight(splat, weights), w21 = loadWeight(splat, weights + weightBytes), w22 = loadWeight(splat, weights + 2 * weightBytes);
  const tap1 = load<usize>(offsets, 4), tap2 = load<usize>(offsets, 8), line = load<usize>(offsets, 12);
  for (let row = 0; row < rows; row++) {
    let x0 = from;
    let y = to;
    for (let i = count; i != 0; i--) {
      const x1 = x0 + line;
      const x2 = x1 + line;
      let acc = accumulate(loadWeight(splat, bias), w00, v128.load(x0));
      acc = accumulate(acc, w01, v128.load(x0 + tap1));
      acc = accumulate(acc, w02, v128.load(x0 + tap2));
      acc = accumulate(acc, w10, v128.load(x1));
      acc = accumulate(acc, w11, v128.load(x1 + tap1));
      acc = accumulate(acc, w12, v128.load(x1 + tap2));
      acc = accumulate(acc, w20, v128.load(x2));
      acc = accumulate(acc, w21, v128.load(x2 + tap1));
      acc = accumulate(acc, w22, v128.load(x2 + tap2));
      v128.store(y, finish<F>(p.activation, acc, low, high));
      x0 += step;
      y += outStep;
    }
    from += rowStep;
    to += outRowStep;
  }
}

// @ts-ignore: decorator
@inline
function storeAt<F>(p: ConvParams, to: usize, v: v128, low: v128, high: v128, isWhole: bool, lanes: i32): void {
  v = finish<F>(p.activation, v, low, high);
  if (isWhole) v128.store(to, v);
  else storeLanes(to, v, lanes);
}

/**
 * Up to eight sums at once, of which `wanted` are stored. The conditions inside the loop are on purpose: V8 would otherwise load all operands
 * of a step before the first product, two more than it has registers, and they spare most of the work behind a row. What is summed
 * beyond `wanted` reads the slack behind the band.
 */
// @ts-ignore: decorator
@inline
function block<F>(
  splat: bool, p: ConvParams, from: usize, step: usize, offsets: usize, weights: usize, weightBytes: usize, bias: usize,
  to: usize, outStep: usize, wanted: i32, whole: i32, lanes: i32,
): void {
  const end = offsets + (<usize>(p.kH * p.kW) << 2);
  let acc0 = loadWeight(splat, bias);
  let acc1 = acc0, acc2 = acc0, acc3 = acc0, acc4 = acc0, acc5 = acc0, acc6 = acc0, acc7 = acc0;
  do {
    const w = loadWeight(splat, weights);
    let x = from + load<usize>(offsets);
    weights += weightBytes;
    offsets += 4;
    acc0 = madd(w, v128.load(x), acc0);
    if (wanted > 1) {
      acc1 = madd(w, v128.load(x += step), acc1);
      if (wanted > 2) {
        acc2 = madd(w, v128.load(x += step), acc2);
        acc3 = madd(w, v128.load(x += step), acc3);
        if (wanted > 4) {
          acc4 = madd(w, v128.load(x += step), acc4);
          acc5 = madd(w, v128.load(x += step), acc5);
          if (wanted > 6) {
            acc6 = madd(w, v128.load(x += step), acc6);
            acc7 = madd(w, v128.load(x + step), acc7);
          }
        }
      }
    }
  } while (offsets != end);
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  storeAt<F>(p, to, acc0, low, high, whole > 0, lanes);
  if (wanted > 1) storeAt<F>(p, to += outStep, acc1, low, high, whole > 1, lanes);
  if (wanted > 2) storeAt<F>(p, to += outStep, acc2, low, high, whole > 2, lanes);
  if (wanted > 3) storeAt<F>(p, to += outStep, acc3, low, high, whole > 3, lanes);
  if (wanted > 4) storeAt<F>(p, to += outStep, acc4, low, high, whole > 4, lanes);
  if (wanted > 5) storeAt<F>(p, to += outStep, acc5, low, high, whole > 5, lanes);
  if (wanted > 6) storeAt<F>(p, to += outStep, acc6, low, high, whole > 6, lanes);
  if (wanted > 7) storeAt<F>(p, to += outStep, acc7, low, high, whole > 7, lanes);
}

/** Functions of their own: inside the loops over a band, the loop over the taps would have to keep its counters in memory. */
function blockChannelsFirst(
  p: ConvParams, from: usize, step: usize, offsets: usize, weights: usize, bias: usize, to: usize, outStep: usize, wanted: i32, whole: i32, lanes: i32,
): void {
  if (p.activation == CLAMP) block<Clamped>(true, p, from, step, offsets, weights, 4, bias, to, outStep, wanted, whole, lanes);
  else block<Called>(true, p, from, step, offsets, weights, 4, bias, to, outStep, wanted, whole, lanes);
}

function blockChannelsLast(
  p: ConvParams, from: usize, step: usize, offsets: usize, weights: usize, bias: usize, to: usize, outStep: usize, wanted: i32, whole: i32, lanes: i32,
): void {
  const weightBytes = <usize>p.weightStride << 2;
  if (p.activation == CLAMP) block<Clamped>(false, p, from, step, offsets, weights, weightBytes, bias, to, outStep, wanted, whole, lanes);
  else block<Called>(false, p, from, step, offsets, weights, weightBytes, bias, to, outStep, wanted, whole, lanes);
}

// @ts-ignore: decorator
@inline
function bandAny(
  splat: bool, p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, bias: usize,
  to: usize, outRowStep: usize, outStep: usize, count: i32, whole: i32, lanes: i32,
): void {
  for (let row = 0; row < rows; row++) {
    let x = from;
    let y = to;
    for (let i = 0; i < count; i += 8) {
      if (splat) blockChannelsFirst(p, x, step, offsets, weights, bias, y, outStep, count - i, whole - i, lanes);
      else blockChannelsLast(p, x, step, offsets, weights, bias, y, outStep, count - i, whole - i, lanes);
      x += 8 * step;
      y += 8 * outStep;
    }
    from += rowStep;
    to += outRowStep;
  }
}

function channelsFirst3x3(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, weights: usize, bias: usize, to: usize, outRowStep: usize, count: i32,
): void {
  if (p.activation == CLAMP) band3x3<Clamped>(true, p, rows, from, rowStep, 16, offsets, weights, 4, bias, to, outRowStep, 16, count);
  else band3x3<Called>(true, p, rows, from, rowStep, 16, offsets, weights, 4, bias, to, outRowStep, 16, count);
}

function channelsLast3x3(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, bias: usize,
  to: usize, outRowStep: usize, outStep: usize, count: i32,
): void {
  const weightBytes = <usize>p.weightStride << 2;
  if (p.activation == CLAMP) band3x3<Clamped>(false, p, rows, from, rowStep, step, offsets, weights, weightBytes, bias, to, outRowStep, outStep, count);
  else band3x3<Called>(false, p, rows, from, rowStep, step, offsets, weights, weightBytes, bias, to, outRowStep, outStep, count);
}

/** Four pixels of one channel a position. `width` outputs to a row. */
export function tapsChannelsFirst(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, weights: usize, bias: usize, to: usize, width: i32,
): void {
  const whole = width >> 2;
  const outRowStep = <usize>width << 2;
  if (p.kH == 3 && p.kW == 3 && width >= 4) {
    channelsFirst3x3(p, rows, from, rowStep, offsets, weights, bias, to, outRowStep, whole);
    if ((width & 3) == 0) return;
    // The last pixels again as a whole vector, of which some are summed and stored twice.
    const shift = <usize>(width - 4) << 2;
    channelsFirst3x3(p, rows, from + shift, rowStep, offsets, weights, bias, to + shift, outRowStep, 1);
    return;
  }
  bandAny(true, p, rows, from, rowStep, 16, offsets, weights, bias, to, outRowStep, 16, (width + 3) >> 2, whole, width & 3);
}

/** One pixel of the `lanes` channels a position, pixels `step` apart in the band. */
export function tapsChannelsLast(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, bias: usize, to: usize, lanes: i32,
): void {
  const count = p.outW;
  const outStep = <usize>p.outC << 2;
  const outRowStep = outStep * <usize>count;
  if (p.kH == 3 && p.kW == 3 && lanes == 4) channelsLast3x3(p, rows, from, rowStep, step, offsets, weights, bias, to, outRowStep, outStep, count);
  else bandAny(false, p, rows, from, rowStep, step, offsets, weights, bias, to, outRowStep, outStep, count, lanes == 4 ? count : 0, lanes);
}
