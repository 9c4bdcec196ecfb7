/** Every error that gradients have of their own: what they are not told, shapes that do not belong to the forward call. */
import { expect, it } from 'vitest';
import type { GradOptions, Tensor } from '../src/index.ts';
import { integers } from './cases.ts';
import { describeErrors, engine, loose, type Table } from './errors-subject.ts';

const { conv1dInputGrad, conv2dInputGrad, conv2dWeightGrad, conv3dWeightGrad, convTranspose2dInputGrad, convTranspose2dWeightGrad } =
  engine;

const filled = (...shape: number[]): Tensor => ({ data: integers(shape.reduce((a, b) => a * b, 1)), shape });
const x = filled(2, 4, 6, 5);
const w = filled(6, 4, 3, 3);
const g = filled(2, 6, 4, 3);
const inputGrad = (options: Record<string, unknown>) => (): unknown => conv2dInputGrad(g, w, x.shape, options as GradOptions);
const weightGrad = (options: Record<string, unknown>) => (): unknown => conv2dWeightGrad(x, g, w.shape, options as GradOptions);
// Of a transposed convolution [2, 4, 5, 6] → [2, 6, 7, 8].
const [back, up, far] = [filled(2, 4, 5, 6), filled(4, 6, 3, 3), filled(2, 6, 7, 8)];

