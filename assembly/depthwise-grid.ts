/** The taps of a position as a grid of outer × inner, and the bounds of the sums: what the kernels of depthwise-strip.ts share. */
import { clamp } from "./activation";

/** Byte distances in the image and in the weights, and how many taps there are each way. */
@unmanaged
export class Grid {
  outer: i32;
  outerStep: usize;
  outerWeights: usize;
  inner: i32;
  innerStep: usize;
  innerWeights: usize;
  /** Of the clamp that follows the sum; ±Infinity where something else follows. */
  low: f32;
  high: f32;
}

// @ts-ignore: decorator
@inline
export function put(to: usize, v: v128, low: v128, high: v128): void {
  v128.store(to, clamp(v, low, high));
}
