/**
 * The transforms of F(m, r) along one axis, a line of channels at a time: data[points] → factors, products[points] → m results; points = m + r − 1.
 *
 * With points 0, ±p … and ∞, and P(x) = Π (x² − p²):
 *   factor of 0    the coefficients of P against data 0, 2, 4 …
 *   factors of ±p  E ± O, with R = P / (x² − p²): E its coefficients against data 2, 4 …, O p times those against data 1, 3 …
 *   factor of ∞    the coefficients of P against data 1, 3, 5 …
 *   result k       Σ_p pᵏ (product of p ± product of −p), the product of 0 in the first, that of ∞ in the last
 * Five points have no 0, and E ± O see the data one place earlier: E against data 1, 3, O against data 0, 2, ∞ against data 0, 2, 4.
 * What is left of the polynomials is in the weights (winograd-weights.ts), so the data's transform knows nothing of r.
 */
import { P4, P5, P6, P8, Q5, Q6, Q8, R8 } from "./winograd-points";
import { clamp } from "./activation";
import { accumulate } from "./simd";

/** Bytes of the channels that go together: a line of the cache. */
export const CHUNK: usize = 64;

/**
 * Of two pairs ±p, ±q, for five points and for six: −q², −p², −(p² + q²), p² q², then p, q and their powers to the fourth. Of three: −(p² + q² + r²), p² q² + q² r² + p² r²,
 * −p² q² r², and of each pair the first two of the others', and itself. In memory, from which one instruction makes a vector of a constant: without, it takes three.
 */
const TABLE = memory.data<f32>([
  <f32>(-Q5 * Q5), <f32>(-P5 * P5), <f32>(-P5 * P5 - Q5 * Q5), <f32>(P5 * P5 * Q5 * Q5),
  <f32>P5, <f32>Q5, <f32>(P5 * P5), <f32>(Q5 * Q5), <f32>(P5 * P5 * P5), <f32>(Q5 * Q5 * Q5), <f32>(P5 * P5 * P5 * P5), <f32>(Q5 * Q5 * Q5 * Q5),
  <f32>(-Q6 * Q6), <f32>(-P6 * P6), <f32>(-P6 * P6 - Q6 * Q6), <f32>(P6 * P6 * Q6 * Q6),
  <f32>P6, <f32>Q6, <f32>(P6 * P6), <f32>(Q6 * Q6), <f32>(P6 * P6 * P6), <f32>(Q6 * Q6 * Q6), <f32>(P6 * P6 * P6 * P6), <f32>(Q6 * Q6 * Q6 * Q6),
  <f32>(-P8 * P8 - Q8 * Q8 - R8 * R8), <f32>(P8 * P8 * Q8 * Q8 + Q8 * Q8 * R8 * R8 + P8 * P8 * R8 * R8), <f32>(-P8 * P8 * Q8 * Q8 * R8 * R8),
  <f32>(-Q8 * Q8 - R8 * R8), <f32>(Q8 * Q8 * R8 * R8), <f32>P8,
  <f32>(-P8 * P8 - R8 * R8), <f32>(P8 * P8 * R8 * R8), <f32>Q8,
  <f32>(-P8 * P8 - Q8 * Q8), <f32>(P8 * P8 * Q8 * Q8), <f32>R8,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** A CHUNK of them. */
export const ZEROS = TABLE + 144;

/** c + k · a, with a constant. */
// @ts-ignore: decorator
@inline
function plus(c: v128, k: f32, a: v128): v128 {
  return k == 1 ? f32x4.add(c, a) : k == -1 ? f32x4.sub(c, a) : accumulate(c, f32x4.splat(k), a);
}

// @ts-ignore: decorator
@inline
function times(k: f32, a: v128): v128 {
  return k == 1 ? a : f32x4.mul(f32x4.splat(k), a);
}

function data4(from: usize, step: usize, to: usize, toStep: usize): void {
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const x0 = v128.load(cell), x1 = v128.load(cell += step), x2 = v128.load(cell += step), x3 = v128.load(cell + step);
    const odd = times(<f32>P4, x1);
    cell = to;
    v128.store(cell, plus(x2, <f32>(-P4 * P4), x0));
    v128.store(cell += toStep, f32x4.add(x2, odd));
    v128.store(cell += toStep, f32x4.sub(x2, odd));
    v128.store(cell + toStep, plus(x3, <f32>(-P4 * P4), x1));
    from += 16;
    to += 16;
  }
}

// @ts-ignore: decorator
@inline
function constant(table: usize, i: usize): v128 {
  return v128.load32_splat(table + (i << 2));
}

/** Two pairs of points, and 0 with six of them. */
function data6(points: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  const table = points == 6 ? TABLE + 48 : TABLE;
  const q = constant(table, 0), p = constant(table, 1), s = constant(table, 2), t = constant(table, 3), p1 = constant(table, 4), q1 = constant(table, 5);
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    if (points == 6) cell += step;
    const x1 = v128.load(cell), x2 = v128.load(cell += step), x3 = v128.load(cell += step), x4 = v128.load(cell += step);
    const x5 = v128.load(cell + step);
    cell = to;
    if (points == 6) {
      v128.store(cell, accumulate(accumulate(x4, s, x2), t, v128.load(from)));
      cell += toStep;
    }
    const even1 = accumulate(x4, q, x2);
    const odd1 = f32x4.mul(p1, accumulate(x3, q, x1));
    v128.store(cell, f32x4.add(even1, odd1));
    v128.store(cell += toStep, f32x4.sub(even1, odd1));
    const even2 = accumulate(x4, p, x2);
    const odd2 = f32x4.mul(q1, accumulate(x3, p, x1));
    v128.store(cell += toStep, f32x4.add(even2, odd2));
    v128.store(cell += toStep, f32x4.sub(even2, odd2));
    v128.store(cell + toStep, accumulate(accumulate(x5, s, x3), t, x1));
    from += 16;
    to += 16;
  }
}

