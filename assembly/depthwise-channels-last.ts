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

/** `columns` pixels of `count` channels. Loops of vectors in place: a call for so few floats would cost more than the copy. */
function copyPixels(from: usize, pixelBytes: usize, columns: i32, count: i32, to: usize, cellBytes: usize): void {
  if (count == CHANNELS) {
    for (let n = columns; n != 0; n--) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      v128.store(to, v128.load(from, 32), 32);
      v128.store(to, v128.load(from, 48), 48);
      from += pixelBytes;
      to += cellBytes;
    }
    return;
  }
  for (let n = columns; n != 0; n--) {
    copyFloats(to, from, count);
    from += pixelBytes;
    to += cellBytes;
  }
}

/** Likewise where outputs [channel, channel + count) are not fed by as many channels in the same order. */
function spreadPixels(p: ConvParams, from: usize, columns: i32, channel: i32, count: i32, to: usize, cellBytes: usize): void {
  const multiplier = p.outC / p.inC;
  const pixelBytes = <usize>p.inC << 2;
  // Four neighbours that one channel feeds are one vector.
  const fours = p.shuffle == 1 && (multiplier & 3) == 0;
  for (let c = 0; c < count; c += fours ? 4 : 1) {
    const ic = sourceChannel(channel + c, p.outC, p.shuffle) / multiplier;
    let pixel = from + (<usize>ic << 2);
    let cell = to + (<usize>c << 2);
    if (fours) {
      for (let n = columns; n != 0; n--) {
        v128.store(cell, v128.load32_splat(pixel));
        pixel += pixelBytes;
        cell += cellBytes;
      }
    } else {
      for (let n = columns; n != 0; n--) {
        store<f32>(cell, load<f32>(pixel));
        pixel += pixelBytes;
        cell += cellBytes;
      }
    }
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
      const line = image + <usize>(ih * p.inW) * pixelBytes;
      const cells = to + <usize>p.padW * cellBytes;
      if (p.inC == p.outC && p.shuffle == 1) copyPixels(line + (<usize>channel << 2), pixelBytes, columns, count, cells, cellBytes);
      else spreadPixels(p, line, columns, channel, count, cells, cellBytes);
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
