/**
 * The sum of depthwise-taps.ts under five columns, rows of at least 13 pixels, two rows at a time, the lower of which sees one row of the kernel less above and one more below:
 * four vectors of both share what they load. What one of the taps of a pixel sees is what tap 0 of the pixel a vector further sees: tap 4, tap 2 with dilation 2, tap 1 with 4. These
 * two go together and load five vectors in place of eight: loads, of which two are begun in a cycle, are as scarce as products.
 *
 * `weights`: the taps of each row of the kernel in the order of `tapOfFive`. Every sum goes through its taps in this order, also the sums of depthwise-taps.ts.
 *
 * The conditions on `width` always hold, and keep V8 from loading more than it has registers for. Without them it loses a third, on Node 24 as on Node 20.
 */
import { clamp } from "./activation";
import { ConvParams } from "./params";
import { madd, storeLanes } from "./simd";

/** The least pixels of a row: fewer leave a vector of four empty. */
export const FIVE_LEAST = 13;

/** Which of five taps is summed as the i-th: 0, the one that sees a vector further, if there is one, and the others. */
// @ts-ignore: decorator
@inline
export function tapOfFive(i: i32, dilation: i32): i32 {
  const far = dilation == 2 ? 2 : dilation == 4 ? 1 : 4;
  return i == 0 ? 0 : i == 1 ? far : i - 1 < far ? i - 1 : i;
}

/** Weights [kH, 5] into that order. */
export function orderFive(weights: usize, kH: i32, dilation: i32, to: usize): void {
  for (; kH > 0; kH--) {
    const four = v128.load(weights);
    const fifth = load<f32>(weights, 16);
    if (dilation == 2 || dilation == 4) {
      v128.store(to, dilation == 2 ? i32x4.shuffle(four, four, 0, 2, 1, 3) : four);
      store<f32>(to, fifth, 16);
    } else {
      v128.store(to, four, 4);
      v128.store32_lane(to, four, 0);
      store<f32>(to, fifth, 4);
    }
    weights += 20;
    to += 20;
  }
}

