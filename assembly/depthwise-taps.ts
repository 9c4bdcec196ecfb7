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
import { madd, storeLanes } from "./simd";

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

// @ts-ignore: decorator
@inline
function band3x3<F>(
  splat: bool, p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize,
  weightBytes: usize, bias: usize, to: usize, outRowStep: usize, outStep: usize, count: i32, whole: i32, lanes: i32,
): void {
  const kind = p.activation;
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const start = loadWeight(splat, bias);
  const w00 = loadWeight(splat, weights), w01 = loadWeight(splat, weights + weightBytes), w02 = loadWeight(splat, weights + 2 * weightBytes);
  weights += 3 * weightBytes;
  const w10 = loadWeight(splat, weights), w11 = loadWeight(splat, weights + weightBytes), w12 = loadWeight(splat, weights + 2 * weightBytes);
  weights += 3 * weightBytes;
  const w20 = loadWeight(splat, weights), w21 = loadWeight(splat, weights + weightBytes), w22 = loadWeight(splat, weights + 2 * weightBytes);
  const tap1 = load<usize>(offsets, 4), tap2 = load<usize>(offsets, 8), line = load<usize>(offsets, 12);
  for (let row = 0; row < rows; row++) {
    let x0 = from;
    let y = to;
    for (let i = 0; i < count; i++) {
      const x1 = x0 + line;
      const x2 = x1 + line;
      let acc = madd(w00, v128.load(x0), start);
      acc = madd(w10, v128.load(x1), acc);
      acc = madd(w20, v128.load(x2), acc);
      acc = madd(w01, v128.load(x0 + tap1), acc);
      acc = madd(w11, v128.load(x1 + tap1), acc);
      acc = madd(w21, v128.load(x2 + tap1), acc);
      acc = madd(w02, v128.load(x0 + tap2), acc);
      acc = madd(w12, v128.load(x1 + tap2), acc);
      acc = madd(w22, v128.load(x2 + tap2), acc);
      acc = finish<F>(kind, acc, low, high);
      if (i < whole) v128.store(y, acc);
      else storeLanes(y, acc, lanes);
      x0 += step;
      y += outStep;
    }
    from += rowStep;
    to += outRowStep;
  }
}

// @ts-ignore: decorator
@inline
function storeAt<F>(kind: i32, to: usize, v: v128, low: v128, high: v128, isWhole: bool, lanes: i32): void {
  v = finish<F>(kind, v, low, high);
  if (isWhole) v128.store(to, v);
  else storeLanes(to, v, lanes);
}

/** `positions` sums at once. */
// @ts-ignore: decorator
@inline
function block<F>(
  positions: i32, splat: bool, kind: i32, low: v128, high: v128, start: v128, from: usize, step: usize, offsets: usize,
  taps: i32, weights: usize, weightBytes: usize, to: usize, outStep: usize, whole: i32, lanes: i32,
): void {
  let acc0 = start, acc1 = start, acc2 = start, acc3 = start, acc4 = start, acc5 = start, acc6 = start, acc7 = start;
  for (let t = taps; t != 0; t--) {
    const w = loadWeight(splat, weights);
    let x = from + load<usize>(offsets);
    weights += weightBytes;
    offsets += 4;
    acc0 = madd(w, v128.load(x), acc0);
    if (positions > 1) acc1 = madd(w, v128.load(x += step), acc1);
    if (positions > 2) {
      acc2 = madd(w, v128.load(x += step), acc2);
      acc3 = madd(w, v128.load(x += step), acc3);
    }
    if (positions > 4) {
      acc4 = madd(w, v128.load(x += step), acc4);
      acc5 = madd(w, v128.load(x += step), acc5);
      acc6 = madd(w, v128.load(x += step), acc6);
      acc7 = madd(w, v128.load(x += step), acc7);
    }
  }
  storeAt<F>(kind, to, acc0, low, high, whole > 0, lanes);
  if (positions > 1) storeAt<F>(kind, to += outStep, acc1, low, high, whole > 1, lanes);
  if (positions > 2) {
    storeAt<F>(kind, to += outStep, acc2, low, high, whole > 2, lanes);
    storeAt<F>(kind, to += outStep, acc3, low, high, whole > 3, lanes);
  }
  if (positions > 4) {
    storeAt<F>(kind, to += outStep, acc4, low, high, whole > 4, lanes);
    storeAt<F>(kind, to += outStep, acc5, low, high, whole > 5, lanes);
    storeAt<F>(kind, to += outStep, acc6, low, high, whole > 6, lanes);
    storeAt<F>(kind, to += outStep, acc7, low, high, whole > 7, lanes);
  }
}

