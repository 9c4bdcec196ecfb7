/**
 * Channels-first around the channels-last kernels: bands of the image change their layout on the way in, the kernel computes, and the result
 * changes it on the way out.
 *
 *   input [batch, C, D, H, W] · output likewise · weights, bias as the kernel has them. Nothing overlaps.
 *   work: the record of one band | its input [image][slice][row][column][channel] | its output likewise | work of the kernel; sized in
 *   src/plan.ts and its neighbours.
 *   tasks: [images][slices][rows][columns][part], the first four of a band
 *
 * A band is p.bandImages images, p.bandSlices result slices, p.band rows, p.bandColumns columns of each, as many as L2 holds: what is written is
 * read again from there, and each cell of the image comes from memory about once. If p.sides says so it has zeros at its sides, so that no window
 * is cut there and whole rows of the kernel are read as runs. Against packing patches ([k][8 pixels], each cell once per tap) this moves a
 * ninth of the floats for a 3×3.
 */
import { sumPanels } from "./conv-channels-last";
import { scatterPanels } from "./conv-scattered";
import { transposedPanels } from "./conv-transposed";
import { CONV, SCATTERED, TRANSPOSED, TRANSPOSED_DEPTHWISE, WINOGRAD } from "./kinds";
import { ConvParams } from "./params";
import { zeroFloats } from "./simd";
import { channelOf, panelsOf, runTasks } from "./tasks";
import { pixelsToPlanes, PLANES, planesToPixels } from "./transpose";
import { tilePanels } from "./winograd";

/** Slices, rows and columns from the given ones on, of each image; columns may lie outside. */
export function gather(
  channels: i32, inD: i32, inH: i32, inW: i32, from: usize, images: i32, slice: i32, slices: i32, row: i32, rows: i32, column: i32, columns: i32,
  to: usize, pixelBytes: usize,
): void {
  const planeBytes = <usize>(inD * inH * inW) << 2;
  const before = min(columns, max(0, -column));
  const inside = max(0, min(column + columns, inW) - max(0, column));
  const after = columns - before - inside;
  for (let b = 0; b < images; b++) {
    const image = from + <usize>(b * channels) * planeBytes;
    for (let d = slice; d < slice + slices; d++) {
      let line = image + (<usize>((d * inH + row) * inW + max(0, column)) << 2);
      // Rows without sides follow each other in the planes too.
      if (before + after == 0 && inside == inW) {
        planesToPixels(line, planeBytes, channels, rows * inW, to, pixelBytes);
        to += <usize>(rows * inW) * pixelBytes;
        continue;
      }
      // As many planes as are walked together, so that their rows follow each other.
      const rowBytes = <usize>columns * pixelBytes;
      const cells = to + <usize>before * pixelBytes;
      for (let c = 0; c < channels && inside > 0;) {
        const planes = channels - c < PLANES + 4 ? channels - c : PLANES;
        let row = line + <usize>c * planeBytes, cell = cells + (<usize>c << 2);
        for (let r = 0; r < rows; r++) {
          planesToPixels(row, planeBytes, planes, inside, cell, pixelBytes);
          row += <usize>inW << 2;
          cell += rowBytes;
        }
        c += planes;
      }
      for (let r = 0; r < rows; r++) {
        zeroFloats(to, <i32>(<usize>before * pixelBytes >> 2));
        to += rowBytes;
        zeroFloats(to - <usize>after * pixelBytes, <i32>(<usize>after * pixelBytes >> 2));
      }
    }
  }
}

