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
import { accumulate } from "./simd";

/** Bytes of the channels that go together: a line of the cache. */
export const CHUNK: usize = 64;

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

function data5(from: usize, step: usize, to: usize, toStep: usize): void {
  const p: f32 = <f32>(P5 * P5), q: f32 = <f32>(Q5 * Q5);
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const x0 = v128.load(cell), x1 = v128.load(cell += step), x2 = v128.load(cell += step), x3 = v128.load(cell += step);
    const x4 = v128.load(cell + step);
    cell = to;
    const even1 = plus(x3, -q, x1);
    const odd1 = times(<f32>P5, plus(x2, -q, x0));
    v128.store(cell, f32x4.add(even1, odd1));
    v128.store(cell += toStep, f32x4.sub(even1, odd1));
    const even2 = plus(x3, -p, x1);
    const odd2 = times(<f32>Q5, plus(x2, -p, x0));
    v128.store(cell += toStep, f32x4.add(even2, odd2));
    v128.store(cell += toStep, f32x4.sub(even2, odd2));
    v128.store(cell + toStep, plus(plus(x4, -(p + q), x2), p * q, x0));
    from += 16;
    to += 16;
  }
}

function data6(from: usize, step: usize, to: usize, toStep: usize): void {
  const p: f32 = <f32>(P6 * P6), q: f32 = <f32>(Q6 * Q6);
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const x0 = v128.load(cell), x1 = v128.load(cell += step), x2 = v128.load(cell += step), x3 = v128.load(cell += step);
    const x4 = v128.load(cell += step), x5 = v128.load(cell + step);
    cell = to;
    v128.store(cell, plus(plus(x4, -(p + q), x2), p * q, x0));
    const even1 = plus(x4, -q, x2);
    const odd1 = times(<f32>P6, plus(x3, -q, x1));
    v128.store(cell += toStep, f32x4.add(even1, odd1));
    v128.store(cell += toStep, f32x4.sub(even1, odd1));
    const even2 = plus(x4, -p, x2);
    const odd2 = times(<f32>Q6, plus(x3, -p, x1));
    v128.store(cell += toStep, f32x4.add(even2, odd2));
    v128.store(cell += toStep, f32x4.sub(even2, odd2));
    v128.store(cell + toStep, plus(plus(x5, -(p + q), x3), p * q, x1));
    from += 16;
    to += 16;
  }
}

/** E and O of one pair, with the coefficients −s, t of R. */
// @ts-ignore: decorator
@inline
function pair8(x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, point: f32, s: f32, t: f32, to: usize, toStep: usize): void {
  const even = plus(plus(x6, -s, x4), t, x2);
  const odd = times(point, plus(plus(x5, -s, x3), t, x1));
  v128.store(to, f32x4.add(even, odd));
  v128.store(to + toStep, f32x4.sub(even, odd));
}

function data8(from: usize, step: usize, to: usize, toStep: usize): void {
  const p: f32 = <f32>(P8 * P8), q: f32 = <f32>(Q8 * Q8), r: f32 = <f32>(R8 * R8);
  const s = p + q + r, t = p * q + q * r + p * r, u = p * q * r;
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const x0 = v128.load(cell), x1 = v128.load(cell += step), x2 = v128.load(cell += step), x3 = v128.load(cell += step);
    const x4 = v128.load(cell += step), x5 = v128.load(cell += step), x6 = v128.load(cell += step), x7 = v128.load(cell + step);
    v128.store(to, plus(plus(plus(x6, -s, x4), t, x2), -u, x0));
    cell = to + toStep;
    pair8(x1, x2, x3, x4, x5, x6, <f32>P8, q + r, q * r, cell, toStep);
    cell += 2 * toStep;
    pair8(x1, x2, x3, x4, x5, x6, <f32>Q8, p + r, p * r, cell, toStep);
    cell += 2 * toStep;
    pair8(x1, x2, x3, x4, x5, x6, <f32>R8, p + q, p * q, cell, toStep);
    cell += 2 * toStep;
    v128.store(cell, plus(plus(plus(x7, -s, x5), t, x3), -u, x1));
    from += 16;
    to += 16;
  }
}

/** `points` lines of data, `step` apart, as factors `toStep` apart. */
export function dataLines(points: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  if (points == 4) data4(from, step, to, toStep);
  else if (points == 5) data5(from, step, to, toStep);
  else if (points == 6) data6(from, step, to, toStep);
  else data8(from, step, to, toStep);
}

function results4(m: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const first = v128.load(cell), a = v128.load(cell += step), b = v128.load(cell += step), last = v128.load(cell + step);
    const even = f32x4.add(a, b), odd = times(<f32>P4, f32x4.sub(a, b));
    v128.store(to, f32x4.add(first, even));
    if (m == 2) v128.store(to + toStep, f32x4.add(odd, last));
    else {
      v128.store(to + toStep, odd);
      v128.store(to + 2 * toStep, plus(last, <f32>(P4 * P4), even));
    }
    from += 16;
    to += 16;
  }
}

