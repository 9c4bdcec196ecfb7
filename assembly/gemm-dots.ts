/**
 * Dot products: C[rows × 1 … 3] = bias + Σ A·B, then the activation, for panels of no more columns. Tiles of gemm-kernel.ts would compute four.
 *
 *   A, table, offset, taps, run   as there; runs are whole vectors
 *   B   the second halves of a packed panel, as `packDots` fills them · C  `tiles` · `rows` rows of NR floats, of which the first are written; there is room for MR · `tiles`
 *
 * Lanes are steps of the sum: each lane sums every fourth product, and the four are added last, whatever the number of rows.
 */
import { DOT_STEPS, DOTS, MR, NR } from "./blocks";
import { madd } from "./simd";

/** Whether a panel of `taps` taps holds its weights as vectors of input channels too; one of fewer that is a part of it may still be summed as tiles. */
// @ts-ignore: decorator
@inline
export function servedByDots(taps: i32, groupInC: i32, groupOutC: i32): bool {
  return (groupInC & 3) == 0 && (groupOutC < DOTS || (groupOutC == DOTS && taps * groupInC >= DOT_STEPS));
}

/** The second halves of the rows of a panel, which are empty: four steps of filter n, where row n of these steps has them. */
export function packDots(panel: usize, steps: i32, filters: i32): void {
  if (!ASC_NO_ASSERT) assert((steps & 3) == 0, "gemm dots: steps that are no vectors");
  for (let k = 0; k < steps; k++) {
    const from = panel + (<usize>k << 5), to = panel + (<usize>(k >> 2) << 7) + (<usize>(k & 3) << 2);
    for (let n = 0; n < filters; n++) store<f32>(to + (<usize>n << 5), load<f32>(from + (<usize>n << 2)), 16);
  }
}

/** Sums of the lanes of both, one beside the other. */
// @ts-ignore: decorator
@inline
function sums(a: v128, b: v128): v128 {
  const pairs = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(pairs, pairs, 0, 2, 0, 2), v128.shuffle<f32>(pairs, pairs, 1, 3, 1, 3));
}

// @ts-ignore: decorator
@inline
function put(c: usize, a: v128, b: v128, bias: usize): void {
  v128.store64_lane(c, f32x4.add(v128.load64_splat(bias), sums(a, b)), 0);
}

/** One filter, or a pair. Where a tile has no row it reads the first, and what comes of it lies where the next has its own, or behind the last, within MR · tiles rows. */
// @ts-ignore: decorator
@inline
function dots(
  pair: bool, rows: i32, tiles: i32, table: usize, offset: usize, taps: i32, run: i32, panel: usize, c: usize, bias: usize,
): void {
  const r1: usize = rows > 1 ? 4 : 0, r2: usize = rows > 2 ? 8 : 0, r3: usize = rows > 3 ? 12 : 0, r4: usize = rows > 4 ? 16 : 0;
  for (; tiles != 0; tiles--) {
    let b = panel;
    let acc00 = f32x4.splat(-0);
    let acc01 = acc00, acc10 = acc00, acc11 = acc00, acc20 = acc00, acc21 = acc00, acc30 = acc00, acc31 = acc00, acc40 = acc00, acc41 = acc00;
    for (let tap = taps; tap != 0; tap--) {
      let a0 = load<usize>(table) + offset;
      let a1 = load<usize>(table + r1) + offset;
      let a2 = load<usize>(table + r2) + offset;
      let a3 = load<usize>(table + r3) + offset;
      let a4 = load<usize>(table + r4) + offset;
      table += 4 * MR;
      for (let k = run; k != 0; k--) {
        const b0 = v128.load(b, 16);
        const b1 = pair ? v128.load(b, 48) : b0;
        b += 16 * NR;
        let a: v128;
        // Always so: V8 would load the rows first, and spill; up to version 22 three of them are too many.
        if (!pair || a0 != 0) {
          a = v128.load(a0);
          a0 += 16;
          acc00 = madd(a, b0, acc00);
          if (pair) acc01 = madd(a, b1, acc01);
          a = v128.load(a1);
          a1 += 16;
          acc10 = madd(a, b0, acc10);
          if (pair) acc11 = madd(a, b1, acc11);
        }
        if (!pair || a2 != 0) {
          a = v128.load(a2);
          a2 += 16;
          acc20 = madd(a, b0, acc20);
          if (pair) acc21 = madd(a, b1, acc21);
          a = v128.load(a3);
          a3 += 16;
          acc30 = madd(a, b0, acc30);
          if (pair) acc31 = madd(a, b1, acc31);
        }
        a = v128.load(a4);
        a4 += 16;
        acc40 = madd(a, b0, acc40);
        if (pair) acc41 = madd(a, b1, acc41);
      }
    }
    put(c, acc00, acc01, bias);
    put(c + 4 * NR, acc10, acc11, bias);
    put(c + 8 * NR, acc20, acc21, bias);
    put(c + 12 * NR, acc30, acc31, bias);
    put(c + 16 * NR, acc40, acc41, bias);
    c += <usize>rows * (4 * NR);
  }
}

/** `filters` results of `rows` · `tiles` pixels. */
export function runDots(
  filters: i32, rows: i32, tiles: i32, table: usize, offset: usize, taps: i32, run: i32, panel: usize, c: usize, bias: usize,
): void {
  if (!ASC_NO_ASSERT) assert(filters >= 1 && filters <= DOTS && (run & 3) == 0, "gemm dots: too many filters, or steps that are no vectors");
  const vectors = run >> 2, rest = filters & 1;
  if (filters > 1) {
    dots(true, rows, tiles, table, offset, taps, vectors, panel, c, bias);
    // The last filter of three.
    panel += 8 * NR;
    c += 8;
    bias += 8;
  }
  if (rest != 0) dots(false, rows, tiles, table, offset, taps, vectors, panel, c, bias);
}
