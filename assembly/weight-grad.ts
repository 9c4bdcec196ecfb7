/**
 * Gradient of a convolution with respect to its weight:
 *
 *   sums[oc][tap][ic] = Σ_b,pixel gradOutput[b][pixel][oc] · input[b][pixel moved by tap][ic]
 *
 *   input [batch, inD, inH, inW, inC], gradOutput [batch, outD, outH, outW, outC], or channels first · sums as packPanels lays weights out, or as
 *   packTaps does for a depthwise convolution (p.kind), whence unpackPanels or unpackTaps bring them into the filter layout. Nothing overlaps.
 *   work: rows of the input | the gradient of a band; sized in src/weight-grad.ts.
 *
 * A GEMM whose sums run over batch and pixels, in their order, whatever the layout: in bands of p.band output rows, which L2 holds. The gradient of a band is
 * packed in panels of eight channels; the input is read where it lies, or as a copy of its rows where it lies badly: planes become pixels, pixels a
 * multiple of a cache line apart get a gap, and few channels get zeros at the sides, so that a row of the kernel is one run of channels.
 */
import { MR, NR, SKEW } from "./blocks";
import { gather } from "./channels-first";
import { DEPTHWISE } from "./kinds";
import { ConvParams } from "./params";
import { copyFloats, zeroFloats } from "./simd";
import { planesToPixels } from "./transpose";
import { depthwiseSums } from "./weight-grad-depthwise";
import { gradTile } from "./weight-grad-tile";

/** First output of an axis whose tap `at` cells behind its window's beginning is inside. */
// @ts-ignore: decorator
@inline
function firstInside(at: i32, stride: i32, pad: i32, out: i32): i32 {
  return at >= pad ? 0 : min(out, (pad - at + stride - 1) / stride);
}

/** Behind the last such; never before `first`. */
// @ts-ignore: decorator
@inline
function behindInside(at: i32, stride: i32, pad: i32, size: i32, out: i32, first: i32): i32 {
  const room = size - 1 + pad - at;
  return room < 0 ? first : max(first, min(out, room / stride + 1));
}

/** Floats from one pixel of copied rows to the next. The same in src/weight-grad.ts. */
// @ts-ignore: decorator
@inline
function copiedPixel(channels: i32): i32 {
  return (channels & 63) == 0 ? channels + SKEW : channels;
}

/** Rows of the gradient, as panels [panel][pixel][8], each zero-padded to eight channels. */
function packGradient(p: ConvParams, gradient: usize, first: i32, pixels: i32, last: bool, to: usize): void {
  const N = p.groupOutC;
  const panels = (N + NR - 1) / NR;
  const planeBytes = <usize>(p.outD * p.outH * p.outW) << 2;
  const pixelBytes = <usize>p.outC << 2;
  for (let g = 0; g < p.groups; g++) {
    for (let panel = 0; panel < panels; panel++) {
      const channel = g * N + panel * NR;
      const lanes = min(NR, N - panel * NR);
      if (lanes < NR) zeroFloats(to, pixels * NR);
      if (last) {
        let from = gradient + <usize>first * pixelBytes + (<usize>channel << 2);
        let cell = to;
        for (let n = pixels; n != 0; n--) {
          copyFloats(cell, from, lanes);
          from += pixelBytes;
          cell += 4 * NR;
        }
      } else {
        planesToPixels(gradient + <usize>channel * planeBytes + (<usize>first << 2), planeBytes, lanes, pixels, to, 4 * NR);
      }
      to += <usize>(pixels * NR) << 2;
    }
  }
}

/** Rows of a slice of the image as pixels `pixelBytes` apart, every channel as often as `multiplier` says; columns may lie outside. */
function copyRows(
  p: ConvParams, image: usize, slice: i32, row: i32, rows: i32, column: i32, columns: i32, last: bool, to: usize, pixelBytes: usize, multiplier: i32,
): void {
  const inC = p.inC, inW = p.inW;
  if (!last && multiplier == 1) {
    gather(inC, p.inD, p.inH, inW, image, 1, slice, 1, row, rows, column, columns, to, pixelBytes);
    return;
  }
  const planeBytes = <usize>(p.inD * p.inH * inW) << 2;
  const cellBytes = <usize>(last ? inC : 1) << 2;
  const channelBytes = last ? 4 : planeBytes;
  for (let r = row; r < row + rows; r++) {
    const line = image + <usize>((slice * p.inH + r) * inW) * cellBytes;
    for (let w = column; w < column + columns; w++) {
      if (<u32>w >= <u32>inW) {
        zeroFloats(to, inC * multiplier);
      } else if (multiplier == 1) {
        copyFloats(to, line + <usize>w * cellBytes, inC);
      } else {
        let from = line + <usize>w * cellBytes;
        let cell = to;
        for (let c = 0; c < inC; c++) {
          const v = load<f32>(from);
          for (let m = 0; m < multiplier; m++) {
            store<f32>(cell, v);
            cell += 4;
          }
          from += channelBytes;
        }
      }
      to += pixelBytes;
    }
  }
}

