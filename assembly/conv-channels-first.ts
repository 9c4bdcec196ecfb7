/**
 * Convolution as GEMM, channels-first: bands of the image change their layout on the way in and out of the channels-last kernel.
 *
 *   output[b][g·M + m][pixel] = activation(bias[g·M + m] + Σ_k weight[g·M + m][k] · patch[k][b, pixel])      M = groupOutC
 *
 *   input [batch, inC, inD, inH, inW] · output [batch, outC, outD, outH, outW] · weights, bias as for conv-channels-last.ts. Nothing overlaps.
 *   work: the record of one band | its input [image][slice][row][column][channel] | its output likewise | work of the channels-last kernel;
 *   sized in src/plan.ts.
 *
 * A band is p.bandImages images, p.bandSlices output slices, p.band rows, p.bandColumns columns of each, as many as L2 holds: what is written is read
 * again from there, and each cell of the image comes from memory about once. If p.sides says so it has zeros at its sides, so that no window
 * is cut there and whole rows of the kernel are read as runs. Against packing patches ([k][8 pixels], each cell once per tap) this moves a
 * ninth of the floats for a 3×3.
 */
import { convChannelsLast } from "./conv-channels-last";
import { ConvParams } from "./params";
import { zeroFloats } from "./simd";
import { pixelsToPlanes, planesToPixels } from "./transpose";

/** Slices, rows and columns from the given ones on, of each image; columns may lie outside. */
function gather(
  p: ConvParams, from: usize, images: i32, slice: i32, slices: i32, row: i32, rows: i32, column: i32, columns: i32, to: usize,
): void {
  const inC = p.inC, inD = p.inD, inH = p.inH, inW = p.inW;
  const pixelBytes = <usize>inC << 2;
  const planeBytes = <usize>(inD * inH * inW) << 2;
  const before = min(columns, max(0, -column));
  const inside = max(0, min(column + columns, inW) - max(0, column));
  const after = columns - before - inside;
  for (let b = 0; b < images; b++) {
    const image = from + <usize>(b * inC) * planeBytes;
    for (let d = slice; d < slice + slices; d++) {
      let line = image + (<usize>((d * inH + row) * inW + max(0, column)) << 2);
      // Rows without sides follow each other in the planes too.
      if (before + after == 0 && inside == inW) {
        planesToPixels(line, planeBytes, inC, rows * inW, to, pixelBytes);
        to += <usize>(rows * inW) * pixelBytes;
        continue;
      }
      for (let r = 0; r < rows; r++) {
        zeroFloats(to, before * inC);
        to += <usize>before * pixelBytes;
        if (inside > 0) planesToPixels(line, planeBytes, inC, inside, to, pixelBytes);
        to += <usize>inside * pixelBytes;
        zeroFloats(to, after * inC);
        to += <usize>after * pixelBytes;
        line += <usize>inW << 2;
      }
    }
  }
}

/** The result of a band to its place. */
function scatter(
  p: ConvParams, from: usize, images: i32, slice: i32, slices: i32, row: i32, rows: i32, column: i32, columns: i32, to: usize,
): void {
  const outC = p.outC, outD = p.outD, outH = p.outH, outW = p.outW;
  const pixelBytes = <usize>outC << 2;
  const planeBytes = <usize>(outD * outH * outW) << 2;
  const together = columns == outW ? rows : 1;
  for (let b = 0; b < images; b++) {
    const image = to + <usize>(b * outC) * planeBytes;
    for (let d = slice; d < slice + slices; d++) {
      for (let r = 0; r < rows; r += together) {
        const line = image + (<usize>((d * outH + row + r) * outW + column) << 2);
        pixelsToPlanes(from, pixelBytes, outC, together * columns, line, planeBytes, p.shuffle);
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

export function convChannelsFirst(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  assert(p.bandImages >= 1 && p.bandSlices >= 1 && p.band >= 1 && p.bandColumns >= 1, "conv: an empty band");
  const reachD = (p.kD - 1) * p.dilationD + 1;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const reachW = (p.kW - 1) * p.dilationW + 1;
  const slicesOfBand = min(p.inD, (min(p.bandSlices, p.outD) - 1) * p.strideD + reachD);
  const rowsOfBand = min(p.inH, (min(p.band, p.outH) - 1) * p.strideH + reachH);
  const reachOfBand = (min(p.bandColumns, p.outW) - 1) * p.strideW + reachW;
  const columnsOfBand = p.sides != 0 ? reachOfBand : min(p.inW, reachOfBand);
  const cells = p.bandImages * slicesOfBand * rowsOfBand * columnsOfBand;
  const results = p.bandImages * min(p.bandSlices, p.outD) * min(p.band, p.outH) * min(p.bandColumns, p.outW);
  const gathered = work + ((offsetof<ConvParams>() + 15) & ~15);
  const computed = gathered + (<usize>(cells * p.inC) << 2);
  const rest = computed + (<usize>(results * p.outC) << 2);
  const imageBytes = <usize>(p.inC * p.inD * p.inH * p.inW) << 2;
  const resultBytes = <usize>(p.outC * p.outD * p.outH * p.outW) << 2;

  const band = changetype<ConvParams>(work);
  memory.copy(work, changetype<usize>(p), offsetof<ConvParams>());
  band.shuffle = 1;
  for (let b = 0; b < p.batch; b += p.bandImages) {
    const images = min(p.bandImages, p.batch - b);
    band.batch = images;
    for (let od = 0; od < p.outD; od += p.bandSlices) {
      const slices = min(p.bandSlices, p.outD - od);
      const slice = od * p.strideD - p.padD;
      const front = within(slice, p.inD);
      const back = within(slice + (slices - 1) * p.strideD + reachD, p.inD);
      band.inD = back - front;
      band.padD = front - slice;
      band.outD = slices;
      for (let oh = 0; oh < p.outH; oh += p.band) {
        const rows = min(p.band, p.outH - oh);
        const row = oh * p.strideH - p.padH;
        const top = within(row, p.inH);
        const bottom = within(row + (rows - 1) * p.strideH + reachH, p.inH);
        band.inH = bottom - top;
        band.padH = top - row;
        band.outH = rows;
        for (let ow = 0; ow < p.outW; ow += p.bandColumns) {
          const columns = min(p.bandColumns, p.outW - ow);
          const column = ow * p.strideW - p.padW;
          const behind = column + (columns - 1) * p.strideW + reachW;
          const left = p.sides != 0 ? column : within(column, p.inW);
          const right = p.sides != 0 ? behind : within(behind, p.inW);
          band.inW = right - left;
          band.padW = left - column;
          band.outW = columns;
          gather(p, input + <usize>b * imageBytes, images, front, back - front, top, bottom - top, left, right - left, gathered);
          convChannelsLast(band, gathered, weights, bias, computed, rest);
          scatter(p, computed, images, od, slices, oh, rows, ow, columns, output + <usize>b * resultBytes);
        }
      }
    }
  }
}
