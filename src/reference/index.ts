/** `wasm-conv/reference`: the operations in plain loops, sums in float64 rounded once. Nothing here is fast; every test trusts it. */
export { conv1d, conv2d, conv3d, depthwiseConv2d } from './conv.ts';
