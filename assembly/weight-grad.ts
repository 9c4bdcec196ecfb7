/**
 * Gradient of a convolution with respect to its weight:
 *
 *   sums[oc][tap][ic] = Σ_b,pixel gradOutput[b][pixel][oc] · input[b][pixel moved by tap][ic]
 *
 *   input [batch, inD, inH, inW, inC], gradOutput [batch, outD, outH, outW, outC], or channels first · sums as packPanels lays weights out, or as
 *   packTaps does for a depthwise convolution (p.kind), whence unpackPanels or unpackTaps bring them into the filter layout. Nothing overlaps.
 *   work: a Part | rows of the input | the gradient of a band; sized in src/weight-grad.ts.
 *   tasks: [rows of the kernel][input channels of a group][panels, of all groups], of each p.taskRows, p.taskChannels, p.taskPanels; the panels of a
 *   depthwise convolution are lines of LINE_CHANNELS channels
 *
 * A GEMM whose sums run over batch and pixels, in their order, whatever the layout: in bands of p.band output rows, which L2 holds. The gradient of a band is
 * packed in panels of eight channels; the input is read where it lies, or as a copy of its rows where it lies badly: planes become pixels, pixels a
 * multiple of a cache line apart get a gap, and few channels get zeros at the sides, so that a row of the kernel is one run of channels.
 *
 * A task packs its own channels of the gradient, and copies its own of the image. Bands, and the tile that a sum is in, are those of the whole: no bit
 * depends on how the sums are cut.
 */
import { LINE_CHANNELS, MR, NR, SKEW } from "./blocks";
import { gather } from "./channels-first";
import { DEPTHWISE } from "./kinds";
import { ConvParams } from "./params";
import { copyFloats, zeroFloats } from "./simd";
import { planesToPixels } from "./transpose";
import { depthwiseSums } from "./weight-grad-depthwise";
import { gradTile } from "./weight-grad-tile";

/** What of the sums is computed at a time. It lies in the workspace. */
@unmanaged
class Part {
  /** Panels [panel, panelEnd). */
  panel: i32;
  panelEnd: i32;
  /** Rows of the kernel, those of all slices: kd · kH + kh. */
  row: i32;
  rowEnd: i32;
  /** Input channels of each group. */
  channel: i32;
  channelEnd: i32;
}

/** Parts of at most `each` in `all`. */
// @ts-ignore: decorator
@inline
function partCount(all: i32, each: i32): i32 {
  return (all + each - 1) / each;
}

/** Panels of a group. */
// @ts-ignore: decorator
@inline
function groupPanels(p: ConvParams): i32 {
  return partCount(p.groupOutC, NR);
}

// @ts-ignore: decorator
@inline
function panelCount(p: ConvParams): i32 {
  return p.kind == DEPTHWISE ? partCount(p.outC, LINE_CHANNELS) : p.groups * groupPanels(p);
}

/** First channel of the image that a part sees; of the image of results, which has each channel as often as it has filters, where it is depthwise. */
// @ts-ignore: decorator
@inline
function firstChannel(p: ConvParams, part: Part): i32 {
  return p.kind == DEPTHWISE ? part.panel * LINE_CHANNELS : part.panel / groupPanels(p) * p.groupInC + part.channel;
}