function data8(from: usize, step: usize, to: usize, toStep: usize): void {
  const s = constant(TABLE + 96, 0), t = constant(TABLE + 96, 1), u = constant(TABLE + 96, 2);
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const x0 = v128.load(cell), x1 = v128.load(cell += step), x2 = v128.load(cell += step), x3 = v128.load(cell += step);
    const x4 = v128.load(cell += step), x5 = v128.load(cell += step), x6 = v128.load(cell += step), x7 = v128.load(cell + step);
    cell = to;
    v128.store(cell, accumulate(accumulate(accumulate(x6, s, x4), t, x2), u, x0));
    for (let pair: usize = 3; pair < 12; pair += 3) {
      const s = constant(TABLE + 96, pair), t = constant(TABLE + 96, pair + 1);
      const even = accumulate(accumulate(x6, s, x4), t, x2);
      const odd = f32x4.mul(constant(TABLE + 96, pair + 2), accumulate(accumulate(x5, s, x3), t, x1));
      v128.store(cell += toStep, f32x4.add(even, odd));
      v128.store(cell += toStep, f32x4.sub(even, odd));
    }
    v128.store(cell + toStep, accumulate(accumulate(accumulate(x7, s, x5), t, x3), u, x1));
    from += 16;
    to += 16;
  }
}

/** `points` lines of data, `step` apart, as factors `toStep` apart. */
export function dataLines(points: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  if (points == 4) data4(from, step, to, toStep);
  else if (points < 8) data6(points, from, step, to, toStep);
  else data8(from, step, to, toStep);
}

/** Sums that are stored as they are, or with a bias and between bounds. Types, so that each has a loop of its own for five and six points. The others' are Biased, the first time with ZEROS. */
export type Raw = i32;
export type Biased = f32;

/** Stores a sum, which is added to `check` where it has its bias. */
// @ts-ignore: decorator
@inline
function put<F>(to: usize, sum: v128, bias: v128, low: v128, high: v128, check: v128): v128 {
  const result = isFloat<F>() ? f32x4.add(sum, bias) : sum;
  v128.store(to, isFloat<F>() ? clamp(result, low, high) : result);
  return isFloat<F>() ? f32x4.add(check, result) : check;
}

// @ts-ignore: decorator
@inline
function biasOf<F>(bias: usize): v128 {
  return isFloat<F>() ? v128.load(bias) : f32x4.splat(0);
}

/** c, with what ∞ adds to the last result. */
// @ts-ignore: decorator
@inline
function ending(isLast: bool, c: v128, last: v128): v128 {
  if (isLast) c = f32x4.add(c, last);
  return c;
}

function results4(m: i32, count: i32, from: usize, step: usize, to: usize, toStep: usize, bias: usize, low: v128, high: v128): v128 {
  let check = f32x4.splat(0);
  for (let v: usize = 0; v < CHUNK; v += 16) {
    const b = biasOf<Biased>(bias + v);
    let cell = from;
    const first = v128.load(cell), x = v128.load(cell += step), y = v128.load(cell += step), last = v128.load(cell + step);
    const even = f32x4.add(x, y), odd = times(<f32>P4, f32x4.sub(x, y));
    check = put<Biased>(to, f32x4.add(first, even), b, low, high, check);
    if (count > 1) check = put<Biased>(to + toStep, ending(m == 2, odd, last), b, low, high, check);
    if (count > 2) check = put<Biased>(to + 2 * toStep, plus(last, <f32>(P4 * P4), even), b, low, high, check);
    from += 16;
    to += 16;
  }
  return check;
}

