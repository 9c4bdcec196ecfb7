/** Gradients of the oracle against numbers found by hand. */
import { describe, expect, it } from 'vitest';
import * as reference from '../src/reference/index.ts';
import { t, values } from './family.ts';

const line = (...data: number[]) => t(data, [1, 1, data.length]);
const pixel = (...data: number[]) => t(data, [1, data.length, 1, 1]);

describe('reference: gradients of a convolution', () => {
  it('one dimension', () => {
    // y[j] = x[j] + 10·x[j + 1]
    const [input, weight, grad] = [line(1, 2, 3, 4, 5), line(1, 10), line(1, 2, 3, 4)];
    expect(reference.conv1dInputGrad(grad, weight, [1, 1, 5])).toEqual(line(1, 2 + 10, 3 + 20, 4 + 30, 40));
    expect(reference.conv1dWeightGrad(input, grad, [1, 1, 2])).toEqual(line(1 + 4 + 9 + 16, 2 + 6 + 12 + 20));
  });

  it('stride, and a border on one side', () => {
    // Windows (0, 1) and (2, 3) of 0 1 2 3 4.
    const [input, weight, grad] = [line(1, 2, 3, 4), line(1, 10), line(5, 7)];
    const options = { stride: 2, padding: [[1, 0]] as const };
    expect(reference.conv1dInputGrad(grad, weight, [1, 1, 4], options)).toEqual(line(50, 7, 70, 0));
    expect(reference.conv1dWeightGrad(input, grad, [1, 1, 2], options)).toEqual(line(7 * 2, 5 * 1 + 7 * 3));
  });

  it('dilation, and the rules of padding', () => {
    // Windows (1, 3), (2, 4), (3, 5).
    expect(reference.conv1dInputGrad(line(1, 2, 3), line(1, 10), [1, 1, 5], { dilation: 2 })).toEqual(line(1, 2, 3 + 10, 20, 30));
    expect(reference.conv1dWeightGrad(line(1, 2, 3, 4, 5), line(1, 2, 3), [1, 1, 2], { dilation: 2 })).toEqual(line(14, 3 + 8 + 15));
    // Windows (1, 2), (3, 0) and (0, 1), (2, 3).
    expect(reference.conv1dInputGrad(line(5, 7), line(1, 10), [1, 1, 3], { stride: 2, padding: 'same' })).toEqual(line(5, 50, 7));
    expect(reference.conv1dInputGrad(line(5, 7), line(1, 10), [1, 1, 3], { stride: 2, padding: 'same-lower' })).toEqual(line(50, 7, 70));
    // A kernel smaller than its stride leaves cells that nothing depends on.
    expect(reference.conv1dInputGrad(line(5, 7), line(2), [1, 1, 5], { stride: 3, padding: 'same' })).toEqual(line(10, 0, 0, 14, 0));
  });

  it('two dimensions do not flip the kernel', () => {
    const input = t([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
    const grad = t([1, 0, 0, 1], [1, 1, 2, 2]);
    const kernel = t([1, 2, 3, 4], [1, 1, 2, 2]);
    expect(values(reference.conv2dInputGrad(grad, kernel, [1, 1, 3, 3]))).toEqual([1, 2, 0, 3, 4 + 1, 2, 0, 3, 4]);
    expect(values(reference.conv2dWeightGrad(input, grad, [1, 1, 2, 2]))).toEqual([1 + 5, 2 + 6, 4 + 8, 5 + 9]);
  });

  it('three dimensions at stride 2', () => {
    const input = t([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 1, 3]);
    const grad = t([1, 10, 100, 1000], [1, 1, 2, 1, 2]);
    expect(values(reference.conv3dInputGrad(grad, t([2], [1, 1, 1, 1, 1]), input.shape, { stride: 2 }))).toEqual([
      2, 0, 20, 0, 0, 0, 200, 0, 2000,
    ]);
    expect(values(reference.conv3dWeightGrad(input, grad, [1, 1, 1, 1, 1], { stride: 2 }))).toEqual([1 + 30 + 700 + 9000]);
  });

  it('channels, batch and groups', () => {
    const weight = t([1, 2, 3, 10, 20, 30], [2, 3, 1, 1]);
    expect(values(reference.conv2dInputGrad(pixel(1, 100), weight, [1, 3, 1, 1]))).toEqual([1001, 2002, 3003]);
    const [input, grad] = [t([1, 2, 3, 4], [2, 2, 1, 1]), t([1, 10, 100, 1000], [2, 2, 1, 1])];
    expect(values(reference.conv2dWeightGrad(input, grad, [2, 2, 1, 1]))).toEqual([301, 402, 3010, 4020]);
    // Two filters to each of two channels.
    const each = t([1, 2, 3, 4], [4, 1, 1, 1]);
    expect(values(reference.conv2dInputGrad(pixel(1, 10, 100, 1000), each, [1, 2, 1, 1], { groups: 2 }))).toEqual([21, 4300]);
    expect(values(reference.conv2dWeightGrad(pixel(2, 3), pixel(1, 10, 100, 1000), [4, 1, 1, 1], { groups: 2 }))).toEqual([
      2, 20, 300, 3000,
    ]);
  });

  it('layouts of image and weight', () => {
    const grad = t([1, 100], [1, 1, 1, 2]);
    const options = { inputLayout: 'nhwc', filterLayout: 'hwio' } as const;
    const weight = t([1, 10, 2, 20, 3, 30], [1, 1, 3, 2]);
    expect(reference.conv2dInputGrad(grad, weight, [1, 1, 1, 3], options)).toEqual(t([1001, 2002, 3003], [1, 1, 1, 3]));
    const input = t([1, 2, 3], [1, 1, 1, 3]);
    expect(reference.conv2dWeightGrad(input, grad, [1, 1, 3, 2], options)).toEqual(t([1, 100, 2, 200, 3, 300], [1, 1, 3, 2]));
  });

  it('an empty batch: no input gradient, and a weight gradient of zeros', () => {
    expect(reference.conv1dInputGrad(t([], [0, 1, 2]), line(1, 10), [0, 1, 3])).toEqual(t([], [0, 1, 3]));
    expect(reference.conv1dWeightGrad(t([], [0, 1, 3]), t([], [0, 1, 2]), [1, 1, 2])).toEqual(line(0, 0));
    expect(reference.biasGrad(t([], [0, 2, 3]))).toEqual(t([0, 0], [2]));
  });
});

describe('reference: gradients of a transposed convolution', () => {
  it('stride', () => {
    // y[2i] = x[i], y[2i + 1] = 10·x[i]
    const [input, weight, grad] = [line(1, 2, 3), line(1, 10), line(1, 2, 3, 4, 5, 6)];
    expect(reference.convTranspose1dInputGrad(grad, weight, [1, 1, 3], { stride: 2 })).toEqual(line(1 + 20, 3 + 40, 5 + 60));
    expect(reference.convTranspose1dWeightGrad(input, grad, [1, 1, 2], { stride: 2 })).toEqual(line(1 + 6 + 15, 2 + 8 + 18));
  });

  it('padding with output padding, and the size in its place', () => {
    const [input, grad] = [line(1, 2, 3), line(1, 10, 100, 1000, 10000, 100000)];
    for (const size of [{ outputPadding: 1 }, { outputSize: [6] }]) {
      const options = { stride: 2, padding: 1, ...size };
      // y[j] = Σ x[i]·w[k] with 2i + k − 1 = j
      expect(reference.convTranspose1dInputGrad(grad, line(1, 2, 3), [1, 1, 3], options)).toEqual(line(32, 3210, 321000));
      expect(reference.convTranspose1dWeightGrad(input, grad, [1, 1, 3], options)).toEqual(
        line(2 * 10 + 3 * 1000, 1 + 2 * 100 + 3 * 10000, 10 + 2 * 1000 + 3 * 100000),
      );
    }
  });

  it('cells that no tap reaches give nothing back', () => {
    const grad = line(1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(reference.convTranspose1dInputGrad(grad, line(2), [1, 1, 3], { stride: 3, padding: 'same' })).toEqual(line(2, 8, 14));
    expect(reference.convTranspose1dWeightGrad(line(1, 2, 3), grad, [1, 1, 1], { stride: 3, padding: 'same' })).toEqual(line(1 + 8 + 21));
  });

  it('two and three dimensions, groups', () => {
    const grad = t([1, 2, 3, 4], [1, 1, 2, 2]);
    expect(values(reference.convTranspose2dInputGrad(grad, t([1, 10, 100, 1000], [1, 1, 2, 2]), [1, 1, 1, 1]))).toEqual([4321]);
    expect(values(reference.convTranspose2dWeightGrad(pixel(3), grad, [1, 1, 2, 2]))).toEqual([3, 6, 9, 12]);
    const deep = { ...grad, shape: [1, 1, 2, 1, 2] };
    expect(values(reference.convTranspose3dInputGrad(deep, t([1, 10, 100, 1000], [1, 1, 2, 1, 2]), [1, 1, 1, 1, 1]))).toEqual([4321]);
    expect(values(reference.convTranspose3dWeightGrad(t([3], [1, 1, 1, 1, 1]), deep, [1, 1, 2, 1, 2]))).toEqual([3, 6, 9, 12]);
    const options = { groups: 2 };
    const weight = t([1, 10, 100, 1000], [2, 2, 1, 1]);
    expect(values(reference.convTranspose2dInputGrad(pixel(1, 2, 3, 4), weight, [1, 2, 1, 1], options))).toEqual([21, 4300]);
    expect(values(reference.convTranspose2dWeightGrad(pixel(5, 7), pixel(1, 2, 3, 4), [2, 2, 1, 1], options))).toEqual([5, 10, 21, 28]);
  });
});

describe('reference: biasGrad', () => {
  const data = [1, 2, 3, 10, 20, 30, 100, 200, 300, 1000, 2000, 3000];
  it('sums each channel over batch and image', () => {
    expect(reference.biasGrad(t(data, [2, 2, 3]))).toEqual(t([606, 6060], [2]));
    expect(reference.biasGrad(t(data, [2, 3, 2]), { inputLayout: 'nwc' })).toEqual(
      t([1 + 3 + 20 + 100 + 300 + 2000, 2 + 10 + 30 + 200 + 1000 + 3000], [2]),
    );
    expect(reference.biasGrad(t(data, [1, 3, 1, 2, 2, 1]))).toEqual(
      t([1 + 2 + 3 + 10, 20 + 30 + 100 + 200, 300 + 1000 + 2000 + 3000], [3]),
    );
  });
  it('in float64', () => expect(values(reference.biasGrad(line(1e8, 1, -1e8)))).toEqual([1]));
});
