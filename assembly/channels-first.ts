/**
 * Channels-first around the channels-last kernels: bands of the image change their layout on the way in, the kernel computes, and the result
 * changes it on the way out.
 *
 *   input [batch, C, D, H, W] · output likewise · weights, bias as the kernel has them. Nothing overlaps.
 *   work: the record of one band | its input [image][slice][row][column][channel] | its output likewise | work of the kernel; sized in
 *   src/plan.ts and its neighbours.
 *
 * A band is p.bandImages images, p.bandSlices result slices, p.band rows, p.bandColumns columns of each, as many as L2 holds: what is written is
 * read again from there, and each cell of the image comes from memory about once. If p.sides says so it has zeros at its sides, so that no window
 * is cut there and whole rows of the kernel are read as runs. Against packing patches ([k][8 pixels], each cell once per tap) this moves a
 * ninth of the floats for a 3×3.
 */
import { convChannelsLast } from "./conv-channels-last";
import { convScattered } from "./conv-scattered";
import { convTransposed } from "./conv-transposed";
import { CONV, SCATTERED, TRANSPOSED, TRANSPOSED_DEPTHWISE, WINOGRAD } from "./kinds";
import { ConvParams } from "./params";
import { zeroFloats } from "./simd";
import { convWinograd } from "./winograd";
import { pixelsToPlanes, planesToPixels } from "./transpose";

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
      for (let r = 0; r < rows; r++) {
        zeroFloats(to, <i32>(<usize>before * pixelBytes >> 2));
        to += <usize>before * pixelBytes;
        if (inside > 0) planesToPixels(line, planeBytes, channels, inside, to, pixelBytes);
        to += <usize>inside * pixelBytes;
        zeroFloats(to, <i32>(<usize>after * pixelBytes >> 2));
        to += <usize>after * pixelBytes;
        line += <usize>inW << 2;
      }
    }
  }
}

/** The result of a band to its place. */
export function scatter(
  channels: i32, outD: i32, outH: i32, outW: i32, from: usize, images: i32, slice: i32, slices: i32, row: i32, rows: i32, column: i32,
  columns: i32, to: usize, shuffle: i32,
): void {
  const pixelBytes = <usize>channels << 2;
  const planeBytes = <usize>(outD * outH * outW) << 2;
  const together = columns == outW ? rows : 1;
  for (let b = 0; b < images; b++) {
    const image = to + <usize>(b * channels) * planeBytes;
    for (let d = slice; d < slice + slices; d++) {
      for (let r = 0; r < rows; r += together) {
        const line = image + (<usize>((d * outH + row + r) * outW + column) << 2);
        pixelsToPlanes(from, pixelBytes, channels, together * columns, line, planeBytes, shuffle);
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

/** The kernel that computes a band in the layout it has now. */
function compute(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  switch (p.kind) {
    case TRANSPOSED:
    case TRANSPOSED_DEPTHWISE: return convTransposed(p, input, weights, bias, output, work);
    case SCATTERED: return convScattered(p, input, weights, bias, output, work);
    case WINOGRAD: return convWinograd(p, input, weights, bias, output, work);
    default: return convChannelsLast(p, input, weights, bias, output, work);
  }
}

export function convChannelsFirst(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  assert(p.bandImages >= 1 && p.bandSlices >= 1 && p.band >= 1 && p.bandColumns >= 1, "conv: an empty band");
  // On the way back the convolution's output is what is read.
  const back = p.kind != CONV && p.kind != WINOGRAD;
  const fromC = back ? p.outC : p.inC, fromD = back ? p.outD : p.inD, fromH = back ? p.outH : p.inH, fromW = back ? p.outW : p.inW;
  const toC = back ? p.inC : p.outC, toD = back ? p.inD : p.outD, toH = back ? p.inH : p.outH, toW = back ? p.inW : p.outW;
  const reachD = (p.kD - 1) * p.dilationD + 1;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const reachW = (p.kW - 1) * p.dilationW + 1;
  const computed = work + ((offsetof<ConvParams>() + 15) & ~15);
  const results = p.bandImages * min(p.bandSlices, toD) * min(p.band, toH) * min(p.bandColumns, toW);
  const gathered = computed + (<usize>(results * toC) << 2);
  const fromBytes = <usize>(fromC * fromD * fromH * fromW) << 2;
  const toBytes = <usize>(toC * toD * toH * toW) << 2;

  const band = changetype<ConvParams>(work);
  memory.copy(work, changetype<usize>(p), offsetof<ConvParams>());
  band.shuffle = 1;
  for (let b = 0; b < p.batch; b += p.bandImages) {
    const images = min(p.bandImages, p.batch - b);
    band.batch = images;
    for (let d = 0; d < toD; d += p.bandSlices) {
      const slices = min(p.bandSlices, toD - d);
      const front = firstOf(back, d, p.strideD, p.padD, reachD, fromD);
      const deep = max(0, behindOf(back, d, slices, p.strideD, p.padD, reachD, fromD) - front);
      band.padD = padOf(back, d, p.strideD, p.padD, front);
      for (let h = 0; h < toH; h += p.band) {
        const rows = min(p.band, toH - h);
        const top = firstOf(back, h, p.strideH, p.padH, reachH, fromH);
        const high = max(0, behindOf(back, h, rows, p.strideH, p.padH, reachH, fromH) - top);
        band.padH = padOf(back, h, p.strideH, p.padH, top);
        for (let w = 0; w < toW; w += p.bandColumns) {
          const columns = min(p.bandColumns, toW - w);
          let left = firstOf(back, w, p.strideW, p.padW, reachW, fromW);
          let wide = max(0, behindOf(back, w, columns, p.strideW, p.padW, reachW, fromW) - left);
          if (p.sides != 0) {
            left = w * p.strideW - p.padW;
            wide = (columns - 1) * p.strideW + reachW;
          }
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
          gather(fromC, fromD, fromH, fromW, input + <usize>b * fromBytes, images, front, deep, top, high, left, wide, gathered, <usize>fromC << 2);
          compute(band, gathered, weights, bias, computed, (rest + 15) & ~15);
          scatter(toC, toD, toH, toW, computed, images, d, slices, h, rows, w, columns, output + <usize>b * toBytes, p.shuffle);
        }
      }
    }
  }
}
