/**
 * Functions applied to the sums while they are still in registers. Each lets NaN through.
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

// @ts-ignore: decorator
@inline
const LN2_HIGH: f32 = 0.693145751953125;
// @ts-ignore: decorator
@inline
const LN2_LOW: f32 = 1.42860682030941723212e-6;

/** e^r − 1 for |r| ≤ ln2 / 2. */
// @ts-ignore: decorator
@inline
function expm1Reduced(r: v128): v128 {
  let p = f32x4.splat(1.0 / 5040.0);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 720.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 120.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 24.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 6.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  return f32x4.add(r, f32x4.mul(f32x4.mul(r, r), p));
}

/** n of the reduction, as floats. */
// @ts-ignore: decorator
@inline
function nearestPower(x: v128): v128 {
  return f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
}

// @ts-ignore: decorator
@inline
function reduce(x: v128, n: v128): v128 {
  const r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  return f32x4.sub(r, f32x4.mul(n, f32x4.splat(LN2_LOW)));
}

/** 2ⁿ for integral −126 ≤ n ≤ 127. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
}

/** e^x for x ≤ 0. 2ⁿ is applied in two halves, so that results below the smallest normal number fade out instead of stopping. */
function expNegative(x: v128): v128 {
  // Below −104 the result is zero in float32.
  const bounded = f32x4.pmax(x, f32x4.splat(-104));
  const n = nearestPower(bounded);
  const p = f32x4.add(expm1Reduced(reduce(bounded, n)), f32x4.splat(1));
  const half = f32x4.floor(f32x4.mul(n, f32x4.splat(0.5)));
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(f32x4.sub(n, half)));
}

/** e^x − 1 for x ≤ 0, exact to the last bits near 0. */
function expm1Negative(x: v128): v128 {
  // Below −18 the result rounds to −1.
  const bounded = f32x4.pmax(x, f32x4.splat(-18));
  const n = nearestPower(bounded);
  const scale = powerOfTwo(n);
  return f32x4.add(f32x4.mul(scale, expm1Reduced(reduce(bounded, n))), f32x4.sub(scale, f32x4.splat(1)));
}

/** With z = e^−|x|: 1 / (1 + z) for x ≥ 0, z / (1 + z) below. Neither overflows. */
function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  const z = expNegative(f32x4.neg(f32x4.abs(x)));
  return f32x4.div(v128.bitselect(z, one, f32x4.lt(x, f32x4.splat(0))), f32x4.add(one, z));
}

/** With m = expm1(−2|x|): |tanh x| = −m / (2 + m). */
function tanh(x: v128): v128 {
  const m = expm1Negative(f32x4.mul(f32x4.abs(x), f32x4.splat(-2)));
  const magnitude = f32x4.div(f32x4.neg(m), f32x4.add(f32x4.splat(2), m));
  return v128.bitselect(magnitude, x, i32x4.splat(0x7fffffff));
}

/** Any activation but the clamp. `p` is the slope of leakyRelu, the alpha of elu. A call: it spills the tile, once per tile. */
export function activate(kind: i32, v: v128, p: f32): v128 {
  const zero = f32x4.splat(0);
  switch (kind) {
    case LEAKY_RELU:
      return v128.bitselect(f32x4.mul(v, f32x4.splat(p)), v, f32x4.lt(v, zero));
    case ELU:
      // The upper half is kept out of expm1: it would be computed only to be thrown away, and may be infinite.
      return v128.bitselect(v, f32x4.mul(f32x4.splat(p), expm1Negative(f32x4.pmin(v, zero))), f32x4.gt(v, zero));
    case SIGMOID:
      return sigmoid(v);
    case TANH:
      return tanh(v);
    case SILU:
      return f32x4.mul(v, sigmoid(v));
    case HARD_SWISH:
      return f32x4.mul(v, f32x4.mul(clamp(f32x4.add(v, f32x4.splat(3)), zero, f32x4.splat(6)), f32x4.splat(1.0 / 6.0)));
    default:
      if (!ASC_NO_ASSERT) assert(false, "activate: unknown activation");
      return v;
  }
}

/**
 * What follows a sum and is no clamp, on `count` runs of results that were just stored, `step` bytes apart: in the loops of the depthwise sums a call would cost
 * them their registers.
 */
export function activateRuns(p: ConvParams, count: i32, to: usize, step: usize, bytes: usize): void {
  for (; count > 0; count--) {
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) v128.store(to + at, activate(p.activation, v128.load(to + at), p.low));
    if (at < bytes) {
      const lanes = <i32>((bytes - at) >> 2);
      let v = v128.load32_zero(to + at);
      if (lanes > 1) v = v128.load32_lane(to + at, v, 1, 4);
      if (lanes > 2) v = v128.load32_lane(to + at, v, 2, 8);
      storeLanes(to + at, activate(p.activation, v, p.low), lanes);
    }
    to += step;
  }
}
