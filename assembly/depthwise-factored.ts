/**
 * Depthwise convolution with kernels of rank 1: K = column · row, first down, then along.
 *
 *   between[y][x]    = Σ_kh column[kh] · input[y·strideH + kh·dilationH − padH][x]
 *   output[y][x]     = activation(bias + Σ_kw row[kw] · between[y][x + kw·dilationW − padW])
 *
 *   input [batch, inC, inH, inW] · output [batch, outC, outH, outW], or both channels-last; strideW = 1. Nothing overlaps.
 *   tasks: [image][output channel][band], or channels-last [image][band], bands of p.band rows
 *   work: zeros for a period | one row of `between` with its zeros at the sides | channels-last: one row of results where they are shuffled | the
 *   rows that a band reads with each channel as often as it feeds a result, where that is not once; sized in src/factored.ts
 *
 * A row is a line of floats either way: of one channel, or of all, which then take turns. Weights and bias are written out for a period of it,
 * `p.weightStride` floats, the least common multiple of a vector and the channels: weights [plane][kH + kW][period], bias [plane][period].
 * Planes come in the order of the results, channels that take turns in that of the image: a finished row is shuffled from the cache.
 */
import { activateRuns, clamp, CLAMP } from "./activation";
import { ConvParams } from "./params";
import { sourceChannel } from "./pack";
import { accumulate, storeLanes, zeroFloats } from "./simd";
import { behindTasks } from "./tasks";
import { shufflePixels } from "./transpose";

/** One vector: start + Σ_tap weights[tap] · from[tap·tapBytes]. */
// @ts-ignore: decorator
@inline
function vector(from: usize, tapBytes: usize, taps: i32, weights: usize, weightBytes: usize, start: v128): v128 {
  let acc = start;
  for (let n = taps; n != 0; n--) {
    acc = accumulate(acc, v128.load(weights), v128.load(from));
    weights += weightBytes;
    from += tapBytes;
  }
  return acc;
}

/** Eight vectors with the same weights, `period` bytes apart. */
// @ts-ignore: decorator
@inline
function vectors(
  p: ConvParams, from: usize, period: usize, tapBytes: usize, taps: i32, weights: usize, start: v128, bounded: bool, to: usize,
): void {
  let acc0 = start, acc1 = start, acc2 = start, acc3 = start, acc4 = start, acc5 = start, acc6 = start, acc7 = start;
  for (let n = taps; n != 0; n--) {
    const w = v128.load(weights);
    weights += period;
    const from1 = from + period, from2 = from1 + period, from3 = from2 + period, from4 = from3 + period;
    const from5 = from4 + period, from6 = from5 + period;
    acc0 = accumulate(acc0, w, v128.load(from));
    acc1 = accumulate(acc1, w, v128.load(from1));
    acc2 = accumulate(acc2, w, v128.load(from2));
    acc3 = accumulate(acc3, w, v128.load(from3));
    acc4 = accumulate(acc4, w, v128.load(from4));
    acc5 = accumulate(acc5, w, v128.load(from5));
    acc6 = accumulate(acc6, w, v128.load(from6));
    acc7 = accumulate(acc7, w, v128.load(from6 + period));
    from += tapBytes;
  }
  if (bounded) {
    const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
    acc0 = clamp(acc0, low, high);
    acc1 = clamp(acc1, low, high);
    acc2 = clamp(acc2, low, high);
    acc3 = clamp(acc3, low, high);
    acc4 = clamp(acc4, low, high);
    acc5 = clamp(acc5, low, high);
    acc6 = clamp(acc6, low, high);
    acc7 = clamp(acc7, low, high);
  }
  const to1 = to + period, to2 = to1 + period, to3 = to2 + period, to4 = to3 + period, to5 = to4 + period, to6 = to5 + period;
  v128.store(to, acc0);
  v128.store(to1, acc1);
  v128.store(to2, acc2);
  v128.store(to3, acc3);
  v128.store(to4, acc4);
  v128.store(to5, acc5);
  v128.store(to6, acc6);
  v128.store(to6 + period, acc7);
}

