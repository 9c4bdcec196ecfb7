/** What the operations promise about each other, with integers and in float64 where sums are taken: equal, not nearly so. No reference is asked. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../src/index.ts';
import type { Op } from './any-call.ts';
import { integers } from './cases.ts';
import { expectClose } from './close.ts';
import { elements, engine, filled, laidOut, layoutTag, type Options, operationOf, type Shape } from './family.ts';

function dot(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.data.reduce((sum, value, i) => sum + value * (b.data[i] as number), 0);
}

/** Image with channels first, weight, options. */
type Problem = readonly [rank: 1 | 2 | 3, image: Shape, weight: Shape, options: Options];

const convolutions: Problem[] = [
  [1, [2, 5, 20], [7, 5, 4], { stride: 3, padding: [[2, 1]] }],
  [1, [2, 6, 9], [9, 2, 3], { groups: 3, dilation: 2 }],
  [2, [2, 5, 7, 8], [9, 5, 3, 3], { padding: 1 }],
  [2, [1, 17, 6, 9], [4, 17, 2, 3], { stride: [2, 1], padding: 'same' }],
  [
    2,
    [2, 4, 9, 8],
    [8, 2, 3, 2],
    {
      groups: 2,
      stride: 2,
      padding: [
        [0, 3],
        [2, 0],
      ],
      dilation: [1, 2],
    },
  ],
  [2, [2, 20, 7, 6], [20, 1, 3, 3], { groups: 20, stride: 2, padding: 'same-lower' }],
  [2, [1, 3, 5, 5], [6, 1, 2, 2], { groups: 3, padding: 2 }],
  [2, [2, 64, 4, 5], [3, 64, 1, 1], {}],
  [2, [1, 3, 9, 9], [4, 3, 1, 2], { stride: 4, padding: 'same' }],
  [3, [2, 3, 4, 5, 6], [5, 3, 2, 3, 3], { stride: 2, padding: [1, 0, [0, 2]] }],
  [3, [1, 4, 5, 4, 4], [4, 1, 3, 2, 3], { groups: 4, dilation: [1, 2, 1] }],
];

const transposed: Problem[] = [
  [1, [2, 5, 9], [5, 7, 4], { stride: 3, padding: [[2, 1]], outputPadding: 2 }],
  [2, [2, 5, 4, 3], [5, 9, 3, 3], { stride: 2, padding: 1, outputPadding: 1 }],
  [2, [1, 6, 4, 5], [6, 2, 2, 3], { groups: 3, stride: [1, 3], dilation: 2 }],
  [2, [2, 4, 5, 4], [4, 3, 1, 2], { stride: 3, padding: 'same' }],
  [2, [2, 17, 5, 4], [17, 1, 3, 3], { groups: 17, stride: 2, padding: 'same-lower' }],
  [2, [1, 3, 3, 3], [3, 4, 3, 3], { stride: 2, padding: 2, outputSize: [4, 3] }],
  [3, [1, 3, 3, 4, 2], [3, 5, 2, 3, 3], { stride: 2, padding: 1 }],
  [3, [2, 4, 2, 3, 3], [4, 2, 3, 1, 2], { groups: 2, stride: 1, outputPadding: 0 }],
];

/** The padding of a convolution in numbers: a rule depends on the size of the image. */
function paddingIn(image: Shape, weight: Shape, { padding, stride = 1, dilation = 1 }: Options): unknown {
  if (typeof padding !== 'string') return padding;
  const entry = (value: unknown, i: number): number => (Array.isArray(value) ? value[i] : value) as number;
  return image.slice(2).map((size, i) => {
    const step = entry(stride, i);
    const extent = ((weight[i + 2] as number) - 1) * entry(dilation, i) + 1;
    const total = Math.max(0, (Math.ceil(size / step) - 1) * step + extent - size);
    const small = Math.floor(total / 2);
    return padding === 'same' ? [small, total - small] : [total - small, small];
  });
}

