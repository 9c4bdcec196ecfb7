/**
 * Depthwise convolution, channels-first:
 *
 *   output[b][oc][oh][ow] = activation(bias[oc] + Σ_kh,kw weight[oc][kh][kw] · input[b][oc / multiplier][oh·strideH + kh·dilationH − padH][…])
 *
 *   input [batch, inC, inH, inW] · output [batch, outC, outH, outW] · weights from packRows, in the order of the weight · bias [outC]
 *   work: one band of one channel with its border, kH · kW offsets; sized in src/plan.ts. Nothing overlaps.
 *
 * A band of p.band output rows is copied with its zeros into `work`, so that no tap of the sum needs a test. Its columns are dealt into
 * strideW phases, [row][phase][phaseW]: column c is cell c / strideW of phase c mod strideW. A tap then reads consecutive cells at any stride.
 */
import { activate, clamp, CLAMP } from "./activation";
import { shuffledChannel } from "./gemm";
import { ConvParams } from "./params";
import { copyFloats, loadEven, madd, storeLanes, zeroFloats } from "./simd";

/** Floats of one phase: whole vectors of outputs, and as far as the last tap reaches. */
function phaseWidth(p: ConvParams): i32 {
  return ((p.outW + 3) & ~3) + (p.kW - 1) * p.dilationW / p.strideW;
}

/** One image row without border → its phases. `columns` cells, the first in padded column padW. */
function dealRow(p: ConvParams, from: usize, columns: i32, to: usize, phaseBytes: usize): void {
  const stride = p.strideW;
  if (stride == 1) {
    copyFloats(to + (<usize>p.padW << 2), from, columns);
    return;
  }
  for (let phase = 0; phase < stride; phase++) {
    // The first image cell of this phase, and its place there.
    const first = (phase - p.padW % stride + stride) % stride;
    let target = to + <usize>phase * phaseBytes + (<usize>((first + p.padW) / stride) << 2);
    let i = first;
    if (stride == 2) {
      for (; i + 7 <= columns; i += 8) {
        v128.store(target, loadEven(from + (<usize>i << 2)));
        target += 16;
      }
    }
    for (; i < columns; i += stride) {
      store<f32>(target, load<f32>(from + (<usize>i << 2)));
      target += 4;
    }
  }
}

/** Band rows of padded image rows [row, row + rows). Margins were zeroed once and stay so. */
function copyBand(p: ConvParams, plane: usize, row: i32, rows: i32, to: usize, phaseBytes: usize): void {
  const rowBytes = phaseBytes * <usize>p.strideW;
  // Cells behind the last tap of the last output are not wanted.
  const reach = (p.outW - 1) * p.strideW + (p.kW - 1) * p.dilationW + 1 - p.padW;
  const columns = max(0, min(p.inW, reach));
  for (let r = 0; r < rows; r++) {
    const ih = row + r - p.padH;
    if (<u32>ih < <u32>p.inH) dealRow(p, plane + (<usize>(ih * p.inW) << 2), columns, to, phaseBytes);
    else zeroFloats(to, <i32>(rowBytes >> 2));
    to += rowBytes;
  }
}

// @ts-ignore: decorator
@inline
function finish(p: ConvParams, v: v128): v128 {
  if (p.activation == CLAMP) return clamp(v, f32x4.splat(p.low), f32x4.splat(p.high));
  return activate(p.activation, v, p.low);
}

/** `rows` × 4·`vectors` outputs; `lanes` of the last vector are stored. */
// @ts-ignore: decorator
@inline
function block(
  rows: i32, vectors: i32, p: ConvParams, from: usize, nextRow: usize, weights: usize, offsets: usize, taps: i32, bias: f32,
  to: usize, outRowBytes: usize, lanes: i32,
): void {
  let acc00 = f32x4.splat(bias);
  let acc01 = acc00, acc02 = acc00, acc03 = acc00, acc10 = acc00, acc11 = acc00, acc12 = acc00, acc13 = acc00;
  for (let t = taps; t != 0; t--) {
    const w = v128.load32_splat(weights);
    const x0 = from + load<usize>(offsets);
    const x1 = x0 + nextRow;
    weights += 4;
    offsets += 4;
    acc00 = madd(w, v128.load(x0), acc00);
    if (vectors > 1) acc01 = madd(w, v128.load(x0, 16), acc01);
    if (vectors > 2) acc02 = madd(w, v128.load(x0, 32), acc02);
    if (vectors > 3) acc03 = madd(w, v128.load(x0, 48), acc03);
    if (rows > 1) {
      acc10 = madd(w, v128.load(x1), acc10);
      if (vectors > 1) acc11 = madd(w, v128.load(x1, 16), acc11);
      if (vectors > 2) acc12 = madd(w, v128.load(x1, 32), acc12);
      if (vectors > 3) acc13 = madd(w, v128.load(x1, 48), acc13);
    }
  }
  storeRow(vectors, p, to, acc00, acc01, acc02, acc03, lanes);
  if (rows > 1) storeRow(vectors, p, to + outRowBytes, acc10, acc11, acc12, acc13, lanes);
}

