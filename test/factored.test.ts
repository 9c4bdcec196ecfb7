/** Depthwise kernels of rank 1, run as a column and a row: exact where the factors are, within a stated bound elsewhere; when the planner does so. */
import { describe, expect, it } from 'vitest';
import type { ConvOptions, InputLayout, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, integers } from './cases.ts';
import { type Bound, exact, expectClose } from './close.ts';
import { checkTensors, engine, filled, laidOut, type Options, type Shape } from './family.ts';

/** Powers of two with either sign: products and quotients of them are exact. */
const powers = [1, -2, 4, 2, -1, 0.5, 8, -4] as const;
const power = (i: number): number => powers[i % powers.length] as number;

/** [channels, 1, kH, kW], each kernel a column times a row. */
function rankOne([channels, kH, kW]: readonly [number, number, number], entry = power): Tensor {
  const data = new Float32Array(channels * kH * kW);
  for (let c = 0; c < channels; c++)
    for (let h = 0; h < kH; h++) for (let w = 0; w < kW; w++) data[(c * kH + h) * kW + w] = entry(c + h) * entry(3 * c + 5 * w + 1);
  return { data, shape: [channels, 1, kH, kW] };
}

const ways = [{ algorithm: 'factored' }, { algorithm: 'direct' }, {}];

function both(last: boolean, image: Shape, kernels: Tensor, options: Options = {}): void {
  const input = filled(laidOut(image, last));
  checkTensors('depthwiseConv2d', [input, kernels], { inputLayout: last ? 'nhwc' : 'nchw', ...options }, { ways });
}

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('factored, %s', (_, last) => {
  // A line of floats is computed eight vectors or periods of its channels, four, one, and a cell at a time.
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20, 28, 31, 32, 33, 36, 65])('%i columns', (columns) => {
    both(last, [2, 3, 4, columns], rankOne([3, 3, 3]), { padding: 1, bias: integers(3, 5) });
    both(last, [1, 2, 6, columns + 4], rankOne([2, 4, 5]), { activation: 'relu' });
    both(last, [1, 5, 5, columns], rankOne([5, 5, 1]), { padding: 'same', activation: { leakyRelu: 0.5 } });
  });
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 33])('%i channels', (c) => {
    both(last, [2, c, 6, 7], rankOne([c, 5, 5]), { padding: 2, bias: integers(c, 5), shuffle: c });
    both(last, [1, c, 6, 5], rankOne([2 * c, 3, 2]), { padding: 1, shuffle: 2, bias: integers(2 * c, 5) });
    // Periods of one, two and four pixels: rows on both sides of eight of them.
    for (const columns of [7, 8, 9, 16, 17, 33])
      both(last, [1, c, 3, columns], rankOne([c, 3, 3]), { padding: 1, activation: 'relu', bias: integers(c, 5) });
  });
  it('stride down, dilation, padding in pairs, cropped windows', () => {
    for (const stride of [1, [2, 1], [3, 1]])
      for (const padding of [
        0,
        2,
        'same',
        'same-lower',
        [
          [0, 3],
          [4, 1],
        ],
        [
          [9, 0],
          [0, 8],
        ],
      ]) {
        both(last, [1, 3, 9, 10], rankOne([3, 3, 4]), { stride, padding, bias: integers(3, 5) });
        both(last, [1, 3, 9, 10], rankOne([6, 4, 3]), { stride, padding, dilation: [2, 3], activation: { clamp: [-20, 25] } });
      }
  });
  it.each(['reflect', 'replicate', 'circular'])('border %s', (paddingMode) => {
    for (const padding of [
      2,
      [
        [1, 3],
        [0, 2],
      ],
    ])
      both(last, [2, 3, 6, 7], rankOne([6, 5, 5]), { padding, paddingMode, stride: [2, 1], bias: integers(6, 5), shuffle: 3 });
  });
  // Rows above all taps, from where the image lies before the beginning of the memory.
  it.each([11, 18, 19, 20, 21, 25, 54])('%i rows of zeros above', (top) => {
    for (const columns of [6, 13, 20, 52]) {
      const edges = (last: number) => [
        [top, 3],
        [0, last],
      ];
      both(last, [1, 2, 5, columns], rankOne([2, 6, 7]), { padding: edges(2), dilation: [2, 1], bias: integers(2, 5) });
      both(last, [1, 1, 28, columns], rankOne([1, 5, 5]), { padding: edges(4), bias: integers(1, 5) });
    }
  });
  it('a large image under a large kernel', () => {
    both(
      last,
      [1, 3, 90, 101],
      rankOne([3, 9, 9], (i) => power(i % 4)),
      { padding: 4 },
    );
    both(last, [0, 3, 9, 9], rankOne([3, 3, 3]));
  });
  it('filters over a single channel of conv2d, and in groups of their own', () => {
    const options = { inputLayout: last ? 'nhwc' : 'nchw', padding: 2, bias: integers(4, 5) };
    checkTensors('conv2d', [filled(laidOut([2, 1, 7, 8], last)), rankOne([4, 5, 5])], options, { ways });
    checkTensors('conv2d', [filled(laidOut([2, 4, 7, 8], last)), rankOne([4, 5, 5])], { ...options, groups: 4 }, { ways });
  });
  it.each(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'])('filter layout %s', (filterLayout) => {
    const kernels = rankOne([4, 3, 5]);
    // Channels first or last: i is 1.
    const behind = filterLayout.indexOf('o') > filterLayout.indexOf('h');
    const data = behind
      ? Float32Array.from(kernels.data, (_value, i) => kernels.data[(i % 4) * 15 + Math.floor(i / 4)] as number)
      : kernels.data;
    const sizes: Record<string, number> = { o: 4, i: 1, h: 3, w: 5 };
    both(last, [1, 4, 6, 7], { data, shape: [...filterLayout].map((letter) => sizes[letter] as number) }, { filterLayout });
  });
  it('a stride along the rows has no such form', () => {
    const options: Omit<ConvOptions, 'groups'> = { inputLayout: last ? 'nhwc' : 'nchw', stride: [1, 2], padding: 1, algorithm: 'factored' };
    const refused = expect.objectContaining({ code: 'ERR_UNSUPPORTED' });
    expect(() => engine.depthwiseConv2d(filled(laidOut([1, 3, 8, 9], last)), rankOne([3, 3, 3]), options)).toThrow(refused);
  });
});

