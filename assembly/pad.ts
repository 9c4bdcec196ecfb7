/**
 * A copy of the image with a border of zeros or of its own cells. Most kernels know zeros without a copy; those that read whole rows do not.
 *
 *   from [outer, D, H, W, inner] → to [outer, D + pads, H + pads, W + pads, inner]; the two do not overlap.
 *   channels-first: outer = batch · channels, inner = 1; channels-last: outer = batch, inner = channels.
 *   tasks: rows of the copy, [outer][D][H]
 */
import { copyFloats, zeroFloats } from "./simd";
import { behindTasks } from "./tasks";

export const REFLECT = 0;
export const REPLICATE = 1;
export const CIRCULAR = 2;
export const ZEROS = 3;

/** Sizes of the image and of its border. src/params.ts writes it. */
@unmanaged
export class PadParams {
  outer: i32;
  inner: i32;
  inD: i32;
  inH: i32;
  inW: i32;
  beginD: i32;
  beginH: i32;
  beginW: i32;
  endD: i32;
  endH: i32;
  endW: i32;
  /** REFLECT, REPLICATE, CIRCULAR or ZEROS. */
  mode: i32;
}

/** The cell of the image that stands at `i`, which may lie before or behind it; −1 for zero. src/shape.ts has made sure that one turn is enough. */
// @ts-ignore: decorator
@inline
function sourceCell(i: i32, size: i32, mode: i32): i32 {
  if (<u32>i < <u32>size) return i;
  if (mode == REFLECT) return i < 0 ? -i : 2 * (size - 1) - i;
  if (mode == CIRCULAR) return i < 0 ? i + size : i - size;
  if (mode == REPLICATE) return i < 0 ? 0 : size - 1;
  return -1;
}

/** `cells` cells of the row, from `w` on; none of the row where it is a row of zeros. */
function padCells(to: usize, row: usize, inside: bool, w: i32, cells: i32, p: PadParams): void {
  const inner = p.inner;
  for (let i = w; i < w + cells; i++) {
    const source = sourceCell(i, p.inW, p.mode);
    if (inside && source >= 0) copyFloats(to, row + (<usize>(source * inner) << 2), inner);
    else zeroFloats(to, inner);
    to += <usize>inner << 2;
  }
}

export function padImage(first: i32, last: i32, _before: i32, _work: usize, p: PadParams, from: usize, to: usize): void {
  const inD = p.inD, inH = p.inH, inner = p.inner, mode = p.mode;
  const high = inH + p.beginH + p.endH, deep = inD + p.beginD + p.endD;
  if (!ASC_NO_ASSERT) assert(first >= 0);
  last = behindTasks(last, p.outer * deep * high);
  const rowFloats = p.inW * inner;
  const beginBytes = <usize>(p.beginW * inner) << 2, rowBytes = <usize>rowFloats << 2, endBytes = <usize>(p.endW * inner) << 2;
  to += <usize>first * (beginBytes + rowBytes + endBytes);
  for (let n = first; n < last; n++) {
    const slice = n / high, o = slice / deep;
    const sliceD = sourceCell(slice - o * deep - p.beginD, inD, mode);
    const sliceH = sourceCell(n - slice * high - p.beginH, inH, mode);
    const inside = (sliceD | sliceH) >= 0;
    const row = from + (<usize>(((o * inD + sliceD) * inH + sliceH) * rowFloats) << 2);
    padCells(to, row, inside, -p.beginW, p.beginW, p);
    to += beginBytes;
    if (inside) copyFloats(to, row, rowFloats);
    else zeroFloats(to, rowFloats);
    to += rowBytes;
    padCells(to, row, inside, p.inW, p.endW, p);
    to += endBytes;
  }
}