/** The taps of one kernel slice, of rows [row, …) of the image as they lie at `x`, with output rows [oh, end). */
function addGemm(
  p: ConvParams, whole: bool, x: usize, pixelBytes: usize, width: i32, row: i32, oh: i32, end: i32, kd: i32, panelsOf: usize, sums: usize,
): void {
  const N = p.groupOutC, outW = p.outW;
  const panels = (N + NR - 1) / NR;
  const kW = whole ? 1 : p.kW;
  const K = whole ? p.kW * p.inC : p.groupInC;
  const inW = whole ? width : p.inW, padW = whole ? 0 : p.padW;
  const lineBytes = <usize>width * pixelBytes;
  const step = <usize>p.strideW * pixelBytes;
  const gradRow = <usize>outW * (4 * NR);
  const gradPanel = <usize>(end - oh) * gradRow;
  const sumPanel = <usize>p.weightStride << 2;
  for (let kh = 0; kh < p.kH; kh++) {
    const first = max(oh, firstInside(kh * p.dilationH, p.strideH, p.padH, p.outH));
    const behind = min(end, behindInside(kh * p.dilationH, p.strideH, p.padH, p.inH, p.outH, 0));
    if (first >= behind) continue;
    const ih = first * p.strideH + kh * p.dilationH - p.padH - row;
    for (let kw = 0; kw < kW; kw++) {
      // A whole row of the kernel is inside the copy with its sides.
      const at = whole ? 0 : kw * p.dilationW;
      const left = firstInside(at, p.strideW, padW, outW);
      const right = whole ? outW : behindInside(at, p.strideW, padW, inW, outW, left);
      if (left >= right) continue;
      const cell = x + <usize>ih * lineBytes + <usize>(left * p.strideW + at - padW) * pixelBytes;
      const tap = (kd * p.kH + kh) * kW + kw;
      let runs = behind - first, run = right - left;
      let aRow = <usize>p.strideH * lineBytes, bRow = gradRow;
      if (aRow == <usize>run * step && run == outW) {
        run *= runs;
        runs = 1;
      }
      const skipped = <usize>((first - oh) * outW + left) * (4 * NR);
      for (let g = 0; g < p.groups; g++) {
        for (let ic = 0; ic < K; ic += MR) {
          const rows = min(MR, K - ic);
          const a = cell + (<usize>(g * p.groupInC + ic) << 2);
          for (let panel = 0; panel < panels; panel++) {
            const wide = N - panel * NR > 4;
            const b = panelsOf + <usize>(g * panels + panel) * gradPanel + skipped;
            const c = sums + <usize>(g * panels + panel) * sumPanel + <usize>(tap * K + ic) * (4 * NR);
            gradTile(rows, wide, runs, run, a, step, aRow, b, bRow, c);
          }
        }
      }
    }
  }
}

/** Likewise where each channel has filters of its own. `g` = the gradient's pixel of output row `oh`, `gPixel` bytes apart. */
function addDepthwise(
  p: ConvParams, x: usize, pixelBytes: usize, row: i32, oh: i32, end: i32, kd: i32, g: usize, gPixel: usize, sums: usize,
): void {
  const kW = p.kW, outW = p.outW, strideW = p.strideW;
  const lineBytes = <usize>p.inW * pixelBytes;
  const step = <usize>strideW * pixelBytes;
  const gradRow = <usize>outW * gPixel;
  const tapBytes = <usize>p.weightStride << 2;
  const aRow = <usize>p.strideH * lineBytes;
  const tapStep = <usize>p.dilationW * pixelBytes;
  for (let kh = 0; kh < p.kH; kh++) {
    const first = max(oh, firstInside(kh * p.dilationH, p.strideH, p.padH, p.outH));
    const behind = min(end, behindInside(kh * p.dilationH, p.strideH, p.padH, p.inH, p.outH, 0));
    if (first >= behind) continue;
    const line = x + <usize>(first * p.strideH + kh * p.dilationH - p.padH - row) * lineBytes;
    const gradient = g + <usize>(first - oh) * gradRow;
    for (let kw = 0; kw < kW; kw += 3) {
      const taps = min(3, kW - kw);
      // Columns that all of them see, then what one sees alone at either side.
      const begin = kw * p.dilationW, finish = (kw + taps - 1) * p.dilationW;
      const left = firstInside(begin, strideW, p.padW, outW);
      const right = behindInside(finish, strideW, p.padW, p.inW, outW, left);
      const to = sums + <usize>((kd * p.kH + kh) * kW + kw) * tapBytes;
      if (left < right) {
        depthwiseSums(
          p.outC, taps, behind - first, right - left, line + <usize>(left * strideW + begin - p.padW) * pixelBytes, step, aRow, tapStep,
          gradient + <usize>left * gPixel, gPixel, gradRow, to, tapBytes,
        );
      }
      for (let n = 0; n < taps; n++) {
        const at = (kw + n) * p.dilationW;
        const from = firstInside(at, strideW, p.padW, outW);
        const until = behindInside(at, strideW, p.padW, p.inW, outW, from);
        for (let side = 0; side < 2; side++) {
          const low = side == 0 ? from : max(from, right);
          const high = side == 0 ? min(left, until) : until;
          if (low >= high) continue;
          depthwiseSums(
            p.outC, 1, behind - first, high - low, line + <usize>(low * strideW + at - p.padW) * pixelBytes, step, aRow, tapStep,
            gradient + <usize>low * gPixel, gPixel, gradRow, to + <usize>n * tapBytes, tapBytes,
          );
        }
      }
    }
  }
}

