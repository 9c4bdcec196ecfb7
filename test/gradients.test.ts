/** Gradients of convolutions against the plain loops: sizes around every block, and every form of geometry. */
import { describe, it } from 'vitest';
import { CHANNELS, MR, NR, PIXELS, WHOLE_ROWS_BELOW } from '../assembly/blocks.ts';
import { around, type Options, type Shape } from './family.ts';
import { bothGradients } from './gradients-family.ts';

function both(last: boolean, image: Shape, weight: Shape, options: Options = {}): void {
  bothGradients('conv', 2, last, image, weight, options);
}

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('gradients of conv2d, %s: sizes around every block', (_, last) => {
  // The weight gradient takes eight output channels at a time, and four where they are no more than that.
  it.each(around(NR / 2, NR))('%i output channels', (oc) => {
    both(last, [2, 5, 6, 5], [oc, 5, 3, 3], { padding: 1 });
    both(last, [1, 20, 4, 5], [oc, 20, 2, 3], { stride: [1, 2] });
    both(last, [1, 6, 4, 4], [2 * oc, 3, 2, 2], { groups: 2 });
  });
  // Few channels are read a whole row of the kernel at a time; a multiple of 64 gets a gap.
  it.each([...around(MR, WHOLE_ROWS_BELOW), 63, 64, 65, 128])('%i input channels', (ic) => {
    both(last, [1, ic, 5, 4], [4, ic, 2, 3]);
    both(last, [2, ic, 4, 5], [6, ic, 3, 3], { padding: 1, stride: 2 });
    both(last, [1, ic, 4, 6], [3, ic, 1, 2], { dilation: 2, padding: [0, [2, 1]] });
    if (ic < 40) both(last, [1, 2 * ic, 4, 3], [4, ic, 3, 2], { groups: 2, padding: [1, 0] });
  });
  it.each(around(PIXELS))('%i pixels', (iw) => {
    both(last, [1, 3, 1, iw + 2], [5, 3, 1, 3]);
    both(last, [2, 17, 1, iw], [4, 17, 1, 1]);
    both(last, [1, 17, 1, iw], [4, 17, 1, 4], { padding: [0, 2], stride: [1, 3] });
  });
  it.each([...around(CHANNELS), 3, 4, 5, 18, 20, 64])('%i channels with filters of their own', (c) => {
    for (const options of [{ padding: 1 }, { stride: 2, padding: 1 }, { dilation: 2, padding: [2, 1] }, {}])
      both(last, [2, c, 6, 5], [c, 1, 3, 3], { groups: c, ...options });
  });
  it.each([1, 2, 3, 4, 5, 6, 7])('a kernel of %i columns over each channel', (kW) => {
    // Three taps are summed together, where all of them are inside; what one sees alone follows.
    for (const columns of [1, 2, 4, 9])
      for (const padding of [0, 1, 3, 6] as const) {
        if (columns + 2 * padding < kW) continue;
        for (const stride of [1, 2, 3])
          both(last, [1, 5, 2, columns], [5, 1, 1, kW], { groups: 5, stride: [1, stride], padding: [0, padding] });
      }
  });
  it.each([2, 3, 5])('%i filters to each channel', (m) => {
    both(last, [2, 4, 5, 6], [4 * m, 1, 3, 2], { groups: 4, padding: 1 });
    both(last, [1, 17, 4, 5], [17 * m, 1, 2, 3], { groups: 17, stride: 2 });
    both(last, [1, 1, 5, 6], [m, 1, 3, 3]);
  });
});

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('gradients of conv2d, %s: geometry', (_, last) => {
  it.each([1, 2, 3, 4])('stride %i: windows that end before the image does', (stride) => {
    // Every remainder of the size: cells behind the last window have a gradient of zero.
    for (let size = 4; size < 4 + stride; size++)
      for (const k of [1, 2, 3]) {
        both(last, [1, 3, size, size + 1], [4, 3, k, k], { stride });
        both(last, [2, 3, size, size + 1], [4, 3, k, 4 - k], {
          stride,
          padding: [
            [0, 1],
            [2, 0],
          ],
        });
        both(last, [1, 4, size, size + 1], [4, 1, k, k], { stride, groups: 4, padding: 'same' });
        both(last, [1, 18, size, size + 1], [4, 18, k, k], { stride, padding: 'same-lower' });
      }
  });
  it.each([1, 2, 3])('dilation %i', (dilation) => {
    for (const stride of [1, 2, 4]) {
      both(last, [1, 3, 8, 9], [4, 3, 3, 2], { dilation, stride });
      both(last, [1, 3, 8, 9], [4, 3, 2, 3], { dilation: [1, dilation], stride: [stride, 1], padding: dilation });
      both(last, [2, 5, 8, 9], [5, 1, 3, 3], { dilation, stride, padding: dilation, groups: 5 });
    }
  });
  it('windows that see nothing but border', () => {
    for (const [padding, k] of [
      [3, 2],
      [5, 3],
      [
        [
          [4, 0],
          [0, 4],
        ],
        2,
      ],
    ] as const) {
      both(last, [1, 3, 2, 3], [4, 3, k, k], { padding });
      both(last, [1, 20, 2, 3], [4, 20, k, k], { padding, stride: 2 });
      both(last, [1, 4, 2, 3], [4, 1, k, k], { padding, groups: 4 });
    }
  });
  it('a kernel as large as the image, and 1×1', () => {
    both(last, [2, 3, 5, 4], [6, 3, 5, 4]);
    both(last, [2, 20, 5, 4], [9, 20, 1, 1]);
    both(last, [2, 20, 5, 4], [9, 20, 1, 1], { stride: 2 });
    both(last, [3, 12, 5, 4], [8, 3, 1, 1], { groups: 4 });
  });
  it.each(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'])('filter layout %s', (filterLayout) => {
    const shape = (sizes: Record<string, number>): Shape => [...filterLayout].map((letter) => sizes[letter] as number);
    both(last, [1, 5, 4, 5], shape({ o: 7, i: 5, h: 3, w: 2 }), { filterLayout });
    both(last, [1, 6, 4, 5], shape({ o: 4, i: 3, h: 3, w: 3 }), { filterLayout, groups: 2, padding: 1 });
    both(last, [1, 6, 4, 5], shape({ o: 12, i: 1, h: 2, w: 3 }), { filterLayout, groups: 6, stride: 2 });
  });
  it('an empty batch: no input gradient, a weight gradient of zeros', () => {
    both(last, [0, 3, 4, 5], [4, 3, 3, 3], { padding: 1 });
    both(last, [0, 4, 4, 5], [8, 1, 3, 3], { groups: 4 });
  });
  it('steps and paddings beyond any image', () => {
    both(last, [2, 3, 4, 4], [4, 3, 2, 2], { stride: 2 ** 31 });
    both(last, [1, 3, 3, 3], [4, 3, 3, 3], { dilation: 2 ** 26, padding: 2 ** 26 });
    both(last, [1, 3, 3, 3], [4, 3, 1, 1], { stride: 2 ** 26, padding: 2 ** 26 - 2 });
  });
});