/** Channels [begin, end) of the result of a band to their place; only all of them can be shuffled. */
export function scatter(
  channels: i32, outD: i32, outH: i32, outW: i32, from: usize, images: i32, slice: i32, slices: i32, row: i32, rows: i32, column: i32,
  columns: i32, to: usize, shuffle: i32, begin: i32, end: i32,
): void {
  const pixelBytes = <usize>channels << 2;
  const planeBytes = <usize>(outD * outH * outW) << 2;
  const together = columns == outW ? rows : 1;
  from += <usize>begin << 2;
  to += <usize>begin * planeBytes;
  for (let b = 0; b < images; b++) {
    const image = to + <usize>(b * channels) * planeBytes;
    for (let d = slice; d < slice + slices; d++) {
      for (let r = 0; r < rows; r += together) {
        const line = image + (<usize>((d * outH + row + r) * outW + column) << 2);
        pixelsToPlanes(from, pixelBytes, end - begin, together * columns, line, planeBytes, shuffle);
        from += <usize>(together * columns) * pixelBytes;
      }
    }
  }
}

/** `at`, kept within an axis of `size` cells. */
// @ts-ignore: decorator
@inline
function within(at: i32, size: i32): i32 {
  return min(size, max(0, at));
}

/** The cells that a band asks for along one axis, and where its results stand against them. */
// @ts-ignore: decorator
@inline
function firstOf(back: bool, at: i32, stride: i32, pad: i32, reach: i32, size: i32): i32 {
  if (!back) return within(at * stride - pad, size);
  const reached = at + pad - (reach - 1);
  return within(reached > 0 ? (reached + stride - 1) / stride : 0, size);
}

// @ts-ignore: decorator
@inline
function behindOf(back: bool, at: i32, count: i32, stride: i32, pad: i32, reach: i32, size: i32): i32 {
  return back ? within((at + count - 1 + pad) / stride + 1, size) : within((at + count - 1) * stride - pad + reach, size);
}

// @ts-ignore: decorator
@inline
function padOf(back: bool, at: i32, stride: i32, pad: i32, first: i32): i32 {
  return back ? at + pad - first * stride : first - (at * stride - pad);
}

/** The kernel that computes panels [from, to) of a band in the layout it has now. */
function compute(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, from: i32, to: i32, prepared: bool,
): void {
  switch (p.kind) {
    case TRANSPOSED:
    case TRANSPOSED_DEPTHWISE: return transposedPanels(p, input, weights, bias, output, work, from, to);
    case SCATTERED: return scatterPanels(p, input, weights, bias, output, work, from, to);
    case WINOGRAD: return tilePanels(p, input, weights, bias, output, work, from, to, prepared);
    default: return sumPanels(p, input, weights, bias, output, work, from, to);
  }
}

/** On the way back the convolution's output is what is read. */
// @ts-ignore: decorator
@inline
function isBack(p: ConvParams): bool {
  return p.kind != CONV && p.kind != WINOGRAD;
}

function bandsAlong(size: i32, band: i32): i32 {
  return (size + band - 1) / band;
}

function bandCount(p: ConvParams): i32 {
  const back = isBack(p);
  const toD = back ? p.inD : p.outD, toH = back ? p.inH : p.outH, toW = back ? p.inW : p.outW;
  return bandsAlong(p.batch, p.bandImages) * bandsAlong(toD, p.bandSlices) * bandsAlong(toH, p.band) * bandsAlong(toW, p.bandColumns);
}

