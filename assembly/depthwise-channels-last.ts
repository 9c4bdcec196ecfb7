/**
 * Depthwise convolution, channels-last:
 *
 *   output[b][oh][ow][oc] = activation(bias[oc] + Σ_kh,kw weight[oc][kh][kw] · input[b][oh·strideH + kh·dilationH − padH][…][oc / multiplier])
 *
 *   input [batch, inH, inW, inC] · output [batch, outH, outW, outC] · weights from packTaps · bias zero-padded to whole vectors
 *   work: one band of one block of channels with its border; sized in src/plan.ts. Nothing overlaps.
 *
 * A band of p.band output rows is copied with its zeros, at most CHANNELS channels at a time, into `work` [row][column][channels], so
 * that no tap of the sum needs a test; a channel that feeds several outputs is copied once for each. Weights and bias come in the
 * order of the output, shuffled or not; the copy looks up which input channel belongs to it.
 */
import { activate, clamp, CLAMP } from "./activation";
import { CHANNELS, SKEW } from "./blocks";
import { ConvParams } from "./params";
import { sourceChannel } from "./pack";
import { copyFloats, madd, storeLanes, zeroFloats } from "./simd";

/** Input channels of outputs [channel, channel + count) of one pixel. */
// @ts-ignore: decorator
@inline
function copyChannels(p: ConvParams, pixel: usize, channel: i32, count: i32, to: usize): void {
  if (p.inC == p.outC && p.shuffle == 1) {
    copyFloats(to, pixel + (<usize>channel << 2), count);
    return;
  }
  const multiplier = p.outC / p.inC;
  for (let c = 0; c < count; c++) {
    const ic = sourceChannel(channel + c, p.outC, p.shuffle) / multiplier;
    store<f32>(to + (<usize>c << 2), load<f32>(pixel + (<usize>ic << 2)));
  }
}

/** Padded image rows [row, row + rows) of one block of channels. Margins were zeroed once and stay so. */
function copyBand(p: ConvParams, image: usize, row: i32, rows: i32, channel: i32, count: i32, to: usize, rowBytes: usize, cellBytes: usize): void {
  const pixelBytes = <usize>p.inC << 2;
  // Cells behind the last tap of the last output are not wanted.
  const reach = (p.outW - 1) * p.strideW + (p.kW - 1) * p.dilationW + 1 - p.padW;
  const columns = max(0, min(p.inW, reach));
  for (let r = 0; r < rows; r++) {
    const ih = row + r - p.padH;
    if (<u32>ih < <u32>p.inH) {
      let pixel = image + <usize>(ih * p.inW) * pixelBytes;
      let cell = to + <usize>p.padW * cellBytes;
      for (let iw = 0; iw < columns; iw++) {
        copyChannels(p, pixel, channel, count, cell);
        pixel += pixelBytes;
        cell += cellBytes;
      }
    } else {
      zeroFloats(to, <i32>(rowBytes >> 2));
    }
    to += rowBytes;
  }
}

// @ts-ignore: decorator
@inline
function finish(p: ConvParams, v: v128): v128 {
  if (p.activation == CLAMP) return clamp(v, f32x4.splat(p.low), f32x4.splat(p.high));
  return activate(p.activation, v, p.low);
}

/** `pixels` outputs × 4·`vectors` channels; `lanes` of the last vector are stored. */
// @ts-ignore: decorator
@inline
function block(
  pixels: i32, vectors: i32, p: ConvParams, from: usize, step: usize, tapBytes: usize, lineBytes: usize, weights: usize, weightBytes: usize,
  bias: usize, to: usize, outBytes: usize, lanes: i32,
): void {
  let acc00 = v128.load(bias);
  let acc01 = vectors > 1 ? v128.load(bias, 16) : acc00;
  let acc10 = acc00, acc11 = acc01, acc20 = acc00, acc21 = acc01, acc30 = acc00, acc31 = acc01;
  for (let kh = p.kH; kh != 0; kh--) {
    let x = from;
    for (let kw = p.kW; kw != 0; kw--) {
      const w0 = v128.load(weights);
      const w1 = vectors > 1 ? v128.load(weights, 16) : w0;
      weights += weightBytes;
      acc00 = madd(w0, v128.load(x), acc00);
      if (vectors > 1) acc01 = madd(w1, v128.load(x, 16), acc01);
      if (pixels > 1) {
        const x1 = x + step;
        acc10 = madd(w0, v128.load(x1), acc10);
        if (vectors > 1) acc11 = madd(w1, v128.load(x1, 16), acc11);
        if (pixels > 2) {
          const x2 = x1 + step;
          const x3 = x2 + step;
          acc20 = madd(w0, v128.load(x2), acc20);
          if (vectors > 1) acc21 = madd(w1, v128.load(x2, 16), acc21);
          acc30 = madd(w0, v128.load(x3), acc30);
          if (vectors > 1) acc31 = madd(w1, v128.load(x3, 16), acc31);
        }
      }
      x += tapBytes;
    }
    from += lineBytes;
  }
  storePixel(vectors, p, to, acc00, acc01, lanes);
  if (pixels > 1) storePixel(vectors, p, to + outBytes, acc10, acc11, lanes);
  if (pixels > 2) {
    storePixel(vectors, p, to + 2 * outBytes, acc20, acc21, lanes);
    storePixel(vectors, p, to + 3 * outBytes, acc30, acc31, lanes);
  }
}