/** p a + q b, the first product rounded. */
// @ts-ignore: decorator
@inline
function both(p: v128, a: v128, q: v128, b: v128): v128 {
  return accumulate(f32x4.mul(p, a), q, b);
}

function results6<F>(points: i32, m: i32, count: i32, from: usize, step: usize, to: usize, toStep: usize, bias: usize, low: v128, high: v128): v128 {
  const table = points == 6 ? TABLE + 48 : TABLE;
  const p = constant(table, 4), q = constant(table, 5), pp = constant(table, 6), qq = constant(table, 7);
  let check = f32x4.splat(0);
  // There is no product of 0 among five.
  let zero = ZEROS;
  if (points == 6) {
    zero = from;
    from += step;
  }
  for (let v: usize = 0; v < CHUNK; v += 16) {
    const b = biasOf<F>(bias + v);
    let cell = from;
    const first = v128.load(zero);
    zero += 16;
    let x = v128.load(cell), y = v128.load(cell += step);
    const even1 = f32x4.add(x, y), odd1 = f32x4.sub(x, y);
    x = v128.load(cell += step);
    y = v128.load(cell += step);
    const even2 = f32x4.add(x, y), odd2 = f32x4.sub(x, y);
    const last = v128.load(cell + step);
    cell = to;
    check = put<F>(cell, f32x4.add(first, f32x4.add(even1, even2)), b, low, high, check);
    if (count > 1) check = put<F>(cell += toStep, ending(m == 2, both(p, odd1, q, odd2), last), b, low, high, check);
    if (count > 2) check = put<F>(cell += toStep, ending(m == 3, both(pp, even1, qq, even2), last), b, low, high, check);
    if (count > 3) check = put<F>(cell += toStep, ending(m == 4, both(constant(table, 8), odd1, constant(table, 9), odd2), last), b, low, high, check);
    if (count > 4) check = put<F>(cell + toStep, f32x4.add(both(constant(table, 10), even1, constant(table, 11), even2), last), b, low, high, check);
    from += 16;
    to += 16;
  }
  return check;
}

function results8(m: i32, count: i32, from: usize, step: usize, to: usize, toStep: usize, bias: usize, low: v128, high: v128): v128 {
  const p = constant(TABLE + 96, 5), q = constant(TABLE + 96, 8), r = constant(TABLE + 96, 11);
  const pp = f32x4.mul(p, p), qq = f32x4.mul(q, q), rr = f32x4.mul(r, r);
  let check = f32x4.splat(0);
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const first = v128.load(cell);
    let x = v128.load(cell += step), y = v128.load(cell += step);
    let even1 = f32x4.add(x, y), odd1 = f32x4.mul(p, f32x4.sub(x, y));
    x = v128.load(cell += step);
    y = v128.load(cell += step);
    let even2 = f32x4.add(x, y), odd2 = f32x4.mul(q, f32x4.sub(x, y));
    x = v128.load(cell += step);
    y = v128.load(cell += step);
    let even3 = f32x4.add(x, y), odd3 = f32x4.mul(r, f32x4.sub(x, y));
    const last = v128.load(cell + step);
    let sum = f32x4.add(first, f32x4.add(even1, f32x4.add(even2, even3)));
    cell = to;
    for (let k = 1; ; k++) {
      check = put<Biased>(cell, sum, v128.load(bias + v), low, high, check);
      if (k == count) break;
      sum = ending(k + 1 == m, f32x4.add(f32x4.add(odd1, odd2), odd3), last);
      cell += toStep;
      // Of the next power.
      x = odd1;
      y = odd2;
      const z = odd3;
      odd1 = f32x4.mul(pp, even1);
      odd2 = f32x4.mul(qq, even2);
      odd3 = f32x4.mul(rr, even3);
      even1 = x;
      even2 = y;
      even3 = z;
    }
    from += 16;
    to += 16;
  }
  return check;
}

/**
 * `points` lines of products, `step` apart, as the first `count` of m results, `toStep` apart. 2 ≤ m, at most points − 1, and 6. Biased, the `bias` of each channel is added and the
 * sum kept between `low` and `high`. Returns what is not finite if one of these was not before.
 */
export function resultLines<F>(points: i32, m: i32, count: i32, from: usize, step: usize, to: usize, toStep: usize, bias: usize, low: v128, high: v128): v128 {
  if (points == 4) return results4(m, count, from, step, to, toStep, bias, low, high);
  if (points < 8) return results6<F>(points, m, count, from, step, to, toStep, bias, low, high);
  return results8(m, count, from, step, to, toStep, bias, low, high);
}