/** The same for neighbours: a period of one vector needs no sums of addresses. */
// @ts-ignore: decorator
@inline
function neighbours(p: ConvParams, from: usize, tapBytes: usize, taps: i32, weights: usize, start: v128, bounded: bool, to: usize): void {
  let acc0 = start, acc1 = start, acc2 = start, acc3 = start, acc4 = start, acc5 = start, acc6 = start, acc7 = start;
  for (let n = taps; n != 0; n--) {
    const w = v128.load(weights);
    weights += 16;
    acc0 = accumulate(acc0, w, v128.load(from));
    acc1 = accumulate(acc1, w, v128.load(from, 16));
    acc2 = accumulate(acc2, w, v128.load(from, 32));
    acc3 = accumulate(acc3, w, v128.load(from, 48));
    acc4 = accumulate(acc4, w, v128.load(from, 64));
    acc5 = accumulate(acc5, w, v128.load(from, 80));
    acc6 = accumulate(acc6, w, v128.load(from, 96));
    acc7 = accumulate(acc7, w, v128.load(from, 112));
    from += tapBytes;
  }
  if (bounded) {
    const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
    acc0 = clamp(acc0, low, high);
    acc1 = clamp(acc1, low, high);
    acc2 = clamp(acc2, low, high);
    acc3 = clamp(acc3, low, high);
    acc4 = clamp(acc4, low, high);
    acc5 = clamp(acc5, low, high);
    acc6 = clamp(acc6, low, high);
    acc7 = clamp(acc7, low, high);
  }
  v128.store(to, acc0);
  v128.store(to, acc1, 16);
  v128.store(to, acc2, 32);
  v128.store(to, acc3, 48);
  v128.store(to, acc4, 64);
  v128.store(to, acc5, 80);
  v128.store(to, acc6, 96);
  v128.store(to, acc7, 112);
}

/** Four neighbours. */
// @ts-ignore: decorator
@inline
function four(p: ConvParams, from: usize, tapBytes: usize, taps: i32, weights: usize, start: v128, bounded: bool, to: usize): void {
  let acc0 = start, acc1 = start, acc2 = start, acc3 = start;
  for (let n = taps; n != 0; n--) {
    const w = v128.load(weights);
    weights += 16;
    acc0 = accumulate(acc0, w, v128.load(from));
    acc1 = accumulate(acc1, w, v128.load(from, 16));
    acc2 = accumulate(acc2, w, v128.load(from, 32));
    acc3 = accumulate(acc3, w, v128.load(from, 48));
    from += tapBytes;
  }
  if (bounded) {
    const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
    acc0 = clamp(acc0, low, high);
    acc1 = clamp(acc1, low, high);
    acc2 = clamp(acc2, low, high);
    acc3 = clamp(acc3, low, high);
  }
  v128.store(to, acc0);
  v128.store(to, acc1, 16);
  v128.store(to, acc2, 32);
  v128.store(to, acc3, 48);
}

/**
 * A line of `count` floats, four at least, whose period is a vector: of one, two or four channels, so that its last vectors may end with it, and sum some results a second time. Four
 * vectors at a time for what is too short for eight: 28 columns of 5×5 took 1.5 times as long by single ones as without factors.
 */
// @ts-ignore: decorator
@inline
function lineOfVectors(
  p: ConvParams, count: i32, from: usize, tapBytes: usize, taps: i32, weights: usize, start: usize, bounded: bool, to: usize,
): void {
  const begin = v128.load(start);
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  // Not by addresses: where no tap is inside `from` may lie before the memory, and nothing is read.
  const bytes = <usize>count << 2, last = bytes - (count < 16 ? 16 : 64);
  let at: usize = 0;
  for (; bytes - at >= 128; at += 128) neighbours(p, from + at, tapBytes, taps, weights, begin, bounded, to + at);
  for (; at < bytes; at += bytes - last) {
    if (at > last) at = last;
    if (count < 16) {
      const sum = vector(from + at, tapBytes, taps, weights, 16, begin);
      v128.store(to + at, bounded ? clamp(sum, low, high) : sum);
    } else {
      four(p, from + at, tapBytes, taps, weights, begin, bounded, to + at);
    }
  }
}

