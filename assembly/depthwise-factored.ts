/**
 * Depthwise convolution with kernels of rank 1, channels-first: K = column · row, first down, then along.
 *
 *   between[y][x]   = Σ_kh column[oc][kh] · input[oc / multiplier][y·strideH + kh·dilationH − padH][x]
 *   output[oc][y][x] = activation(bias[oc] + Σ_kw row[oc][kw] · between[y][x + kw·dilationW − padW])
 *
 *   input [batch, inC, inH, inW] · output [batch, outC, outH, outW], strideW = 1 · weights [outC][kH + kW], the column first · bias [outC]
 *   work: one row of `between` with its zeros at the sides; sized in src/factored.ts. Nothing overlaps.
 */
import { activate, clamp, CLAMP } from "./activation";
import { ConvParams } from "./params";
import { sourceChannel } from "./pack";
import { accumulate, storeLanes, zeroFloats } from "./simd";

/** Up to four vectors of neighbours: to[i] = Σ_tap weights[tap] · from[i + tap·tapBytes]. Cells from `lanes` on are not stored. */
// @ts-ignore: decorator
@inline
function four(p: ConvParams, vectors: i32, from: usize, tapBytes: usize, taps: i32, weights: usize, start: v128, bounded: bool, to: usize): void {
  let acc0 = start, acc1 = start, acc2 = start, acc3 = start;
  for (let n = taps; n != 0; n--) {
    const w = v128.load32_splat(weights);
    weights += 4;
    acc0 = accumulate(acc0, w, v128.load(from));
    if (vectors > 1) acc1 = accumulate(acc1, w, v128.load(from, 16));
    if (vectors > 2) acc2 = accumulate(acc2, w, v128.load(from, 32));
    if (vectors > 3) acc3 = accumulate(acc3, w, v128.load(from, 48));
    from += tapBytes;
  }
  if (bounded) {
    const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
    acc0 = clamp(acc0, low, high);
    if (vectors > 1) acc1 = clamp(acc1, low, high);
    if (vectors > 2) acc2 = clamp(acc2, low, high);
    if (vectors > 3) acc3 = clamp(acc3, low, high);
  }
  v128.store(to, acc0);
  if (vectors > 1) v128.store(to, acc1, 16);
  if (vectors > 2) v128.store(to, acc2, 32);
  if (vectors > 3) v128.store(to, acc3, 48);
}

/** One cell. */
// @ts-ignore: decorator
@inline
function single(p: ConvParams, from: usize, tapBytes: usize, taps: i32, weights: usize, start: f32, bounded: bool, to: usize): void {
  let sum = start;
  for (let n = taps; n != 0; n--) {
    sum += load<f32>(weights) * load<f32>(from);
    weights += 4;
    from += tapBytes;
  }
  const v = f32x4.splat(sum);
  storeLanes(to, bounded ? clamp(v, f32x4.splat(p.low), f32x4.splat(p.high)) : v, 1);
}

/** A line of `count` cells. */
// @ts-ignore: decorator
@inline
function line(p: ConvParams, count: i32, from: usize, tapBytes: usize, taps: i32, weights: usize, start: f32, bounded: bool, to: usize): void {
  const first = f32x4.splat(start);
  for (; count >= 16; count -= 16) {
    four(p, 4, from, tapBytes, taps, weights, first, bounded, to);
    from += 64;
    to += 64;
  }
  for (; count >= 4; count -= 4) {
    four(p, 1, from, tapBytes, taps, weights, first, bounded, to);
    from += 16;
    to += 16;
  }
  for (; count > 0; count--) {
    single(p, from, tapBytes, taps, weights, start, bounded, to);
    from += 4;
    to += 4;
  }
}

function sums(p: ConvParams, count: i32, from: usize, tapBytes: usize, taps: i32, weights: usize, start: f32, to: usize): void {
  line(p, count, from, tapBytes, taps, weights, start, false, to);
}

function clampedSums(p: ConvParams, count: i32, from: usize, tapBytes: usize, taps: i32, weights: usize, start: f32, to: usize): void {
  line(p, count, from, tapBytes, taps, weights, start, true, to);
}

/** Any function on a finished row. */
function activateRow(p: ConvParams, to: usize, count: i32): void {
  const kind = p.activation, parameter = p.low;
  for (; count >= 4; count -= 4) {
    v128.store(to, activate(kind, v128.load(to), parameter));
    to += 16;
  }
  for (; count > 0; count--) {
    storeLanes(to, activate(kind, v128.load32_splat(to), parameter), 1);
    to += 4;
  }
}

export function depthwiseFactored(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  assert(p.strideW == 1, "factored: a stride along the rows");
  const inH = p.inH, inW = p.inW, outH = p.outH, outW = p.outW, kH = p.kH, kW = p.kW, padW = p.padW;
  const multiplier = p.outC / p.inC;
  // Cells of a row of `between` that are read.
  const width = outW + (kW - 1) * p.dilationW;
  const inside = max(0, min(inW, width - padW));
  const clamped = p.activation == CLAMP;
  zeroFloats(work, width);
  for (let b = 0; b < p.batch; b++) {
    for (let c = 0; c < p.outC; c++) {
      const column = weights + (<usize>(c * (kH + kW)) << 2);
      const row = column + (<usize>kH << 2);
      const source = sourceChannel(c, p.outC, p.shuffle);
      const plane = input + (<usize>((b * p.inC + source / multiplier) * inH * inW) << 2);
      let to = output + (<usize>((b * p.outC + c) * outH * outW) << 2);
      const start = load<f32>(bias + (<usize>c << 2));
      for (let oh = 0; oh < outH; oh++) {
        const y = oh * p.strideH - p.padH;
        const kh0 = y >= 0 ? 0 : min(kH, (p.dilationH - 1 - y) / p.dilationH);
        const kh1 = y >= inH ? kh0 : max(kh0, min(kH, (inH - 1 - y) / p.dilationH + 1));
        const from = plane + (<usize>((y + kh0 * p.dilationH) * inW) << 2);
        sums(p, inside, from, <usize>(p.dilationH * inW) << 2, kh1 - kh0, column + (<usize>kh0 << 2), 0, work + (<usize>padW << 2));
        if (clamped) clampedSums(p, outW, work, <usize>p.dilationW << 2, kW, row, start, to);
        else {
          sums(p, outW, work, <usize>p.dilationW << 2, kW, row, start, to);
          activateRow(p, to, outW);
        }
        to += <usize>outW << 2;
      }
    }
  }
}
