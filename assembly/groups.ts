/**
 * Convolution in groups of few channels, both layouts:
 *
 *   output[b][g·N + n][oh][ow] = activation(bias[g·N + n] + Σ_ic Σ_kh,kw input[b][g·groupInC + ic][oh·strideH + kh·dilationH − padH][…] · weight[…])
 *
 *   N = groupOutC, whole fours of them · input [batch, inC, inH, inW] or [batch, inH, inW, inC] · output likewise · weights from packFours · bias [outC]
 *   tasks: [image][group][band], or channels-last [image][band][groups of a cache line]
 *   work: a Line | an offset for each step of a sum | one band of a group's channels, with its border; sized in src/plan-groups.ts. Nothing overlaps.
 *
 * A band of p.band output rows is copied with its zeros as planes, whatever the layout, its columns dealt into strideW phases as in
 * depthwise-channels-first.ts: a step then reads consecutive pixels at any stride, and one tile serves both layouts. A cell that is moved once serves
 * kH · kW · N products. Channels-last the groups of a cache line are turned into planes together.
 */
import { FOUR, LINE_CHANNELS } from "./blocks";
import { copyBand, phaseWidth } from "./depthwise-channels-first";
import { shuffledChannel } from "./gemm";
import { Line, lineOfTiles } from "./groups-tile";
import { ConvParams } from "./params";
import { zeroFloats } from "./simd";
import { behindTasks } from "./tasks";
import { pixelsToPlanes } from "./transpose";

/** Groups whose channels are turned into planes together: those of a cache line. */
function groupsTogether(p: ConvParams): i32 {
  return min(p.groups, max(1, LINE_CHANNELS / p.groupInC));
}

/** Pixels of padded image rows [row, row + rows), so many channels of each, into planes. Margins were zeroed once and stay so. */
function turnBand(p: ConvParams, channels: i32, image: usize, row: i32, rows: i32, to: usize, phaseBytes: usize, planeBytes: usize): void {
  const inW = p.inW, inH = p.inH, padW = p.padW, stride = p.strideW;
  const pixelBytes = <usize>p.inC << 2;
  const cells = <i32>(phaseBytes >> 2);
  for (let r = 0; r < rows; r++) {
    const ih = row + r - p.padH;
    const inside = <u32>ih < <u32>inH;
    const line = image + <usize>(ih * inW) * pixelBytes;
    for (let phase = 0; phase < stride; phase++) {
      if (inside) {
        // Cell j is column j · stride + phase − padW of the image.
        const first = max(0, (padW - phase + stride - 1) / stride);
        const behind = min(cells, (inW - 1 + padW - phase + stride) / stride);
        const column = first * stride + phase - padW;
        if (behind > first) {
          const cell = to + (<usize>first << 2);
          pixelsToPlanes(line + <usize>column * pixelBytes, pixelBytes * <usize>stride, channels, behind - first, cell, planeBytes, 1);
        }
      } else {
        let plane = to;
        for (let c = channels; c != 0; c--) {
          zeroFloats(plane, cells);
          plane += planeBytes;
        }
      }
      to += phaseBytes;
    }
  }
}

/** Where four channels from `channel` on go, `channelBytes` from one to the next. */
function place(p: ConvParams, line: Line, channel: i32, channelBytes: usize): void {
  const outC = p.outC, shuffle = p.shuffle;
  line.place0 = <usize>shuffledChannel(channel, outC, shuffle) * channelBytes;
  line.place1 = <usize>shuffledChannel(channel + 1, outC, shuffle) * channelBytes;
  line.place2 = <usize>shuffledChannel(channel + 2, outC, shuffle) * channelBytes;
  line.place3 = <usize>shuffledChannel(channel + 3, outC, shuffle) * channelBytes;
}

/** Four channels of `rows` output rows: pairs of vectors along each row, and a vector that is left over beside that of the next row. */
function fourChannels(
  p: ConvParams, line: Line, rows: i32, band: usize, nextRow: usize, offsets: usize, steps: i32, weights: usize, bias: usize, output: usize,
): void {
  const outW = p.outW;
  const vectors = (outW + 3) >> 2;
  const toPixel = line.toPixel;
  const toRow = <usize>outW * toPixel;
  if (vectors > 1) {
    line.tiles = vectors >> 1;
    line.step = 8;
    line.last = outW - 8;
    if ((vectors & 1) != 0) line.last = max(0, min(line.last, (vectors - 3) << 2));
    line.fromUnit = 4;
    line.toUnit = toPixel;
    line.apart = 16;
    line.toApart = 4 * toPixel;
    line.lanes = 4;
    // Two vectors that overlap.
    if (outW < 8) {
      line.last = 0;
      line.apart = <usize>(outW - 4) << 2;
      line.toApart = <usize>(outW - 4) * toPixel;
    }
    let from = band, to = output;
    for (let r = rows; r != 0; r--) {
      lineOfTiles(p, line, from, offsets, steps, weights, bias, to);
      from += nextRow;
      to += toRow;
    }
  }
  if ((vectors & 1) != 0) {
    const column = max(0, outW - 4);
    const pairs = rows > 1;
    line.tiles = (rows + 1) >> 1;
    line.step = 2;
    line.last = max(0, rows - 2);
    line.fromUnit = nextRow;
    line.toUnit = toRow;
    line.apart = pairs ? nextRow : 0;
    line.toApart = pairs ? toRow : 0;
    line.lanes = min(4, outW);
    lineOfTiles(p, line, band + (<usize>column << 2), offsets, steps, weights, bias, output + <usize>column * toPixel);
  }
}

