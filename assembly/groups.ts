/**
 * Convolution in groups of few channels, or of an image of few channels, both layouts:
 *
 *   output[b][g·N + n][oh][ow] = activation(bias[g·N + n] + Σ_ic Σ_kh,kw input[b][g·groupInC + ic][oh·strideH + kh·dilationH − padH][…] · weight[…])
 *
 *   N = groupOutC: fours of them, then what is left (groups-few.ts) · input [batch, inC, inH, inW] or [batch, inH, inW, inC] · output likewise · bias [outC]
 *   weights from packPanels, all of a group in one panel, or, of one group, in those of the GEMM: p.weightStride tells
 *   tasks: [image][group][band], or channels-last [image][band][groups of a cache line]
 *   work: a Line | an offset for each step of a sum | one band of a group's channels, with its border; sized in src/plan-groups.ts. Nothing overlaps.
 *
 * A band of p.band output rows is copied with its zeros as planes, whatever the layout, its columns dealt into strideW phases as in
 * depthwise-channels-first.ts: a step then reads consecutive pixels at any stride, and one tile serves both layouts. A cell that is moved once serves
 * kH · kW · N products. Channels-last the groups of a cache line are turned into planes together.
 *
 * Channels-last and with SPREAD results or more to a pixel, eight pixels at a time take all of them, so that lines of the result are written once and evenly; else
 * four channels go along a whole row, since each entry to the tiles costs about four steps of a sum.
 */
import { activateRuns, CLAMP } from "./activation";
import { FOUR, LINE_CHANNELS, NR, SPREAD } from "./blocks";
import { copyBand, phaseWidth } from "./depthwise-channels-first";
import { shuffledChannel } from "./gemm";
import { fewFilters } from "./groups-few";
import { Line, lineOfTiles } from "./groups-tile";
import { oddLines } from "./lines";
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
  const rowBytes = phaseBytes * <usize>stride;
  for (let phase = 0; phase < stride; phase++) {
    // Cell j is column j · stride + phase − padW of the image.
    const first = max(0, (padW - phase + stride - 1) / stride);
    const count = min(cells, (inW - 1 + padW - phase + stride) / stride) - first;
    const line = image + <usize>(first * stride + phase - padW) * pixelBytes;
    let cell = to;
    for (let r = 0; r < rows; r++) {
      const ih = row + r - p.padH;
      if (<u32>ih < <u32>inH) {
        if (count > 0) {
          pixelsToPlanes(line + <usize>(ih * inW) * pixelBytes, pixelBytes * <usize>stride, channels, count, cell + (<usize>first << 2), planeBytes, 1);
        }
      } else {
        let plane = cell;
        for (let c = channels; c != 0; c--) {
          zeroFloats(plane, cells);
          plane += planeBytes;
        }
      }
      cell += rowBytes;
    }
    to += phaseBytes;
  }
}

/** Weights, bias and places of four channels, from `channel` on, or of what the group has left: weights in panels of `width` channels, results of channels `channelBytes` apart. */
function takeFour(p: ConvParams, line: Line, channel: i32, weights: usize, bias: usize, width: i32, channelBytes: usize): void {
  const outC = p.outC, shuffle = p.shuffle;
  const lane = channel % width;
  line.weights = weights + (<usize>((channel - lane) * p.groupInC * p.kH * p.kW + lane) << 2);
  line.bias = bias + (<usize>channel << 2);
  line.place0 = <usize>shuffledChannel(channel, outC, shuffle) * channelBytes;
  line.place1 = <usize>shuffledChannel(channel + 1, outC, shuffle) * channelBytes;
  line.place2 = <usize>shuffledChannel(channel + 2, outC, shuffle) * channelBytes;
  line.place3 = <usize>shuffledChannel(channel + 3, outC, shuffle) * channelBytes;
}

/**
 * Pairs of vectors of `rows` output rows: of four channels, or of so many fours from `line`'s on. The last pair ends with the row, or, where a vector is left
 * over, before it.
 */
