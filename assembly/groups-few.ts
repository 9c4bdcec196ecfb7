/**
 * What is left of a group's filters beside whole fours, one or two of them, for which the tile of groups-tile.ts would leave half or more of its channels empty: two vectors of pixels of four
 * rows, or, of two filters, of two rows.
 *
 *   to[n][i] = clamp(bias[n] + Σ_step weights[step][n] · band[from + offset[step] + i])
 *
 *   band, offsets, weights and `line` as there: every sum is in the same order
 *
 * Eight sums: nine loads for eight products, or six. Where there are too few rows, half of the vectors lie farther along the row instead. Where what is asked for is no whole number of tiles
 * the last one ends with it, and sums some results a second time. Of a row of less than five pixels the second vector lies behind it, at most 16 bytes beyond the planes, for which the
 * workspace has room.
 */
import { clamp } from "./activation";
import { Line, put } from "./groups-tile";
import { ConvParams } from "./params";
import { madd } from "./simd";

/** Pixels of two vectors. */
const ALONG = 8;

/** Up to eight pixels of a filter. */
// @ts-ignore: decorator
@inline
function putPair(to: usize, a: v128, b: v128, pixels: i32, toPixel: usize): void {
  put(to, a, pixels, toPixel);
  if (pixels > 4) put(to + 4 * toPixel, b, pixels - 4, toPixel);
}

/** A line of tiles, whose two halves are `apart`. Of one filter each half has two rows, `nextRow` apart. */
// @ts-ignore: decorator
@inline
function tiles(filters: i32, p: ConvParams, line: Line, along: i32, band: usize, output: usize): void {
  const outW = p.outW, toPixel = line.toPixel;
  const low = f32x4.splat(line.bounded != 0 ? p.low : -Infinity), high = f32x4.splat(line.bounded != 0 ? p.high : Infinity);
  for (let i = 0; i < outW; i += along) {
    if (i > outW - along) i = max(0, outW - along);
    const from = band + (<usize>i << 2);
    const bias = line.bias;
    let acc00 = v128.load32_splat(bias);
    let acc01 = acc00, acc02 = acc00, acc03 = acc00;
    let acc10 = filters == 1 ? acc00 : v128.load32_splat(bias, 4);
    let acc11 = acc10, acc12 = acc10, acc13 = acc10;
    const apart = line.apart, nextRow = line.nextRow, behind = line.behind, pitch = line.pitch;
    let w = line.weights;
    for (let offset = line.offsets; offset != behind; offset += 4) {
      const x = from + load<usize>(offset), y = x + apart;
      let a = v128.load32_splat(w);
      if (filters == 1) {
        // Always so: V8 up to version 22 would load all eight vectors first, and spill.
        if (w != 0) {
          acc00 = madd(a, v128.load(x), acc00);
          acc01 = madd(a, v128.load(x, 16), acc01);
          acc02 = madd(a, v128.load(y), acc02);
          acc03 = madd(a, v128.load(y, 16), acc03);
        }
        const z = x + nextRow, u = y + nextRow;
        acc10 = madd(a, v128.load(z), acc10);
        acc11 = madd(a, v128.load(z, 16), acc11);
        acc12 = madd(a, v128.load(u), acc12);
        acc13 = madd(a, v128.load(u, 16), acc13);
      } else {
        const v0 = v128.load(x), v1 = v128.load(x, 16), v2 = v128.load(y), v3 = v128.load(y, 16);
        acc00 = madd(a, v0, acc00);
        acc01 = madd(a, v1, acc01);
        acc02 = madd(a, v2, acc02);
        acc03 = madd(a, v3, acc03);
        a = v128.load32_splat(w, 4);
        acc10 = madd(a, v0, acc10);
        acc11 = madd(a, v1, acc11);
        acc12 = madd(a, v2, acc12);
        acc13 = madd(a, v3, acc13);
      }
      w += pitch;
    }
    const to = output + <usize>i * toPixel;
    const first = to + line.place0, second = to + line.place1;
    putPair(first, clamp(acc00, low, high), clamp(acc01, low, high), outW, toPixel);
    putPair(second, clamp(acc10, low, high), clamp(acc11, low, high), outW, toPixel);
    const toApart = line.toApart;
    putPair(first + toApart, clamp(acc02, low, high), clamp(acc03, low, high), outW, toPixel);
    putPair(second + toApart, clamp(acc12, low, high), clamp(acc13, low, high), outW, toPixel);
  }
}

/** `filters` filters of `rows` rows, the first of which is `line`'s. */
export function fewFilters(p: ConvParams, line: Line, filters: i32, rows: i32, band: usize, nextRow: usize, output: usize): void {
  if (!ASC_NO_ASSERT) assert(filters == 1 || filters == 2, "groups: fours are for another tile");
  const outW = p.outW, toPixel = line.toPixel;
  const toRow = <usize>outW * toPixel;
  while (rows > 0) {
    const half = min(3 - filters, rows);
    // The second half is below the first, or beside it.
    const down = rows >= 2 * (3 - filters) || outW <= ALONG;
    const below = down ? min(half, rows - half) : 0, beside = down ? 0 : min(ALONG, outW - ALONG);
    const along = down ? ALONG : 2 * ALONG;
    line.apart = <usize>below * nextRow + (<usize>beside << 2);
    line.toApart = <usize>below * toRow + <usize>beside * toPixel;
    line.nextRow = <usize>(half - 1) * nextRow;
    if (filters == 1) {
      line.place1 = line.place0 + <usize>(half - 1) * toRow;
      tiles(1, p, line, along, band, output);
    } else {
      tiles(2, p, line, along, band, output);
    }
    rows -= half + below;
    band += <usize>(half + below) * nextRow;
    output += <usize>(half + below) * toRow;
  }
}
