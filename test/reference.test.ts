/** The oracle of the other tests against numbers found by hand. Where a sum is not written out, its terms are single pixels. */
import { describe, expect, it } from 'vitest';
import type { Activation, ConvOptions, FilterLayout, Padding, PaddingMode } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { integers } from './cases.ts';
import { testEngine } from './engines.ts';

const { conv2d, depthwiseConv2d } = reference;
const t = (data: readonly number[], shape: readonly number[]) => ({ data: Float32Array.from(data), shape });
const values = ({ data }: { data: Float32Array }): number[] => [...data];

/** 1 2 3 / 4 5 6 / 7 8 9 under 1 2 / 3 4. */
const square = t([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
const kernel = t([1, 2, 3, 4], [1, 1, 2, 2]);
const one = t([1], [1, 1, 1, 1]);
const row = (...data: number[]) => t(data, [1, 1, 1, data.length]);
/** One pixel with a channel for each number. */
const pixel = (...data: number[]) => t(data, [1, data.length, 1, 1]);

describe('reference: geometry', () => {
  it('does not flip the kernel', () => {
    const got = conv2d(square, kernel);
    expect(got.shape).toEqual([1, 1, 2, 2]);
    expect(values(got)).toEqual([1 + 4 + 12 + 20, 2 + 6 + 15 + 24, 4 + 10 + 21 + 32, 5 + 12 + 24 + 36]);
  });

  it('stride and padding', () => {
    const got = conv2d(square, kernel, { stride: 2, padding: 1 });
    expect(got.shape).toEqual([1, 1, 2, 2]);
    expect(values(got)).toEqual([4, 2 * 3 + 3 * 4, 4 * 2 + 7 * 4, 5 + 12 + 24 + 36]);
  });

  it('dilation', () => expect(values(conv2d(square, kernel, { dilation: 2 }))).toEqual([1 + 6 + 21 + 36]));

  it('a step of its own in each dimension', () => {
    expect(values(conv2d(square, one, { stride: [2, 1] }))).toEqual([1, 2, 3, 7, 8, 9]);
    expect(values(conv2d(square, one, { stride: [1, 2] }))).toEqual([1, 3, 4, 6, 7, 9]);
    expect(values(conv2d(square, t([1, 10], [1, 1, 1, 2]), { dilation: [3, 2] }))).toEqual([31, 64, 97]);
  });

  it.each<[PaddingMode, number[]]>([
    ['zeros', [0, 0, 1, 2, 3, 4, 0, 0]],
    ['reflect', [3, 2, 1, 2, 3, 4, 3, 2]],
    ['replicate', [1, 1, 1, 2, 3, 4, 4, 4]],
    ['circular', [3, 4, 1, 2, 3, 4, 1, 2]],
  ])('border: %s', (paddingMode, want) => {
    expect(values(conv2d(row(1, 2, 3, 4), one, { padding: [0, 2], paddingMode }))).toEqual(want);
    const column = t([1, 2, 3, 4], [1, 1, 4, 1]);
    expect(values(conv2d(column, one, { padding: [2, 0], paddingMode }))).toEqual(want);
  });

  it.each<[Padding, number[]]>([
    ['valid', [21, 32, 43, 54]],
    ['same', [21, 32, 43, 54, 5]],
    ['same-lower', [10, 21, 32, 43, 54]],
    [
      [0, [2, 0]],
      [0, 10, 21, 32, 43, 54],
    ],
    [
      [0, [0, 2]],
      [21, 32, 43, 54, 5, 0],
    ],
  ])('padding %j', (padding, want) => {
    expect(values(conv2d(row(1, 2, 3, 4, 5), t([1, 10], [1, 1, 1, 2]), { padding }))).toEqual(want);
  });

  it('`same` with a stride beyond the kernel pads nothing and still rounds up', () => {
    expect(values(conv2d(row(1, 2, 3, 4, 5), one, { stride: 3, padding: 'same' }))).toEqual([1, 4]);
    expect(values(conv2d(row(1, 2, 3, 4, 5), one, { stride: 4, padding: 'same-lower' }))).toEqual([1, 5]);
  });
});

describe('reference: channels', () => {
  it('sums over all of them, and a batch item does not see another', () => {
    const input = t([1, 2, 3, 4], [2, 2, 1, 1]);
    const weight = t([1, 10, 100, 1000], [2, 2, 1, 1]);
    expect(conv2d(input, weight)).toEqual(t([21, 2100, 43, 4300], [2, 2, 1, 1]));
  });

  it('groups are blocks of neighbours', () => {
    const weight = t([1, 10, 1, 10, 100, 1000, 100, 1000], [4, 2, 1, 1]);
    expect(values(conv2d(pixel(1, 2, 3, 4), weight, { groups: 2 }))).toEqual([21, 21, 4300, 4300]);
  });

  it('depthwise: channel c makes the outputs from c · multiplier on', () => {
    expect(values(depthwiseConv2d(pixel(1, 2), t([1, 10, 100, 1000], [4, 1, 1, 1])))).toEqual([1, 10, 200, 2000]);
  });

  it('shuffle moves what bias and activation have made', () => {
    const weight = t([1, 1, 1, 1, 1, 1], [6, 1, 1, 1]);
    const options: ConvOptions = { groups: 6, bias: Float32Array.of(0, 10, 20, 30, 40, 50), shuffle: 2, activation: { clamp: [1, 50] } };
    expect(values(conv2d(pixel(0, 1, 2, 3, 4, 5), weight, options))).toEqual([1, 33, 11, 44, 22, 50]);
    expect(values(conv2d(pixel(0, 1, 2, 3, 4, 5), weight, { groups: 6, shuffle: 3 }))).toEqual([0, 2, 4, 1, 3, 5]);
  });

  it('bias as numbers and as a tensor', () => {
    for (const bias of [Float32Array.of(5, 7), t([5, 7], [2])]) {
      expect(values(conv2d(pixel(1), t([1, 2], [2, 1, 1, 1]), { bias }))).toEqual([6, 9]);
    }
  });
});

describe('reference: layouts', () => {
  /** Element at [h, w, c] of a 2×2 image is c·100 + h·10 + w, and channel c counts c + 1 times. */
  const at = (c: number, h: number, w: number): number => c * 100 + h * 10 + w;
  const last = t([at(0, 0, 0), at(1, 0, 0), at(0, 0, 1), at(1, 0, 1), at(0, 1, 0), at(1, 1, 0), at(0, 1, 1), at(1, 1, 1)], [1, 2, 2, 2]);
  const first = t([at(0, 0, 0), at(0, 0, 1), at(0, 1, 0), at(0, 1, 1), at(1, 0, 0), at(1, 0, 1), at(1, 1, 0), at(1, 1, 1)], [1, 2, 2, 2]);

  it('channels last, in and out', () => {
    // Output channel 0 is the first channel, output channel 1 the sum of the first and twice the second.
    const weight = t([1, 0, 1, 2], [2, 2, 1, 1]);
    expect(values(conv2d(first, weight))).toEqual([0, 1, 10, 11, 200, 203, 230, 233]);
    expect(values(conv2d(last, weight, { inputLayout: 'nhwc' }))).toEqual([0, 200, 1, 203, 10, 230, 11, 233]);
  });

  // Every cell of the weight has a digit of its own: o·1000 + i·100 + h·10 + w.
  const sizes = { o: 2, i: 3, h: 2, w: 2 };
  it.each<FilterLayout>(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'])('filter layout %s', (filterLayout) => {
    const shape = [...filterLayout].map((letter) => sizes[letter as keyof typeof sizes]);
    const data: number[] = [];
    const walk = (letters: string, cell: number): void => {
      const letter = letters[0] as keyof typeof sizes | undefined;
      if (letter === undefined) data.push(cell);
      else for (let n = 0; n < sizes[letter]; n++) walk(letters.slice(1), cell + n * { o: 1000, i: 100, h: 10, w: 1 }[letter]);
    };
    walk(filterLayout, 0);
    // An image with a single one in channel i at [h, w] reads that cell of every output channel.
    for (let i = 0; i < 3; i++)
      for (let h = 0; h < 2; h++)
        for (let w = 0; w < 2; w++) {
          const input = t(new Array(12).fill(0), [1, 3, 2, 2]);
          input.data[(i * 2 + h) * 2 + w] = 1;
          const cell = i * 100 + h * 10 + w;
          expect(values(conv2d(input, t(data, shape), { filterLayout }))).toEqual([cell, 1000 + cell]);
        }
  });
});

describe('reference: numbers', () => {
  const ln2 = Math.log(2);
  it.each<[Activation, number[], number[]]>([
    ['relu', [-1, 0, 2, -Infinity, Infinity, NaN], [0, 0, 2, 0, Infinity, NaN]],
    ['relu6', [-1, 2, 7, Infinity, NaN], [0, 2, 6, 6, NaN]],
    ['sigmoid', [0, -Infinity, Infinity, NaN], [0.5, 0, 1, NaN]],
    ['tanh', [0, -Infinity, Infinity, NaN], [0, -1, 1, NaN]],
    ['silu', [0, Infinity, NaN], [0, Infinity, NaN]],
    ['hardSwish', [-4, -3, 0, 1.5, 3, 5, Infinity, NaN], [0, 0, 0, 1.125, 3, 5, Infinity, NaN]],
    [{ leakyRelu: 0.25 }, [-8, 4, -Infinity, NaN], [-2, 4, -Infinity, NaN]],
    [{ elu: 3 }, [-Infinity, 0, 4, NaN], [-3, 0, 4, NaN]],
    [{ clamp: [-1, 2] }, [-3, 0.5, 3, -Infinity, NaN], [-1, 0.5, 2, -1, NaN]],
    [{ clamp: [-Infinity, 2] }, [-3, 3], [-3, 2]],
  ])('%j', (activation, x, want) => {
    expect(values(conv2d(row(...x), one, { activation })).map((y) => y + 0)).toEqual(want);
  });

  it('transcendental functions at the values that logarithms give', () => {
    // The bias is float32, so that the argument is ln 2 only to its rounding; the slopes there are below one.
    const at = (activation: Activation, x: number): number => values(conv2d(row(x), one, { activation }))[0] as number;
    expect(at('sigmoid', ln2)).toBeCloseTo(2 / 3, 7);
    expect(at('sigmoid', -ln2)).toBeCloseTo(1 / 3, 7);
    expect(at('tanh', ln2)).toBeCloseTo(0.6, 7);
    expect(at('silu', ln2)).toBeCloseTo((ln2 * 2) / 3, 7);
    expect(at({ elu: 4 }, -ln2)).toBeCloseTo(-2, 6);
  });

  it('sums in float64 and rounds once', () => {
    const ones = t([1, 1, 1], [1, 3, 1, 1]);
    // In float32 both small terms would be lost.
    expect(values(conv2d(pixel(2 ** 24, 1, 1), ones))).toEqual([2 ** 24 + 2]);
    expect(values(conv2d(pixel(1e8, 1, -1e8), ones))).toEqual([1]);
    expect(values(conv2d(pixel(2 ** 24, 1, 0), ones, { bias: Float32Array.of(1) }))).toEqual([2 ** 24 + 2]);
    // 3 · −(2²⁴ + 1) lies nearest to −50331652; rounded before the slope it would be −50331648.
    expect(values(conv2d(pixel(-(2 ** 24), -1, 0), ones, { activation: { leakyRelu: 3 } }))).toEqual([-50331652]);
  });
});

describe('reference: the contract', () => {
  it('has the operations of the library and no engine', () => {
    const { info, alloc, dispose, ...operations } = testEngine();
    expect(Object.keys(reference).sort()).toEqual(Object.keys(operations).sort());
    for (const operation of Object.values(reference)) expect(operation).not.toHaveProperty('prepare');
  });

  it.each(['out', 'algorithm', 'accuracy'])('%s is unknown here', (field) => {
    const options = { [field]: undefined } as ConvOptions;
    expect(values(conv2d(square, one, options))).toEqual(values(square));
    const given = { [field]: 'auto' } as ConvOptions;
    const error = { name: 'TypeError', code: 'ERR_ARGUMENT', message: `conv2d: unknown option ${field}` };
    expect(() => conv2d(square, one, given)).toThrow(expect.objectContaining(error));
    expect(() => depthwiseConv2d(square, one, given)).toThrow(`depthwiseConv2d: unknown option ${field}`);
  });

  it('depthwise has no groups', () => {
    expect(() => depthwiseConv2d(square, one, { groups: 1 } as ConvOptions)).toThrow('depthwiseConv2d: unknown option groups');
  });

  it('throws what the library throws', () => {
    expect(() => conv2d(square, t([1, 2], [1, 2, 1, 1]))).toThrow('conv2d: weight.shape[1] must be inChannels / groups = 1, got 2');
    expect(() => conv2d(square, t(new Array(16).fill(1), [1, 1, 4, 4]))).toThrow(RangeError);
    expect(() => conv2d({ data: [1] as unknown as Float32Array, shape: [1, 1, 1, 1] }, one)).toThrow(TypeError);
  });

  it('leaves its inputs as they were', () => {
    const input = { data: integers(72), shape: [2, 4, 3, 3] };
    const weight = { data: integers(16, 2), shape: [4, 4, 1, 1] };
    conv2d(input, weight, { activation: 'relu', shuffle: 2 });
    expect([values(input), values(weight)]).toEqual([[...integers(72)], [...integers(16, 2)]]);
  });

  it('an empty batch gives an empty result', () => {
    expect(conv2d(t([], [0, 1, 3, 3]), kernel)).toEqual(t([], [0, 1, 2, 2]));
    expect(depthwiseConv2d(t([], [0, 3, 3, 1]), kernel, { inputLayout: 'nhwc' })).toEqual(t([], [0, 2, 2, 1]));
  });
});
