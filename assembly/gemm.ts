/**
 * How many rows a tile of the GEMM takes, how many steps a loop, and where a shuffled channel goes.
 *
 * Rows are split evenly: m rows make ⌈m / MR⌉ tiles whose heights differ by one at most (8 = 4 + 4, not 5 + 3), so no row is computed
 * that is not wanted. Columns come in panels of NR; only the last one is narrower.
 */
import { FORESEEN, MR, PARTS } from "./blocks";

export function tileCount(m: i32): i32 {
  return (m + MR - 1) / MR;
}

/** Equal parts of a run of `steps`: as many as make each so short that the end of its loop is foreseen. */
export function partsOf(steps: i32): i32 {
  for (let parts = 1; parts <= PARTS; parts++) {
    if (steps % parts == 0 && steps / parts <= FORESEEN) return parts;
  }
  return 1;
}

/** Where channel `c` of a grouped convolution goes when the shuffle could not be packed into the weights. */
// @ts-ignore: decorator
@inline
export function shuffledChannel(c: i32, outC: i32, shuffle: i32): i32 {
  if (shuffle == 1) return c;
  const size = outC / shuffle;
  return (c % size) * shuffle + c / size;
}