// @ts-ignore: decorator
@inline
function storeRow(vectors: i32, p: ConvParams, to: usize, v0: v128, v1: v128, v2: v128, v3: v128, lanes: i32): void {
  if (vectors == 1) {
    storeLanes(to, finish(p, v0), lanes);
  } else if (vectors == 2) {
    v128.store(to, finish(p, v0));
    storeLanes(to + 16, finish(p, v1), lanes);
  } else {
    v128.store(to, finish(p, v0));
    v128.store(to, finish(p, v1), 16);
    v128.store(to, finish(p, v2), 32);
    storeLanes(to + 48, finish(p, v3), lanes);
  }
}

/** `rows` whole output rows, in blocks of sixteen, eight and four columns. */
// @ts-ignore: decorator
@inline
function outputRows(
  rows: i32, p: ConvParams, from: usize, nextRow: usize, weights: usize, offsets: usize, taps: i32, bias: f32, to: usize, outRowBytes: usize,
): void {
  let left = p.outW;
  for (; left > 12; left -= 16) {
    block(rows, 4, p, from, nextRow, weights, offsets, taps, bias, to, outRowBytes, left - 12);
    from += 64;
    to += 64;
  }
  if (left > 4) {
    block(rows, 2, p, from, nextRow, weights, offsets, taps, bias, to, outRowBytes, left - 4);
    from += 32;
    to += 32;
    left -= 8;
  }
  if (left > 0) block(rows, 1, p, from, nextRow, weights, offsets, taps, bias, to, outRowBytes, left);
}

export function depthwiseChannelsFirst(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  assert(p.inD == 1 && p.outD == 1 && p.kD == 1, "depthwise: two dimensions");
  assert(p.band >= 1, "depthwise: an empty band");
  const outH = p.outH, outW = p.outW, outC = p.outC, strideH = p.strideH;
  const multiplier = outC / p.inC;
  const taps = p.kH * p.kW;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const phaseBytes = <usize>phaseWidth(p) << 2;
  const rowBytes = phaseBytes * <usize>p.strideW;
  const nextRow = rowBytes * <usize>strideH;
  const outRowBytes = <usize>outW << 2;
  const bandRows = (min(p.band, outH) - 1) * strideH + reachH;
  const offsets = work;
  const rows = offsets + (<usize>taps << 2);

  for (let kh = 0; kh < p.kH; kh++) {
    for (let kw = 0; kw < p.kW; kw++) {
      const shift = kw * p.dilationW;
      const offset = <usize>(kh * p.dilationH) * rowBytes + <usize>(shift % p.strideW) * phaseBytes + (<usize>(shift / p.strideW) << 2);
      store<usize>(offsets + (<usize>(kh * p.kW + kw) << 2), offset);
    }
  }
  zeroFloats(rows, <i32>(<usize>bandRows * rowBytes >> 2));

  for (let b = 0; b < p.batch; b++) {
    for (let ic = 0; ic < p.inC; ic++) {
      const plane = input + (<usize>((b * p.inC + ic) * p.inH * p.inW) << 2);
      for (let band = 0; band < outH; band += p.band) {
        const end = min(outH, band + p.band);
        copyBand(p, plane, band * strideH, (end - band - 1) * strideH + reachH, rows, phaseBytes);
        for (let oc = ic * multiplier; oc < (ic + 1) * multiplier; oc++) {
          const target = b * outC + shuffledChannel(oc, outC, p.shuffle);
          const channelWeights = weights + (<usize>(oc * p.weightStride) << 2);
          const channelBias = load<f32>(bias + (<usize>oc << 2));
          let from = rows;
          let to = output + (<usize>((target * outH + band) * outW) << 2);
          let oh = band;
          for (; oh + 2 <= end; oh += 2) {
            outputRows(2, p, from, nextRow, channelWeights, offsets, taps, channelBias, to, outRowBytes);
            from += 2 * nextRow;
            to += 2 * outRowBytes;
          }
          if (oh < end) outputRows(1, p, from, nextRow, channelWeights, offsets, taps, channelBias, to, outRowBytes);
        }
      }
    }
  }
}
