/** Tasks: every kernel's result is the same, bit by bit, whoever computes which part of it in which order, and for how many threads it was cut. */
import { describe, expect, it } from 'vitest';
import type { ConvOptions, Tensor } from '../src/index.ts';
import type { TaskKernel } from '../src/task-kernels.ts';
import { fractions, operands, problem } from './cases.ts';
import { expectSame } from './tasks.ts';

const random = (shape: readonly number[], seed: number): Tensor => ({
  data: fractions(
    shape.reduce((a, b) => a * b),
    seed,
  ),
  shape,
});

describe.each(['nchw', 'nhwc'] as const)('%s', (inputLayout) => {
  /** Layers, and the kernel that must have computed them in more than one task. */
  const layers: [string, ConvOptions, TaskKernel | { nchw: TaskKernel; nhwc: TaskKernel }][] = [
    ['ic3ih40iw60oc9kh3ph1', { paddingMode: 'reflect' }, 'padImage'],
    ['mb2ic5ih70iw93oc9kh3ph1', { activation: 'silu' }, { nchw: 'convChannelsFirst', nhwc: 'convChannelsLast' }],
    ['g2ic48ih7iw9oc150kh3ph1', { activation: 'relu6' }, { nchw: 'convChannelsFirst', nhwc: 'convChannelsLast' }],
    ['ic70ih1iw1oc300kh1', {}, { nchw: 'convChannelsFirst', nhwc: 'convChannelsLast' }],
    ['g3ic9ih150iw130oc24kh3ph1sh2', { algorithm: 'gemm', shuffle: 3 }, { nchw: 'convChannelsFirst', nhwc: 'convChannelsLast' }],
    ['mb2ic40ih20iw20oc90kh1', {}, { nchw: 'pointwiseChannelsFirst', nhwc: 'convChannelsLast' }],
    ['g2ic80ih9iw9oc88kh1', { activation: 'tanh' }, { nchw: 'pointwiseChannelsFirst', nhwc: 'convChannelsLast' }],
    ['ic2000ih9iw11oc70kh1', {}, { nchw: 'pointwiseChannelsFirst', nhwc: 'convChannelsLast' }],
    ['mb2ic20ih30iw21oc75kh3ph1', { algorithm: 'winograd' }, { nchw: 'convChannelsFirst', nhwc: 'convWinograd' }],
    [
      'ic17ih9iw7oc75kh3ph1',
      { algorithm: 'winograd', accuracy: 'fast', activation: { elu: 0.5 } },
      { nchw: 'convChannelsFirst', nhwc: 'convWinograd' },
    ],
    ['g2ic64ih19iw13oc128kh3dh2dw3ph2', { algorithm: 'winograd' }, { nchw: 'convChannelsFirst', nhwc: 'convWinograd' }],
    ['ic3ih40iw41oc64kh3sh2', { algorithm: 'winograd' }, { nchw: 'convChannelsFirst', nhwc: 'convWinograd' }],
    ['ic20ih15iw17oc80kh5sh2ph2', { algorithm: 'winograd' }, { nchw: 'convChannelsFirst', nhwc: 'convWinograd' }],
  ];
  it.each(layers)('conv2d %s %j', (name, options, kernel) => {
    const { input, weight, options: all } = operands(problem(name), { inputLayout, ...options }, fractions);
    const most = expectSame('conv2d', input, weight, all);
    expect(most.get(typeof kernel === 'string' ? kernel : kernel[inputLayout])).toBeGreaterThan(1);
  });

  const image = (shape: readonly [number, number, number, number], seed: number): Tensor => {
    const [batch, channels, ...size] = shape;
    return random(inputLayout === 'nchw' ? shape : [batch, ...size, channels], seed);
  };
  type Case = [image: [number, number, number, number], weight: number[], options: Record<string, unknown>, nhwc: TaskKernel];
  const transposed: Case[] = [
    [[1, 20, 9, 11], [20, 70, 4, 4], { stride: 2, padding: 1, activation: 'relu' }, 'convTransposed'],
    [[2, 6, 40, 50], [6, 10, 2, 2], { stride: 3, activation: 'sigmoid' }, 'convTransposed'],
    [[1, 40, 3, 4], [40, 40, 2, 3], { stride: 3, groups: 2, activation: 'relu6' }, 'convTransposed'],
    [[1, 48, 1, 1], [48, 150, 4, 4], { activation: 'silu' }, 'convScattered'],
    [[3, 64, 4, 4], [64, 70, 3, 3], { algorithm: 'gemm', padding: 1, groups: 2 }, 'convScattered'],
    [[1, 32, 12, 12], [32, 64, 3, 3], { algorithm: 'winograd', padding: 1 }, 'convTransposed'],
    [[2, 32, 60, 70], [32, 64, 5, 5], { algorithm: 'winograd', stride: 2, padding: 1 }, 'convTransposed'],
    [[2, 9, 60, 70], [9, 1, 3, 3], { stride: 2, groups: 9, activation: 'tanh' }, 'convTransposed'],
  ];
  it.each(transposed)('convTranspose2d %j %j %j', (shape, weight, options, kernel) => {
    const bias = fractions((weight[1] as number) * ((options.groups as number | undefined) ?? 1), 5);
    const most = expectSame('convTranspose2d', image(shape, 1), random(weight, 2), { ...options, bias, inputLayout });
    expect(most.get(inputLayout === 'nchw' ? 'convChannelsFirst' : kernel)).toBeGreaterThan(1);
  });
});
