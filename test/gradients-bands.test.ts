/** Gradients in one and three dimensions, those of transposed convolutions, and images larger than what is worked on at a time. */
import { describe, it } from 'vitest';
import { LAYOUT_BYTES } from '../assembly/blocks.ts';
import { bothGradients } from './gradients-family.ts';

/** Floats of the larger of the bands, in which the layout changes; a band of sums has HELD_BYTES. */
const BAND = LAYOUT_BYTES / 4;
const forwards = ['conv', 'convTranspose'] as const;

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('gradients, %s', (_, last) => {
  it.each([1, 2, 3])('of a transposed convolution, stride %i', (stride) => {
    const options = { stride };
    for (const [oc, ic] of [
      [1, 3],
      [8, 5],
      [9, 17],
      [20, 2],
    ] as const) {
      bothGradients('convTranspose', 2, last, [2, ic, 3, 4], [ic, oc, 3, 2], options);
      bothGradients('convTranspose', 2, last, [1, ic, 3, 4], [ic, oc, 2, 3], { ...options, padding: 'same' });
      bothGradients('convTranspose', 2, last, [1, 2 * ic, 3, 2], [2 * ic, oc, 2, 2], { ...options, groups: 2, padding: [[1, 0], 0] });
    }
    // Forward results that are larger than what the taps reach, smaller, or of a size that was asked for.
    bothGradients('convTranspose', 2, last, [1, 3, 3, 4], [3, 5, 3, 3], { stride: 3, padding: 1, outputPadding: 2 });
    bothGradients('convTranspose', 2, last, [1, 3, 3, 4], [3, 5, 1, 2], { stride: stride + 2, padding: 'same-lower' });
    bothGradients('convTranspose', 2, last, [1, 3, 3, 3], [3, 5, 3, 3], { stride: 2, padding: 2, outputSize: [4, 3] });
    bothGradients('convTranspose', 2, last, [1, 3, 3, 3], [3, 5, 3, 3], {
      stride,
      padding: [
        [2, 0],
        [0, 2],
      ],
      dilation: 2,
    });
    for (const c of [1, 4, 17]) bothGradients('convTranspose', 2, last, [2, c, 4, 3], [c, 1, 3, 3], { ...options, groups: c, padding: 1 });
    bothGradients('convTranspose', 2, last, [2, 4, 4, 3], [4, 2, 3, 3], { ...options, groups: 4, dilation: [1, 2] });
  });
  it.each(forwards)('%s1d', (forward) => {
    for (const stride of [1, 2, 3])
      for (const k of [1, 2, 5]) {
        bothGradients(forward, 1, last, [2, 3, 20], [3, 3, k], { stride, padding: [[1, 0]] });
        bothGradients(forward, 1, last, [1, 18, 9], [18, forward === 'conv' ? 18 : 7, k], { stride, dilation: 2 });
        bothGradients(forward, 1, last, [2, 6, 9], [6, 1, k], { stride, groups: 6, padding: 'same' });
      }
  });
  it.each(forwards)('%s3d at strides 1, 2 and 3', (forward) => {
    for (const stride of [1, 2, 3])
      for (const k of [1, 2, 3]) {
        bothGradients(forward, 3, last, [2, 3, 4, 5, 3], [3, 3, k, 3, 2], { stride, padding: [1, 1, [1, 0]] });
        bothGradients(forward, 3, last, [1, 4, 5, 4, 6], [4, 2, 2, k, k], { stride: [stride, 1, 2], groups: 2, padding: 'same' });
        bothGradients(forward, 3, last, [1, 17, 3, 4, 5], [17, 17, k, 1, 3], { stride, dilation: [1, 1, 2] });
        bothGradients(forward, 3, last, [1, 5, 4, 4, 4], [5, 1, 2, 2, k], { stride, groups: 5, padding: [[0, 1], 0, 1] });
      }
  });
  it('more rows than a band of sums', () => {
    for (const stride of [1, 2]) {
      // Rows copied with their sides, as they lie, with gaps; then one channel to a filter.
      bothGradients('conv', 2, last, [1, 3, 500, 70], [4, 3, 3, 3], { stride, padding: 1 });
      bothGradients('conv', 2, last, [2, 17, 80, 33], [3, 17, 2, 2], { stride, dilation: [3, 1], padding: [[0, 2], 0] });
      bothGradients('conv', 2, last, [1, 64, 60, 20], [2, 64, 2, 1], { stride });
      bothGradients('conv', 2, last, [1, 6, 200, 71], [6, 1, 5, 3], { stride, groups: 6, padding: [4, 1] });
      bothGradients('conv', 2, last, [1, 3, 200, 71], [6, 1, 3, 2], { stride, groups: 3 });
    }
    bothGradients('convTranspose', 2, last, [1, 3, 170, 40], [3, 4, 3, 3], { stride: 2, padding: 1 });
  });
  it('rows longer than a band of sums', () => {
    const columns = Math.ceil(BAND / 7);
    bothGradients('conv', 2, last, [1, 3, 3, columns], [4, 3, 2, 3], { padding: [1, 0] });
    bothGradients('conv', 1, last, [1, 3, 2 * columns], [4, 3, 4], { stride: 2, padding: [[0, 3]] });
    bothGradients('conv', 1, last, [2, 5, columns], [5, 1, 4], { groups: 5, padding: 3 });
    bothGradients('convTranspose', 1, last, [1, 3, columns], [3, 4, 4], { stride: 2 });
  });
  it('more slices, and more images, than a band', () => {
    bothGradients('conv', 3, last, [1, 4, 7, 30, 40], [5, 4, 3, 3, 1], { stride: [2, 1, 1], padding: 1 });
    bothGradients('conv', 3, last, [1, 2, 3, 100, 90], [3, 2, 2, 2, 2], { stride: [1, 2, 2] });
    bothGradients('conv', 2, last, [Math.ceil(BAND / 250), 5, 5, 5], [5, 5, 3, 3], { padding: 1 });
  });
});
