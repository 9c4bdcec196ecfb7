/**
 * Columns of a convolution, and back, in PyTorch's order:
 *
 *   columns[b][(c·kH + kh)·kW + kw][oh·outW + ow] = input[b][c][oh·strideH + kh·dilationH − padH][ow·strideW + kw·dilationW − padW], 0 outside
 *
 *   input [batch, inC, inH, inW]; fold adds where columns fall on the same cell. Nothing overlaps.
 *   tasks: rows of the matrix, [image][channel][kh][kw], of unfold; planes, [image][channel], of fold
 */
import { ConvParams } from "./params";
import { addFloats, copyFloats, zeroFloats } from "./simd";

/** First output whose cell is inside, `at` being the cell of output 0. */
// @ts-ignore: decorator
@inline
function firstInside(at: i32, stride: i32, out: i32): i32 {
  return at >= 0 ? 0 : min(out, (stride - 1 - at) / stride);
}

/** Behind the last one; never before `first`. */
// @ts-ignore: decorator
@inline
function behindInside(at: i32, stride: i32, size: i32, out: i32, first: i32): i32 {
  return at >= size ? first : max(first, min(out, (size - 1 - at) / stride + 1));
}

/** One row of columns: outW cells of tap (kh, kw) in image row `line`. */
// @ts-ignore: decorator
@inline
function readRow(line: usize, at: i32, stride: i32, first: i32, behind: i32, outW: i32, to: usize): void {
  zeroFloats(to, first);
  let cell = to + (<usize>first << 2);
  let from = line + (<usize>(at + first * stride) << 2);
  if (stride == 1) {
    copyFloats(cell, from, behind - first);
  } else {
    for (let n = behind - first; n != 0; n--) {
      store<f32>(cell, load<f32>(from));
      from += <usize>stride << 2;
      cell += 4;
    }
  }
  zeroFloats(to + (<usize>behind << 2), outW - behind);
}

// @ts-ignore: decorator
@inline
function addRow(line: usize, at: i32, stride: i32, first: i32, behind: i32, from: usize): void {
  let cell = line + (<usize>(at + first * stride) << 2);
  from += <usize>first << 2;
  if (stride == 1) {
    addFloats(cell, from, behind - first);
    return;
  }
  for (let n = behind - first; n > 0; n--) {
    store<f32>(cell, load<f32>(cell) + load<f32>(from));
    cell += <usize>stride << 2;
    from += 4;
  }
}

/** Rows [first, last) of the matrix: what a tap sees of a plane of the image, or adds to it. */
function walk(p: ConvParams, first: i32, last: i32, image: usize, columns: usize, fold: bool): void {
  const inH = p.inH, inW = p.inW, outH = p.outH, outW = p.outW, strideW = p.strideW, kH = p.kH, kW = p.kW;
  if (!ASC_NO_ASSERT) assert(first >= 0 && last <= p.batch * p.inC * kH * kW, "columns: no such row");
  const lineBytes = <usize>(p.strideH * inW) << 2, rowBytes = <usize>outW << 2;
  const rowOfTaps = first / kW, n = rowOfTaps / kH;
  let kw = first - rowOfTaps * kW, kh = rowOfTaps - n * kH;
  let plane = image + (<usize>(n * inH * inW) << 2);
  columns += <usize>first * (<usize>(outH * outW) << 2);
  for (let row = first; row < last; row++) {
    if (fold && (kh | kw) == 0) zeroFloats(plane, inH * inW);
    const at = kw * p.dilationW - p.padW;
    const left = firstInside(at, strideW, outW);
    const right = behindInside(at, strideW, inW, outW, left);
    // Rows of the image above it, and in it.
    const top = kh * p.dilationH - p.padH;
    const above = firstInside(top, p.strideH, outH), below = behindInside(top, p.strideH, inH, outH, above);
    let line = plane + (<usize>((top + above * p.strideH) * inW) << 2);
    if (fold) {
      columns += <usize>(above * outW) << 2;
      for (let rest = below - above; rest != 0; rest--) {
        addRow(line, at, strideW, left, right, columns);
        line += lineBytes;
        columns += rowBytes;
      }
      columns += <usize>((outH - below) * outW) << 2;
    } else {
      zeroFloats(columns, above * outW);
      columns += <usize>(above * outW) << 2;
      for (let rest = below - above; rest != 0; rest--) {
        readRow(line, at, strideW, left, right, outW, columns);
        line += lineBytes;
        columns += rowBytes;
      }
      zeroFloats(columns, (outH - below) * outW);
      columns += <usize>((outH - below) * outW) << 2;
    }
    if (++kw < kW) continue;
    kw = 0;
    if (++kh < kH) continue;
    kh = 0;
    plane += <usize>(inH * inW) << 2;
  }
}

export function unfold(first: i32, last: i32, _before: i32, _work: usize, p: ConvParams, input: usize, columns: usize): void {
  walk(p, first, last, input, columns, false);
}

export function fold(first: i32, last: i32, _before: i32, _work: usize, p: ConvParams, columns: usize, output: usize): void {
  const taps = p.kH * p.kW;
  walk(p, first * taps, last * taps, output, columns, true);
}