function pairsOfRows(p: ConvParams, line: Line, rows: i32, fours: i32, band: usize, nextRow: usize, output: usize): void {
  const outW = p.outW;
  const vectors = (outW + 3) >> 2;
  const toPixel = line.toPixel;
  const toRow = <usize>outW * toPixel;
  const last = <usize>max(0, (vectors & 1) != 0 ? min(outW - 8, (vectors - 3) << 2) : outW - 8);
  // In a row of less than two vectors they overlap.
  const apart = <usize>min(4, outW - 4);
  const weights = line.weights, bias = line.bias;
  line.apart = apart << 2;
  line.toApart = apart * toPixel;
  line.lanes = 4;
  line.fromStep = fours > 1 ? 0 : 32;
  line.toStep = fours > 1 ? 4 * FOUR : 8 * toPixel;
  for (let r = rows; r != 0; r--) {
    line.from = band;
    line.to = output;
    line.lastFrom = band + (last << 2);
    line.lastTo = output + last * toPixel;
    if (fours == 1) {
      lineOfTiles(p, line, vectors >> 1);
    } else {
      for (let pair = vectors >> 1; pair != 0; pair--) {
        if (line.from > line.lastFrom) {
          line.from = line.lastFrom;
          line.to = line.lastTo;
        }
        line.weights = weights;
        line.bias = bias;
        lineOfTiles(p, line, fours);
        line.from += 32;
        line.to += 8 * toPixel;
      }
    }
    band += nextRow;
    output += toRow;
  }
}

/** Tiles that follow each other are those of the same four channels, or of one four after the other: in a panel of the GEMM every second one is behind its weights. */
function stepChannels(line: Line, fours: i32, width: i32, steps: i32): void {
  const across: usize = width == NR ? (<usize>steps << 5) - 16 : 16;
  const even = (fours & 1) == 0;
  line.evenStep = fours == 1 ? 0 : even ? 16 : across;
  line.oddStep = fours == 1 ? 0 : even ? across : 16;
  line.biasStep = fours == 1 ? 0 : 4 * FOUR;
}

/** A vector that is left over at the end of each row, beside that of the next row. */
function columnOfRows(p: ConvParams, line: Line, rows: i32, band: usize, nextRow: usize, output: usize): void {
  const toPixel = line.toPixel;
  const toRow = <usize>p.outW * toPixel;
  const column = <usize>max(0, p.outW - 4), last = <usize>max(0, rows - 2);
  line.from = band + (column << 2);
  line.to = output + column * toPixel;
  line.fromStep = 2 * nextRow;
  line.toStep = 2 * toRow;
  line.lastFrom = line.from + last * nextRow;
  line.lastTo = line.to + last * toRow;
  line.apart = rows > 1 ? nextRow : 0;
  line.toApart = rows > 1 ? toRow : 0;
  line.lanes = min(4, p.outW);
  lineOfTiles(p, line, (rows + 1) >> 1);
}

/** What is no clamp, on channels [first, last) of `pixels` pixels. */
function activateResults(p: ConvParams, first: i32, last: i32, pixels: i32, to: usize, channelBytes: usize): void {
  const beside = channelBytes == 4, together = beside && p.shuffle == 1 ? last - first : 1;
  for (let n = first; n < last; n += together) {
    const channel = to + <usize>shuffledChannel(n, p.outC, p.shuffle) * channelBytes;
    activateRuns(p, beside ? pixels : 1, channel, <usize>p.outC << 2, <usize>(beside ? together : pixels) << 2);
  }
}