// @ts-ignore: decorator
@inline
function groups(
  first: i32, last: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, channelsLast: bool,
): void {
  assert(p.inD == 1 && p.outD == 1 && p.kD == 1, "groups: two dimensions");
  assert(p.band >= 1, "groups: an empty band");
  assert((p.groupOutC & (FOUR - 1)) == 0, "groups: whole fours of channels");
  const inC = p.inC, outC = p.outC, outH = p.outH, strideH = p.strideH, groupInC = p.groupInC, groupOutC = p.groupOutC;
  const inPixels = p.inH * p.inW, outPixels = outH * p.outW;
  const steps = groupInC * p.kH * p.kW;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const phaseBytes = <usize>phaseWidth(p) << 2;
  const rowBytes = phaseBytes * <usize>p.strideW;
  const bandRows = (min(p.band, outH) - 1) * strideH + reachH;
  const planeBytes = <usize>bandRows * rowBytes;
  const line = changetype<Line>(work);
  const offsets = work + ((offsetof<Line>() + 15) & ~15);
  const planes = offsets + (<usize>steps << 2);

  let slot = offsets;
  for (let kh = 0; kh < p.kH; kh++) {
    for (let kw = 0; kw < p.kW; kw++) {
      const shift = kw * p.dilationW;
      let offset = <usize>(kh * p.dilationH) * rowBytes + <usize>(shift % p.strideW) * phaseBytes + (<usize>(shift / p.strideW) << 2);
      for (let ic = 0; ic < groupInC; ic++) {
        store<usize>(slot, offset);
        offset += planeBytes;
        slot += 4;
      }
    }
  }
  const together = channelsLast ? groupsTogether(p) : 1;
  zeroFloats(planes, <i32>(<usize>(together * groupInC) * planeBytes >> 2));
  line.toPixel = channelsLast ? <usize>outC << 2 : 4;
  line.turned = channelsLast && p.shuffle == 1 ? 1 : 0;
  const channelBytes: usize = channelsLast ? 4 : <usize>outPixels << 2;

  // Channels first they go down a group's planes, channels last along the groups of a band.
  const bands = (outH + p.band - 1) / p.band, bundles = (p.groups + together - 1) / together;
  assert(first >= 0);
  last = behindTasks(last, p.batch * bands * bundles);
  for (let task = first; task < last; task++) {
    const outer = task / (channelsLast ? bundles : bands);
    const inner = task - outer * (channelsLast ? bundles : bands);
    const b = outer / (channelsLast ? bands : bundles);
    const rest = outer - b * (channelsLast ? bands : bundles);
    const begin = (channelsLast ? inner : rest) * together, band = (channelsLast ? rest : inner) * p.band;
    const behind = min(p.groups, begin + together), rows = min(p.band, outH - band);
    const top = band * strideH, high = (rows - 1) * strideH + reachH;
    if (channelsLast) {
      const image = input + (<usize>(b * inPixels * inC + begin * groupInC) << 2);
      turnBand(p, (behind - begin) * groupInC, image, top, high, planes, phaseBytes, planeBytes);
    } else {
      let plane = input + (<usize>((b * inC + begin * groupInC) * inPixels) << 2);
      for (let ic = 0; ic < groupInC; ic++) {
        copyBand(p, plane, top, high, planes + <usize>ic * planeBytes, phaseBytes);
        plane += <usize>inPixels << 2;
      }
    }
    const to = output + (<usize>(b * outC * outPixels) << 2) + <usize>(band * p.outW) * line.toPixel;
    for (let n = begin * groupOutC; n < behind * groupOutC; n += FOUR) {
      place(p, line, n, channelBytes);
      const group = planes + <usize>((n / groupOutC - begin) * groupInC) * planeBytes;
      fourChannels(p, line, rows, group, rowBytes * <usize>strideH, offsets, steps, weights + (<usize>(n * steps) << 2), bias + (<usize>n << 2), to);
    }
  }
}

export function groupsChannelsFirst(
  first: i32, last: i32, _before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize,
): void {
  groups(first, last, p, input, weights, bias, output, work, false);
}

export function groupsChannelsLast(
  first: i32, last: i32, _before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize,
): void {
  groups(first, last, p, input, weights, bias, output, work, true);
}