/** Behind the last such. */
// @ts-ignore: decorator
@inline
function behindChannel(p: ConvParams, part: Part): i32 {
  return p.kind == DEPTHWISE ? min(p.outC, part.panelEnd * LINE_CHANNELS) : (part.panelEnd - 1) / groupPanels(p) * p.groupInC + part.channelEnd;
}

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
function packGradient(p: ConvParams, part: Part, gradient: usize, first: i32, pixels: i32, last: bool, to: usize): void {
  const N = p.groupOutC;
  const panels = groupPanels(p);
  const planeBytes = <usize>(p.outD * p.outH * p.outW) << 2;
  const pixelBytes = <usize>p.outC << 2;
  for (let n = part.panel; n < part.panelEnd; n++) {
    const g = n / panels;
    const panel = n - g * panels;
    const channel = g * N + panel * NR;
    const lanes = min(NR, N - panel * NR);
    if (lanes < NR) zeroFloats(to, pixels * NR);
    if (last) {
      let from = gradient + <usize>first * pixelBytes + (<usize>channel << 2);
      let cell = to;
      for (let i = pixels; i != 0; i--) {
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

/** Rows of a slice of the image as pixels `pixelBytes` apart, of channels [channel, end); columns may lie outside. */
function copyRows(
  p: ConvParams, image: usize, slice: i32, row: i32, rows: i32, column: i32, columns: i32, last: bool, to: usize, pixelBytes: usize, channel: i32, end: i32,
): void {
  const inC = p.inC, inH = p.inH, inW = p.inW;
  const channels = end - channel;
  if (!last) {
    const planes = image + (<usize>(channel * p.inD * inH * inW) << 2);
    gather(channels, p.inD, inH, inW, planes, 1, slice, 1, row, rows, column, columns, to, pixelBytes);
    return;
  }
  const before = min(columns, max(0, -column));
  const inside = max(0, min(column + columns, inW) - max(0, column));
  const after = columns - before - inside;
  const cellBytes = <usize>inC << 2;
  // Pixels with all channels and no gap follow each other in the image too.
  const run = channels == inC && pixelBytes == cellBytes ? inside : 1;
  if (!ASC_NO_ASSERT) assert(before + after == 0 || run == inside, "weight gradient: sides between gaps");
  for (let r = row; r < row + rows; r++) {
    let from = image + (<usize>(((slice * inH + r) * inW + max(0, column)) * inC + channel) << 2);
    zeroFloats(to, before * channels);
    to += <usize>before * pixelBytes;
    for (let n = 0; n < inside; n += run) {
      copyFloats(to, from, run * channels);
      from += <usize>run * cellBytes;
      to += <usize>run * pixelBytes;
    }
    zeroFloats(to, after * channels);
    to += <usize>after * pixelBytes;
  }
}

/** Likewise whole rows, where every channel of the image counts as often as `multiplier` says, the channels [channel, end) being those of the result. */
function repeatChannels(
  p: ConvParams, image: usize, slice: i32, row: i32, rows: i32, last: bool, to: usize, pixelBytes: usize, channel: i32, end: i32, multiplier: i32,
): void {
  const cellBytes = <usize>(last ? p.inC : 1) << 2;
  const channelBytes = last ? 4 : <usize>(p.inD * p.inH * p.inW) << 2;
  const source = channel / multiplier;
  // Some results of the first channel may belong to the part before.
  const first = min((source + 1) * multiplier, end) - channel;
  let pixel = image + <usize>((slice * p.inH + row) * p.inW) * cellBytes + <usize>source * channelBytes;
  for (let n = rows * p.inW; n != 0; n--) {
    let from = pixel;
    let cell = to;
    let times = first;
    for (let rest = end - channel; rest > 0; times = min(multiplier, rest)) {
      const v = load<f32>(from);
      rest -= times;
      for (; times != 0; times--) {
        store<f32>(cell, v);
        cell += 4;
      }
      from += channelBytes;
    }
    pixel += cellBytes;
    to += pixelBytes;
  }
}

/** The taps of one kernel slice, of rows [row, …) of the image as they lie at `x`, from the first channel of the part on, with output rows [oh, end). */
function addGemm(
  p: ConvParams, part: Part, whole: bool, x: usize, pixelBytes: usize, width: i32, row: i32, oh: i32, end: i32, kd: i32, panelsOf: usize, sums: usize,
): void {
  const N = p.groupOutC, outW = p.outW, kH = p.kH;
  const panels = groupPanels(p);
  const kW = whole ? 1 : p.kW;
  const K = whole ? p.kW * p.inC : p.groupInC;
  const from = part.channel, until = whole ? K : part.channelEnd;
  const firstPanel = part.panel, lastPanel = part.panelEnd - 1;
  const firstGroup = firstPanel / panels, lastGroup = lastPanel / panels;
  const rowEnd = min(kH, part.rowEnd - kd * kH);
  const inW = whole ? width : p.inW, padW = whole ? 0 : p.padW;
  const lineBytes = <usize>width * pixelBytes;
  const step = <usize>p.strideW * pixelBytes;
  const gradRow = <usize>outW * (4 * NR);
  const gradPanel = <usize>(end - oh) * gradRow;
  const sumPanel = <usize>p.weightStride << 2;
  for (let kh = max(0, part.row - kd * kH); kh < rowEnd; kh++) {
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
      const tap = (kd * kH + kh) * kW + kw;
      let runs = behind - first, run = right - left;
      let aRow = <usize>p.strideH * lineBytes, bRow = gradRow;
      if (aRow == <usize>run * step && run == outW) {
        run *= runs;
        runs = 1;
      }
      const skipped = <usize>((first - oh) * outW + left) * (4 * NR);
      for (let g = firstGroup; g <= lastGroup; g++) {
        const begin = max(firstPanel, g * panels), behindPanel = min(lastPanel, g * panels + panels - 1) + 1;
        for (let ic = from; ic < until; ic += MR) {
          const rows = min(MR, until - ic);
          const a = cell + (<usize>((g - firstGroup) * p.groupInC + ic - from) << 2);
          for (let panel = begin; panel < behindPanel; panel++) {
            const wide = N - (panel - g * panels) * NR > 4;
            const b = panelsOf + <usize>(panel - firstPanel) * gradPanel + skipped;
            const c = sums + <usize>panel * sumPanel + <usize>(tap * K + ic) * (4 * NR);
            gradTile(rows, wide, runs, run, a, step, aRow, b, bRow, c);
          }
        }
      }
    }
  }
}

/** Likewise where each channel has filters of its own. `g` = the gradient's pixel of output row `oh`, `gPixel` bytes apart. */
function addDepthwise(
  p: ConvParams, part: Part, x: usize, pixelBytes: usize, row: i32, oh: i32, end: i32, kd: i32, g: usize, gPixel: usize, sums: usize,
): void {
  const kH = p.kH, kW = p.kW, outW = p.outW, strideW = p.strideW;
  const channel = firstChannel(p, part);
  const channels = behindChannel(p, part) - channel;
  const rowEnd = min(kH, part.rowEnd - kd * kH);
  sums += <usize>channel << 2;
  const lineBytes = <usize>p.inW * pixelBytes;
  const step = <usize>strideW * pixelBytes;
  const gradRow = <usize>outW * gPixel;
  const tapBytes = <usize>p.weightStride << 2;
  const aRow = <usize>p.strideH * lineBytes;
  const tapStep = <usize>p.dilationW * pixelBytes;
  for (let kh = max(0, part.row - kd * kH); kh < rowEnd; kh++) {
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
      const to = sums + <usize>((kd * kH + kh) * kW + kw) * tapBytes;
      if (left < right) {
        depthwiseSums(
          channels, taps, behind - first, right - left, line + <usize>(left * strideW + begin - p.padW) * pixelBytes, step, aRow, tapStep,
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
            channels, 1, behind - first, high - low, line + <usize>(low * strideW + at - p.padW) * pixelBytes, step, aRow, tapStep,
            gradient + <usize>low * gPixel, gPixel, gradRow, to + <usize>n * tapBytes, tapBytes,
          );
        }
      }
    }
  }
}

/** The sums of a part begin at zero. */
function zeroSums(p: ConvParams, part: Part, sums: usize): void {
  const first = part.row * p.kW, behind = part.rowEnd * p.kW;
  const stride = <usize>p.weightStride << 2;
  if (p.kind == DEPTHWISE) {
    const channel = firstChannel(p, part);
    const channels = behindChannel(p, part) - channel;
    for (let tap = first; tap < behind; tap++) zeroFloats(sums + <usize>tap * stride + (<usize>channel << 2), channels);
    return;
  }
  const floats = (part.channelEnd - part.channel) * NR;
  for (let panel = part.panel; panel < part.panelEnd; panel++) {
    for (let tap = first; tap < behind; tap++) {
      zeroFloats(sums + <usize>panel * stride + <usize>(tap * p.groupInC + part.channel) * (4 * NR), floats);
    }
  }
}

/** Whether all sums of a part are finite, which has all of its input channels: x − x is 0 for those, NaN for others. */
function finiteSums(p: ConvParams, part: Part, sums: usize): bool {
  const tapFloats = p.kW * p.groupInC * NR;
  let sum: f32 = 0;
  for (let panel = part.panel; panel < part.panelEnd; panel++) {
    let at = sums + (<usize>(panel * p.weightStride + part.row * tapFloats) << 2);
    for (let floats = (part.rowEnd - part.row) * tapFloats; floats > 0; floats--) {
      const x = load<f32>(at);
      sum += x - x;
      at += 4;
    }
  }
  return sum == 0;
}

/** Blocks of p.taskPanels panels: the part has all in [first, last). */
// @ts-ignore: decorator
@inline
function setBlocks(p: ConvParams, part: Part, first: i32, last: i32): void {
  part.panel = first * p.taskPanels;
  part.panelEnd = min(panelCount(p), last * p.taskPanels);
}

/** The blocks [first, last) of panels, with the rows and channels of `part`. A copy of the image serves all blocks that see the same channels. */
function sumUp(
  p: ConvParams, part: Part, first: i32, last: i32, whole: bool, input: usize, gradOutput: usize, sums: usize, work: usize, channelsLast: bool,
): void {
  const depthwise = p.kind == DEPTHWISE;
  const multiplier = depthwise ? p.outC / p.inC : 1;
  const copied = !channelsLast || whole || multiplier > 1 || (!depthwise && copiedPixel(p.inC) != p.inC);
  const column = whole ? -p.padW : 0;
  const width = whole ? (p.outW - 1) * p.strideW + p.kW : p.inW;
  const kH = p.kH;
  const copiedRows = min(p.inH, (p.band - 1) * p.strideH + (kH - 1) * p.dilationH + 1);
  setBlocks(p, part, first, last);
  zeroSums(p, part, sums);
  for (let b = 0; b < p.batch; b++) {
    const image = input + (<usize>(b * p.inC * p.inD * p.inH * p.inW) << 2);
    const gradient = gradOutput + (<usize>(b * p.outC * p.outD * p.outH * p.outW) << 2);
    for (let od = 0; od < p.outD; od++) {
      for (let oh = 0; oh < p.outH; oh += p.band) {
        const end = min(p.outH, oh + p.band);
        const cell = (od * p.outH + oh) * p.outW;
        const pixels = (end - oh) * p.outW;
        let packedBlock = -1;
        for (let kd = part.row / kH; kd * kH < part.rowEnd; kd++) {
          const id = od * p.strideD + kd * p.dilationD - p.padD;
          if (<u32>id >= <u32>p.inD) continue;
          const firstH = max(0, part.row - kd * kH) * p.dilationH, lastH = (min(kH, part.rowEnd - kd * kH) - 1) * p.dilationH;
          const row = min(p.inH, max(0, oh * p.strideH - p.padH + firstH));
          const rows = min(p.inH, (end - 1) * p.strideH - p.padH + lastH + 1) - row;
          if (rows <= 0) continue;
          let copiedFrom = -1, copiedTo = -1;
          for (let block = first; block < last; block++) {
            setBlocks(p, part, block, block + 1);
            const channel = firstChannel(p, part), behind = behindChannel(p, part);
            let x = image + (<usize>(((id * p.inH + row) * p.inW) * p.inC + channel) << 2);
            let pixelBytes = <usize>p.inC << 2;
            let packed = work;
            if (copied) {
              x = work;
              pixelBytes = <usize>(whole ? p.inC : copiedPixel(behind - channel)) << 2;
              packed += <usize>(copiedRows * width) * pixelBytes;
              if (channel != copiedFrom || behind != copiedTo) {
                if (multiplier > 1) repeatChannels(p, image, id, row, rows, channelsLast, x, pixelBytes, channel, behind, multiplier);
                else copyRows(p, image, id, row, rows, column, width, channelsLast, x, pixelBytes, channel, behind);
                copiedFrom = channel;
                copiedTo = behind;
              }
            }
            if (depthwise) {
              let g = gradient + (<usize>(cell * p.outC + channel) << 2);
              let gradPixel = <usize>p.outC << 2;
              if (!channelsLast) {
                const planeFloats = p.outD * p.outH * p.outW;
                g = packed;
                gradPixel = <usize>(behind - channel) << 2;
                if (block != packedBlock) {
                  const planes = gradient + (<usize>(channel * planeFloats + cell) << 2);
                  planesToPixels(planes, <usize>planeFloats << 2, behind - channel, pixels, g, gradPixel);
                }
              }
              addDepthwise(p, part, x, pixelBytes, row, oh, end, kd, g, gradPixel, sums);
            } else {
              if (block != packedBlock) packGradient(p, part, gradient, cell, pixels, channelsLast, packed);
              addGemm(p, part, whole, x, pixelBytes, width, row, oh, end, kd, packed, sums);
            }
            packedBlock = block;
          }
        }
      }
    }
  }
}

function weightGrad(
  first: i32, last: i32, work: usize, p: ConvParams, input: usize, gradOutput: usize, sums: usize, channelsLast: bool,
): void {
  const blocks = partCount(panelCount(p), p.taskPanels), across = partCount(p.groupInC, p.taskChannels), lines = p.kD * p.kH;
  if (!ASC_NO_ASSERT) assert(first >= 0 && last <= partCount(lines, p.taskRows) * across * blocks, "weight gradient: no such part");
  const whole = p.sides != 0;
  if (!ASC_NO_ASSERT) assert(!whole || across == 1, "weight gradient: whole rows have all channels");
  const part = changetype<Part>(work);
  work += (offsetof<Part>() + 15) & ~15;
  while (first < last) {
    const n = first / blocks;
    const down = n / across;
    part.row = down * p.taskRows;
    part.rowEnd = min(lines, part.row + p.taskRows);
    part.channel = (n - down * across) * p.taskChannels;
    part.channelEnd = min(p.groupInC, part.channel + p.taskChannels);
    const block = first - n * blocks;
    const behind = min(blocks, last - n * blocks);
    sumUp(p, part, block, behind, whole, input, gradOutput, sums, work, channelsLast);
    // Whole rows multiply the zeros at the sides too, which is nothing but where the gradient is not finite. Other sums are the same bits again.
    if (whole) {
      setBlocks(p, part, block, behind);
      if (!finiteSums(p, part, sums)) sumUp(p, part, block, behind, false, input, gradOutput, sums, work, channelsLast);
    }
    first += behind - block;
  }
}

export function weightGradChannelsFirst(
  first: i32, last: i32, _before: i32, work: usize, p: ConvParams, input: usize, gradOutput: usize, sums: usize,
): void {
  weightGrad(first, last, work, p, input, gradOutput, sums, false);
}

export function weightGradChannelsLast(
  first: i32, last: i32, _before: i32, work: usize, p: ConvParams, input: usize, gradOutput: usize, sums: usize,
): void {
  weightGrad(first, last, work, p, input, gradOutput, sums, true);
}
