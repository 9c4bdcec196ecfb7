/**
 * Functions that follow a sum. Each lets NaN through. The tiles apply clamps while their sums are in registers; all else is done behind the loops, to what was just stored.
 *
 * exp and expm1 follow the usual reduction x = n·ln2 + r, |r| ≤ ln2 / 2, with ln2 split in two so that n·ln2 is exact (Cody and Waite),
 * and the Taylor polynomial of expm1 to r⁷, whose remainder r⁸/8! is below 6·10⁻⁹ of 1 there.
 */
import { ConvParams } from "./params";
import { storeLanes } from "./simd";

/** v limited to [low, high]. src/params.ts writes ±Infinity where there is no bound: without activation this changes nothing. */
export const CLAMP = 0;
export const LEAKY_RELU = 1;
export const ELU = 2;
export const SIGMOID = 3;
export const TANH = 4;
export const SILU = 5;
export const HARD_SWISH = 6;
/** None: the sum is added to what lies there. For the GEMM alone, which sums in parts so. */
export const ADDED = 7;

/** pmax(v, low) is `v < low ? low : v`, so that a NaN in v stays; likewise pmin. One instruction each. */
// @ts-ignore: decorator
@inline
export function clamp(v: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, low), high);
}

/** Whether a clamp changes anything. It takes turns with products on some processors (AMD Zen): two of 3×3 for each vector. */
// @ts-ignore: decorator
@inline
export function isBounded(p: ConvParams): bool {
  return p.low > -Infinity || p.high < Infinity;
}

/**
 * Of the exponential: what makes n of x, and the last bit of a float of that magnitude is 1, so that adding it rounds to the nearest whole number, ties to even, which the sum's last bits hold
 * in two's complement; ln2 in two parts; 1/7! … 1/2!; 1. In memory, from which one instruction makes a vector of a constant: without, it takes three, and the exponential 11.6 ns in place of 8.2.
 */
const TABLE = memory.data<f32>([
  1.44269504088896341, 12582912, 0.693145751953125, 1.42860682030941723212e-6,
  1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1,
]);

// @ts-ignore: decorator
@inline
function constant(i: usize): v128 {
  return v128.load32_splat(TABLE + (i << 2));
}

/** e^r − 1 for |r| ≤ ln2 / 2. */
// @ts-ignore: decorator
@inline
function expm1Reduced(r: v128): v128 {
  let p = constant(4);
  for (let i: usize = 5; i < 10; i++) p = f32x4.add(f32x4.mul(p, r), constant(i));
  return f32x4.add(r, f32x4.mul(f32x4.mul(r, r), p));
}

/** n of the reduction, in the last bits. */
// @ts-ignore: decorator
@inline
function nearestPower(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, constant(0)), constant(1));
}

// @ts-ignore: decorator
@inline
function reduce(x: v128, power: v128): v128 {
  const n = f32x4.sub(power, constant(1));
  const r = f32x4.sub(x, f32x4.mul(n, constant(2)));
  return f32x4.sub(r, f32x4.mul(n, constant(3)));
}

/** 2ⁿ, −126 ≤ n ≤ 127, of a whole number whose nine last bits are those of n: 1 with another exponent. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.add(i32x4.shl(n, 23), constant(10));
}

/** e^x for x ≤ 0. 2ⁿ is applied in two halves, so that results below the smallest normal number fade out instead of stopping. */
function expNegative(x: v128): v128 {
  // Below −104 the result is zero in float32.
  const bounded = f32x4.pmax(x, f32x4.splat(-104));
  const n = nearestPower(bounded);
  const p = f32x4.add(expm1Reduced(reduce(bounded, n)), constant(10));
  // What was added to n halves evenly, and its halves end with more than nine zeros.
  const half = i32x4.shr_s(n, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half)));
}

/** e^x − 1 for x ≤ 0, exact to the last bits near 0. */
function expm1Negative(x: v128): v128 {
  // Below −18 the result rounds to −1.
  const bounded = f32x4.pmax(x, f32x4.splat(-18));
  const n = nearestPower(bounded);
  const scale = powerOfTwo(n);
  return f32x4.add(f32x4.mul(scale, expm1Reduced(reduce(bounded, n))), f32x4.sub(scale, constant(10)));
}