/**
 * The factors miss a kernel by at most 10⁻⁶ of its largest magnitude k, and two sums, of kH and of kW products, round at most kH + kW + 3 times, each by
 * 2⁻²⁴ of kH·kW·k for data within ±1.
 */
function factoredBound(kH: number, kW: number, k: number): Bound {
  const bound = kH * kW * k * (1e-6 + (kH + kW + 3) * 2 ** -24 * 1.01);
  return (got, want) => Math.abs(got - want) <= bound || exact(got, want, 0);
}

describe('random kernels of rank 1', () => {
  it.each<[InputLayout, number]>([
    ['nchw', 5],
    ['nchw', 9],
    ['nhwc', 5],
    ['nhwc', 9],
  ])('%s, %i×%i: as near as the bound says', (inputLayout, k) => {
    const entries = fractions(400, 7);
    const kernels = rankOne([6, k, k], (i) => entries[i] as number);
    const input = filled(inputLayout === 'nchw' ? [2, 6, 20, 23] : [2, 20, 23, 6], 1, fractions);
    const largest = Math.max(...kernels.data.map(Math.abs));
    const want = reference.depthwiseConv2d(input, kernels, { inputLayout, padding: 2 });
    for (const algorithm of ['factored', 'auto'] as const) {
      const layer = engine.depthwiseConv2d.prepare(kernels, { inputLayout, padding: 2, algorithm });
      expect(layer.plan(input.shape).algorithm).toBe('factored');
      expectClose(layer.run(input), want, factoredBound(k, k, largest), algorithm);
      layer.dispose();
    }
  });
});

