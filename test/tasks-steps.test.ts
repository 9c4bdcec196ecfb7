/** Tasks of several convolutions in one pass, strip by strip: see test/tasks.ts. */
import { describe, expect, it } from 'vitest';
import type { ConvOptions, SeparableOptions, Tensor } from '../src/index.ts';
import { fractions, operands, problem } from './cases.ts';
import { expectSame } from './tasks.ts';

function tensor(shape: readonly number[], seed: number): Tensor {
  return {
    data: fractions(
      shape.reduce((a, b) => a * b),
      seed,
    ),
    shape,
  };
}

describe.each(['nchw', 'nhwc'] as const)('%s', (inputLayout) => {
  it.each<[string, SeparableOptions]>([
    ['mb2g16ic16ih41iw60oc16kh3ph1', { depthwiseActivation: 'relu' }],
    // The last strip of planes has one row.
    ['mb2g24ic24ih57iw95oc24kh3sh2ph1', { activation: 'silu', shuffle: 5 }],
    ['mb2g5ic5ih77iw90oc20kh5dh2ph4', { depthwiseActivation: 'tanh', paddingMode: 'reflect' }],
    ['g8ic8ih90iw110oc8kh3ph1', { depthwiseActivation: 'sigmoid', activation: 'relu6' }],
    // Sums by turns, by fours and singly.
    ['mb2g32ic32ih57oc32kh5sh2ph2', {}],
    ['g32ic32ih57oc32kh4ph2', {}],
    ['g32ic32ih57oc32kh9ph4', {}],
  ])('separable %s %j', (name, options) => {
    const p = problem(name);
    const { input, weight, options: all } = operands(p, { inputLayout }, fractions);
    const { groups: _, ...own } = all;
    const pointwise = tensor([35, p.oc, 1, 1], 4);
    const given = { ...own, bias: fractions(35, 6), depthwiseBias: fractions(p.oc, 7), ...options };
    const most = expectSame('separableConv2d', input, weight, pointwise, given);
    expect(most.get(inputLayout === 'nchw' ? 'separableChannelsFirst' : 'chain')).toBeGreaterThan(1);
  });

  it.each<[string, ConvOptions]>([
    ['mb2ic9ih70iw61oc17kh5ph2', {}],
    ['mb2ic12ih80iw75oc16kh7sh2ph3', { activation: { elu: 0.5 }, shuffle: 2 }],
    ['mb2ic4ih91iw83oc11kh3dh3ph3', { activation: 'tanh', paddingMode: 'circular' }],
  ])('spatial and flattened %s %j', (name, options) => {
    const p = problem(name);
    const { input, options: all } = operands(p, { inputLayout, bias: fractions(p.oc, 3), ...options }, fractions);
    const [column, row] = [tensor([13, p.ic, p.kh, 1], 4), tensor([p.oc, 13, 1, p.kw], 5)];
    expect(expectSame('spatialSeparableConv2d', input, column, row, all).get('chain')).toBeGreaterThan(1);
    const { groups: _, ...own } = all;
    const weights = { channel: tensor([p.oc, p.ic], 6), vertical: tensor([p.oc, p.kh], 7), horizontal: tensor([p.oc, p.kw], 8) };
    expect(expectSame('flattenedConv2d', input, weights, own).get('chain')).toBeGreaterThan(1);
  });
});