/** Bands [firstBand, lastBand), results of panels [firstPanel, lastPanel) of all groups. `prepared`: `work` was last used for other panels of the first, the only one. */
function computeBands(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, firstBand: i32, lastBand: i32, firstPanel: i32, lastPanel: i32,
  prepared: bool,
): void {
  const back = isBack(p);
  const fromC = back ? p.outC : p.inC, fromD = back ? p.outD : p.inD, fromH = back ? p.outH : p.inH, fromW = back ? p.outW : p.inW;
  const toC = back ? p.inC : p.outC, toD = back ? p.inD : p.outD, toH = back ? p.inH : p.outH, toW = back ? p.inW : p.outW;
  const depthwise = p.kind == TRANSPOSED_DEPTHWISE;
  const N = back ? p.groupInC : p.groupOutC;
  const firstChannel = depthwise ? 0 : channelOf(firstPanel, N), lastChannel = depthwise ? toC : channelOf(lastPanel, N);
  const reachD = (p.kD - 1) * p.dilationD + 1;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const reachW = (p.kW - 1) * p.dilationW + 1;
  const computed = work + ((offsetof<ConvParams>() + 15) & ~15);
  const results = p.bandImages * min(p.bandSlices, toD) * min(p.band, toH) * min(p.bandColumns, toW);
  const gathered = computed + (<usize>(results * toC) << 2);
  const fromBytes = <usize>(fromC * fromD * fromH * fromW) << 2;
  const toBytes = <usize>(toC * toD * toH * toW) << 2;
  const along = bandsAlong(toW, p.bandColumns), down = bandsAlong(toH, p.band), deepBands = bandsAlong(toD, p.bandSlices);

  const band = changetype<ConvParams>(work);
  memory.copy(work, changetype<usize>(p), offsetof<ConvParams>());
  band.shuffle = 1;
  for (let n = firstBand; n < lastBand; n++) {
    const line = n / along, slab = line / down;
    const w = (n - line * along) * p.bandColumns, h = (line - slab * down) * p.band;
    const d = (slab % deepBands) * p.bandSlices, b = slab / deepBands * p.bandImages;
    const images = min(p.bandImages, p.batch - b), slices = min(p.bandSlices, toD - d);
    const rows = min(p.band, toH - h), columns = min(p.bandColumns, toW - w);
    const front = firstOf(back, d, p.strideD, p.padD, reachD, fromD);
    const deep = max(0, behindOf(back, d, slices, p.strideD, p.padD, reachD, fromD) - front);
    const top = firstOf(back, h, p.strideH, p.padH, reachH, fromH);
    const high = max(0, behindOf(back, h, rows, p.strideH, p.padH, reachH, fromH) - top);
    let left = firstOf(back, w, p.strideW, p.padW, reachW, fromW);
    let wide = max(0, behindOf(back, w, columns, p.strideW, p.padW, reachW, fromW) - left);
    if (p.sides != 0) {
      left = w * p.strideW - p.padW;
      wide = (columns - 1) * p.strideW + reachW;
    }
    band.batch = images;
    band.padD = padOf(back, d, p.strideD, p.padD, front);
    band.padH = padOf(back, h, p.strideH, p.padH, top);
    band.padW = padOf(back, w, p.strideW, p.padW, left);
    band.inD = back ? slices : deep;
    band.inH = back ? rows : high;
    band.inW = back ? columns : wide;
    band.outD = back ? deep : slices;
    band.outH = back ? high : rows;
    band.outW = back ? wide : columns;
    band.stepH = columns;
    band.stepD = columns * rows;
    band.stepB = columns * rows * slices;
    const rest = gathered + (<usize>(images * deep * high * wide * fromC) << 2);
    if (!prepared) gather(fromC, fromD, fromH, fromW, input + <usize>b * fromBytes, images, front, deep, top, high, left, wide, gathered, <usize>fromC << 2);
    compute(band, gathered, weights, bias, computed, (rest + 15) & ~15, firstPanel, lastPanel, prepared);
    const result = output + <usize>b * toBytes;
    scatter(toC, toD, toH, toW, computed, images, d, slices, h, rows, w, columns, result, p.shuffle, firstChannel, lastChannel);
  }
}

export function convChannelsFirst(first: i32, last: i32, before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize): void {
  if (!ASC_NO_ASSERT) assert(p.bandImages >= 1 && p.bandSlices >= 1 && p.band >= 1 && p.bandColumns >= 1, "conv: an empty band");
  if (!ASC_NO_ASSERT) assert(p.taskPanels == 0 || (p.shuffle == 1 && p.kind != TRANSPOSED_DEPTHWISE), "conv: channels that cannot be parted");
  const panels = isBack(p) ? panelsOf(p.groups, p.groupInC) : panelsOf(p.groups, p.groupOutC);
  runTasks(computeBands, bandCount(p), panels, first, last, before, work, p, input, weights, bias, output);
}