/** A line of `count` floats; `start` are those that the sums begin with, a period of them. */
// @ts-ignore: decorator
@inline
function line(
  p: ConvParams, count: i32, from: usize, tapBytes: usize, taps: i32, weights: usize, period: usize, start: usize, bounded: bool,
  to: usize,
): void {
  const floats = <i32>(period >> 2);
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  for (; count >= 8 * floats; count -= 8 * floats) {
    for (let at: usize = 0; at < period; at += 16) {
      vectors(p, from + at, period, tapBytes, taps, weights + at, v128.load(start + at), bounded, to + at);
    }
    from += 8 * period;
    to += 8 * period;
  }
  for (; count >= floats; count -= floats) {
    for (let at: usize = 0; at < period; at += 16) {
      const sum = vector(from + at, tapBytes, taps, weights + at, period, v128.load(start + at));
      v128.store(to + at, bounded ? clamp(sum, low, high) : sum);
    }
    from += period;
    to += period;
  }
  // By vectors, too: products that are fused in some columns and not in others would tell how a call was cut.
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 2;
    let sum = v128.load32_splat(start + at);
    let cell = from + at, weight = weights + at;
    for (let n = taps; n != 0; n--) {
      sum = accumulate(sum, v128.load32_splat(weight), v128.load32_splat(cell));
      weight += period;
      cell += tapBytes;
    }
    storeLanes(to + at, bounded ? clamp(sum, low, high) : sum, 1);
  }
}

/** `bounded`: clamped on the way. */
function sums(
  p: ConvParams, bounded: bool, count: i32, from: usize, tapBytes: usize, taps: i32, weights: usize, period: usize, start: usize, to: usize,
): void {
  if (period == 16 && count >= 4) lineOfVectors(p, count, from, tapBytes, taps, weights, start, bounded, to);
  else line(p, count, from, tapBytes, taps, weights, period, start, bounded, to);
}

/** Rows channels-last with each channel as often as it feeds a result. */
function spread(p: ConvParams, rows: i32, from: usize, to: usize): void {
  const inC = p.inC;
  const multiplier = p.outC / inC;
  for (let n = rows * p.inW * inC; n != 0; n--) {
    const x = load<f32>(from);
    for (let m = multiplier; m != 0; m--) {
      store<f32>(to, x);
      to += 4;
    }
    from += 4;
  }
}

/** Rows [top, bottom) of one plane of `inner` channels that take turns. `zeros`: a period of them. `collected`: a row of results to be shuffled, or 0. */
function rows(
  p: ConvParams, inner: i32, top: i32, bottom: i32, image: usize, weights: usize, bias: usize, zeros: usize, between: usize, collected: usize, to: usize,
): void {
  const inH = p.inH, kH = p.kH, kW = p.kW, dilationH = p.dilationH, strideH = p.strideH, padH = p.padH;
  const period = <usize>p.weightStride << 2;
  const row = weights + <usize>kH * period;
  const rowFloats = p.inW * inner, outFloats = p.outW * inner;
  const rowBytes = <usize>rowFloats << 2;
  const clamped = p.activation == CLAMP;
  // Cells of `between` that are of the image.
  const first = p.padW * inner;
  const inside = max(0, min(rowFloats, outFloats + (kW - 1) * p.dilationW * inner - first));
  to += <usize>(top * outFloats) << 2;
  for (let oh = top; oh < bottom; oh++) {
    const y = oh * strideH - padH;
    const kh0 = y >= 0 ? 0 : min(kH, (dilationH - 1 - y) / dilationH);
    const kh1 = y >= inH ? kh0 : max(kh0, min(kH, (inH - 1 - y) / dilationH + 1));
    const from = image + <usize>(y + kh0 * dilationH) * rowBytes;
    sums(p, false, inside, from, <usize>dilationH * rowBytes, kh1 - kh0, weights + <usize>kh0 * period, period, zeros, between + (<usize>first << 2));
    const line = collected != 0 ? collected : to;
    sums(p, clamped, outFloats, between, <usize>(p.dilationW * inner) << 2, kW, row, period, bias, line);
    if (!clamped) activateRuns(p, 1, line, 0, <usize>outFloats << 2);
    if (collected != 0) shufflePixels(collected, p.outW, inner, p.shuffle, to, <usize>inner << 2);
    to += <usize>outFloats << 2;
  }
}

