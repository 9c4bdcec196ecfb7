/**
 * A copy of the image with a border made from its own cells. Zeros need no copy: the kernels know them.
 *
 *   from [outer, D, H, W, inner] → to [outer, D + pads, H + pads, W + pads, inner]; the two do not overlap.
 *   channels-first: outer = batch · channels, inner = 1; channels-last: outer = batch, inner = channels.
 */
import { copyFloats } from "./simd";

export const REFLECT = 0;
export const REPLICATE = 1;
export const CIRCULAR = 2;

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
  /** REFLECT, REPLICATE or CIRCULAR. */
  mode: i32;
}

/** The cell of the image that stands at `i`, which may lie before or behind it. src/shape.ts has made sure that one turn is enough. */
// @ts-ignore: decorator
@inline
function sourceCell(i: i32, size: i32, mode: i32): i32 {
  if (<u32>i < <u32>size) return i;
  if (mode == REFLECT) return i < 0 ? -i : 2 * (size - 1) - i;
  if (mode == CIRCULAR) return i < 0 ? i + size : i - size;
  return i < 0 ? 0 : size - 1;
}

export function padImage(p: PadParams, from: usize, to: usize): void {
  const inD = p.inD, inH = p.inH, inW = p.inW, inner = p.inner, mode = p.mode;
  const cellBytes = <usize>inner << 2;
  for (let o = 0; o < p.outer; o++) {
    for (let d = -p.beginD; d < inD + p.endD; d++) {
      const slice = o * inD + sourceCell(d, inD, mode);
      for (let h = -p.beginH; h < inH + p.endH; h++) {
        const row = from + <usize>((slice * inH + sourceCell(h, inH, mode)) * inW) * cellBytes;
        for (let w = -p.beginW; w < 0; w++) {
          copyFloats(to, row + <usize>sourceCell(w, inW, mode) * cellBytes, inner);
          to += cellBytes;
        }
        copyFloats(to, row, inW * inner);
        to += <usize>inW * cellBytes;
        for (let w = inW; w < inW + p.endW; w++) {
          copyFloats(to, row + <usize>sourceCell(w, inW, mode) * cellBytes, inner);
          to += cellBytes;
        }
      }
    }
  }
}
