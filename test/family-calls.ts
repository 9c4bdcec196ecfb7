/** One small call of every operation. */
import type { Tensor } from '../src/index.ts';
import type { Op } from './any-call.ts';
import { integers } from './cases.ts';

const filled = (shape: readonly number[]): Tensor => ({ data: integers(shape.reduce((a, b) => a * b, 1)), shape });
const x = filled([2, 4, 5, 6]);

/** A right call of each operation that came after conv2d: its tensors with what follows them, and its options. */
export const rightCalls: [Op, unknown[], Record<string, unknown>][] = [
  ['convTranspose1d', [filled([2, 4, 9]), filled([4, 6, 3])], { stride: 2 }],
  ['convTranspose2d', [x, filled([4, 6, 3, 3])], { stride: 2 }],
  ['convTranspose3d', [filled([1, 4, 3, 3, 3]), filled([4, 6, 2, 2, 2])], { stride: 2 }],
  ['separableConv2d', [x, filled([4, 1, 3, 3]), filled([6, 4, 1, 1])], { padding: 1 }],
  ['spatialSeparableConv2d', [x, filled([3, 4, 3, 1]), filled([6, 3, 1, 2])], { padding: 1 }],
  ['flattenedConv2d', [x, { channel: filled([3, 4]), vertical: filled([3, 2]), horizontal: filled([3, 3]) }], { padding: 1 }],
  ['channelShuffle', [x, 2], {}],
  ['unfold', [x, 3], { padding: 1 }],
  ['fold', [filled([2, 36, 30]), [5, 6], 3], { padding: 1 }],
  ['conv1dInputGrad', [filled([2, 6, 7]), filled([6, 4, 3]), [2, 4, 9]], {}],
  ['conv1dWeightGrad', [filled([2, 4, 9]), filled([2, 6, 7]), [6, 4, 3]], {}],
  ['conv2dInputGrad', [filled([2, 6, 5, 6]), filled([6, 4, 3, 3]), [2, 4, 5, 6]], { padding: 1 }],
  ['conv2dWeightGrad', [x, filled([2, 6, 5, 6]), [6, 4, 3, 3]], { padding: 1 }],
  ['conv3dInputGrad', [filled([1, 2, 2, 2, 2]), filled([2, 3, 2, 2, 2]), [1, 3, 3, 3, 3]], {}],
  ['conv3dWeightGrad', [filled([1, 3, 3, 3, 3]), filled([1, 2, 2, 2, 2]), [2, 3, 2, 2, 2]], {}],
  ['convTranspose1dInputGrad', [filled([2, 6, 9]), filled([4, 6, 3]), [2, 4, 7]], {}],
  ['convTranspose1dWeightGrad', [filled([2, 4, 7]), filled([2, 6, 9]), [4, 6, 3]], {}],
  ['convTranspose2dInputGrad', [filled([2, 6, 7, 8]), filled([4, 6, 3, 3]), [2, 4, 5, 6]], {}],
  ['convTranspose2dWeightGrad', [x, filled([2, 6, 7, 8]), [4, 6, 3, 3]], {}],
  ['convTranspose3dInputGrad', [filled([1, 3, 4, 4, 4]), filled([2, 3, 2, 2, 2]), [1, 2, 3, 3, 3]], {}],
  ['convTranspose3dWeightGrad', [filled([1, 2, 3, 3, 3]), filled([1, 3, 4, 4, 4]), [2, 3, 2, 2, 2]], {}],
  ['biasGrad', [x], {}],
];
