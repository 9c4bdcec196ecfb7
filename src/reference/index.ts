/** `wasm-conv/reference`: the operations in plain loops, sums in float64 rounded once. Nothing here is fast; every test trusts it. */
export { biasGrad, channelShuffle } from './channels.ts';
export { fold, unfold } from './columns.ts';
export { flattenedConv2d, separableConv2d, spatialSeparableConv2d } from './composed.ts';
export {
  conv1d,
  conv1dInputGrad,
  conv1dWeightGrad,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  conv3d,
  conv3dInputGrad,
  conv3dWeightGrad,
  depthwiseConv2d,
} from './conv.ts';
export {
  convTranspose1d,
  convTranspose1dInputGrad,
  convTranspose1dWeightGrad,
  convTranspose2d,
  convTranspose2dInputGrad,
  convTranspose2dWeightGrad,
  convTranspose3d,
  convTranspose3dInputGrad,
  convTranspose3dWeightGrad,
} from './conv-transposed.ts';