const table: Table = {
  'what gradients are not told': [
    ['conv2dInputGrad: unknown option bias', 'TypeError', inputGrad({ bias: new Float32Array(6) })],
    ['conv2dInputGrad: unknown option activation', 'TypeError', inputGrad({ activation: 'relu' })],
    ['conv2dInputGrad: unknown option shuffle', 'TypeError', inputGrad({ shuffle: 2 })],
    ['conv2dInputGrad: unknown option outputPadding', 'TypeError', inputGrad({ outputPadding: 0 })],
    [
      "conv2dInputGrad: paddingMode 'reflect' has no gradient here, only 'zeros' has",
      'RangeError',
      inputGrad({ paddingMode: 'reflect' }),
      'ERR_UNSUPPORTED',
    ],
    [
      "conv2dInputGrad: paddingMode must be one of 'zeros', 'reflect', 'replicate', 'circular', got 'none'",
      'RangeError',
      inputGrad({ paddingMode: 'none' }),
    ],
    ['conv2dWeightGrad: unknown option bias', 'TypeError', weightGrad({ bias: new Float32Array(6) })],
    ['conv2dWeightGrad: unknown option activation', 'TypeError', weightGrad({ activation: 'relu' })],
    ['conv2dWeightGrad: unknown option shuffle', 'TypeError', weightGrad({ shuffle: 2 })],
    [
      "conv2dWeightGrad: paddingMode 'circular' has no gradient here, only 'zeros' has",
      'RangeError',
      weightGrad({ paddingMode: 'circular' }),
      'ERR_UNSUPPORTED',
    ],
    [
      'convTranspose2dInputGrad: unknown option bias',
      'TypeError',
      () => convTranspose2dInputGrad(far, up, back.shape, loose({ bias: new Float32Array(6) })),
    ],
    [
      'convTranspose2dWeightGrad: unknown option shuffle',
      'TypeError',
      () => convTranspose2dWeightGrad(back, far, up.shape, loose({ shuffle: 1 })),
    ],
    [
      "convTranspose2dInputGrad: paddingMode 'replicate' has no gradient here, only 'zeros' has",
      'RangeError',
      () => convTranspose2dInputGrad(far, up, back.shape, loose({ paddingMode: 'replicate' })),
      'ERR_UNSUPPORTED',
    ],
  ],
  'the input gradient': [
    [
      'conv2dInputGrad: gradOutput must be a tensor { data, shape }, got undefined',
      'TypeError',
      () => conv2dInputGrad(loose(undefined), w, x.shape),
    ],
    [
      'conv2dInputGrad: weight must be a tensor { data, shape }, got undefined',
      'TypeError',
      () => conv2dInputGrad(g, loose(undefined), x.shape),
    ],
    ['conv2dInputGrad: inputShape must be an array of sizes, got undefined', 'TypeError', () => conv2dInputGrad(g, w, loose(undefined))],
    ["conv2dInputGrad: inputShape[2] must be a number, got '6'", 'TypeError', () => conv2dInputGrad(g, w, loose([2, 4, '6', 5]))],
    [
      'conv2dInputGrad: inputShape.length must be 4: batch, channels and 2 spatial, got 2',
      'RangeError',
      () => conv2dInputGrad(g, w, [6, 5]),
    ],
    [
      'conv1dInputGrad: inputShape.length must be 3: batch, channels and 1 spatial, got 4',
      'RangeError',
      () => conv1dInputGrad(filled(2, 6, 3), filled(6, 4, 3), x.shape),
    ],
    ['conv2dInputGrad: inputShape[3] must be an integer of at least 1, got 0', 'RangeError', () => conv2dInputGrad(g, w, [2, 4, 6, 0])],
    ['conv2dInputGrad: weight.shape[1] must be inChannels / groups = 5, got 4', 'RangeError', () => conv2dInputGrad(g, w, [2, 5, 6, 5])],
    ['conv2dInputGrad: weight.shape[0] must be a multiple of groups = 4, got 6', 'RangeError', inputGrad({ groups: 4 })],
    [
      "conv2dInputGrad: the kernel's height (3 − 1) · dilation 1 + 1 = 3 must not exceed the padded input's 2",
      'RangeError',
      () => conv2dInputGrad(g, w, [2, 4, 2, 5]),
    ],
    [
      'conv2dInputGrad: gradOutput.shape must be that of the forward result, [2, 6, 6, 5], got [2, 6, 4, 3]',
      'RangeError',
      inputGrad({ padding: 1 }),
    ],
    [
      'conv2dInputGrad: gradOutput.shape must be that of the forward result, [2, 6, 2, 2], got [2, 6, 4, 3]',
      'RangeError',
      inputGrad({ stride: 2 }),
    ],
    [
      'conv2dInputGrad: gradOutput.shape must be that of the forward result, [3, 6, 4, 3], got [2, 6, 4, 3]',
      'RangeError',
      () => conv2dInputGrad(g, w, [3, 4, 6, 5]),
    ],
    [
      'conv2dInputGrad: gradOutput.shape must be that of the forward result, [2, 6, 4, 3], got [2, 6, 12]',
      'RangeError',
      () => conv2dInputGrad(filled(2, 6, 12), w, x.shape),
    ],
    ['conv2dInputGrad: out.length must be 240, the size of [2, 4, 6, 5], got 144', 'RangeError', inputGrad({ out: new Float32Array(144) })],
    [
      'conv2dInputGrad: out must not be an input as well',
      'RangeError',
      () => {
        using own = engine.alloc([1, 2, 3, 3]);
        return conv2dInputGrad(own, filled(2, 2, 1, 1), [1, 2, 3, 3], { out: own });
      },
    ],
    [
      "conv2dInputGrad: algorithm 'winograd' needs remainders of the stride that see a square or a row of two to five taps, several channels to a filter, 16 or more of image and result, and an accuracy other than 'exact'",
      'RangeError',
      inputGrad({ algorithm: 'winograd' }),
      'ERR_UNSUPPORTED',
    ],
    [
      'convTranspose2dInputGrad: gradOutput.shape must be that of the forward result, [2, 6, 11, 13], got [2, 6, 7, 8]',
      'RangeError',
      () => convTranspose2dInputGrad(far, up, back.shape, { stride: 2 }),
    ],
    [
      'convTranspose2dInputGrad: weight.shape[0] must be inChannels = 5, got 4',
      'RangeError',
      () => convTranspose2dInputGrad(far, up, [2, 5, 5, 6]),
    ],
    [
      'convTranspose2dInputGrad: outputPadding[0] must be less than stride 1 or dilation 1, got 1',
      'RangeError',
      () => convTranspose2dInputGrad(far, up, back.shape, { outputPadding: 1 }),
    ],
  ],
  'the weight gradient': [
    [
      'conv2dWeightGrad: input must be a tensor { data, shape }, got undefined',
      'TypeError',
      () => conv2dWeightGrad(loose(undefined), g, w.shape),
    ],
    [
      'conv2dWeightGrad: gradOutput must be a tensor { data, shape }, got undefined',
      'TypeError',
      () => conv2dWeightGrad(x, loose(undefined), w.shape),
    ],
    ['conv2dWeightGrad: weightShape must be an array of sizes, got 3', 'TypeError', () => conv2dWeightGrad(x, g, loose(3))],
    ["conv2dWeightGrad: weightShape.length must be 4, as in 'oihw', got 2", 'RangeError', () => conv2dWeightGrad(x, g, [3, 3])],
    ['conv2dWeightGrad: weightShape[0] must be an integer of at least 1, got 0', 'RangeError', () => conv2dWeightGrad(x, g, [0, 4, 3, 3])],
    ['conv2dWeightGrad: weightShape[1] must be inChannels / groups = 4, got 3', 'RangeError', () => conv2dWeightGrad(x, g, [6, 3, 3, 3])],
    [
      'conv2dWeightGrad: weightShape[2] must be inChannels / groups = 4, got 6',
      'RangeError',
      () => conv2dWeightGrad(x, g, [3, 3, 6, 4], { filterLayout: 'hwio' }),
    ],
    ['conv2dWeightGrad: weightShape[0] must be a multiple of groups = 4, got 6', 'RangeError', weightGrad({ groups: 4 })],
    [
      'conv2dWeightGrad: gradOutput.shape must be that of the forward result, [2, 5, 4, 3], got [2, 6, 4, 3]',
      'RangeError',
      () => conv2dWeightGrad(x, g, [5, 4, 3, 3]),
    ],
    [
      'conv2dWeightGrad: gradOutput.shape must be that of the forward result, [2, 6, 5, 3], got [2, 6, 4, 3]',
      'RangeError',
      () => conv2dWeightGrad(x, g, [6, 4, 2, 3]),
    ],
    [
      'conv2dWeightGrad: input.shape.length must be 4: batch, channels and 2 spatial, got 3',
      'RangeError',
      () => conv2dWeightGrad(filled(4, 6, 5), g, w.shape),
    ],
    [
      "conv3dWeightGrad: weightShape.length must be 5, as in 'oidhw', got 4",
      'RangeError',
      () => conv3dWeightGrad(filled(1, 4, 2, 2, 2), filled(1, 6, 1, 1, 1), w.shape),
    ],
    ['conv2dWeightGrad: out.length must be 216, the size of [6, 4, 3, 3], got 0', 'RangeError', weightGrad({ out: new Float32Array(0) })],
    ["conv2dWeightGrad: algorithm 'direct' does not sum over pixels", 'RangeError', weightGrad({ algorithm: 'direct' }), 'ERR_UNSUPPORTED'],
    [
      "conv2dWeightGrad: algorithm 'factored' does not sum over pixels",
      'RangeError',
      weightGrad({ algorithm: 'factored' }),
      'ERR_UNSUPPORTED',
    ],
    [
      'convTranspose2dWeightGrad: gradOutput.shape must be that of the forward result, [2, 6, 7, 7], got [2, 6, 7, 8]',
      'RangeError',
      () => convTranspose2dWeightGrad(back, far, [4, 6, 3, 2]),
    ],
    [
      'convTranspose2dWeightGrad: weightShape[0] must be inChannels = 4, got 6',
      'RangeError',
      () => convTranspose2dWeightGrad(back, far, [6, 4, 3, 3]),
    ],
    [
      'convTranspose2dWeightGrad: outputSize[0] must be from 7 to 7, got 8',
      'RangeError',
      () => convTranspose2dWeightGrad(back, far, up.shape, { outputSize: [8, 8] }),
    ],
  ],
};

describeErrors(table);

it('they have no prepare', () => {
  for (const name of [
    'conv2dInputGrad',
    'conv2dWeightGrad',
    'convTranspose3dInputGrad',
    'biasGrad',
    'channelShuffle',
    'unfold',
    'fold',
  ] as const)
    expect(engine[name]).not.toHaveProperty('prepare');
});