describe('when it is chosen', () => {
  const nine = rankOne([3, 9, 9]);
  const three = rankOne([3, 3, 3]);
  const plan = (kernels: Tensor, options: Omit<ConvOptions, 'groups'> = {}, shape = [1, 3, 30, 30]) => {
    using layer = engine.depthwiseConv2d.prepare(kernels, options);
    return layer.plan(options.inputLayout === 'nhwc' ? [1, 30, 30, 3] : shape);
  };

  it('a prepared kernel that is large enough to gain, and the plan says why', () => {
    for (const inputLayout of ['nchw', 'nhwc'] as const) {
      const found = plan(nine, { inputLayout });
      expect(found.algorithm).toBe('factored');
      expect(found.reason).toContain('every kernel is a column times a row: 9 + 9 products in place of 9 · 9');
      expect(plan(nine, { inputLayout, algorithm: found.algorithm }).algorithm).toBe('factored');
      expect(plan(nine, { inputLayout, accuracy: 'fast' }).algorithm).toBe('factored');
    }
    // As flops those of the plain sum count.
    expect(plan(nine).flops).toBe(2 * 3 * 22 * 22 * 81);
    expect(plan(nine, { algorithm: 'direct' }).flops).toBe(plan(nine).flops);
  });
  it('not where it was forbidden, would not gain, or cannot be', () => {
    expect(plan(nine, { accuracy: 'exact' }).algorithm).toBe('direct');
    expect(plan(nine, { algorithm: 'direct' }).algorithm).toBe('direct');
    expect(plan(three).algorithm).toBe('direct');
    expect(plan(three, { algorithm: 'factored' }).algorithm).toBe('factored');
    for (const inputLayout of ['nchw', 'nhwc'] as const) {
      expect(plan(nine, { stride: 2, inputLayout }).algorithm).toBe('direct');
      expect(plan(nine, { stride: [2, 1], inputLayout }).algorithm).toBe('factored');
    }
    for (const value of [7.125, NaN, Infinity]) {
      const other = { ...nine, data: nine.data.slice() };
      other.data[100] = value;
      expect(plan(other).algorithm).toBe('direct');
    }
  });
  it('exact means exact', () => {
    const kernels = rankOne([3, 9, 9], (i) => fractions(200, 3)[i] as number);
    const input = filled([1, 3, 20, 20], 1, fractions);
    using layer = engine.depthwiseConv2d.prepare(kernels, { accuracy: 'exact' });
    expect(layer.run(input).data).toEqual(engine.depthwiseConv2d(input, kernels, { algorithm: 'direct' }).data);
    // A single call does not look for factors: it would take as long as it saves.
    expect(engine.depthwiseConv2d(input, kernels).data).toEqual(layer.run(input).data);
  });
  it('asked for in vain', () => {
    const refused = expect.objectContaining({ name: 'RangeError', code: 'ERR_UNSUPPORTED' });
    const input = filled([1, 3, 30, 30]);
    const other = filled([3, 1, 9, 9], 2);
    expect(() => engine.depthwiseConv2d(input, other, { algorithm: 'factored' })).toThrow(refused);
    expect(() => engine.depthwiseConv2d.prepare(other, { algorithm: 'factored' })).toThrow(refused);
    expect(() => engine.depthwiseConv2d(input, nine, { algorithm: 'factored', accuracy: 'exact' })).toThrow(refused);
    expect(() => engine.conv2d(input, filled([2, 3, 3, 3], 2), { algorithm: 'factored' })).toThrow(refused);
    expect(() => engine.conv1d(filled([1, 1, 9]), filled([1, 1, 3]), { algorithm: 'factored' })).toThrow(refused);
    expect(() => engine.convTranspose2d(input, filled([3, 1, 9, 9], 2), { algorithm: 'factored' })).toThrow(refused);
  });
});
