/** A right call of every operation, in both layouts, with sizes that fill no block of a kernel. */
import type { Tensor } from '../src/index.ts';
import type { Op } from './any-call.ts';
import { integers } from './cases.ts';
import { filled, laidOut, layoutTag, type Options, type Shape } from './family.ts';

/** Options come last. */
export type Call = readonly [op: Op, given: readonly unknown[]];

/**
 * @param last channels come last
 * @param size of images, along each axis; those of one dimension are as long as those of two are large
 */
export function everyCall(last: boolean, size = 5, data = integers): Call[] {
  const more = size + 2;
  const tensor = (shape: Shape, seed = 2): Tensor => filled(shape, seed, data);
  const turned = (shape: Shape): Shape => laidOut(shape, last);
  const image = (shape: Shape, seed = 1): Tensor => tensor(turned(shape), seed);
  const layout = (rank: 1 | 2 | 3, others: Options = {}): Options => ({ inputLayout: layoutTag(rank, last), ...others });
  const [row, plane, box] = [[size * more], [size, more], [3, Math.ceil(size / 2), Math.ceil(more / 2)]] as const;
  const doubled = (sizes: Shape): number[] => sizes.map((n) => 2 * n + 1);
  const [depthwise, column] = [tensor([13, 1, 3, 3]), tensor([7, 5, 3, 1])];
  const flattened = { channel: tensor([9, 7]), vertical: tensor([9, 3], 3), horizontal: tensor([9, 2], 4) };
  const grouped = { groups: 3, padding: 1, paddingMode: 'circular', shuffle: 3 };
  return [
    ['conv1d', [image([2, 3, ...row]), tensor([7, 3, 5]), layout(1, { padding: 2 })]],
    ['conv2d', [image([2, 13, ...plane]), tensor([21, 13, 3, 3]), layout(2, { padding: 1, bias: data(21, 3) })]],
    ['conv2d', [image([1, 17, ...plane]), tensor([9, 17, 1, 1]), layout(2, { activation: 'silu' })]],
    ['conv2d', [image([1, 19, ...plane]), tensor([21, 19, 3, 3]), layout(2, { padding: 1, algorithm: 'winograd' })]],
    ['conv2d', [image([2, 12, ...plane]), tensor([12, 4, 3, 3]), layout(2, grouped)]],
    ['conv3d', [image([1, 3, ...box]), tensor([5, 3, 2, 3, 2]), layout(3, { padding: 1, stride: [1, 2, 1] })]],
    ['convTranspose1d', [image([2, 4, ...row]), tensor([4, 6, 3]), layout(1, { stride: 2 })]],
    ['convTranspose2d', [image([1, 13, ...plane]), tensor([13, 5, 3, 3]), layout(2, { stride: 2, bias: data(5, 3) })]],
    ['convTranspose2d', [image([1, 13, ...plane]), tensor([13, 5, 3, 3]), layout(2, { stride: 3, algorithm: 'gemm' })]],
    ['convTranspose3d', [image([1, 4, ...box]), tensor([4, 3, 2, 2, 2]), layout(3, { stride: [1, 2, 2] })]],
    ['depthwiseConv2d', [image([2, 21, ...plane]), tensor([21, 1, 3, 3]), layout(2, { padding: 1 })]],
    ['depthwiseConv2d', [image([1, 5, ...plane]), tensor([15, 1, 2, 3]), layout(2, { stride: 2, padding: 1, paddingMode: 'reflect' })]],
    ['separableConv2d', [image([1, 13, ...plane]), depthwise, tensor([9, 13, 1, 1], 3), layout(2, { padding: 1 })]],
    ['spatialSeparableConv2d', [image([1, 5, ...plane]), column, tensor([9, 7, 1, 3], 3), layout(2, { padding: 1 })]],
    ['flattenedConv2d', [image([1, 7, ...plane]), flattened, layout(2, { padding: 1 })]],
    ['channelShuffle', [image([2, 15, ...plane]), 3, layout(2)]],
    ['unfold', [tensor([2, 3, ...plane]), 3, { padding: 1 }]],
    ['fold', [tensor([2, 27, size * more]), [...plane], 3, { padding: 1 }]],
    ['conv1dInputGrad', [image([2, 7, ...row]), tensor([7, 3, 5]), turned([2, 3, ...row]), layout(1, { padding: 2 })]],
    ['conv1dWeightGrad', [image([2, 3, ...row]), image([2, 7, ...row], 2), [7, 3, 5], layout(1, { padding: 2 })]],
    ['conv2dInputGrad', [image([1, 13, ...plane]), tensor([13, 5, 3, 3]), turned([1, 5, ...plane]), layout(2, { padding: 1 })]],
    ['conv2dWeightGrad', [image([2, 5, ...plane]), image([2, 13, ...plane], 2), [13, 5, 3, 3], layout(2, { padding: 1 })]],
    ['conv2dWeightGrad', [image([2, 6, ...plane]), image([2, 6, ...plane], 2), [6, 1, 3, 3], layout(2, { padding: 1, groups: 6 })]],
    ['conv3dInputGrad', [image([1, 5, ...box]), tensor([5, 3, 3, 1, 1]), turned([1, 3, ...box]), layout(3, { padding: [1, 0, 0] })]],
    ['conv3dWeightGrad', [image([1, 3, ...box]), image([1, 5, ...box], 2), [5, 3, 3, 1, 1], layout(3, { padding: [1, 0, 0] })]],
    ['convTranspose1dInputGrad', [image([2, 6, ...doubled(row)]), tensor([4, 6, 3]), turned([2, 4, ...row]), layout(1, { stride: 2 })]],
    ['convTranspose1dWeightGrad', [image([2, 4, ...row]), image([2, 6, ...doubled(row)], 2), [4, 6, 3], layout(1, { stride: 2 })]],
    [
      'convTranspose2dInputGrad',
      [image([1, 5, ...doubled(plane)]), tensor([13, 5, 3, 3]), turned([1, 13, ...plane]), layout(2, { stride: 2 })],
    ],
    ['convTranspose2dWeightGrad', [image([1, 13, ...plane]), image([1, 5, ...doubled(plane)], 2), [13, 5, 3, 3], layout(2, { stride: 2 })]],
    [
      'convTranspose3dInputGrad',
      [image([1, 3, ...doubled(box)]), tensor([4, 3, 3, 3, 3]), turned([1, 4, ...box]), layout(3, { stride: 2 })],
    ],
    ['convTranspose3dWeightGrad', [image([1, 4, ...box]), image([1, 3, ...doubled(box)], 2), [4, 3, 3, 3, 3], layout(3, { stride: 2 })]],
    ['biasGrad', [image([2, 13, ...plane]), layout(2)]],
  ];
}

/** Arguments of a call, and its options. */
export function splitOptions(given: readonly unknown[]): [given: readonly unknown[], options: Options] {
  return [given.slice(0, -1), given.at(-1) as Options];
}
