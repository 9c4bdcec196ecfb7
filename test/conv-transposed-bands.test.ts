/** Transposed convolution in one and three dimensions, and images larger than what is worked on at a time. */
import { describe, it } from 'vitest';
import { BAND_BYTES, LAYOUT_BYTES } from '../assembly/blocks.ts';
import type { Op } from './any-call.ts';
import { integers } from './cases.ts';
import { check, laidOut, layoutTag, type Options, type Shape } from './family.ts';

/** Floats of a band whose layout is changed: its input and output together. */
const BAND = LAYOUT_BYTES / 4;

function both(rank: 1 | 2 | 3, last: boolean, image: Shape, weight: Shape, options: Options = {}): void {
  const ways = [{ algorithm: 'direct' }, { algorithm: 'gemm' }];
  check(`convTranspose${rank}d` as Op, [laidOut(image, last), weight], { inputLayout: layoutTag(rank, last), ...options }, { ways });
}

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('transposed convolution, %s', (_, last) => {
  it.each([1, 2, 3])('more images than change their layout together, stride %i', (stride) => {
    const floats = 3 * 4 * 5 + 5 * (3 * stride + 3) * (4 * stride + 3);
    both(2, last, [Math.ceil(BAND / floats) + 3, 3, 4, 5], [3, 5, 3, 3], { stride, bias: integers(5, 3) });
  });
  it.each([1, 2, 3, 4])('more rows than a band, stride %i', (stride) => {
    // Some 36 000 pixels of output, about two bands with the input that they need.
    const rows = Math.ceil(510 / stride);
    both(2, last, [1, 3, rows, Math.ceil(70 / stride)], [3, 4, 3, 3], { stride, padding: 1, bias: integers(4, 3) });
    both(2, last, [1, 3, rows, Math.ceil(70 / stride)], [3, 2, 5, 2], { stride, dilation: [3, 2], padding: [[0, 4], 1] });
    both(2, last, [2, 4, rows, Math.ceil(70 / stride)], [4, 1, 3, 2], { stride, groups: 2, shuffle: 2 });
    both(2, last, [1, 4, rows, Math.ceil(70 / stride)], [4, 2, 1, 2], { stride, groups: 4, padding: 'same', bias: integers(8, 3) });
  });
  it.each([1, 2, 3])('rows longer than a band, stride %i', (stride) => {
    const columns = Math.ceil((BAND * 0.8) / (6 * stride));
    both(2, last, [1, 3, 2, columns], [3, 4, 2, 3], { stride, bias: integers(4, 3) });
    both(2, last, [1, 3, 2, columns], [3, 4, 3, 2], {
      stride: [1, stride],
      dilation: [1, 3],
      padding: [
        [1, 0],
        [2, 5],
      ],
    });
    both(1, last, [1, 3, columns], [3, 5, 4], { stride, padding: 'same' });
  });
  it('one row far longer than a band', () => {
    both(1, last, [2, 2, BAND / 2 + 5], [2, 3, 3], { stride: 2, padding: [[1, 2]] });
    both(1, last, [1, 2, BAND / 4], [2, 3, 5], { stride: 4, dilation: 2, outputPadding: 3 });
  });
  it.each([1, 2])('more slices than a band, 3-D at stride %i', (stride) => {
    both(3, last, [1, 5, 9, 12 / stride, 14], [5, 6, 3, 3, 3], { stride, padding: 1, bias: integers(6, 3) });
    both(3, last, [1, 4, 12, 16 / stride, 20], [4, 5, 2, 3, 1], {
      stride: [stride, 1, 2],
      dilation: [3, 1, 1],
      padding: [0, [1, 0], [0, 2]],
    });
    both(3, last, [1, 6, 5, 8, 30], [6, 3, 2, 2, 2], { stride, groups: 3, shuffle: 3, outputPadding: stride - 1 });
    both(3, last, [2, 3, 3, 4, 5], [3, 1, 3, 2, 3], { stride, groups: 3, padding: 'same' });
  });
  it('a slice larger than a band', () => {
    both(3, last, [1, 2, 2, 120, 80], [2, 3, 2, 2, 2], { stride: [1, 2, 1], padding: [0, 1, 0] });
    both(3, last, [1, 2, 2, 3, 3000], [2, 3, 1, 2, 3], { stride: [2, 1, 2] });
  });
  it.each([1, 2, 3])('filters of their own: more rows than a band, stride %i', (stride) => {
    const rows = Math.ceil(BAND_BYTES / (40 * 4)) + 5;
    for (const c of [1, 3, 4, 20])
      both(2, last, [1, c, Math.ceil(rows / c), 40], [c, 1, 3, 3], {
        stride,
        groups: c,
        padding: 1,
        bias: integers(c, 3),
        activation: 'relu',
      });
    both(2, last, [1, 2, 3, BAND_BYTES / 4 + 3], [2, 1, 2, 2], { stride: [stride, 1], groups: 2 });
    both(1, last, [2, 5, 900], [5, 1, 4], { stride, groups: 5, dilation: 2, shuffle: 5 });
  });
  it.each([1, 2, 3])('three dimensions, small, stride %i', (stride) => {
    for (const kernel of [
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
      [1, 2, 3],
      [3, 1, 2],
    ]) {
      both(3, last, [2, 3, 2, 3, 4], [3, 4, ...kernel], { stride, bias: integers(4, 3), activation: { leakyRelu: 0.5 } });
      both(3, last, [1, 3, 3, 2, 3], [3, 4, ...kernel], { stride, padding: 'same-lower', shuffle: 2 });
      both(3, last, [1, 4, 3, 2, 3], [4, 2, ...kernel], { stride, dilation: 2, groups: 2, padding: [[0, 1], 1, [1, 0]], outputPadding: 1 });
    }
  });
});
