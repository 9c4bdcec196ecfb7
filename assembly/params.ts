/** Records that cross the border from TypeScript (src/params.ts writes them; test/params.test.ts compares both sides). */

/** One convolution. Sizes count elements. A 2-D problem has depth 1. */
@unmanaged
export class ConvParams {
  batch: i32;
  /** Channels of the whole image, all groups. */
  inC: i32;
  inD: i32;
  inH: i32;
  inW: i32;
  outC: i32;
  outD: i32;
  outH: i32;
  outW: i32;
  kD: i32;
  kH: i32;
  kW: i32;
  strideD: i32;
  strideH: i32;
  strideW: i32;
  dilationD: i32;
  dilationH: i32;
  dilationW: i32;
  /** Zeros before the first cell; what follows the last cell is implied by the output size. */
  padD: i32;
  padH: i32;
  padW: i32;
  groups: i32;
  groupInC: i32;
  groupOutC: i32;
  /** Channel shuffle of the result that packing could not do by reordering weights; 1 means none. */
  shuffle: i32;
  /** Floats from one packed weight row (depthwise), tap (depthwise, channels-last) or panel (GEMM) to the next. */
  weightStride: i32;
  /** Output rows of one band: depthwise, and channels-first. */
  band: i32;
  /** Channels-first: images, output slices and columns of one band. */
  bandImages: i32;
  bandSlices: i32;
  bandColumns: i32;
  /** Channels-first: 1 where a band has zeros at its sides. */
  sides: i32;
  /** Depthwise: 1 where the image is read where it lies, 0 where bands of it are copied. */
  inPlace: i32;
  /** Which function follows the sum: see activation.ts. */
  activation: i32;
  /** Bounds of the clamp, or the parameter of the activation in `low`. */
  low: f32;
  high: f32;
}