/** Clears the zeros of a period, and behind them a row of `between`, which is returned. */
// @ts-ignore: decorator
@inline
function cleared(p: ConvParams, inner: i32, work: usize): usize {
  if (!ASC_NO_ASSERT) assert(p.strideW == 1, "factored: a stride along the rows");
  zeroFloats(work, p.weightStride + (p.outW + (p.kW - 1) * p.dilationW) * inner);
  return work + (<usize>p.weightStride << 2);
}

/** Bands of a plane. */
function bandsOf(p: ConvParams): i32 {
  return (p.outH + p.band - 1) / p.band;
}

export function factoredChannelsFirst(
  first: i32, last: i32, _before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize,
): void {
  const bands = bandsOf(p);
  if (!ASC_NO_ASSERT) assert(first >= 0);
  last = behindTasks(last, p.batch * p.outC * bands);
  const inC = p.inC, outC = p.outC, shuffle = p.shuffle;
  const multiplier = outC / inC;
  const inBytes = <usize>(p.inH * p.inW) << 2, outBytes = <usize>(p.outH * p.outW) << 2;
  const planeBytes = <usize>((p.kH + p.kW) * p.weightStride) << 2, biasBytes = <usize>p.weightStride << 2;
  const between = cleared(p, 1, work);
  for (let task = first; task < last; task++) {
    const result = task / bands;
    const b = result / outC, c = result - b * outC;
    const band = (task - result * bands) * p.band;
    const image = input + <usize>(b * inC + sourceChannel(c, outC, shuffle) / multiplier) * inBytes;
    rows(
      p, 1, band, min(p.outH, band + p.band), image, weights + <usize>c * planeBytes, bias + <usize>c * biasBytes, work, between, 0,
      output + <usize>result * outBytes,
    );
  }
}

export function factoredChannelsLast(
  first: i32, last: i32, _before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize,
): void {
  const bands = bandsOf(p);
  if (!ASC_NO_ASSERT) assert(first >= 0);
  last = behindTasks(last, p.batch * bands);
  const inC = p.inC, outC = p.outC;
  const inH = p.inH, strideH = p.strideH, padH = p.padH;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const rowBytes = <usize>(p.inW * inC) << 2, wideBytes = <usize>(p.inW * outC) << 2, outBytes = <usize>(p.outH * p.outW * outC) << 2;
  const own = inC == outC;
  const between = cleared(p, outC, work);
  const behind = between + (<usize>((p.outW + (p.kW - 1) * p.dilationW) * outC) << 2);
  const collected: usize = p.shuffle != 1 ? behind : 0;
  const wide = p.shuffle != 1 ? behind + (<usize>(p.outW * outC) << 2) : behind;
  // Rows of the input that lie spread: what the next band reads too is moved, a fraction of the work.
  let wideTop = 0, wideBottom = 0;
  for (let task = first; task < last; task++) {
    const b = task / bands;
    const top = (task - b * bands) * p.band;
    const bottom = min(p.outH, top + p.band);
    let image = input + <usize>(b * inH) * rowBytes;
    if (!own) {
      const inTop = b * inH + min(inH, max(0, top * strideH - padH));
      const inBottom = max(inTop, b * inH + min(inH, (bottom - 1) * strideH - padH + reachH));
      const kept = max(0, wideBottom - inTop);
      if (kept > 0) memory.copy(wide, wide + <usize>(inTop - wideTop) * wideBytes, <usize>kept * wideBytes);
      spread(p, inBottom - inTop - kept, input + <usize>(inTop + kept) * rowBytes, wide + <usize>kept * wideBytes);
      image = wide - <usize>(inTop - b * inH) * wideBytes;
      wideTop = inTop;
      wideBottom = inBottom;
    }
    rows(p, outC, top, bottom, image, weights, bias, work, between, collected, output + <usize>b * outBytes);
  }
}
