/**
 * What the two layouts of the GEMM share: how many rows a tile takes, the table of row pointers, and the tile at an edge.
 *
 * Rows are split evenly: m rows make ⌈m / MR⌉ tiles whose heights differ by one at most (8 = 4 + 4, not 5 + 3), so no row is computed
 * that is not wanted. Columns come in panels of NR; only the last one is narrower.
 */
import { MR, NR } from "./blocks";

export function tileCount(m: i32): i32 {
  return (m + MR - 1) / MR;
}

/** First row of tile `t` of `m` rows. Tile t ends where tile t + 1 begins. */
// @ts-ignore: decorator
@inline
export function tileStart(t: i32, m: i32, tiles: i32): i32 {
  const short = m / tiles;
  const long = m - short * tiles;
  return t * short + (t < long ? t : long);
}

/** Slot of `row` in a table [tile][tap][MR] at tap 0. */
// @ts-ignore: decorator
@inline
export function tableSlot(table: usize, tile: i32, rowInTile: i32, taps: i32): usize {
  return table + ((<usize>tile * taps * MR + rowInTile) << 2);
}

/** Table of a plain matrix: `m` rows, `rowBytes` apart, one tap. */
export function matrixTable(table: usize, a: usize, m: i32, rowBytes: usize): void {
  const tiles = tileCount(m);
  for (let t = 0; t < tiles; t++) {
    const first = tileStart(t, m, tiles);
    const end = tileStart(t + 1, m, tiles);
    for (let r = first; r < end; r++) store<usize>(tableSlot(table, t, r - first, 1), a + <usize>r * rowBytes);
  }
}

/** Where channel `c` of a grouped convolution goes when the shuffle could not be packed into the weights. */
// @ts-ignore: decorator
@inline
export function shuffledChannel(c: i32, outC: i32, shuffle: i32): i32 {
  if (shuffle == 1) return c;
  const size = outC / shuffle;
  return (c % size) * shuffle + c / size;
}

/** Bytes of the scratch tile. */
export const SCRATCH_BYTES = MR * NR * 4;
