import { describe, expect, it } from 'vitest';
import type { ConvOptions } from '../src/index.ts';
import { type ConvSettings, convSettings } from '../src/options.ts';
import { convShape, filterShape } from '../src/shape.ts';

function settingsOf(options: ConvOptions): ConvSettings {
  return convSettings('conv2d', 2, options);
}

function shapeOf(input: number[], weight: number[], options: ConvOptions = {}): ReturnType<typeof convShape> {
  const settings = settingsOf(options);
  return convShape('conv2d', input, filterShape('conv2d', 'weight', weight, settings), settings);
}

describe('output sizes and padding', () => {
  it.each([
    // [in, kernel, options, out, begin, end]
    [5, 3, {}, 3, 0, 0],
    [5, 3, { padding: 1 }, 5, 1, 1],
    [5, 3, { padding: 'valid' }, 3, 0, 0],
    [5, 3, { padding: 'same' }, 5, 1, 1],
    [5, 2, { padding: 'same' }, 5, 0, 1],
    [5, 2, { padding: 'same-lower' }, 5, 1, 0],
    [6, 3, { padding: 'same', stride: 2 }, 3, 0, 1],
    [6, 3, { padding: 'same-lower', stride: 2 }, 3, 1, 0],
    [7, 2, { padding: 'same', stride: 3 }, 3, 0, 1],
    // A kernel smaller than its stride: the total would be negative.
    [8, 1, { padding: 'same', stride: 3 }, 3, 0, 0],
    [9, 3, { padding: 'same', dilation: 3 }, 9, 3, 3],
    [
      4,
      3,
      {
        padding: [
          [0, 5],
          [0, 5],
        ],
      },
      7,
      0,
      5,
    ],
    [10, 3, { stride: 4 }, 2, 0, 0],
  ] as const)('in %i, kernel %i, %o → %i', (size, kernel, options, out, begin, end) => {
    const shape = shapeOf([1, 1, size, size], [1, 1, kernel, kernel], options as ConvOptions);
    expect(shape.outputShape).toEqual([1, 1, out, out]);
    expect([shape.padBegin, shape.padEnd]).toEqual([
      [0, begin, begin],
      [0, end, end],
    ]);
  });
});

it('layouts change the order, not the numbers', () => {
  const first = shapeOf([2, 6, 9, 8], [4, 3, 3, 2], { groups: 2 });
  const last = shapeOf([2, 9, 8, 6], [3, 2, 3, 4], { groups: 2, inputLayout: 'nhwc', filterLayout: 'hwio' });
  expect(first.outputShape).toEqual([2, 4, 7, 7]);
  expect(last.outputShape).toEqual([2, 7, 7, 4]);
  const numbers = { inputShape: 0, outputShape: 0, channelsLast: 0 };
  expect({ ...last, ...numbers }).toEqual({ ...first, ...numbers });
});

it.each([
  ['oihw', [10, 3, 2, 5], [30, 10, 1]],
  ['ohwi', [10, 2, 5, 3], [30, 1, 3]],
  ['iohw', [3, 10, 2, 5], [10, 100, 1]],
  ['ihwo', [3, 2, 5, 10], [1, 100, 10]],
  ['hwio', [2, 5, 3, 10], [1, 10, 30]],
  ['hwoi', [2, 5, 10, 3], [3, 1, 30]],
] as const)('strides of a weight in %s', (filterLayout, shape, [strideO, strideI, strideTap]) => {
  expect(filterShape('conv2d', 'weight', shape, settingsOf({ filterLayout }))).toMatchObject({
    outC: 10,
    groupInC: 3,
    kernel: [1, 2, 5],
    strideO,
    strideI,
    strideTap,
  });
});

it('has room for three dimensions and one', () => {
  const settings = convSettings('conv3d', 3, { stride: [1, 2, 3], padding: [1, 0, [2, 3]] });
  const filter = filterShape('conv3d', 'weight', [4, 2, 3, 3, 3], settings);
  expect(convShape('conv3d', [1, 2, 5, 7, 9], filter, settings)).toMatchObject({
    outputShape: [1, 4, 5, 3, 4],
    padBegin: [1, 0, 2],
    padEnd: [1, 0, 3],
  });
  const line = convSettings('conv1d', 1, { inputLayout: 'nwc' as 'nhwc', padding: 'same' });
  const row = filterShape('conv1d', 'weight', [4, 2, 3], line);
  expect(convShape('conv1d', [1, 9, 2], row, line)).toMatchObject({ outputShape: [1, 9, 4], kernel: [1, 1, 3], inSize: [1, 1, 9] });
});
