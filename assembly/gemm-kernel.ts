/**
 * Register tiles, one below the other: C[rows × 8] = bias + Σ A·B, then the activation.
 *
 *   A   rows read in place, along k, through a table of pointers: table[tile][tap][MR], each a row of `run` floats (`offset` bytes
 *       further on). A plain matrix has one tap; a convolution has one per kernel cell, so that pixels are used where they lie.
 *   B   a packed panel, [taps · run][8], zero-padded to 8 columns
 *   C   `tiles` · `rows` rows, `rowBytes` apart; eight columns are written, or four when not `wide`. No alignment is asked for.
 *
 * C may not overlap A or B. Rows are exact (a tile is 1 … MR high), columns are padded: the driver hands a scratch tile for an edge. The loop over
 * the tiles is in here: entering for each of them costs as much as 20 steps of the sum.
 *
 * The lines of a step go row by row, product then sum: the other order keeps more products alive than V8 has registers.
 */
import { MR } from "./blocks";
import { activateRuns, ADDED, clamp, CLAMP, isBounded } from "./activation";
import { runDots } from "./gemm-dots";
import { madd } from "./simd";
import { ConvParams } from "./params";

// @ts-ignore: decorator
@inline
function tile(
  rows: i32, wide: bool, tiles: i32, table: usize, offset: usize, taps: i32, run: i32, panel: usize,
  c: usize, rowBytes: usize, bias: usize, p: ConvParams,
): void {
  for (; tiles != 0; tiles--) {
    let b = panel;
    const c1 = c + rowBytes;
    const c2 = c1 + rowBytes;
    const c3 = c2 + rowBytes;
    const c4 = c3 + rowBytes;
    let acc00 = v128.load(bias);
    let acc01 = wide ? v128.load(bias, 16) : acc00;
    let acc10 = acc00;
    let acc11 = acc01;
    let acc20 = acc00;
    let acc21 = acc01;
    let acc30 = acc00;
    let acc31 = acc01;
    let acc40 = acc00;
    let acc41 = acc01;

    for (let tap = taps; tap != 0; tap--) {
      let a0 = load<usize>(table) + offset;
      let a1 = rows > 1 ? load<usize>(table, 4) + offset : 0;
      let a2 = rows > 2 ? load<usize>(table, 8) + offset : 0;
      let a3 = rows > 3 ? load<usize>(table, 12) + offset : 0;
      let a4 = rows > 4 ? load<usize>(table, 16) + offset : 0;
      table += 4 * MR;
      // Two steps at a time halve the steps of the pointers. The way out between them keeps V8 from loading for the second before the first is done,
      // which would take more registers than there are.
      for (let k = run; k != 0; k -= 2) {
        let b0 = v128.load(b);
        let b1 = wide ? v128.load(b, 16) : b0;
        b += 32;
        let a = v128.load32_splat(a0);
        acc00 = madd(a, b0, acc00);
        if (wide) acc01 = madd(a, b1, acc01);
        if (rows > 1) {
          a = v128.load32_splat(a1);
          acc10 = madd(a, b0, acc10);
          if (wide) acc11 = madd(a, b1, acc11);
        }
        if (rows > 2) {
          a = v128.load32_splat(a2);
          acc20 = madd(a, b0, acc20);
          if (wide) acc21 = madd(a, b1, acc21);
        }
        if (rows > 3) {
          a = v128.load32_splat(a3);
          acc30 = madd(a, b0, acc30);
          if (wide) acc31 = madd(a, b1, acc31);
        }
        if (rows > 4) {
          a = v128.load32_splat(a4);
          acc40 = madd(a, b0, acc40);
          if (wide) acc41 = madd(a, b1, acc41);
        }
        if (k == 1) break;
        b0 = v128.load(b);
        if (wide) b1 = v128.load(b, 16);
        b += 32;
        a = v128.load32_splat(a0, 4);
        a0 += 8;
        acc00 = madd(a, b0, acc00);
        if (wide) acc01 = madd(a, b1, acc01);
        if (rows > 1) {
          a = v128.load32_splat(a1, 4);
          a1 += 8;
          acc10 = madd(a, b0, acc10);
          if (wide) acc11 = madd(a, b1, acc11);
        }
        if (rows > 2) {
          a = v128.load32_splat(a2, 4);
          a2 += 8;
          acc20 = madd(a, b0, acc20);
          if (wide) acc21 = madd(a, b1, acc21);
        }
        if (rows > 3) {
          a = v128.load32_splat(a3, 4);
          a3 += 8;
          acc30 = madd(a, b0, acc30);
          if (wide) acc31 = madd(a, b1, acc31);
        }
        if (rows > 4) {
          a = v128.load32_splat(a4, 4);
          a4 += 8;
          acc40 = madd(a, b0, acc40);
          if (wide) acc41 = madd(a, b1, acc41);
        }
      }
    }

    const kind = p.activation;
    if (kind == CLAMP) {
      // Nothing follows most sums of several steps, and of training: a fifth of what a tile costs beside its sums.
      if (isBounded(p)) {
        const low = f32x4.splat(p.low);
        const high = f32x4.splat(p.high);
        acc00 = clamp(acc00, low, high);
        if (wide) acc01 = clamp(acc01, low, high);
        if (rows > 1) acc10 = clamp(acc10, low, high);
        if (rows > 1 && wide) acc11 = clamp(acc11, low, high);
        if (rows > 2) acc20 = clamp(acc20, low, high);
        if (rows > 2 && wide) acc21 = clamp(acc21, low, high);
        if (rows > 3) acc30 = clamp(acc30, low, high);
        if (rows > 3 && wide) acc31 = clamp(acc31, low, high);
        if (rows > 4) acc40 = clamp(acc40, low, high);
        if (rows > 4 && wide) acc41 = clamp(acc41, low, high);
      }
    } else if (kind == ADDED) {
      acc00 = f32x4.add(acc00, v128.load(c));
      if (wide) acc01 = f32x4.add(acc01, v128.load(c, 16));
      if (rows > 1) acc10 = f32x4.add(acc10, v128.load(c1));
      if (rows > 1 && wide) acc11 = f32x4.add(acc11, v128.load(c1, 16));
      if (rows > 2) acc20 = f32x4.add(acc20, v128.load(c2));
      if (rows > 2 && wide) acc21 = f32x4.add(acc21, v128.load(c2, 16));
      if (rows > 3) acc30 = f32x4.add(acc30, v128.load(c3));
      if (rows > 3 && wide) acc31 = f32x4.add(acc31, v128.load(c3, 16));
      if (rows > 4) acc40 = f32x4.add(acc40, v128.load(c4));
      if (rows > 4 && wide) acc41 = f32x4.add(acc41, v128.load(c4, 16));
    }

    v128.store(c, acc00);
    if (wide) v128.store(c, acc01, 16);
    if (rows > 1) v128.store(c1, acc10);
    if (rows > 1 && wide) v128.store(c1, acc11, 16);
    if (rows > 2) v128.store(c2, acc20);
    if (rows > 2 && wide) v128.store(c2, acc21, 16);
    if (rows > 3) v128.store(c3, acc30);
    if (rows > 3 && wide) v128.store(c3, acc31, 16);
    if (rows > 4) v128.store(c4, acc40);
    if (rows > 4 && wide) v128.store(c4, acc41, 16);
    // In the loop: behind it, where less is alive, V8 up to version 22 spills the sums all along, 0.4 times as fast.
    if (kind != CLAMP && kind != ADDED) activateRuns(p, rows, c, rowBytes, wide ? 32 : 16);
    c = c1 + <usize>(rows - 1) * rowBytes;
  }
}

