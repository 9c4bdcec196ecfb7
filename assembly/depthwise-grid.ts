/** The taps of a position as a grid of outer × inner, and what follows their sum: what the kernels of depthwise-strip.ts share. */
import { activate, clamp } from "./activation";
import { ConvParams } from "./params";

/** Byte distances in the image and in the weights, and how many taps there are each way. */
@unmanaged
export class Grid {
  outer: i32;
  outerStep: usize;
  outerWeights: usize;
  inner: i32;
  innerStep: usize;
  innerWeights: usize;
}

/**
 * What follows a sum is a type argument: a clamp (Clamped) or a call (Called). A type, since asc settles conditions on types itself; a constant
 * would survive until Binaryen has merged the two loops for their likeness, and V8 keeps nothing in registers across a loop that may call.
 */
export type Clamped = f32;
export type Called = i32;

/** `low` and `high` are the bounds, or the parameter of the activation in `low`. */
// @ts-ignore: decorator
@inline
export function finish<F>(p: ConvParams, v: v128, low: v128, high: v128): v128 {
  return isFloat<F>() ? clamp(v, low, high) : activate(p.activation, v, f32x4.extract_lane(low, 0));
}

// @ts-ignore: decorator
@inline
export function put<F>(p: ConvParams, to: usize, v: v128, low: v128, high: v128): void {
  v128.store(to, finish<F>(p, v, low, high));
}
