/**
 * The sum of depthwise-taps.ts for four rows of outputs, three vectors of each: two pairs of rows, the lower of which sees one row of the kernel less above and one more
 * below. The second pair shares the weights of the first, a pair shares what it loads: eight loads for twelve products.
 *
 * A fused product waits four cycles for the one before it and two are begun in a cycle: eight sums, those of two rows of four vectors, are never late only where
 * nothing else is. Twelve are, beside two weights and one vector of the image, all of the fifteen registers that V8 has to give: a product that is not fused needs one more, and so builds
 * without relaxed SIMD do not come here.
 */
import { clamp } from "./activation";
import { ConvParams } from "./params";
import { madd, storeLanes } from "./simd";

/** The least pixels of a row: fewer leave a vector of three empty. */
export const TWELVE_LEAST = 9;

/**
 * `quads` times four rows, in each `count` times three vectors of `width` pixels; the last three end with the pixels, and may sum some a second time. `line` lies between what two
 * neighbouring rows see of the band; the rows of a pair are neighbours, or, with a `distance` of 2, two rows apart. `apart`: see twoRows in depthwise-taps.ts.
 *
 * The conditions always hold, since no address is so small, and keep V8 from loading more than it has registers for. They are on what is new for each tap: up to Node 22
 * it computes others before the loop and keeps the answers on its stack. Not nested, or it moves products past them.
 */
export function twelveSums(
  p: ConvParams, quads: i32, count: i32, from: usize, line: usize, distance: i32, offsets: usize, apart: usize, kernel: usize, bias: usize, bounds: usize, to: usize,
  width: i32,
): void {
  const outRowBytes = <usize>p.outW << 2;
  const last: usize = width > 12 ? (<usize>width << 2) - 48 : 0;
  // Of the third vector, the rest of which reads what lies behind the pixels in a row of the band.
  const lanes = min(width, 12) - 8;
  const below = <usize>distance * line, second = 3 * line - below;
  const toBelow = <usize>distance * outRowBytes, toSecond = 3 * outRowBytes - toBelow;
  const begin = offsets, end = offsets + (<usize>(p.kH * p.kW) << 2), both = offsets + apart;
  for (; quads > 0; quads--) {
    let at: usize = 0;
    for (let n = count; n > 0; n--) {
      if (at > last) at = last;
      let image = from + at;
      let weights = kernel;
      offsets = begin;
      let a0 = v128.load32_splat(bias);
      let a1 = a0, a2 = a0, b0 = a0, b1 = a0, b2 = a0, c0 = a0, c1 = a0, c2 = a0, d0 = a0, d1 = a0, d2 = a0;
      // The upper rows alone.
      do {
        const w = v128.load32_splat(weights);
        const x = image + load<usize>(offsets), y = x + second;
        weights += 4;
        offsets += 4;
        if (x > 1) {
          a0 = madd(w, v128.load(x), a0);
          a1 = madd(w, v128.load(x, 16), a1);
          a2 = madd(w, v128.load(x, 32), a2);
        }
        if (x > 2) {
          c0 = madd(w, v128.load(y), c0);
          c1 = madd(w, v128.load(y, 16), c1);
          c2 = madd(w, v128.load(y, 32), c2);
        }
      } while (offsets != both);
      // Both of each pair.
      weights -= apart;
      while (offsets != end) {
        const w = v128.load32_splat(weights + apart), next = v128.load32_splat(weights);
        const x = image + load<usize>(offsets), y = x + second;
        weights += 4;
        offsets += 4;
        if (x > 1) {
          let v = v128.load(x);
          a0 = madd(w, v, a0);
          b0 = madd(next, v, b0);
        }
        if (x > 2) {
          let v = v128.load(x, 16);
          a1 = madd(w, v, a1);
          b1 = madd(next, v, b1);
        }
        if (x > 3) {
          let v = v128.load(x, 32);
          a2 = madd(w, v, a2);
          b2 = madd(next, v, b2);
        }
        if (x > 4) {
          let v = v128.load(y);
          c0 = madd(w, v, c0);
          d0 = madd(next, v, d0);
        }
        if (x > 5) {
          let v = v128.load(y, 16);
          c1 = madd(w, v, c1);
          d1 = madd(next, v, d1);
        }
        if (x > 6) {
          let v = v128.load(y, 32);
          c2 = madd(w, v, c2);
          d2 = madd(next, v, d2);
        }
      }
      // The lower rows alone.
      offsets -= apart;
      image += below;
      do {
        const w = v128.load32_splat(weights);
        const x = image + load<usize>(offsets), y = x + second;
        weights += 4;
        offsets += 4;
        if (x > 1) {
          b0 = madd(w, v128.load(x), b0);
          b1 = madd(w, v128.load(x, 16), b1);
          b2 = madd(w, v128.load(x, 32), b2);
        }
        if (x > 2) {
          d0 = madd(w, v128.load(y), d0);
          d1 = madd(w, v128.load(y, 16), d1);
          d2 = madd(w, v128.load(y, 32), d2);
        }
      } while (offsets != end);
      const low = v128.load32_splat(bounds), high = v128.load32_splat(bounds, 4);
      let z = to + at;
      v128.store(z, clamp(a0, low, high));
      v128.store(z, clamp(a1, low, high), 16);
      storeLanes(z + 32, clamp(a2, low, high), lanes);
      z += toBelow;
      v128.store(z, clamp(b0, low, high));
      v128.store(z, clamp(b1, low, high), 16);
      storeLanes(z + 32, clamp(b2, low, high), lanes);
      z = to + toSecond + at;
      v128.store(z, clamp(c0, low, high));
      v128.store(z, clamp(c1, low, high), 16);
      storeLanes(z + 32, clamp(c2, low, high), lanes);
      z += toBelow;
      v128.store(z, clamp(d0, low, high));
      v128.store(z, clamp(d1, low, high), 16);
      storeLanes(z + 32, clamp(d2, low, high), lanes);
      at += 48;
    }
    from += 4 * line;
    to += 4 * outRowBytes;
  }
}
