/** Separable and flattened convolutions, channel shuffle, unfold and fold of the oracle against numbers found by hand. */
import { describe, expect, it } from 'vitest';
import * as reference from '../src/reference/index.ts';
import { t, values } from './family.ts';

const { separableConv2d, spatialSeparableConv2d, flattenedConv2d, channelShuffle, unfold, fold } = reference;
const pixel = (...data: number[]) => t(data, [1, data.length, 1, 1]);
const row = (...data: number[]) => t(data, [1, 1, 1, data.length]);
const square = t([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);

describe('reference: separableConv2d', () => {
  /** 1 2 → 1 10 200 2000 → their sum, and the first of them. */
  const depthwise = t([1, 10, 100, 1000], [4, 1, 1, 1]);
  const pointwise = t([1, 1, 1, 1, 1, 0, 0, 0], [2, 4, 1, 1]);

  it('each channel alone, then all together', () => {
    expect(separableConv2d(pixel(1, 2), depthwise, pointwise)).toEqual(pixel(2211, 1));
  });
  it('bias and activation between the steps and after them', () => {
    const between = { depthwiseBias: Float32Array.of(1, 2, 3, 4), depthwiseActivation: { clamp: [0, 100] } } as const;
    expect(separableConv2d(pixel(1, 2), depthwise, pointwise, between)).toEqual(pixel(2 + 12 + 100 + 100, 2));
    const after = { bias: Float32Array.of(-2212, 5), activation: 'relu', shuffle: 2 } as const;
    expect(separableConv2d(pixel(1, 2), depthwise, pointwise, after)).toEqual(pixel(0, 6));
  });
  it('stride, padding, dilation and border belong to the depthwise step', () => {
    const [image, taps, twice] = [row(1, 2, 3, 4, 5), row(1, 10), pixel(2)];
    expect(separableConv2d(image, taps, twice, { stride: 2, padding: 'same' })).toEqual(row(42, 86, 10));
    expect(separableConv2d(image, taps, twice, { dilation: 3 })).toEqual(row(82, 104));
    expect(separableConv2d(image, taps, twice, { padding: [0, [1, 0]], paddingMode: 'circular' })).toEqual(row(30, 42, 64, 86, 108));
    const shifted = { padding: [0, [1, 0]] as const, depthwiseBias: Float32Array.of(7) };
    expect(separableConv2d(image, taps, twice, shifted)).toEqual(row(34, 56, 78, 100, 122));
  });
  it('does not round what lies between', () => {
    // 2²⁴ + 1 is no float32.
    const image = t([2 ** 24, 1, 2 ** 24, 0], [1, 2, 1, 2]);
    expect(separableConv2d(image, t([1, 1, 1, 1], [2, 1, 1, 2]), t([1, -1], [1, 2, 1, 1]))).toEqual(pixel(1));
  });
  it('filter layout of both weights', () => {
    const options = { filterLayout: 'hwio', inputLayout: 'nhwc' } as const;
    const turned = t([1, 1, 1, 0, 1, 0, 1, 0], [1, 1, 4, 2]);
    expect(separableConv2d(t([1, 2], [1, 1, 1, 2]), { ...depthwise, shape: [1, 1, 1, 4] }, turned, options)).toEqual(
      t([2211, 1], [1, 1, 1, 2]),
    );
  });
});

describe('reference: spatialSeparableConv2d', () => {
  it('down, then along', () => {
    const [column, along] = [t([1, 10], [1, 1, 2, 1]), t([1, 100], [1, 1, 1, 2])];
    expect(values(spatialSeparableConv2d(square, column, along))).toEqual([5241, 6352, 8574, 9685]);
    expect(values(spatialSeparableConv2d(square, column, along, { stride: [2, 1], padding: [[1, 0], 0] }))).toEqual([
      10 + 2000,
      20 + 3000,
      4 + 70 + 500 + 8000,
      5 + 80 + 600 + 9000,
    ]);
  });
  it('both steps are dense, or in the same groups', () => {
    const [column, along] = [t([1, 2, 10, 20], [2, 2, 1, 1]), t([1, 1, 1, -1], [2, 2, 1, 1])];
    expect(spatialSeparableConv2d(pixel(1, 3), column, along)).toEqual(pixel(77, -63));
    const each = t([2, 3, 5, 7], [4, 1, 1, 1]);
    expect(spatialSeparableConv2d(pixel(1, 10), each, t([1, 1, 1, 1], [2, 2, 1, 1]), { groups: 2 })).toEqual(pixel(5, 120));
  });
  it('bias, activation and shuffle come last', () => {
    const options = { bias: Float32Array.of(1, -9, 0, 0), activation: 'relu', shuffle: 2 } as const;
    expect(spatialSeparableConv2d(pixel(1), pixel(2), t([1, 2, 3, 4], [4, 1, 1, 1]), options)).toEqual(pixel(3, 6, 0, 8));
  });
});

describe('reference: flattenedConv2d', () => {
  const image = t([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]);
  it('across channels, then down, then along', () => {
    const weights = { channel: t([1, 10], [1, 2]), vertical: t([1, 100], [1, 2]), horizontal: t([1, 1000], [1, 2]) };
    // 51 62 / 73 84, then 7351 8462.
    expect(flattenedConv2d(image, weights)).toEqual(pixel(7351 + 8462000));
    expect(values(flattenedConv2d(image, weights, { padding: [0, [0, 1]] }))).toEqual([7351 + 8462000, 8462]);
    expect(values(flattenedConv2d(image, weights, { padding: [[1, 0], 0], stride: [1, 1] }))).toEqual([5100 + 6200000, 7351 + 8462000]);
  });
  it('every output channel has a line of its own in each direction', () => {
    const weights = { channel: t([1, 0, 0, 1], [2, 2]), vertical: t([1, 0, 0, 1], [2, 2]), horizontal: t([1, 0, 1, 10], [2, 2]) };
    expect(flattenedConv2d(image, weights)).toEqual(pixel(1, 7 + 80));
    const options = { bias: Float32Array.of(1, -100), activation: 'relu', shuffle: 2 } as const;
    expect(flattenedConv2d(image, weights, options)).toEqual(pixel(2, 0));
  });
});

describe('reference: channelShuffle', () => {
  const six = [0, 1, 2, 3, 4, 5];
  it('reads the groups like a table by its columns', () => {
    expect(channelShuffle(pixel(...six), 2)).toEqual(pixel(0, 3, 1, 4, 2, 5));
    expect(channelShuffle(pixel(...six), 3)).toEqual(pixel(0, 2, 4, 1, 3, 5));
    for (const groups of [1, 6]) expect(channelShuffle(pixel(...six), groups)).toEqual(pixel(...six));
  });
  it('of any rank, in either layout', () => {
    expect(channelShuffle(t([0, 10, 1, 11, 2, 12, 3, 13], [1, 4, 2]), 2)).toEqual(t([0, 10, 2, 12, 1, 11, 3, 13], [1, 4, 2]));
    expect(channelShuffle(t([0, 1, 2, 3, 10, 11, 12, 13], [2, 1, 4]), 2, { inputLayout: 'nwc' })).toEqual(
      t([0, 2, 1, 3, 10, 12, 11, 13], [2, 1, 4]),
    );
    expect(channelShuffle(t(six, [1, 6, 1, 1, 1, 1]), 2)).toEqual(t([0, 3, 1, 4, 2, 5], [1, 6, 1, 1, 1, 1]));
  });
});

describe('reference: unfold and fold', () => {
  it('a row for each channel and tap, a column for each window', () => {
    const columns = unfold(square, 2);
    expect(columns.shape).toEqual([1, 4, 4]);
    expect(values(columns)).toEqual([1, 2, 4, 5, 2, 3, 5, 6, 4, 5, 7, 8, 5, 6, 8, 9]);
    const two = t([1, 2, 10, 20], [1, 2, 1, 2]);
    expect(unfold(two, [1, 2])).toEqual(t([1, 2, 10, 20], [1, 4, 1]));
    expect(unfold({ ...two, shape: [2, 1, 1, 2] }, [1, 2])).toEqual(t([1, 2, 10, 20], [2, 2, 1]));
  });
  it('stride, dilation and padding', () => {
    expect(values(unfold(square, [1, 2], { stride: [2, 1] }))).toEqual([1, 2, 7, 8, 2, 3, 8, 9]);
    expect(values(unfold(square, 2, { dilation: 2 }))).toEqual([1, 3, 7, 9]);
    expect(values(unfold(row(1, 2, 3), [1, 2], { padding: [0, 1] }))).toEqual([0, 1, 2, 3, 1, 2, 3, 0]);
    expect(unfold(row(1, 2, 3), [1, 2], { padding: [1, 0] }).shape).toEqual([1, 2, 6]);
  });
  it('fold adds what stands for the same pixel', () => {
    const ones = t(new Array(16).fill(1), [1, 4, 4]);
    expect(fold(ones, [3, 3], 2)).toEqual(t([1, 2, 1, 2, 4, 2, 1, 2, 1], [1, 1, 3, 3]));
    const columns = t([1, 2, 3, 4, 10, 20, 30, 40], [1, 2, 4]);
    expect(fold(columns, [1, 3], [1, 2], { padding: [0, 1] })).toEqual(row(10 + 2, 20 + 3, 30 + 4));
    expect(fold(t([1, 2, 10, 20], [1, 2, 2]), [1, 5], [1, 2], { stride: 3 })).toEqual(row(1, 10, 0, 2, 20));
    expect(fold(t([1, 2, 10, 20], [1, 4, 1]), [1, 2], [1, 2])).toEqual(t([1, 2, 10, 20], [1, 2, 1, 2]));
  });
});
