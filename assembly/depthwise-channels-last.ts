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
import { CHANNELS, SKEW } from "./blocks";
import { tapsChannelsLast } from "./depthwise-taps";
import { ConvParams } from "./params";
import { sourceChannel } from "./pack";
import { copyFloats, zeroFloats } from "./simd";

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

export function depthwiseChannelsLast(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  assert(p.inD == 1 && p.outD == 1 && p.kD == 1, "depthwise: two dimensions");
  assert(p.band >= 1, "depthwise: an empty band");
  const outH = p.outH, outW = p.outW, outC = p.outC;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const columns = (outW - 1) * p.strideW + (p.kW - 1) * p.dilationW + 1;
  const cellBytes = <usize>min(CHANNELS, p.weightStride) << 2;
  const rowBytes = <usize>columns * cellBytes + (SKEW << 2);
  const step = cellBytes * <usize>p.strideW;
  const offsets = work;
  const rows = offsets + (<usize>(p.kH * p.kW) << 2);

  for (let kh = 0; kh < p.kH; kh++) {
    for (let kw = 0; kw < p.kW; kw++) {
      const offset = <usize>(kh * p.dilationH) * rowBytes + <usize>(kw * p.dilationW) * cellBytes;
      store<usize>(offsets + (<usize>(kh * p.kW + kw) << 2), offset);
    }
  }
  zeroFloats(rows, <i32>(<usize>((min(p.band, outH) - 1) * p.strideH + reachH) * rowBytes >> 2));

  for (let b = 0; b < p.batch; b++) {
    const image = input + (<usize>(b * p.inH * p.inW * p.inC) << 2);
    for (let band = 0; band < outH; band += p.band) {
      const end = min(outH, band + p.band);
      for (let channel = 0; channel < outC; channel += CHANNELS) {
        const count = min(CHANNELS, outC - channel);
        copyBand(p, image, band * p.strideH, (end - band - 1) * p.strideH + reachH, channel, count, rows, rowBytes, cellBytes);
        for (let c = 0; c < count; c += 4) {
          const at = <usize>(channel + c) << 2;
          tapsChannelsLast(
            p, end - band, rows + (<usize>c << 2), rowBytes * <usize>p.strideH, step, offsets, weights + at, bias + at,
            output + (<usize>((b * outH + band) * outW * outC) << 2) + at, min(4, count - c),
          );
        }
      }
    }
  }
}
