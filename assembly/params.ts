/** Records that cross the border from TypeScript (src/params.ts writes them; test/params.test.ts compares both sides). */

/**
 * One convolution. Sizes count elements. A 2-D problem has depth 1. A transposed convolution is described by the convolution whose input gradient
 * it is: it reads what that one would write.
 */
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
  /** Channels-first: 1 where a band has zeros at its sides. Weight gradient: 1 where copied rows have, and a row of the kernel is seen as one. */
  sides: i32;
  /** Depthwise: 1 where the image is read where it lies, 0 where bands of it are copied. */
  inPlace: i32;
  /** Pixels of the result's buffer from one column, row, slice and image of results to the next: more than there are, where others lie between. */
  stepW: i32;
  stepH: i32;
  stepD: i32;
  stepB: i32;
  /** Transposed: taps this far apart, along each axis, belong to one phase (see conv-transposed.ts). */
  phaseD: i32;
  phaseH: i32;
  phaseW: i32;
  /** Transposed: output rows of a band of the convolution inside. Winograd: tiles of a block. */
  innerBand: i32;
  /** Winograd: points of the transforms, and bytes from the weights to their factors. */
  points: i32;
  factors: i32;
  /** What is computed: see kinds.ts. */
  kind: i32;
  /** A step of chain.ts: bytes of its packed bias, of all that is packed for it, of a strip of its result, and of the rows that the first reads. */
  biasBytes: i32;
  packedBytes: i32;
  stripBytes: i32;
  gatheredBytes: i32;
  /** Panels of results of one task, 0 for all: see tasks.ts. */
  taskPanels: i32;
  /** Weight gradient: rows of the kernel and input channels of a group whose sums are one task. */
  taskRows: i32;
  taskChannels: i32;
  /** Which function follows the sum: see activation.ts. */
  activation: i32;
  /** Bounds of the clamp, or the parameter of the activation in `low`. */
  low: f32;
  high: f32;
}

/** Where the weights of an operation lie, and the order in which its kernel wants them. */
@unmanaged
export class PackParams {
  groups: i32;
  /** Output and input channels of a group, as the kernel sees them. */
  groupOutC: i32;
  groupInC: i32;
  kD: i32;
  kH: i32;
  kW: i32;
  /** Elements of the source from one group, output channel, input channel and kernel cell to the next. */
  strideGroup: i32;
  strideOut: i32;
  strideIn: i32;
  strideTap: i32;
  /** Taps this far apart make up one phase, each phase on its own; 1 where all do. */
  phaseD: i32;
  phaseH: i32;
  phaseW: i32;
  /** 1 where the taps of a phase come last first. */
  reversed: i32;
  /** Floats from one packed row or tap to the next, of depthwise kernels; else those of a panel, which say how many channels it has. */
  stride: i32;
  /** Channel shuffle folded into the order of the output channels; 1 means none. */
  shuffle: i32;
}