/** `dense`: without a dilation. What lies between taps and between rows is known then, and not read for each. */
// @ts-ignore: decorator
@inline
function pairsOf(
  dense: bool, p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, kernel: usize, bias: usize, bounds: usize, to: usize, width: i32,
): void {
  const outRowBytes = <usize>p.outW << 2;
  const last: usize = width > 16 ? (<usize>width << 2) - 64 : 0;
  // Of the fourth vector, the rest of which reads what lies behind the pixels in a row of the band, up to a whole vector.
  const lanes = min(width, 16) - 12;
  const distance = dense ? 1 : p.dilationH;
  const below = <usize>distance * rowStep, toBelow = <usize>distance * outRowBytes;
  const tap2: usize = dense ? 4 : load<usize>(offsets, 8);
  const tap3: usize = dense ? 8 : load<usize>(offsets, 12);
  const tap4: usize = dense ? 12 : load<usize>(offsets, 16);
  for (let upperRows = distance; rows > 0; rows -= 2) {
    for (let at: usize = 0; ; at += 64) {
      // The last vectors end with the row, and sum some pixels a second time.
      if (at > last) at = last;
      let x = from + at;
      let weights = kernel;
      let acc0 = v128.load32_splat(bias);
      let acc1 = acc0, acc2 = acc0, acc3 = acc0, acc4 = acc0, acc5 = acc0, acc6 = acc0, acc7 = acc0;
      // The upper row alone.
      {
        const w = v128.load32_splat(weights), far = v128.load32_splat(weights, 4);
        let v = v128.load(x, 16);
        if (width > 1) {
          acc0 = madd(w, v128.load(x), acc0);
          acc0 = madd(far, v, acc0);
          acc1 = madd(w, v, acc1);
          v = v128.load(x, 32);
          acc1 = madd(far, v, acc1);
          acc2 = madd(w, v, acc2);
        }
        if (width > 2) {
          v = v128.load(x, 48);
          acc2 = madd(far, v, acc2);
          acc3 = madd(w, v, acc3);
          acc3 = madd(far, v128.load(x, 64), acc3);
        }
      }
      if (width > 3) {
        const w = v128.load32_splat(weights, 8);
        const y = x + tap2;
        acc0 = madd(w, v128.load(y), acc0);
        acc1 = madd(w, v128.load(y, 16), acc1);
        acc2 = madd(w, v128.load(y, 32), acc2);
        acc3 = madd(w, v128.load(y, 48), acc3);
      }
      if (width > 4) {
        const w = v128.load32_splat(weights, 12);
        const y = x + tap3;
        acc0 = madd(w, v128.load(y), acc0);
        acc1 = madd(w, v128.load(y, 16), acc1);
        acc2 = madd(w, v128.load(y, 32), acc2);
        acc3 = madd(w, v128.load(y, 48), acc3);
      }
      if (width > 5) {
        const w = v128.load32_splat(weights, 16);
        const y = x + tap4;
        acc0 = madd(w, v128.load(y), acc0);
        acc1 = madd(w, v128.load(y, 16), acc1);
        acc2 = madd(w, v128.load(y, 32), acc2);
        acc3 = madd(w, v128.load(y, 48), acc3);
      }
      // Both.
      for (let n = p.kH - 1; n > 0; n--) {
        const above = weights;
        weights += 20;
        x += below;
        {
          const w = v128.load32_splat(weights), far = v128.load32_splat(weights, 4), next = v128.load32_splat(above), nextFar = v128.load32_splat(above, 4);
          let v = v128.load(x);
          if (width > 6) {
            acc0 = madd(w, v, acc0);
            acc4 = madd(next, v, acc4);
            v = v128.load(x, 16);
            acc0 = madd(far, v, acc0);
            acc4 = madd(nextFar, v, acc4);
            acc1 = madd(w, v, acc1);
            acc5 = madd(next, v, acc5);
            v = v128.load(x, 32);
            acc1 = madd(far, v, acc1);
            acc5 = madd(nextFar, v, acc5);
            acc2 = madd(w, v, acc2);
            acc6 = madd(next, v, acc6);
          }
          if (width > 7) {
            v = v128.load(x, 48);
            acc2 = madd(far, v, acc2);
            acc6 = madd(nextFar, v, acc6);
            acc3 = madd(w, v, acc3);
            acc7 = madd(next, v, acc7);
            v = v128.load(x, 64);
            acc3 = madd(far, v, acc3);
            acc7 = madd(nextFar, v, acc7);
          }
        }
        if (width > 8) {
          const w = v128.load32_splat(weights, 8), next = v128.load32_splat(above, 8);
          const y = x + tap2;
          let v = v128.load(y);
          acc0 = madd(w, v, acc0);
          acc4 = madd(next, v, acc4);
          v = v128.load(y, 16);
          acc1 = madd(w, v, acc1);
          acc5 = madd(next, v, acc5);
          v = v128.load(y, 32);
          acc2 = madd(w, v, acc2);
          acc6 = madd(next, v, acc6);
          v = v128.load(y, 48);
          acc3 = madd(w, v, acc3);
          acc7 = madd(next, v, acc7);
        }
        if (width > 9) {
          const w = v128.load32_splat(weights, 12), next = v128.load32_splat(above, 12);
          const y = x + tap3;
          let v = v128.load(y);
          acc0 = madd(w, v, acc0);
          acc4 = madd(next, v, acc4);
          v = v128.load(y, 16);
          acc1 = madd(w, v, acc1);
          acc5 = madd(next, v, acc5);
          v = v128.load(y, 32);
          acc2 = madd(w, v, acc2);
          acc6 = madd(next, v, acc6);
          v = v128.load(y, 48);
          acc3 = madd(w, v, acc3);
          acc7 = madd(next, v, acc7);
        }
        if (width > 10) {
          const w = v128.load32_splat(weights, 16), next = v128.load32_splat(above, 16);
          const y = x + tap4;
          let v = v128.load(y);
          acc0 = madd(w, v, acc0);
          acc4 = madd(next, v, acc4);
          v = v128.load(y, 16);
          acc1 = madd(w, v, acc1);
          acc5 = madd(next, v, acc5);
          v = v128.load(y, 32);
          acc2 = madd(w, v, acc2);
          acc6 = madd(next, v, acc6);
          v = v128.load(y, 48);
          acc3 = madd(w, v, acc3);
          acc7 = madd(next, v, acc7);
        }
      }
      const low = v128.load32_splat(bounds), high = v128.load32_splat(bounds, 4);
      let z = to + at;
      v128.store(z, clamp(acc0, low, high));
      v128.store(z, clamp(acc1, low, high), 16);
      v128.store(z, clamp(acc2, low, high), 32);
      storeLanes(z + 48, clamp(acc3, low, high), lanes);
      // The lower row alone.
      x += below;
      {
        const w = v128.load32_splat(weights), far = v128.load32_splat(weights, 4);
        let v = v128.load(x, 16);
        if (width > 1) {
          acc4 = madd(w, v128.load(x), acc4);
          acc4 = madd(far, v, acc4);
          acc5 = madd(w, v, acc5);
          v = v128.load(x, 32);
          acc5 = madd(far, v, acc5);
          acc6 = madd(w, v, acc6);
        }
        if (width > 2) {
          v = v128.load(x, 48);
          acc6 = madd(far, v, acc6);
          acc7 = madd(w, v, acc7);
          acc7 = madd(far, v128.load(x, 64), acc7);
        }
      }
      if (width > 3) {
        const w = v128.load32_splat(weights, 8);
        const y = x + tap2;
        acc4 = madd(w, v128.load(y), acc4);
        acc5 = madd(w, v128.load(y, 16), acc5);
        acc6 = madd(w, v128.load(y, 32), acc6);
        acc7 = madd(w, v128.load(y, 48), acc7);
      }
      if (width > 4) {
        const w = v128.load32_splat(weights, 12);
        const y = x + tap3;
        acc4 = madd(w, v128.load(y), acc4);
        acc5 = madd(w, v128.load(y, 16), acc5);
        acc6 = madd(w, v128.load(y, 32), acc6);
        acc7 = madd(w, v128.load(y, 48), acc7);
      }
      if (width > 5) {
        const w = v128.load32_splat(weights, 16);
        const y = x + tap4;
        acc4 = madd(w, v128.load(y), acc4);
        acc5 = madd(w, v128.load(y, 16), acc5);
        acc6 = madd(w, v128.load(y, 32), acc6);
        acc7 = madd(w, v128.load(y, 48), acc7);
      }
      z += toBelow;
      v128.store(z, clamp(acc4, low, high));
      v128.store(z, clamp(acc5, low, high), 16);
      v128.store(z, clamp(acc6, low, high), 32);
      storeLanes(z + 48, clamp(acc7, low, high), lanes);
      if (at == last) break;
    }
    from += rowStep;
    to += outRowBytes;
    // The lower rows of `distance` pairs are done.
    if (dense || --upperRows == 0) {
      upperRows = distance;
      from += below;
      to += toBelow;
    }
  }
}

// Functions of their own: see depthwise-3x3.ts.

function densePairs(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, kernel: usize, bias: usize, bounds: usize, to: usize, width: i32,
): void {
  pairsOf(true, p, rows, from, rowStep, offsets, kernel, bias, bounds, to, width);
}

function dilatedPairs(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, kernel: usize, bias: usize, bounds: usize, to: usize, width: i32,
): void {
  pairsOf(false, p, rows, from, rowStep, offsets, kernel, bias, bounds, to, width);
}

/**
 * The first `width` pixels of `rows` rows, a multiple of twice the dilation. `rowStep` lies between what two rows of the result see of the band, `offsets` are those of the taps in the
 * order of `tapOfFive`.
 */
export function rowsOfFive(
  p: ConvParams, rows: i32, from: usize, rowStep: usize, offsets: usize, kernel: usize, bias: usize, bounds: usize, to: usize, width: i32,
): void {
  if (p.dilationH == 1 && p.dilationW == 1) densePairs(p, rows, from, rowStep, offsets, kernel, bias, bounds, to, width);
  else dilatedPairs(p, rows, from, rowStep, offsets, kernel, bias, bounds, to, width);
}
