/**
 * Convolutions of one or two filters in all, under which the tile of groups-tile.ts would leave three or two of four channels empty: sixteen pixels of two rows, or of two filters,
 *
 *   to[n][i] = clamp(bias[n] + Σ_step weights[step][n] · band[from + offset[step] + i])
 *
 *   band, offsets, weights and `line` as there: every sum is in the same order, so that either may compute a pixel
 *
 * Eight sums: nine loads for eight products, or six.
 */
import { clamp } from "./activation";
import { Line } from "./groups-tile";
import { ConvParams } from "./params";
import { madd } from "./simd";

/** Pixels of a tile along a row. */
const ALONG = 16;

/** Whether there are tiles of `rows` rows of outputs. */
export function isFew(p: ConvParams, rows: i32): bool {
  return p.outC < 3 && p.outW >= ALONG && p.outC + rows > 2;
}

/** Sixteen pixels of one filter, or, side by side, of two. */
// @ts-ignore: decorator
@inline
function put(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
}

// @ts-ignore: decorator
@inline
function rowsOf(filters: i32, p: ConvParams, line: Line, rows: i32, band: usize, nextRow: usize, output: usize): void {
  const outW = p.outW, behind = line.behind, pitch = line.pitch, bias = line.bias, toPixel = line.toPixel;
  const toRow = <usize>outW * toPixel;
  const low = f32x4.splat(line.bounded != 0 ? p.low : -Infinity), high = f32x4.splat(line.bounded != 0 ? p.high : Infinity);
  const together = filters == 1 ? 2 : 1;
  for (let r = 0; r < rows; r += together) {
    // The last tile ends with the rows, or with the row, and sums some results a second time.
    if (r > rows - together) r = rows - together;
    for (let i = 0; i < outW; i += ALONG) {
      if (i > outW - ALONG) i = outW - ALONG;
      const from = band + <usize>r * nextRow + (<usize>i << 2);
      let acc00 = v128.load32_splat(bias);
      let acc01 = acc00, acc02 = acc00, acc03 = acc00;
      let acc10 = filters == 1 ? acc00 : v128.load32_splat(bias, 4);
      let acc11 = acc10, acc12 = acc10, acc13 = acc10;
      let w = line.weights;
      for (let offset = line.offsets; offset != behind; offset += 4) {
        const x = from + load<usize>(offset);
        let a = v128.load32_splat(w);
        if (filters == 1) {
          acc00 = madd(a, v128.load(x), acc00);
          acc01 = madd(a, v128.load(x, 16), acc01);
          acc02 = madd(a, v128.load(x, 32), acc02);
          acc03 = madd(a, v128.load(x, 48), acc03);
          const y = x + nextRow;
          acc10 = madd(a, v128.load(y), acc10);
          acc11 = madd(a, v128.load(y, 16), acc11);
          acc12 = madd(a, v128.load(y, 32), acc12);
          acc13 = madd(a, v128.load(y, 48), acc13);
        } else {
          const v0 = v128.load(x), v1 = v128.load(x, 16), v2 = v128.load(x, 32), v3 = v128.load(x, 48);
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
      acc00 = clamp(acc00, low, high);
      acc01 = clamp(acc01, low, high);
      acc02 = clamp(acc02, low, high);
      acc03 = clamp(acc03, low, high);
      acc10 = clamp(acc10, low, high);
      acc11 = clamp(acc11, low, high);
      acc12 = clamp(acc12, low, high);
      acc13 = clamp(acc13, low, high);
      const to = output + <usize>r * toRow + <usize>i * toPixel;
      if (filters == 1) {
        put(to, acc00, acc01, acc02, acc03);
        put(to + toRow, acc10, acc11, acc12, acc13);
      } else if (toPixel == 4) {
        put(to + line.place0, acc00, acc01, acc02, acc03);
        put(to + line.place1, acc10, acc11, acc12, acc13);
      } else {
        put(
          to, i32x4.shuffle(acc00, acc10, 0, 4, 1, 5), i32x4.shuffle(acc00, acc10, 2, 6, 3, 7), i32x4.shuffle(acc01, acc11, 0, 4, 1, 5),
          i32x4.shuffle(acc01, acc11, 2, 6, 3, 7),
        );
        put(
          to + 64, i32x4.shuffle(acc02, acc12, 0, 4, 1, 5), i32x4.shuffle(acc02, acc12, 2, 6, 3, 7), i32x4.shuffle(acc03, acc13, 0, 4, 1, 5),
          i32x4.shuffle(acc03, acc13, 2, 6, 3, 7),
        );
      }
    }
  }
}

/** `rows` rows of outputs. A shuffle of two channels leaves each where it is. */
export function fewFilters(p: ConvParams, line: Line, rows: i32, band: usize, nextRow: usize, output: usize): void {
  if (!ASC_NO_ASSERT) assert(isFew(p, rows) && p.groups == 1, "groups: more filters than two, or too few pixels");
  if (p.outC == 1) rowsOf(1, p, line, rows, band, nextRow, output);
  else rowsOf(2, p, line, rows, band, nextRow, output);
}
