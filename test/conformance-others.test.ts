/**
 * The conformance cases of all other operators. What the library has no operation for is composed of those it has, where that is possible:
 *
 *   col2im               fold, whose border is the same at both ends, as it is in all of these cases
 *   causalConvWithState  conv1d over the state and the input
 *   convInteger          convolution of what is left when the zero points are taken off; its sums stay below 2²⁴, where float32 is exact
 *   qlinearConv          likewise, scaled and rounded afterwards
 *
 * Left out: deformConv (2 cases), since nothing here samples between the pixels.
 */
import { expect, it } from 'vitest';
import type { Tensor } from '../src/index.ts';
import {
  activationOf,
  type Case,
  cases,
  casesOf,
  eachCase,
  expectCase,
  type Implementation,
  type Operand,
  operation,
  paddingsOf,
  present,
  tensorOf,
  weightOf,
} from './conformance-cases.ts';

eachCase('channel shuffle', 2, casesOf('channelShuffle'), ({ input, attrs, expected, tolerance }, implementation) => {
  const call = operation(implementation, 'channelShuffle');
  expectCase(call(tensorOf(input), attrs.groups, { inputLayout: attrs.inputLayout }), expected, tolerance);
});

eachCase('col2im', 3, casesOf('col2im'), ({ input, attrs, expected, tolerance }, implementation) => {
  const { imageShape = [], blockShape, strides, dilations, pads } = attrs;
  const [top, left, bottom, right] = pads as [number, number, number, number];
  expect([top, left]).toEqual([bottom, right]);
  const options = { stride: strides, dilation: dilations, padding: [top, left] };
  expectCase(operation(implementation, 'fold')(tensorOf(input), imageShape, blockShape, options), expected, tolerance);
});

eachCase('separable convolution', 1, casesOf('separableConv'), (given, implementation) => {
  const { attrs, expected, tolerance } = given;
  const { weight, filterLayout } = weightOf(given.weight, attrs.filterLayout);
  const pointwise = tensorOf(given.pointwiseWeight as Operand);
  for (const padding of paddingsOf(attrs)) {
    const options = { stride: attrs.strides, dilation: attrs.dilations, padding, inputLayout: attrs.inputLayout, filterLayout };
    expectCase(operation(implementation, 'separableConv2d')(tensorOf(given.input), weight, pointwise, options), expected, tolerance);
  }
});

/** Rows of `a` with those of `b` behind them. */
function joined(a: Tensor, b: Tensor): Tensor {
  const [rows, widths] = [a.data.length / (a.shape[2] as number), [a.shape[2], b.shape[2]] as [number, number]];
  const data = Array.from({ length: rows }, (_, r) => [
    ...a.data.subarray(r * widths[0], (r + 1) * widths[0]),
    ...b.data.subarray(r * widths[1], (r + 1) * widths[1]),
  ]);
  return { data: Float32Array.from(data.flat()), shape: [a.shape[0] as number, a.shape[1] as number, widths[0] + widths[1]] };
}

function causal(given: Case, implementation: Implementation): void {
  const { attrs, expected, tolerance, pastState } = given;
  const input = tensorOf(given.input);
  const state = attrs.pads?.[0] as number;
  const image = pastState ? joined(tensorOf(pastState), input) : input;
  const options = {
    bias: given.bias && tensorOf(given.bias),
    groups: attrs.group,
    padding: pastState ? 0 : [[state, 0]],
    activation: activationOf(attrs).inside,
  };
  expectCase(operation(implementation, 'conv1d')(image, tensorOf(given.weight), options), expected, tolerance);
}
eachCase('causal convolution', 8, casesOf('causalConvWithState'), causal);

/** The operand without its zero point, of which it has one, or one for each of its first dimension. */
function centred(operand: Operand): Tensor {
  const { data, shape } = tensorOf(operand);
  const points = [operand.zeroPoint ?? 0].flat();
  const each = data.length / points.length;
  return { data: data.map((value, i) => value - (points[Math.floor(i / each)] as number)), shape };
}

function integerSums(given: Case, implementation: Implementation): Tensor {
  const { attrs } = given;
  const options = {
    bias: given.bias && tensorOf(given.bias),
    stride: attrs.strides,
    dilation: attrs.dilations,
    padding: paddingsOf(attrs)[0],
    groups: attrs.group,
  };
  return operation(implementation, `conv${attrs.spatialRank}d`)(centred(given.input), centred(given.weight), options);
}
eachCase('integer convolution', 6, casesOf('convInteger'), (given, implementation) =>
  expectCase(integerSums(given, implementation), given.expected, given.tolerance),
);

eachCase('quantized convolution', 2, casesOf('qlinearConv'), (given, implementation) => {
  const { input, weight, expected, tolerance } = given;
  const [scale, ...others] = [weight.scale].flat() as number[];
  expect(others).toEqual([]);
  const factor = ((input.scale as number) * (scale as number)) / (expected.scale as number);
  const requantized = (sum: number): number => Math.max(0, Math.min(255, Math.round(sum * factor) + (expected.zeroPoint as number)));
  expectCase(integerSums(given, implementation), expected, tolerance, requantized);
});

it('nothing else is in the folder', () => {
  const here = ['conv', 'depthwiseConv', 'convTranspose', 'convGradInput', 'convGradWeight', 'channelShuffle', 'col2im', 'separableConv'];
  const composed = ['causalConvWithState', 'convInteger', 'qlinearConv'];
  const count = (...ops: string[]): number => casesOf(...ops).length;
  expect([cases.length, count(...here), count(...composed), count('deformConv')]).toEqual(present ? [300, 282, 16, 2] : [0, 0, 0, 0]);
});
