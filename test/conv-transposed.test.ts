/** Transposed convolution against the plain loops, by phases of the stride and tap by tap: sizes around every block, and every form of geometry. */
import { describe, it } from 'vitest';
import { ALONG, CHANNELS, FORESEEN, MR, NR, PARTS, PIXELS } from '../assembly/blocks.ts';
import { integers } from './cases.ts';
import { around, check, laidOut, type Options, type Shape } from './family.ts';

/** Phases are asked for as 'direct', taps as 'gemm'. */
const ways = [{ algorithm: 'direct' }, { algorithm: 'gemm' }];

/** Input with channels first, weight as [inC, outC / groups, kH, kW]. */
function both(last: boolean, image: Shape, weight: Shape, options: Options = {}): void {
  check('convTranspose2d', [laidOut(image, last), weight], { inputLayout: last ? 'nhwc' : 'nchw', ...options }, { ways });
}

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('convTranspose2d, %s: sizes around every block', (_, last) => {
  it.each(around(NR))('%i output channels against panels', (oc) => {
    both(last, [2, 5, 3, 4], [5, oc, 3, 3], { stride: 2, padding: 1, bias: integers(oc, 3) });
    both(last, [1, 5, 3, 4], [5, oc, 2, 2], { stride: 3, bias: integers(oc, 3), activation: 'relu' });
    both(last, [1, 10, 3, 4], [10, oc, 2, 3], { groups: 2, bias: integers(2 * oc, 3), shuffle: 2 });
  });
  // Sums are run in parts, each so short that its end is foreseen.
  it.each([...around(MR, FORESEEN), PARTS * FORESEEN, PARTS * FORESEEN + 1])('%i input channels', (ic) => {
    both(last, [1, ic, 4, 3], [ic, 6, 3, 2], { stride: [2, 1] });
    both(last, [2, 2 * ic, 3, 3], [2 * ic, 5, 2, 2], { stride: 2, groups: 2 });
  });
  it.each(around(MR))('%i pixels against tiles', (iw) => {
    both(last, [1, 3, 1, iw], [3, 6, 1, 4], { stride: [1, 2] });
    both(last, [1, 18, 1, iw], [18, 9, 1, 1]);
    both(last, [iw, 3, 1, 1], [3, 6, 2, 2], { stride: 2 });
  });
  it.each(around(PIXELS))('%i pixels against the block of rows', (iw) => {
    both(last, [1, 4, 1, iw], [4, 5, 1, 3], { stride: [1, 2], padding: [0, 1] });
    both(last, [1, 4, 2, iw], [4, 5, 2, 1]);
    // The phases of stride 2 make half as many of them.
    both(last, [1, 4, 1, 2 * iw], [4, 5, 1, 2], { stride: [1, 2], padding: [0, [iw, iw]] });
  });
  it.each(around(ALONG, PIXELS))('%i results in a row of a phase', (iw) => {
    for (const oc of [4, 8, 13]) both(last, [2, 4, 2, iw], [4, oc, 2, 2], { stride: 2, bias: integers(oc, 3), activation: 'relu' });
    both(last, [1, 6, 3, iw], [6, 8, 3, 3], { stride: 2, padding: 1, groups: 2, shuffle: 4 });
    both(last, [1, 3, 3, iw], [3, 8, 3, 2], { stride: [3, 1], dilation: [1, 2] });
  });
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 33])('%i pixels and channels change their layout', (n) => {
    for (const m of [1, 3, 4, 5, 8]) both(last, [1, n, 1, m], [n, m, 1, 2], { stride: [1, 2] });
  });
  // Of 128 a line lies between the weights of two taps.
  it.each([...around(CHANNELS), 128])('%i channels with filters of their own', (c) => {
    for (const options of [{ stride: 2, padding: 1 }, { stride: 3 }, {}, { dilation: 2, padding: 2 }, { stride: 2, shuffle: c }])
      both(last, [2, c, 5, 6], [c, 1, 3, 3], { groups: c, bias: integers(c, 3), activation: { leakyRelu: 0.5 }, ...options });
    both(last, [1, c, 3, 4], [c, 1, 2, 5], { groups: c, stride: [1, 2], padding: 'same' });
  });
  it('filters of their own, shuffled by less than the channels', () => {
    for (const shuffle of [2, 3, 6])
      for (const stride of [1, 2, 4]) both(last, [2, 12, 4, 3], [12, 1, 3, 2], { groups: 12, stride, shuffle, bias: integers(12, 3) });
  });
  it.each([2, 3, 4, 12])('shuffle by %i', (shuffle) => {
    const options = { shuffle, bias: integers(12, 3), activation: { clamp: [-9, 30] } };
    both(last, [1, 5, 4, 3], [5, 12, 3, 3], { ...options, stride: 2 });
    // Cells that hold only bias are shuffled too.
    both(last, [1, 5, 4, 3], [5, 12, 1, 2], { ...options, stride: 3 });
    both(last, [2, 6, 3, 3], [6, 6, 2, 2], { ...options, groups: 2, stride: 2 });
    both(last, [2, 6, 3, 3], [6, 6, 1, 1], { ...options, groups: 2, stride: 2, padding: 'same' });
  });
});

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('convTranspose2d, %s: geometry', (_, last) => {
  it.each([1, 2, 3, 4, 6])('stride %i with every dilation', (stride) => {
    // Phases are stride / gcd(stride, dilation) apart; all that they may have in common is here.
    for (const dilation of [1, 2, 3, 4, 6]) {
      both(last, [1, 3, 4, 5], [3, 4, 3, 2], { stride, dilation });
      both(last, [1, 3, 4, 5], [3, 4, 2, 3], { stride: [stride, 1], dilation: [1, dilation], padding: [1, 2] });
      both(last, [1, 4, 5, 4], [4, 1, 3, 3], { stride, dilation, groups: 4, padding: [[dilation, 1], 0] });
    }
  });
  it.each([1, 2, 3, 4, 5])('kernels up to 5 against stride %i', (stride) => {
    for (const k of [1, 2, 3, 4, 5]) {
      both(last, [1, 3, 4, 3], [3, 5, k, 6 - k], { stride, bias: integers(5, 3), activation: 'relu6' });
      both(last, [1, 3, 4, 3], [3, 5, k, k], { stride, padding: 'same', bias: integers(5, 3) });
      both(last, [1, 3, 4, 3], [3, 5, k, k], { stride, padding: 'same-lower' });
    }
  });
  it('padding in pairs, beyond the extent, down to one cell', () => {
    for (const stride of [1, 2, 3])
      for (const [begin, end] of [
        [0, 0],
        [1, 0],
        [0, 2],
        [2, 2],
        [5, 0],
        [0, 6],
      ] as const)
        both(last, [2, 3, 5, 6], [3, 4, 3, 4], {
          stride,
          padding: [
            [begin, end],
            [end, begin],
          ],
          bias: integers(4, 3),
        });
    both(last, [1, 3, 3, 3], [3, 4, 3, 3], { stride: 2, padding: 3 });
    both(last, [1, 3, 3, 3], [3, 4, 3, 3], {
      stride: 2,
      padding: [
        [6, 0],
        [0, 6],
      ],
    });
  });
  it('output padding and output size, where a tap reaches and beyond', () => {
    for (const outputPadding of [1, 2, [0, 2], [2, 1]] as const) {
      both(last, [1, 3, 3, 4], [3, 5, 3, 3], { stride: 3, outputPadding, bias: integers(5, 3) });
      both(last, [1, 3, 3, 4], [3, 5, 3, 3], { stride: 3, padding: 1, outputPadding });
      both(last, [1, 3, 3, 4], [3, 5, 2, 2], { dilation: 3, padding: 2, outputPadding });
      both(last, [1, 4, 3, 4], [4, 1, 2, 2], { groups: 4, stride: 3, outputPadding, bias: integers(4, 3) });
    }
    for (const outputSize of [
      [5, 7],
      [6, 8],
      [6, 7],
    ])
      both(last, [1, 3, 3, 4], [3, 5, 3, 3], { stride: 2, padding: 1, outputSize });
    for (const outputSize of [
      [7, 10],
      [9, 12],
      [8, 11],
    ])
      for (const padding of ['same', 'same-lower']) both(last, [1, 3, 3, 4], [3, 5, 3, 1], { stride: 3, padding, outputSize });
  });
  it.each(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'])('filter layout %s', (filterLayout) => {
    const shape = (sizes: Record<string, number>): Shape => [...filterLayout].map((letter) => sizes[letter] as number);
    both(last, [1, 5, 4, 3], shape({ i: 5, o: 7, h: 3, w: 2 }), { filterLayout, stride: 2 });
    both(last, [1, 6, 4, 3], shape({ i: 6, o: 2, h: 3, w: 3 }), { filterLayout, groups: 2, padding: 1 });
    both(last, [1, 6, 4, 3], shape({ i: 6, o: 1, h: 3, w: 2 }), { filterLayout, groups: 6, stride: 2 });
  });
  it('an empty batch gives an empty result', () => {
    both(last, [0, 3, 4, 4], [3, 5, 3, 3], { stride: 2 });
    both(last, [0, 4, 4, 4], [4, 1, 3, 3], { stride: 2, groups: 4 });
  });
  it('steps and paddings beyond any image', () => {
    for (const options of [{ stride: 2 ** 40 }, { stride: [2 ** 31, 1] }, { padding: 'same', stride: 5 }])
      both(last, [2, 3, 1, 1], [3, 4, 2, 2], options);
    both(last, [1, 3, 4, 4], [3, 4, 2, 2], {
      dilation: 2 ** 20,
      padding: [
        [2 ** 20 - 1, 0],
        [0, 2 ** 20],
      ],
    });
    both(last, [1, 3, 2, 2], [3, 4, 3, 3], {
      stride: 2 ** 20,
      padding: [
        [2 ** 20 - 1, 0],
        [0, 2 ** 20 + 1],
      ],
    });
  });
});