/** With z = e^−|x|: 1 / (1 + z) for x ≥ 0, z / (1 + z) below. Neither overflows. */
function sigmoid(x: v128): v128 {
  const one = constant(10);
  const z = expNegative(f32x4.neg(f32x4.abs(x)));
  return f32x4.div(v128.bitselect(z, one, f32x4.lt(x, f32x4.splat(0))), f32x4.add(one, z));
}

/** With m = expm1(−2|x|): |tanh x| = −m / (2 + m). */
function tanh(x: v128): v128 {
  const m = expm1Negative(f32x4.mul(f32x4.abs(x), f32x4.splat(-2)));
  const magnitude = f32x4.div(f32x4.neg(m), f32x4.add(f32x4.splat(2), m));
  return v128.bitselect(magnitude, x, i32x4.splat(0x7fffffff));
}

/** What takes an exponential. `alpha` is that of elu. */
function curve(kind: i32, v: v128, alpha: f32): v128 {
  const zero = f32x4.splat(0);
  switch (kind) {
    case ELU:
      // The upper half is kept out of expm1: it would be computed only to be thrown away, and may be infinite.
      return v128.bitselect(v, f32x4.mul(f32x4.splat(alpha), expm1Negative(f32x4.pmin(v, zero))), f32x4.gt(v, zero));
    case SIGMOID:
      return sigmoid(v);
    case TANH:
      return tanh(v);
    default:
      if (!ASC_NO_ASSERT) assert(kind == SILU, "activate: unknown activation");
      return f32x4.mul(v, sigmoid(v));
  }
}

/** `p` is the slope of leakyRelu, the alpha of elu, the lower bound of a clamp. */
// @ts-ignore: decorator
@inline
function activate(kind: i32, curved: i32, v: v128, p: f32, high: f32): v128 {
  const zero = f32x4.splat(0);
  if (kind == CLAMP) return clamp(v, f32x4.splat(p), f32x4.splat(high));
  if (kind == LEAKY_RELU) return v128.bitselect(f32x4.mul(v, f32x4.splat(p)), v, f32x4.lt(v, zero));
  if (kind == HARD_SWISH) return f32x4.mul(v, f32x4.mul(clamp(f32x4.add(v, f32x4.splat(3)), zero, f32x4.splat(6)), f32x4.splat(1.0 / 6.0)));
  return curve(curved, v, p);
}

/** Compiled for `kind`, or for all curves. */
// @ts-ignore: decorator
@inline
function runs(kind: i32, p: ConvParams, count: i32, to: usize, step: usize, bytes: usize): void {
  const curved = p.activation, low = p.low, high = p.high;
  for (; count > 0; count--) {
    let at = to;
    for (let lanes = <i32>(bytes >> 2); lanes > 0; lanes -= 4) {
      let v = v128.load32_zero(at);
      if (lanes >= 4) {
        v = v128.load(at);
      } else {
        if (lanes > 1) v = v128.load32_lane(at, v, 1, 4);
        if (lanes > 2) v = v128.load32_lane(at, v, 2, 8);
      }
      storeLanes(at, activate(kind, curved, v, low, high), lanes);
      at += 16;
    }
    to += step;
  }
}

/**
 * What follows a sum, on `count` runs of results that were just stored, `step` bytes apart: in the loops of the sums a call would cost them their registers.
 */
export function activateRuns(p: ConvParams, count: i32, to: usize, step: usize, bytes: usize): void {
  switch (p.activation) {
    case CLAMP:
      if (isBounded(p)) runs(CLAMP, p, count, to, step, bytes);
      return;
    case LEAKY_RELU: return runs(LEAKY_RELU, p, count, to, step, bytes);
    case HARD_SWISH: return runs(HARD_SWISH, p, count, to, step, bytes);
    default: return runs(ELU, p, count, to, step, bytes);
  }
}