/** Floats of all sums. */
// @ts-ignore: decorator
@inline
function sumFloats(p: ConvParams): i32 {
  if (p.kind == DEPTHWISE) return p.kD * p.kH * p.kW * p.weightStride;
  return p.groups * ((p.groupOutC + NR - 1) / NR) * p.weightStride;
}

function sumUp(p: ConvParams, whole: bool, input: usize, gradOutput: usize, sums: usize, work: usize, last: bool): void {
  const depthwise = p.kind == DEPTHWISE;
  const multiplier = depthwise ? p.outC / p.inC : 1;
  const channels = p.inC * multiplier;
  const pixel = whole ? p.inC : copiedPixel(channels);
  const copied = !last || whole || multiplier > 1 || (!depthwise && pixel != p.inC);
  const pixelBytes = <usize>(copied ? pixel : p.inC) << 2;
  const column = whole ? -p.padW : 0;
  const width = whole ? (p.outW - 1) * p.strideW + p.kW : p.inW;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const gradPixel = <usize>p.outC << 2;
  const packed = work + (copied ? <usize>(min(p.inH, (p.band - 1) * p.strideH + reachH) * width) * pixelBytes : 0);
  zeroFloats(sums, sumFloats(p));
  for (let b = 0; b < p.batch; b++) {
    const image = input + (<usize>(b * p.inC * p.inD * p.inH * p.inW) << 2);
    const gradient = gradOutput + (<usize>(b * p.outC * p.outD * p.outH * p.outW) << 2);
    for (let od = 0; od < p.outD; od++) {
      for (let oh = 0; oh < p.outH; oh += p.band) {
        const end = min(p.outH, oh + p.band);
        const first = (od * p.outH + oh) * p.outW;
        const pixels = (end - oh) * p.outW;
        const row = min(p.inH, max(0, oh * p.strideH - p.padH));
        const rows = max(0, min(p.inH, (end - 1) * p.strideH - p.padH + reachH) - row);
        if (rows == 0) continue;
        let g = gradient + <usize>first * gradPixel;
        if (!depthwise) packGradient(p, gradient, first, pixels, last, packed);
        else if (!last) {
          planesToPixels(gradient + (<usize>first << 2), <usize>(p.outD * p.outH * p.outW) << 2, p.outC, pixels, packed, gradPixel);
          g = packed;
        }
        for (let kd = 0; kd < p.kD; kd++) {
          const id = od * p.strideD + kd * p.dilationD - p.padD;
          if (<u32>id >= <u32>p.inD) continue;
          let x = image + <usize>((id * p.inH + row) * p.inW) * pixelBytes;
          if (copied) {
            x = work;
            copyRows(p, image, id, row, rows, column, width, last, x, pixelBytes, multiplier);
          }
          if (depthwise) addDepthwise(p, x, pixelBytes, row, oh, end, kd, g, gradPixel, sums);
          else addGemm(p, whole, x, pixelBytes, width, row, oh, end, kd, packed, sums);
        }
      }
    }
  }
}

/** Whether all are finite: x − x is 0 for those, NaN for others. */
function allFinite(at: usize, floats: i32): bool {
  let sum: f32 = 0;
  for (; floats > 0; floats--) {
    const x = load<f32>(at);
    sum += x - x;
    at += 4;
  }
  return sum == 0;
}

function weightGrad(p: ConvParams, input: usize, gradOutput: usize, sums: usize, work: usize, last: bool): void {
  const whole = p.sides != 0;
  sumUp(p, whole, input, gradOutput, sums, work, last);
  // Whole rows multiply the zeros at the sides too, which is nothing but where the gradient is not finite.
  if (whole && !allFinite(sums, sumFloats(p))) sumUp(p, false, input, gradOutput, sums, work, last);
}

export function weightGradChannelsFirst(p: ConvParams, input: usize, gradOutput: usize, sums: usize, work: usize): void {
  weightGrad(p, input, gradOutput, sums, work, false);
}

export function weightGradChannelsLast(p: ConvParams, input: usize, gradOutput: usize, sums: usize, work: usize): void {
  weightGrad(p, input, gradOutput, sums, work, true);
}
