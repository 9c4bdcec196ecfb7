/**
 * The transforms of F(m, 3) along one axis, a vector of channels at a time: data[m + 2] → m + 2 factors, products[m + 2] → m results.
 *
 * With points 0, ±p … and ∞, and P(x) = Π (x² − p²):
 *   factor of 0    the coefficients of P against data 0, 2, 4 …
 *   factors of ±p  E ± O, with R = P / (x² − p²): E its coefficients against data 2, 4 …, O p times those against data 1, 3 …
 *   factor of ∞    the coefficients of P against data 1, 3, 5 …
 *   result k       Σ_p pᵏ (product of p ± product of −p), the product of 0 in the first, that of ∞ in the last
 * What is left of the polynomials is in the weights: see winograd-weights.ts.
 */
import { P2, P4, P6, Q4, Q6, R6 } from "./winograd-points";
import { accumulate } from "./simd";

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

/** Four neighbours at a, b, c, d, into `to`, `step` apart. */
// @ts-ignore: decorator
@inline
export function data2(a: usize, b: usize, c: usize, d: usize, to: usize, step: usize): void {
  const x0 = v128.load(a), x1 = v128.load(b), x2 = v128.load(c), x3 = v128.load(d);
  const odd = times(<f32>P2, x1);
  v128.store(to, plus(x2, <f32>(-P2 * P2), x0));
  v128.store(to += step, f32x4.add(x2, odd));
  v128.store(to += step, f32x4.sub(x2, odd));
  v128.store(to + step, plus(x3, <f32>(-P2 * P2), x1));
}

// @ts-ignore: decorator
@inline
export function data4(a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, to: usize, step: usize): void {
  const p: f32 = <f32>(P4 * P4), q: f32 = <f32>(Q4 * Q4);
  const x1 = v128.load(b), x2 = v128.load(c), x3 = v128.load(d), x4 = v128.load(e);
  const to1 = to + step, to2 = to1 + step, to3 = to2 + step, to4 = to3 + step;
  v128.store(to, plus(plus(x4, -(p + q), x2), p * q, v128.load(a)));
  const even1 = plus(x4, -q, x2);
  const odd1 = times(<f32>P4, plus(x3, -q, x1));
  v128.store(to1, f32x4.add(even1, odd1));
  v128.store(to2, f32x4.sub(even1, odd1));
  const even2 = plus(x4, -p, x2);
  const odd2 = times(<f32>Q4, plus(x3, -p, x1));
  v128.store(to3, f32x4.add(even2, odd2));
  v128.store(to4, f32x4.sub(even2, odd2));
  v128.store(to4 + step, plus(plus(v128.load(f), -(p + q), x3), p * q, x1));
}

/** E and O of one pair, with the coefficients −s, t of R. */
// @ts-ignore: decorator
@inline
function pair6(x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, point: f32, s: f32, t: f32, to: usize, step: usize): void {
  const even = plus(plus(x6, -s, x4), t, x2);
  const odd = times(point, plus(plus(x5, -s, x3), t, x1));
  v128.store(to, f32x4.add(even, odd));
  v128.store(to + step, f32x4.sub(even, odd));
}

// @ts-ignore: decorator
@inline
export function data6(a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, g: usize, h: usize, to: usize, step: usize): void {
  const p: f32 = <f32>(P6 * P6), q: f32 = <f32>(Q6 * Q6), r: f32 = <f32>(R6 * R6);
  const s = p + q + r, t = p * q + q * r + p * r, u = p * q * r;
  const x1 = v128.load(b), x2 = v128.load(c), x3 = v128.load(d), x4 = v128.load(e), x5 = v128.load(f), x6 = v128.load(g);
  v128.store(to, plus(plus(plus(x6, -s, x4), t, x2), -u, v128.load(a)));
  to += step;
  pair6(x1, x2, x3, x4, x5, x6, <f32>P6, q + r, q * r, to, step);
  to += 2 * step;
  pair6(x1, x2, x3, x4, x5, x6, <f32>Q6, p + r, p * r, to, step);
  to += 2 * step;
  pair6(x1, x2, x3, x4, x5, x6, <f32>R6, p + q, p * q, to, step);
  to += 2 * step;
  v128.store(to, plus(plus(plus(v128.load(h), -s, x5), t, x3), -u, x1));
}

/** Four products `step` apart, two results `toStep` apart. */
// @ts-ignore: decorator
@inline
export function results2(from: usize, step: usize, to: usize, toStep: usize): void {
  const a = v128.load(from), b = v128.load(from += step), c = v128.load(from += step), d = v128.load(from + step);
  v128.store(to, f32x4.add(a, f32x4.add(b, c)));
  v128.store(to + toStep, f32x4.add(times(<f32>P2, f32x4.sub(b, c)), d));
}

// @ts-ignore: decorator
@inline
export function results4(from: usize, step: usize, to: usize, toStep: usize): void {
  const p: f32 = <f32>P4, q: f32 = <f32>Q4;
  const first = v128.load(from);
  let a = v128.load(from += step), b = v128.load(from += step);
  const even1 = f32x4.add(a, b), odd1 = f32x4.sub(a, b);
  a = v128.load(from += step);
  b = v128.load(from += step);
  const even2 = f32x4.add(a, b), odd2 = f32x4.sub(a, b);
  v128.store(to, f32x4.add(first, f32x4.add(even1, even2)));
  v128.store(to += toStep, plus(times(p, odd1), q, odd2));
  v128.store(to += toStep, plus(times(p * p, even1), q * q, even2));
  v128.store(to + toStep, plus(plus(v128.load(from + step), p * p * p, odd1), q * q * q, odd2));
}

// @ts-ignore: decorator
@inline
export function results6(from: usize, step: usize, to: usize, toStep: usize): void {
  const p: f32 = <f32>P6, q: f32 = <f32>Q6, r: f32 = <f32>R6;
  const first = v128.load(from);
  let a = v128.load(from += step), b = v128.load(from += step);
  const even1 = f32x4.add(a, b), odd1 = f32x4.sub(a, b);
  a = v128.load(from += step);
  b = v128.load(from += step);
  const even2 = f32x4.add(a, b), odd2 = f32x4.sub(a, b);
  a = v128.load(from += step);
  b = v128.load(from += step);
  const even3 = f32x4.add(a, b), odd3 = f32x4.sub(a, b);
  v128.store(to, f32x4.add(first, f32x4.add(even1, f32x4.add(even2, even3))));
  v128.store(to += toStep, plus(plus(times(p, odd1), q, odd2), r, odd3));
  v128.store(to += toStep, plus(plus(times(p * p, even1), q * q, even2), r * r, even3));
  v128.store(to += toStep, plus(plus(times(p * p * p, odd1), q * q * q, odd2), r * r * r, odd3));
  v128.store(to += toStep, plus(plus(times(p * p * p * p, even1), q * q * q * q, even2), r * r * r * r, even3));
  const last = v128.load(from + step);
  v128.store(to + toStep, plus(plus(plus(last, p * p * p * p * p, odd1), q * q * q * q * q, odd2), r * r * r * r * r, odd3));
}
