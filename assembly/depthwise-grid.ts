/** The taps of a position as a grid of outer × inner: what the kernels of depthwise-strip.ts share. */
import { finish } from "./activation";
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

// @ts-ignore: decorator
@inline
export function put<F>(p: ConvParams, to: usize, v: v128, low: v128, high: v128): void {
  v128.store(to, finish<F>(p, v, low, high));
}
