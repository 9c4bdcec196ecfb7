/**
 * NaN and ±Infinity reach exactly the outputs whose window holds them, through every activation and whatever the algorithm: equal to the plain loops,
 * which look at nothing else. Weights are finite, as the contract asks where windows overlap the border.
 */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../src/index.ts';
import type { Op } from './any-call.ts';
import { integers } from './cases.ts';
import { exact, ulps } from './close.ts';
import { checkTensors, elements, engine, filled, laidOut, layoutTag, type Options, type Shape, t, values } from './family.ts';

const specials = [NaN, Infinity, -Infinity];

/** Integers with one of each special value, far enough from each other to have windows of their own. */
function strewn(shape: Shape, from = 0): Tensor {
  const { data } = filled(shape, 1);
  for (const [i, value] of specials.entries()) data[Math.floor(((i + 1) * data.length) / 4 + from) % data.length] = value;
  return { data, shape };
}

const activations = [undefined, 'relu', 'relu6', { leakyRelu: 0.5 }, { clamp: [-3, 3] }] as const;

function expectBoth(want: Tensor): void {
  // Neither everything nor nothing is reached.
  const reached = want.data.filter((value) => !Number.isFinite(value)).length;
  expect(reached).toBeGreaterThan(0);
  expect(reached).toBeLessThan(want.data.length);
}

describe.each([false, true])('channels last: %s', (last) => {
  const transposedWays = [{}, { algorithm: 'direct' }, { algorithm: 'gemm' }];

  it.each<[1 | 2 | 3, Shape, Shape, Options]>([
    [1, [1, 3, 40], [3, 4, 5], { stride: 2, padding: 1 }],
    [2, [2, 3, 9, 10], [3, 9, 3, 3], { stride: 2, padding: 1 }],
    [2, [1, 3, 9, 10], [3, 5, 2, 2], { stride: 3, bias: integers(5, 3) }],
    [2, [1, 20, 8, 9], [20, 5, 3, 3], {}],
    [2, [1, 4, 8, 9], [4, 2, 3, 3], { groups: 2, dilation: 2, padding: 2 }],
    [2, [2, 5, 8, 9], [5, 1, 3, 3], { groups: 5, stride: 2, padding: 'same' }],
    [3, [1, 3, 5, 6, 7], [3, 4, 2, 3, 3], { stride: 1, padding: 1 }],
    [3, [1, 3, 5, 6, 7], [3, 4, 2, 3, 3], { stride: 2, padding: 1 }],
  ])('transposed in %i dimensions %j %j %j', (rank, image, weight, given) => {
    for (const activation of activations) {
      const options = { inputLayout: layoutTag(rank, last), activation, ...given };
      const tensors = [strewn(laidOut(image, last)), filled(weight, 2)];
      const want = checkTensors(`convTranspose${rank}d` as Op, tensors, options, { ways: transposedWays });
      if (activation === undefined) expectBoth(want);
    }
  });

  it('input gradients', () => {
    for (const [stride, k, outH, outW] of [
      [1, 3, 8, 9],
      [2, 3, 4, 5],
      [3, 2, 3, 3],
    ] as const) {
      const options = { inputLayout: last ? 'nhwc' : 'nchw', stride, padding: k === 3 ? 1 : 0 };
      const ways = { rest: [laidOut([2, 3, 8, 9], last)], ways: transposedWays };
      expectBoth(checkTensors('conv2dInputGrad', [strewn(laidOut([2, 4, outH, outW], last)), filled([4, 3, k, k], 2)], options, ways));
    }
    const back = { rest: [laidOut([1, 3, 5, 6], last)] };
    const options = { inputLayout: last ? 'nhwc' : 'nchw', stride: 2, padding: 1 };
    expectBoth(checkTensors('convTranspose2dInputGrad', [strewn(laidOut([1, 4, 9, 11], last)), filled([3, 4, 3, 3], 2)], options, back));
  });

  it('separable, between the steps and after them', () => {
    const inputLayout = last ? 'nhwc' : 'nchw';
    for (const activation of activations)
      for (const depthwiseActivation of activations)
        for (const [kernel, options] of [
          [[3, 3], { padding: 1 }],
          [[2, 3], { stride: 2, padding: 'same' }],
          [[3, 2], { dilation: 2, padding: 2, paddingMode: 'replicate' }],
        ] as const) {
          const given = { inputLayout, activation, depthwiseActivation, bias: integers(6, 5), ...options };
          const tensors = [strewn(laidOut([2, 5, 9, 10], last)), filled([5, 1, ...kernel], 2), filled([6, 5, 1, 1], 3)];
          const want = checkTensors('separableConv2d', tensors, given);
          if (activation === undefined) expectBoth(want);
        }
  });

  it('spatially separable and flattened', () => {
    const inputLayout = last ? 'nhwc' : 'nchw';
    for (const activation of activations)
      for (const options of [
        { padding: 1 },
        { stride: 2, padding: 'same' },
        {
          padding: [
            [2, 0],
            [0, 3],
          ],
        },
      ]) {
        const given = { inputLayout, activation, ...options };
        const image = strewn(laidOut([2, 3, 12, 13], last));
        const spatial = [image, filled([4, 3, 3, 1], 2), filled([5, 4, 1, 2], 3)];
        const flat = [image, filled([5, 3], 2), filled([5, 3], 3), filled([5, 2], 4)];
        const wants = [checkTensors('spatialSeparableConv2d', spatial, given), checkTensors('flattenedConv2d', flat, given)];
        if (activation === undefined) for (const want of wants) expectBoth(want);
      }
  });

  it('kernels of rank 1, by column and row or as they are', () => {
    // No zero among the entries, and powers of two: the products are the kernel.
    const kernel = [1, -2, 4].flatMap((a) => [1, 2, -1].map((b) => a * b));
    const kernels = t([...kernel, ...kernel, ...kernel], [3, 1, 3, 3]);
    const ways = [{ algorithm: 'factored' }, { algorithm: 'direct' }, {}];
    for (const activation of activations)
      for (const options of [
        { padding: 1 },
        { padding: 'same', dilation: 2 },
        { padding: 3, dilation: 3 },
        {
          padding: [
            [2, 0],
            [0, 1],
          ],
          stride: [2, 1],
        },
      ]) {
        const given = { inputLayout: last ? 'nhwc' : 'nchw', activation, ...options };
        const want = checkTensors('depthwiseConv2d', [strewn(laidOut([2, 3, 12, 13], last)), kernels], given, { ways });
        if (activation === undefined) expectBoth(want);
      }
  });

  it.runIf(last)('infinite weights beside the border of eights of channels, which has no zeros to multiply', () => {
    const weight = filled([8, 1, 3, 3], 2);
    for (let i = 0; i < 8; i++) weight.data[10 * i] = i % 2 ? Infinity : -Infinity;
    for (const dilation of [1, 3])
      for (let width = 1; width < 16; width++)
        checkTensors('depthwiseConv2d', [filled([1, 5, width, 8], 1), weight], { inputLayout: 'nhwc', padding: dilation, dilation });
  });

  it('sums through sigmoid, tanh, silu, hardSwish and elu', () => {
    const inputLayout = last ? 'nhwc' : 'nchw';
    const image = strewn(laidOut([1, 1, 1, 40], last));
    for (const activation of ['sigmoid', 'tanh', 'silu', 'hardSwish', { elu: 2 }] as const) {
      // As conv-activations.test.ts has it: at most three units in the last place, one to spare.
      const close = (got: number, want: number): boolean => exact(got, want, 0) || ulps(got, want) <= 4;
      const one = t([1], [1, 1, 1, 1]);
      const ways = [{}, { algorithm: 'gemm' }];
      checkTensors('convTranspose2d', [image, one], { inputLayout, activation }, { bound: close, ways });
      checkTensors('separableConv2d', [image, one, one], { inputLayout, activation }, { bound: close });
      checkTensors('separableConv2d', [image, one, one], { inputLayout, depthwiseActivation: activation }, { bound: close });
    }
  });
});