/** pᵏ a + qᵏ b, with what ∞ adds to the last result. */
// @ts-ignore: decorator
@inline
function row2(k: i32, m: i32, p: f32, a: v128, q: f32, b: v128, last: v128, to: usize): void {
  v128.store(to, m == k + 1 ? plus(plus(last, p, a), q, b) : plus(times(p, a), q, b));
}

function results5(m: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  const p: f32 = <f32>P5, q: f32 = <f32>Q5;
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    let a = v128.load(cell), b = v128.load(cell += step);
    const even1 = f32x4.add(a, b), odd1 = f32x4.sub(a, b);
    a = v128.load(cell += step);
    b = v128.load(cell += step);
    const even2 = f32x4.add(a, b), odd2 = f32x4.sub(a, b);
    const last = v128.load(cell + step);
    cell = to;
    v128.store(cell, f32x4.add(even1, even2));
    row2(1, m, p, odd1, q, odd2, last, cell += toStep);
    if (m > 2) row2(2, m, p * p, even1, q * q, even2, last, cell += toStep);
    if (m > 3) row2(3, m, p * p * p, odd1, q * q * q, odd2, last, cell + toStep);
    from += 16;
    to += 16;
  }
}

function results6(m: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  const p: f32 = <f32>P6, q: f32 = <f32>Q6;
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const first = v128.load(cell);
    let a = v128.load(cell += step), b = v128.load(cell += step);
    const even1 = f32x4.add(a, b), odd1 = f32x4.sub(a, b);
    a = v128.load(cell += step);
    b = v128.load(cell += step);
    const even2 = f32x4.add(a, b), odd2 = f32x4.sub(a, b);
    const last = v128.load(cell + step);
    cell = to;
    v128.store(cell, f32x4.add(first, f32x4.add(even1, even2)));
    row2(1, m, p, odd1, q, odd2, last, cell += toStep);
    if (m > 2) row2(2, m, p * p, even1, q * q, even2, last, cell += toStep);
    if (m > 3) row2(3, m, p * p * p, odd1, q * q * q, odd2, last, cell += toStep);
    if (m > 4) row2(4, m, p * p * p * p, even1, q * q * q * q, even2, last, cell + toStep);
    from += 16;
    to += 16;
  }
}

// @ts-ignore: decorator
@inline
function row8(k: i32, m: i32, p: f32, a: v128, q: f32, b: v128, r: f32, c: v128, last: v128, to: usize): void {
  v128.store(to, m == k + 1 ? plus(plus(plus(last, p, a), q, b), r, c) : plus(plus(times(p, a), q, b), r, c));
}

function results8(m: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  const p: f32 = <f32>P8, q: f32 = <f32>Q8, r: f32 = <f32>R8;
  for (let v: usize = 0; v < CHUNK; v += 16) {
    let cell = from;
    const first = v128.load(cell);
    let a = v128.load(cell += step), b = v128.load(cell += step);
    const even1 = f32x4.add(a, b), odd1 = f32x4.sub(a, b);
    a = v128.load(cell += step);
    b = v128.load(cell += step);
    const even2 = f32x4.add(a, b), odd2 = f32x4.sub(a, b);
    a = v128.load(cell += step);
    b = v128.load(cell += step);
    const even3 = f32x4.add(a, b), odd3 = f32x4.sub(a, b);
    const last = v128.load(cell + step);
    cell = to;
    v128.store(cell, f32x4.add(first, f32x4.add(even1, f32x4.add(even2, even3))));
    row8(1, m, p, odd1, q, odd2, r, odd3, last, cell += toStep);
    if (m > 2) row8(2, m, p * p, even1, q * q, even2, r * r, even3, last, cell += toStep);
    if (m > 3) row8(3, m, p * p * p, odd1, q * q * q, odd2, r * r * r, odd3, last, cell += toStep);
    if (m > 4) row8(4, m, p * p * p * p, even1, q * q * q * q, even2, r * r * r * r, even3, last, cell += toStep);
    if (m > 5) row8(5, m, p * p * p * p * p, odd1, q * q * q * q * q, odd2, r * r * r * r * r, odd3, last, cell + toStep);
    from += 16;
    to += 16;
  }
}

/** `points` lines of products, `step` apart, as m results `toStep` apart. 2 ≤ m, at most points − 1, and 6. */
export function resultLines(points: i32, m: i32, from: usize, step: usize, to: usize, toStep: usize): void {
  if (points == 4) results4(m, from, step, to, toStep);
  else if (points == 5) results5(m, from, step, to, toStep);
  else if (points == 6) results6(m, from, step, to, toStep);
  else results8(m, from, step, to, toStep);
}