// @ts-ignore: decorator
@inline
function bandAny<F>(
  splat: bool, p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize,
  weightBytes: usize, bias: usize, to: usize, outRowStep: usize, outStep: usize, count: i32, whole: i32, lanes: i32,
): void {
  const kind = p.activation;
  const taps = p.kH * p.kW;
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const start = loadWeight(splat, bias);
  for (let row = 0; row < rows; row++) {
    let x = from;
    let y = to;
    let i = 0;
    for (; i + 8 <= count; i += 8) {
      block<F>(8, splat, kind, low, high, start, x, step, offsets, taps, weights, weightBytes, y, outStep, whole - i, lanes);
      x += 8 * step;
      y += 8 * outStep;
    }
    if (i + 4 <= count) {
      block<F>(4, splat, kind, low, high, start, x, step, offsets, taps, weights, weightBytes, y, outStep, whole - i, lanes);
      x += 4 * step;
      y += 4 * outStep;
      i += 4;
    }
    if (i + 2 <= count) {
      block<F>(2, splat, kind, low, high, start, x, step, offsets, taps, weights, weightBytes, y, outStep, whole - i, lanes);
      x += 2 * step;
      y += 2 * outStep;
      i += 2;
    }
    if (i < count) block<F>(1, splat, kind, low, high, start, x, step, offsets, taps, weights, weightBytes, y, outStep, whole - i, lanes);
    from += rowStep;
    to += outRowStep;
  }
}

/** One function for each pair of constants, small enough for V8 to keep its registers. */
function channelsFirst3x3(p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, bias: usize, to: usize, outRowStep: usize, outStep: usize, count: i32, whole: i32, lanes: i32): void {
  if (p.activation == CLAMP) band3x3<Clamped>(true, p, rows, from, rowStep, step, offsets, weights, 4, bias, to, outRowStep, outStep, count, whole, lanes);
  else band3x3<Called>(true, p, rows, from, rowStep, step, offsets, weights, 4, bias, to, outRowStep, outStep, count, whole, lanes);
}

function channelsFirstAny(p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, bias: usize, to: usize, outRowStep: usize, outStep: usize, count: i32, whole: i32, lanes: i32): void {
  if (p.activation == CLAMP) bandAny<Clamped>(true, p, rows, from, rowStep, step, offsets, weights, 4, bias, to, outRowStep, outStep, count, whole, lanes);
  else bandAny<Called>(true, p, rows, from, rowStep, step, offsets, weights, 4, bias, to, outRowStep, outStep, count, whole, lanes);
}

function channelsLast3x3(p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, bias: usize, to: usize, outRowStep: usize, outStep: usize, count: i32, whole: i32, lanes: i32): void {
  const weightBytes = <usize>p.weightStride << 2;
  if (p.activation == CLAMP) band3x3<Clamped>(false, p, rows, from, rowStep, step, offsets, weights, weightBytes, bias, to, outRowStep, outStep, count, whole, lanes);
  else band3x3<Called>(false, p, rows, from, rowStep, step, offsets, weights, weightBytes, bias, to, outRowStep, outStep, count, whole, lanes);
}

function channelsLastAny(p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, bias: usize, to: usize, outRowStep: usize, outStep: usize, count: i32, whole: i32, lanes: i32): void {
  const weightBytes = <usize>p.weightStride << 2;
  if (p.activation == CLAMP) bandAny<Clamped>(false, p, rows, from, rowStep, step, offsets, weights, weightBytes, bias, to, outRowStep, outStep, count, whole, lanes);
  else bandAny<Called>(false, p, rows, from, rowStep, step, offsets, weights, weightBytes, bias, to, outRowStep, outStep, count, whole, lanes);
}

/** Four pixels of one channel a position. `width` outputs to a row. */
export function tapsChannelsFirst(p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, weights: usize, bias: usize, to: usize, width: i32): void {
  const count = (width + 3) >> 2;
  const whole = width >> 2;
  const outRowStep = <usize>width << 2;
  if (p.kH == 3 && p.kW == 3) channelsFirst3x3(p, rows, from, rowStep, 16, offsets, weights, bias, to, outRowStep, 16, count, whole, width & 3);
  else channelsFirstAny(p, rows, from, rowStep, 16, offsets, weights, bias, to, outRowStep, 16, count, whole, width & 3);
}

/** One pixel of the `lanes` channels a position, pixels `step` apart in the band. */
export function tapsChannelsLast(p: ConvParams, rows: i32, from: usize, rowStep: usize, step: usize, offsets: usize, weights: usize, bias: usize, to: usize, lanes: i32): void {
  const count = p.outW;
  const whole = lanes == 4 ? count : 0;
  const outStep = <usize>p.outC << 2;
  const outRowStep = outStep * <usize>count;
  if (p.kH == 3 && p.kW == 3) channelsLast3x3(p, rows, from, rowStep, step, offsets, weights, bias, to, outRowStep, outStep, count, whole, lanes);
  else channelsLastAny(p, rows, from, rowStep, step, offsets, weights, bias, to, outRowStep, outStep, count, whole, lanes);
}