describe.each([false, true])('gradients are adjoints, channels last: %s', (last) => {
  const problems = [...convolutions.map((p) => ['conv', ...p] as const), ...transposed.map((p) => ['convTranspose', ...p] as const)];
  it.each(problems)('⟨%s%id x, g⟩ = ⟨x, inputGrad g⟩ = ⟨w, weightGrad⟩: %j %j %j', (forward, rank, image, weightShape, given) => {
    const options = { inputLayout: layoutTag(rank, last), ...given };
    const [x, w] = [filled(laidOut(image, last), 1), filled(weightShape, 2)];
    const call = (suffix: string): ReturnType<typeof operationOf> => operationOf(`${forward}${rank}d${suffix}` as Op);
    const y = call('')(x, w, options);
    const g = filled(y.shape, 3);
    const forwards = dot(y, g);
    expect(forwards).not.toBe(0);
    expect(dot(x, call('InputGrad')(g, w, x.shape, options))).toBe(forwards);
    expect(dot(w, call('WeightGrad')(x, g, w.shape, options))).toBe(forwards);
  });

  it.each(convolutions)('the input gradient in %i dimensions is a transposed convolution: %j %j %j', (rank, image, weightShape, given) => {
    const options = { inputLayout: layoutTag(rank, last), ...given };
    const w = filled(weightShape, 2);
    const input = laidOut(image, last);
    const y = operationOf(`conv${rank}d`)(filled(input), w, options);
    const g = filled(y.shape, 3);
    const back = operationOf(`conv${rank}dInputGrad`)(g, w, input, options);
    // The letters of its weight stand for the other side, so that [outC, inC / groups, …] is what it takes as it is.
    const sizes = { ...options, padding: paddingIn(image, weightShape, given), outputSize: image.slice(2) };
    expectClose(operationOf(`convTranspose${rank}d`)(g, w, sizes), back);
  });

  it.each(transposed)('and its input gradient in %i dimensions a convolution: %j %j %j', (rank, image, weightShape, given) => {
    const { outputPadding, outputSize, ...geometry } = { inputLayout: layoutTag(rank, last), ...given } as Options;
    const [x, w] = [filled(laidOut(image, last), 1), filled(weightShape, 2)];
    const y = operationOf(`convTranspose${rank}d`)(x, w, { ...geometry, outputPadding, outputSize });
    const g = filled(y.shape, 3);
    const back = operationOf(`convTranspose${rank}dInputGrad`)(g, w, x.shape, { ...geometry, outputPadding, outputSize });
    expectClose(operationOf(`conv${rank}d`)(g, w, geometry), back);
  });

  it('a bias gradient is the weight gradient of ones', () => {
    const g = filled(laidOut([2, 7, 5, 6], last), 3);
    const inputLayout = last ? 'nhwc' : 'nchw';
    const ones = { data: new Float32Array(60).fill(1), shape: laidOut([2, 1, 5, 6], last) };
    const bias = engine.biasGrad(g, { inputLayout });
    expect(engine.conv2dWeightGrad(ones, g, [7, 1, 1, 1], { inputLayout }).data).toEqual(bias.data);
  });
});