/** Tiles of `rows` rows and eight or four columns, as compiled for that size; of fewer columns dot products, whose panels were packed so. */
export function runTiles(
  rows: i32, columns: i32, tiles: i32, table: usize, offset: usize, taps: i32, run: i32, panel: usize,
  c: usize, rowBytes: usize, bias: usize, p: ConvParams,
): void {
  if (!ASC_NO_ASSERT) assert(rows >= 1 && rows <= MR, "gemm tile: rows");
  if (!ASC_NO_ASSERT) assert(taps >= 1 && run >= 1, "gemm tile: an empty sum");
  if (columns < 4) {
    runDots(columns, rows, tiles, table, offset, taps, run, panel, c, bias);
    activateRuns(p, tiles * rows, c, rowBytes, 16);
    return;
  }
  if (columns > 4) {
    switch (rows) {
      case 5: return tile(5, true, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
      case 4: return tile(4, true, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
      case 3: return tile(3, true, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
      case 2: return tile(2, true, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
      default: return tile(1, true, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
    }
  }
  switch (rows) {
    case 5: return tile(5, false, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
    case 4: return tile(4, false, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
    case 3: return tile(3, false, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
    case 2: return tile(2, false, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
    default: return tile(1, false, tiles, table, offset, taps, run, panel, c, rowBytes, bias, p);
  }
}
