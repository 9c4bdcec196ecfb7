/**
 * Depthwise convolution, channels-first:
 *
 *   output[b][oc][oh][ow] = activation(bias[oc] + Σ_kh,kw weight[oc][kh][kw] · input[b][oc / multiplier][oh·strideH + kh·dilationH − padH][…])
 *
 *   input [batch, inC, inH, inW] · output [batch, outC, outH, outW] · weights from packRows, in the order of the weight · bias [outC]
 *   tasks: [image][output channel][band] in place, else [image][input channel][band]
 *   work: one row of zeros, or the ends of rows, or bounds, kH · kW offsets, as many weights in order, one band of one channel with its border, and a vector; sized in
 *   src/bands.ts. Nothing overlaps.
 *
 * What depthwise-3x3.ts, depthwise-3x3-down.ts and depthwise-3x3-dilated.ts can do is done in place, if p.inPlace says so. Else a band of p.band output rows is copied with its
 * zeros into `work`, so that no tap of the sum needs a test. Its columns are dealt into strideW phases, [row][phase][phaseW]: column c is cell
 * c / strideW of phase c mod strideW. A tap then reads consecutive cells at any stride.
 */
import { activateRuns, CLAMP } from "./activation";
import { BOUNDS_BYTES } from "./blocks";
import { expectInPlace, plane3x3 } from "./depthwise-3x3";
import { down3x3 } from "./depthwise-3x3-down";
import { tapsChannelsFirst } from "./depthwise-taps";
import { orderFive, tapOfFive } from "./depthwise-taps-5";
import { shuffledChannel } from "./gemm";
import { ConvParams } from "./params";
import { zeroFloats } from "./simd";
import { behindTasks } from "./tasks";

/** Floats of one phase: whole vectors of outputs, and as far as the last tap reaches. */
export function phaseWidth(p: ConvParams): i32 {
  return ((p.outW + 3) & ~3) + (p.kW - 1) * p.dilationW / p.strideW;
}

/** Rows [0, rows) of the image, four or more cells of each, behind the margin of the band's rows. */
function copyRows(from: usize, rows: i32, imageRowBytes: usize, columns: i32, to: usize, rowBytes: usize): void {
  const last = (<usize>columns << 2) - 16;
  for (let r = rows; r != 0; r--) {
    // The last vector ends with the row, and copies some cells again.
    let at: usize = 0;
    for (; at + 48 <= last; at += 48) {
      const x = from + at, y = to + at;
      v128.store(y, v128.load(x));
      v128.store(y, v128.load(x, 16), 16);
      v128.store(y, v128.load(x, 32), 32);
    }
    for (; at < last; at += 16) v128.store(to + at, v128.load(from + at));
    v128.store(to + last, v128.load(from + last));
    from += imageRowBytes;
    to += rowBytes;
  }
}

/** Likewise, eight or more cells, dealt into two phases: `even` takes the first cell of each row, `odd` the second. */
function dealRows(from: usize, rows: i32, imageRowBytes: usize, columns: i32, even: usize, odd: usize, rowBytes: usize): void {
  const last = (<usize>(columns & ~1) << 2) - 32;
  for (let r = rows; r != 0; r--) {
    for (let at: usize = 0; ; at += 32) {
      if (at > last) at = last;
      const x = from + at;
      const low = v128.load(x), high = v128.load(x, 16);
      v128.store(even + (at >> 1), i32x4.shuffle(low, high, 0, 2, 4, 6));
      v128.store(odd + (at >> 1), i32x4.shuffle(low, high, 1, 3, 5, 7));
      if (at == last) break;
    }
    if ((columns & 1) != 0) store<f32>(even + (<usize>(columns >> 1) << 2), load<f32>(from + (<usize>(columns - 1) << 2)));
    from += imageRowBytes;
    even += rowBytes;
    odd += rowBytes;
  }
}

/** One row of any length into any number of phases. `columns` cells, the first in padded column padW. */
function dealRow(p: ConvParams, from: usize, columns: i32, to: usize, phaseBytes: usize): void {
  const stride = p.strideW;
  for (let phase = 0; phase < stride; phase++) {
    // The first image cell of this phase, and its place there.
    const first = (phase - p.padW % stride + stride) % stride;
    let target = to + <usize>phase * phaseBytes + (<usize>((first + p.padW) / stride) << 2);
    for (let i = first; i < columns; i += stride) {
      store<f32>(target, load<f32>(from + (<usize>i << 2)));
      target += 4;
    }
  }
}

/** Band rows of padded image rows [row, row + rows). Margins were zeroed once and stay so. */
export function copyBand(p: ConvParams, plane: usize, row: i32, rows: i32, to: usize, phaseBytes: usize): void {
  const rowBytes = phaseBytes * <usize>p.strideW;
  const imageRowBytes = <usize>p.inW << 2;
  // Cells behind the last tap of the last output are not wanted.
  const reach = (p.outW - 1) * p.strideW + (p.kW - 1) * p.dilationW + 1 - p.padW;
  const columns = max(0, min(p.inW, reach));
  // Rows of the band that are rows of the image.
  const above = min(rows, max(0, p.padH - row));
  const count = max(0, min(rows, p.inH + p.padH - row) - above);
  if (p.band < p.outH) {
    zeroFloats(to, <i32>(<usize>above * rowBytes >> 2));
    zeroFloats(to + <usize>(above + count) * rowBytes, <i32>(<usize>(rows - above - count) * rowBytes >> 2));
  }
  let from = plane + <usize>(row + above - p.padH) * imageRowBytes;
  to += <usize>above * rowBytes;
  if (p.strideW == 1 && columns >= 4) {
    copyRows(from, count, imageRowBytes, columns, to + (<usize>p.padW << 2), rowBytes);
  } else if (p.strideW == 2 && columns >= 8) {
    const first = to + <usize>(p.padW & 1) * phaseBytes + (<usize>(p.padW >> 1) << 2);
    const second = to + <usize>(p.padW & 1 ^ 1) * phaseBytes + (<usize>((p.padW + 1) >> 1) << 2);
    dealRows(from, count, imageRowBytes, columns, first, second, rowBytes);
  } else {
    for (let r = count; r != 0; r--) {
      dealRow(p, from, columns, to, phaseBytes);
      from += imageRowBytes;
      to += rowBytes;
    }
  }
}