describe.each(['nchw', 'nhwc'] as const)('composed operations are their steps, %s', (inputLayout) => {
  const last = inputLayout === 'nhwc';
  const x = filled(laidOut([2, 6, 9, 8], last), 1);
  const geometry = { inputLayout, stride: [2, 1], dilation: [1, 2], padding: [[2, 0], 1] } as const;
  const after = { bias: integers(8, 9), activation: { leakyRelu: 0.5 }, shuffle: 4 } as const;

  it('separable', () => {
    const [depthwise, pointwise] = [filled([12, 1, 3, 3], 2), filled([8, 12, 1, 1], 3)];
    const between = { depthwiseBias: integers(12, 7), depthwiseActivation: 'relu6' } as const;
    const middle = engine.depthwiseConv2d(x, depthwise, { ...geometry, bias: between.depthwiseBias, activation: 'relu6' });
    const want = engine.conv2d(middle, pointwise, { inputLayout, ...after });
    expectClose(engine.separableConv2d(x, depthwise, pointwise, { ...geometry, ...between, ...after }), want);
  });
  it('spatially separable', () => {
    const [column, row] = [filled([4, 3, 3, 1], 2), filled([8, 2, 1, 3], 3)];
    const down = { inputLayout, stride: [2, 1], padding: [[2, 0], 0], groups: 2 } as const;
    const along = { inputLayout, dilation: [1, 2], padding: [0, 1], groups: 2 } as const;
    const want = engine.conv2d(engine.conv2d(x, column, down), row, { ...along, ...after });
    expectClose(engine.spatialSeparableConv2d(x, column, row, { ...geometry, groups: 2, ...after }), want);
  });
  it('flattened', () => {
    const weights = { channel: filled([8, 6], 2), vertical: filled([8, 3], 3), horizontal: filled([8, 3], 4) };
    const mixed = engine.conv2d(x, { ...weights.channel, shape: [8, 6, 1, 1] }, { inputLayout });
    const down = { inputLayout, stride: [2, 1], padding: [[2, 0], 0] } as const;
    const tall = engine.depthwiseConv2d(mixed, { ...weights.vertical, shape: [8, 1, 3, 1] }, down);
    const along = { inputLayout, dilation: [1, 2], padding: [0, 1] } as const;
    const want = engine.depthwiseConv2d(tall, { ...weights.horizontal, shape: [8, 1, 1, 3] }, { ...along, ...after });
    expectClose(engine.flattenedConv2d(x, weights, { ...geometry, ...after }), want);
  });
  it('a flattened convolution is a dense one with the product of its weights', () => {
    const weights = { channel: filled([8, 6], 2), vertical: filled([8, 3], 3), horizontal: filled([8, 3], 4) };
    const entry = ({ data, shape }: Tensor, o: number, i: number): number => data[o * (shape[1] as number) + i] as number;
    const dense = Float32Array.from({ length: 8 * 6 * 9 }, (_, n) => {
      const [o, i, h, w] = [Math.floor(n / 54), Math.floor(n / 9) % 6, Math.floor(n / 3) % 3, n % 3];
      return entry(weights.channel, o, i) * entry(weights.vertical, o, h) * entry(weights.horizontal, o, w);
    });
    const want = engine.conv2d(x, { data: dense, shape: [8, 6, 3, 3] }, { ...geometry, ...after });
    expectClose(engine.flattenedConv2d(x, weights, { ...geometry, ...after }), want);
  });
});

describe('finite differences of a loss', () => {
  /** L = ½ Σ y². It is quadratic in each number, so that its central difference over a step of 1 is its derivative, without error. */
  const loss = (y: Tensor): number => y.data.reduce((sum, value) => sum + (value * value) / 2, 0);
  const problems = [...convolutions.map((p) => ['conv', ...p] as const), ...transposed.map((p) => ['convTranspose', ...p] as const)];
  it.each(problems)('%s%id %j %j %j', (forward, rank, image, weightShape, options) => {
    const [x, w] = [filled(image, 1), filled(weightShape, 2)];
    const call = (suffix: string): ReturnType<typeof operationOf> => operationOf(`${forward}${rank}d${suffix}` as Op);
    const y = call('')(x, w, options);
    const gradients = [call('InputGrad')(y, w, x.shape, options), call('WeightGrad')(x, y, w.shape, options)];
    for (const [i, subject] of [x, w].entries()) {
      // Every cell of a small tensor, some fifty of a larger one.
      const step = Math.max(1, Math.floor(elements(subject.shape) / 50));
      for (let cell = 0; cell < subject.data.length; cell += step) {
        const moved = (by: number): number => {
          const data = subject.data.slice();
          data[cell] = (data[cell] as number) + by;
          const changed = { data, shape: subject.shape };
          return loss(i === 0 ? call('')(changed, w, options) : call('')(x, changed, options));
        };
        expect((moved(1) - moved(-1)) / 2, `${i === 0 ? 'input' : 'weight'}, cell ${cell}`).toBe(gradients[i]?.data[cell]);
      }
    }
  });
});