// @ts-ignore: decorator
@inline
function storePixel(vectors: i32, p: ConvParams, to: usize, v0: v128, v1: v128, lanes: i32): void {
  if (vectors > 1) {
    v128.store(to, finish(p, v0));
    storeLanes(to + 16, finish(p, v1), lanes);
  } else {
    storeLanes(to, finish(p, v0), lanes);
  }
}

/** One output row, one pair of vectors (or a single one): four pixels at a time, then two, then one. */
// @ts-ignore: decorator
@inline
function outputRow(
  vectors: i32, p: ConvParams, from: usize, step: usize, tapBytes: usize, lineBytes: usize, weights: usize, weightBytes: usize,
  bias: usize, to: usize, outBytes: usize, lanes: i32,
): void {
  let left = p.outW;
  for (; left >= 4; left -= 4) {
    block(4, vectors, p, from, step, tapBytes, lineBytes, weights, weightBytes, bias, to, outBytes, lanes);
    from += 4 * step;
    to += 4 * outBytes;
  }
  if (left >= 2) {
    block(2, vectors, p, from, step, tapBytes, lineBytes, weights, weightBytes, bias, to, outBytes, lanes);
    from += 2 * step;
    to += 2 * outBytes;
    left -= 2;
  }
  if (left > 0) block(1, vectors, p, from, step, tapBytes, lineBytes, weights, weightBytes, bias, to, outBytes, lanes);
}

export function depthwiseChannelsLast(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  assert(p.inD == 1 && p.outD == 1 && p.kD == 1, "depthwise: two dimensions");
  assert(p.band >= 1, "depthwise: an empty band");
  const outH = p.outH, outW = p.outW, outC = p.outC;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const columns = (outW - 1) * p.strideW + (p.kW - 1) * p.dilationW + 1;
  const weightBytes = <usize>p.weightStride << 2;
  const cellBytes = <usize>min(CHANNELS, p.weightStride) << 2;
  const rowBytes = <usize>columns * cellBytes + (SKEW << 2);
  const tapBytes = cellBytes * <usize>p.dilationW;
  const lineBytes = rowBytes * <usize>p.dilationH;
  const step = cellBytes * <usize>p.strideW;
  const outBytes = <usize>outC << 2;
  zeroFloats(work, <i32>(<usize>((min(p.band, outH) - 1) * p.strideH + reachH) * rowBytes >> 2));

  for (let b = 0; b < p.batch; b++) {
    const image = input + (<usize>(b * p.inH * p.inW * p.inC) << 2);
    for (let band = 0; band < outH; band += p.band) {
      const end = min(outH, band + p.band);
      for (let channel = 0; channel < outC; channel += CHANNELS) {
        const count = min(CHANNELS, outC - channel);
        copyBand(p, image, band * p.strideH, (end - band - 1) * p.strideH + reachH, channel, count, work, rowBytes, cellBytes);
        for (let oh = band; oh < end; oh++) {
          const line = work + <usize>((oh - band) * p.strideH) * rowBytes;
          const target = output + (<usize>((b * outH + oh) * outW * outC + channel) << 2);
          for (let c = 0; c < count; c += 8) {
            const at = <usize>c << 2;
            const blockWeights = weights + (<usize>channel << 2) + at;
            const blockBias = bias + (<usize>channel << 2) + at;
            const lanes = count - c;
            if (lanes > 4) outputRow(2, p, line + at, step, tapBytes, lineBytes, blockWeights, weightBytes, blockBias, target + at, outBytes, lanes - 4);
            else outputRow(1, p, line + at, step, tapBytes, lineBytes, blockWeights, weightBytes, blockBias, target + at, outBytes, lanes);
          }
        }
      }
    }
  }
}