function groups(
  first: i32, last: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, channelsLast: bool,
): void {
  if (!ASC_NO_ASSERT) assert(p.inD == 1 && p.outD == 1 && p.kD == 1, "groups: two dimensions");
  if (!ASC_NO_ASSERT) assert(p.band >= 1, "groups: an empty band");
  const inC = p.inC, outC = p.outC, outH = p.outH, strideH = p.strideH, groupInC = p.groupInC, groupOutC = p.groupOutC;
  const inPixels = p.inH * p.inW, outPixels = outH * p.outW;
  const steps = groupInC * p.kH * p.kW;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const phaseBytes = <usize>phaseWidth(p) << 2;
  const rowBytes = phaseBytes * <usize>p.strideW;
  const bandRows = (min(p.band, outH) - 1) * strideH + reachH;
  const planeBytes = oddLines(<usize>bandRows * rowBytes);
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
  line.offsets = offsets;
  line.behind = planes;
  line.toPixel = channelsLast ? <usize>outC << 2 : 4;
  line.turned = channelsLast && p.shuffle == 1 ? 1 : 0;
  const channelBytes: usize = channelsLast ? 4 : <usize>outPixels << 2;

  // All weights of a group side by side, or those of a GEMM in panels.
  const width = p.weightStride / steps;
  if (!ASC_NO_ASSERT) assert(width == groupOutC || (width == NR && p.groups == 1), "groups: weights of another width");
  line.pitch = <usize>width << 2;
  const clamped = p.activation == CLAMP;
  line.bounded = clamped && (p.low > -Infinity || p.high < Infinity) ? 1 : 0;
  const nextRow = rowBytes * <usize>strideH, toRow = <usize>p.outW * line.toPixel;
  const vectors = (p.outW + 3) >> 2;
  const fours = line.turned != 0 && groupOutC >= SPREAD ? groupOutC / FOUR : 1;

  // Channels first they go down a group's planes, channels last along the groups of a band.
  const bands = (outH + p.band - 1) / p.band, bundles = (p.groups + together - 1) / together;
  if (!ASC_NO_ASSERT) assert(first >= 0);
  last = behindTasks(last, p.batch * bands * bundles);
  for (let task = first; task < last; task++) {
    const outer = task / (channelsLast ? bundles : bands);
    const inner = task - outer * (channelsLast ? bundles : bands);
    const b = outer / (channelsLast ? bands : bundles);
    const rest = outer - b * (channelsLast ? bands : bundles);
    const begin = (channelsLast ? inner : rest) * together, band = (channelsLast ? rest : inner) * p.band;
    const behind = min(p.groups, begin + together), rows = min(p.band, outH - band);
    const top = band * strideH, high = (rows - 1) * strideH + reachH;
    if (channelsLast && inC > 1) {
      const image = input + (<usize>(b * inPixels * inC + begin * groupInC) << 2);
      turnBand(p, (behind - begin) * groupInC, image, top, high, planes, phaseBytes, planeBytes);
    } else {
      let plane = input + (<usize>((b * inC + begin * groupInC) * inPixels) << 2);
      for (let ic = 0; ic < groupInC; ic++) {
        copyBand(p, plane, top, high, planes + <usize>ic * planeBytes, phaseBytes);
        plane += <usize>inPixels << 2;
      }
    }
    const to = output + (<usize>(b * outC * outPixels) << 2) + <usize>band * toRow;
    for (let g = begin; g < behind; g++) {
      const from = planes + <usize>((g - begin) * groupInC) * planeBytes;
      const start = g * groupOutC, end = start + groupOutC;
      let n = start;
      if (vectors > 1) {
        stepChannels(line, fours, width, steps);
        for (; n + FOUR <= end; n += FOUR * fours) {
          takeFour(p, line, n, weights, bias, width, channelBytes);
          pairsOfRows(p, line, rows, fours, from, nextRow, to);
        }
      }
      if ((vectors & 1) != 0) {
        stepChannels(line, 1, width, steps);
        for (n = start; n + FOUR <= end; n += FOUR) {
          takeFour(p, line, n, weights, bias, width, channelBytes);
          columnOfRows(p, line, rows, from, nextRow, to);
        }
      }
      // Threes are two and one.
      while (n < end) {
        const filters = min(2, end - n);
        takeFour(p, line, n, weights, bias, width, channelBytes);
        fewFilters(p, line, filters, rows, from, nextRow, to);
        n += filters;
      }
    }
    if (!clamped) activateResults(p, begin * groupOutC, behind * groupOutC, rows * p.outW, to, channelBytes);
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
