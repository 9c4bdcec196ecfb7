/** What a record asks for, where a driver serves several kernels. src/params.ts has the same numbers. */

/** Sums over a group of channels, as GEMM. */
export const CONV: i32 = 0;
/** One channel in, one out. */
export const DEPTHWISE: i32 = 1;
/** The way back through a convolution, each phase of the result as a convolution of its own. */
export const TRANSPOSED: i32 = 2;
/** Likewise where each channel has filters of its own. */
export const TRANSPOSED_DEPTHWISE: i32 = 3;
/** The way back: products first, then a sum where they fall. */
export const SCATTERED: i32 = 4;
/** DEPTHWISE where each kernel is a column times a row. */
export const FACTORED: i32 = 5;
/** CONV by tiles of results. */
export const WINOGRAD: i32 = 6;
/** CONV in groups of few channels. */
export const GROUPED: i32 = 7;
/** CONV of one tap, channels first, which stay so. */
export const POINTWISE: i32 = 8;