it('relu6 of NaN is NaN, of ±Infinity 6 and 0', () => {
  const image = t([NaN, Infinity, -Infinity, 3, 7, -1], [1, 1, 1, 6]);
  const want = [NaN, 6, 0, 3, 6, 0];
  const one = t([1], [1, 1, 1, 1]);
  const activation = 'relu6';
  const plain = (result: Tensor): number[] => values(result).map((value) => value + 0);
  expect(plain(engine.conv2d(image, one, { activation }))).toEqual(want);
  expect(plain(engine.depthwiseConv2d(image, one, { activation }))).toEqual(want);
  for (const algorithm of ['direct', 'gemm'] as const)
    expect(plain(engine.convTranspose2d(image, one, { activation, algorithm }))).toEqual(want);
  expect(plain(engine.separableConv2d(image, one, one, { activation }))).toEqual(want);
  expect(plain(engine.separableConv2d(image, one, one, { depthwiseActivation: activation }))).toEqual(want);
  expect(plain(engine.spatialSeparableConv2d(image, one, one, { activation }))).toEqual(want);
  const flat = t([1], [1, 1]);
  expect(plain(engine.flattenedConv2d(image, { channel: flat, vertical: flat, horizontal: flat }, { activation }))).toEqual(want);
  expect(plain(engine.depthwiseConv2d(image, one, { activation, algorithm: 'factored' }))).toEqual(want);
  const line = { data: image.data, shape: [1, 1, 6] };
  expect(plain(engine.conv1d(line, t([1], [1, 1, 1]), { activation }))).toEqual(want);
});

it('weight gradients: every tap that sees the value, and no channel beside it', () => {
  for (const last of [false, true])
    for (const c of [3, 17, 64])
      for (const value of specials) {
        const inputLayout = last ? 'nhwc' : 'nchw';
        const struck = (shape: Shape, at: number): Tensor => {
          const { data } = filled(shape, 1);
          data[at] = value;
          return { data, shape };
        };
        const image = laidOut([1, c, 6, 7], last);
        const plain = filled(laidOut([1, 5, 6, 7], last), 2);
        // In the image, at its border and inside it.
        for (const at of [0, Math.floor(elements(image) / 2)]) {
          const options = { inputLayout, padding: 1 };
          expectBoth(checkTensors('conv2dWeightGrad', [struck(image, at), plain], options, { rest: [[5, c, 3, 3]] }));
          const own = filled(image, 2);
          expectBoth(checkTensors('conv2dWeightGrad', [struck(image, at), own], { ...options, groups: c }, { rest: [[c, 1, 3, 3]] }));
          expectBoth(
            checkTensors(
              'conv2dWeightGrad',
              [struck(image, at), filled(laidOut([1, 2 * c, 6, 7], last), 2)],
              { ...options, groups: c },
              { rest: [[2 * c, 1, 3, 3]] },
            ),
          );
        }
        // In the gradient, where no window is cut off.
        const grad = laidOut([1, 5, 4, 5], last);
        expectBoth(checkTensors('conv2dWeightGrad', [filled(image), struck(grad, 11)], { inputLayout }, { rest: [[5, c, 3, 3]] }));
      }
});
