/**
 * The register tile of a weight gradient: C[rows × 8] += Σ A·B over the pixels of some rows of an image.
 *
 *   A   `rows` neighbouring channels of a pixel, pixels `aStep` bytes apart, image rows `aRow`
 *   B   a packed panel, 8 channels of the gradient for each pixel, image rows `bRow` bytes apart
 *   C   `rows` rows of 8, side by side
 *
 * The sum of a call begins at zero and is added to C at its end: a sum over many pixels in two levels rounds less than in one.
 */
import { MR } from "./blocks";
import { madd } from "./simd";

// @ts-ignore: decorator
@inline
function add(c: usize, v: v128): void {
  v128.store(c, f32x4.add(v128.load(c), v));
}

// @ts-ignore: decorator
@inline
function tile(rows: i32, wide: bool, runs: i32, run: i32, a: usize, aStep: usize, aRow: usize, b: usize, bRow: usize, c: usize): void {
  const zero = f32x4.splat(0);
  let acc00 = zero, acc01 = zero;
  let acc10 = zero, acc11 = zero;
  let acc20 = zero, acc21 = zero;
  let acc30 = zero, acc31 = zero;
  let acc40 = zero, acc41 = zero;
  for (; runs != 0; runs--) {
    let x = a;
    let y = b;
    for (let n = run; n != 0; n--) {
      const b0 = v128.load(y);
      const b1 = wide ? v128.load(y, 16) : b0;
      y += 32;
      let v = v128.load32_splat(x);
      acc00 = madd(v, b0, acc00);
      if (wide) acc01 = madd(v, b1, acc01);
      if (rows > 1) {
        v = v128.load32_splat(x, 4);
        acc10 = madd(v, b0, acc10);
        if (wide) acc11 = madd(v, b1, acc11);
      }
      if (rows > 2) {
        v = v128.load32_splat(x, 8);
        acc20 = madd(v, b0, acc20);
        if (wide) acc21 = madd(v, b1, acc21);
      }
      if (rows > 3) {
        v = v128.load32_splat(x, 12);
        acc30 = madd(v, b0, acc30);
        if (wide) acc31 = madd(v, b1, acc31);
      }
      if (rows > 4) {
        v = v128.load32_splat(x, 16);
        acc40 = madd(v, b0, acc40);
        if (wide) acc41 = madd(v, b1, acc41);
      }
      x += aStep;
    }
    a += aRow;
    b += bRow;
  }
  add(c, acc00);
  if (wide) add(c + 16, acc01);
  if (rows > 1) add(c + 32, acc10);
  if (rows > 1 && wide) add(c + 48, acc11);
  if (rows > 2) add(c + 64, acc20);
  if (rows > 2 && wide) add(c + 80, acc21);
  if (rows > 3) add(c + 96, acc30);
  if (rows > 3 && wide) add(c + 112, acc31);
  if (rows > 4) add(c + 128, acc40);
  if (rows > 4 && wide) add(c + 144, acc41);
}

/** A tile of `rows` × (`wide` ? 8 : 4), as compiled for that size. */
export function gradTile(
  rows: i32, wide: bool, runs: i32, run: i32, a: usize, aStep: usize, aRow: usize, b: usize, bRow: usize, c: usize,
): void {
  if (!ASC_NO_ASSERT) assert(rows >= 1 && rows <= MR, "weight gradient: rows of a tile");
  if (wide) {
    switch (rows) {
      case 5: return tile(5, true, runs, run, a, aStep, aRow, b, bRow, c);
      case 4: return tile(4, true, runs, run, a, aStep, aRow, b, bRow, c);
      case 3: return tile(3, true, runs, run, a, aStep, aRow, b, bRow, c);
      case 2: return tile(2, true, runs, run, a, aStep, aRow, b, bRow, c);
      default: return tile(1, true, runs, run, a, aStep, aRow, b, bRow, c);
    }
  }
  switch (rows) {
    case 5: return tile(5, false, runs, run, a, aStep, aRow, b, bRow, c);
    case 4: return tile(4, false, runs, run, a, aStep, aRow, b, bRow, c);
    case 3: return tile(3, false, runs, run, a, aStep, aRow, b, bRow, c);
    case 2: return tile(2, false, runs, run, a, aStep, aRow, b, bRow, c);
    default: return tile(1, false, runs, run, a, aStep, aRow, b, bRow, c);
  }
}