/** Bands of a plane. In place two rows of each phase of the dilation are computed together: fewer that are left over belong to the band before them. */
function bandsOf(p: ConvParams): i32 {
  return p.inPlace != 0 ? (p.outH - 2 * p.dilationH) / p.band + 1 : (p.outH + p.band - 1) / p.band;
}

function copied(first: i32, last: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  const inC = p.inC, outH = p.outH, outW = p.outW, outC = p.outC, strideH = p.strideH;
  const multiplier = outC / inC;
  const bands = bandsOf(p);
  const taps = p.kH * p.kW;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const phaseBytes = <usize>phaseWidth(p) << 2;
  const rowBytes = phaseBytes * <usize>p.strideW;
  const nextRow = rowBytes * <usize>strideH;
  const bandRows = (min(p.band, outH) - 1) * strideH + reachH;
  const bounds = work;
  const offsets = bounds + BOUNDS_BYTES;
  // Whole vectors: few loads from the band should cross a cache line.
  const tapBytes = <usize>(taps + 3 & ~3) << 2;
  const ordered = offsets + tapBytes;
  const rows = ordered + tapBytes;
  const five = p.kW == 5;

  for (let kh = 0; kh < p.kH; kh++) {
    for (let kw = 0; kw < p.kW; kw++) {
      const shift = (five ? tapOfFive(kw, p.dilationW) : kw) * p.dilationW;
      const offset = <usize>(kh * p.dilationH) * rowBytes + <usize>(shift % p.strideW) * phaseBytes + (<usize>(shift / p.strideW) << 2);
      store<usize>(offsets + (<usize>(kh * p.kW + kw) << 2), offset);
    }
  }
  const clamped = p.activation == CLAMP;
  store<f32>(bounds, clamped ? p.low : -Infinity);
  store<f32>(bounds, clamped ? p.high : Infinity, 4);
  zeroFloats(rows, <i32>(<usize>bandRows * rowBytes >> 2));

  for (let task = first; task < last; task++) {
    const image = task / bands;
    const b = image / inC, ic = image - b * inC;
    const band = (task - image * bands) * p.band;
    const end = min(outH, band + p.band);
    copyBand(p, input + (<usize>(image * p.inH * p.inW) << 2), band * strideH, (end - band - 1) * strideH + reachH, rows, phaseBytes);
    for (let oc = ic * multiplier; oc < (ic + 1) * multiplier; oc++) {
      const target = b * outC + shuffledChannel(oc, outC, p.shuffle);
      const kernel = weights + (<usize>(oc * p.weightStride) << 2);
      if (five) orderFive(kernel, p.kH, p.dilationW, ordered);
      const to = output + (<usize>((target * outH + band) * outW) << 2);
      tapsChannelsFirst(p, end - band, rows, nextRow, offsets, five ? ordered : kernel, bias + (<usize>oc << 2), bounds, to);
      if (!clamped) activateRuns(p, 1, to, 0, <usize>((end - band) * outW) << 2);
    }
  }
}

function inPlace(first: i32, last: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, zeros: usize): void {
  const inC = p.inC, outC = p.outC, outH = p.outH;
  const multiplier = outC / inC;
  const bands = bandsOf(p);
  let result = first / bands;
  let band = first - result * bands;
  let b = result / outC;
  let oc = result - b * outC;
  for (let task = first; task < last; task++) {
    const plane = input + (<usize>((b * inC + oc / multiplier) * p.inH * p.inW) << 2);
    const target = b * outC + shuffledChannel(oc, outC, p.shuffle);
    const top = band * p.band;
    const isLast = ++band == bands;
    plane3x3(
      p, top, isLast ? outH : top + p.band, plane, zeros, weights + (<usize>(oc * p.weightStride) << 2), bias + (<usize>oc << 2),
      output + (<usize>(target * outH * p.outW) << 2),
    );
    if (isLast) {
      band = 0;
      if (++oc == outC) {
        oc = 0;
        b++;
      }
    }
  }
}

/** How many tasks there are. */
function depthwiseTasks(p: ConvParams): i32 {
  return p.batch * (p.inPlace != 0 ? p.outC : p.inC) * bandsOf(p);
}

export function depthwiseChannelsFirst(
  first: i32, last: i32, _before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize,
): void {
  if (!ASC_NO_ASSERT) assert(first >= 0);
  last = behindTasks(last, depthwiseTasks(p));
  if (!ASC_NO_ASSERT) assert(p.inD == 1 && p.outD == 1 && p.kD == 1, "depthwise: two dimensions");
  if (!ASC_NO_ASSERT) assert(p.band >= 1, "depthwise: an empty band");
  if (p.inPlace == 0) {
    copied(first, last, p, input, weights, bias, output, work);
    return;
  }
  expectInPlace(p);
  zeroFloats(work, p.inW);
  if (p.strideW == 1) down3x3(first, last, bandsOf(p), p, input, weights, bias, output, work);
  else inPlace(first, last, p, input, weights, bias, output, work);
}
