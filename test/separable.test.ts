/** separableConv2d against the plain loops: sizes around every block, strips of rows, every option of either step. */
import { describe, it } from 'vitest';
import { CHANNELS, FORESEEN, HELD_BYTES, MR, NR, PARTS, PIXELS } from '../assembly/blocks.ts';
import { integers } from './cases.ts';
import { around, check, laidOut, type Options, type Shape } from './family.ts';

/** Image with channels first, kernel of the depthwise step, channels of the result. */
interface Sizes {
  readonly image: Shape;
  readonly kernel: Shape;
  readonly outC: number;
  readonly multiplier?: number;
}

function both(last: boolean, { image, kernel, outC, multiplier = 1 }: Sizes, options: Options = {}): void {
  const middle = (image[1] as number) * multiplier;
  const shapes = [laidOut(image, last), [middle, 1, ...kernel], [outC, middle, 1, 1]];
  check(
    'separableConv2d',
    shapes,
    { inputLayout: last ? 'nhwc' : 'nchw', ...options },
    { ways: [{}, { algorithm: 'auto', accuracy: 'exact' }] },
  );
}

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('separableConv2d, %s', (_, last) => {
  it.each(around(MR, NR))('%i output channels', (outC) => {
    both(last, { image: [2, 6, 5, 4], kernel: [3, 3], outC }, { padding: 1, bias: integers(outC, 5) });
    both(last, { image: [1, 3, 6, 7], kernel: [2, 3], outC, multiplier: 2 }, { stride: 2 });
  });
  it.each([...around(CHANNELS), 3, 4, 5, 20])('%i channels', (c) => {
    const options = { depthwiseBias: integers(c, 5), depthwiseActivation: 'relu', bias: integers(7, 6), activation: { clamp: [-40, 60] } };
    both(last, { image: [2, c, 6, 5], kernel: [3, 3], outC: 7 }, { ...options, padding: 1 });
    both(last, { image: [1, c, 5, 5], kernel: [2, 2], outC: 9 }, { stride: [1, 2] });
    both(last, { image: [1, c, 4, 4], kernel: [1, 1], outC: 5 });
  });
  it.each([1, 2, 3, 4, 5])('multiplier %i', (multiplier) => {
    for (const c of [1, 3, 4, 16])
      both(
        last,
        { image: [2, c, 5, 6], kernel: [3, 2], outC: 6, multiplier },
        { padding: 'same', depthwiseBias: integers(c * multiplier, 5) },
      );
  });
  it.each(around(PIXELS, MR))('%i columns', (columns) => {
    both(last, { image: [1, 4, 3, columns], kernel: [3, 3], outC: 5 }, { padding: 1 });
    both(last, { image: [2, 4, 2, columns + 2], kernel: [2, 3], outC: 5 }, { stride: [1, 3], padding: [0, [0, 1]] });
  });
  // The sum over channels and bias is run in parts, each so short that its end is foreseen.
  it.each(Array.from({ length: PARTS }, (_part, i) => (i + 1) * FORESEEN).flatMap((c) => [c - 2, c - 1, c, c + 1]))(
    '%i channels against parts of a sum',
    (c) => {
      both(last, { image: [1, c, 3, 5], kernel: [3, 3], outC: 6 }, { padding: 1, bias: integers(6, 5), activation: 'relu' });
      both(last, { image: [2, c, 2, 3], kernel: [1, 2], outC: 4 }, { depthwiseActivation: 'relu6' });
    },
  );
  it.each(Array.from({ length: 2 * NR + 1 }, (_column, i) => i + 1))('%i columns, one to five rows', (columns) => {
    for (const rows of [1, 2, 3, 5])
      both(last, { image: [2, 3, rows, columns], kernel: [3, 3], outC: 7 }, { padding: 1, bias: integers(7, 5) });
    for (const rows of [1, 3]) both(last, { image: [1, 3, 2 * rows, 2 * columns], kernel: [3, 3], outC: 4 }, { padding: 1, stride: 2 });
  });
  // Channels-first strips hold half of HELD_BYTES of what lies between, two rows at least; the last of them may be a single row.
  it.each(around(HELD_BYTES / 8 / (16 * 64)))('%i rows of 64 pixels and 16 channels', (rows) => {
    both(last, { image: [1, 16, rows, 64], kernel: [3, 3], outC: 5 }, { padding: 1, bias: integers(5, 5) });
    both(last, { image: [1, 8, 2 * rows, 64], kernel: [3, 3], outC: 3, multiplier: 4 }, { padding: 1, stride: 2 });
    both(last, { image: [1, 16, rows, 64], kernel: [2, 4], outC: 3 }, { padding: 'same', depthwiseActivation: { leakyRelu: 0.5 } });
  });
  it.each(around(2))('%i rows too long for a strip', (rows) => {
    both(last, { image: [2, 64, rows, 300], kernel: [3, 3], outC: 3 }, { padding: 1, bias: integers(3, 5) });
    both(last, { image: [1, 64, rows, 300], kernel: [3, 2], outC: 3 }, { padding: [1, 0], paddingMode: 'replicate' });
  });
  it('more rows than a strip', () => {
    // Strips hold HELD_BYTES of what lies between and, channels first, of image and result.
    const rows = (floats: number): number => Math.ceil((2.3 * HELD_BYTES) / 4 / floats);
    both(last, { image: [2, 4, rows(30 * 4), 30], kernel: [3, 3], outC: 3 }, { padding: 1, bias: integers(3, 5), shuffle: 3 });
    both(last, { image: [1, 4, rows(30 * 8), 30], kernel: [5, 3], outC: 5, multiplier: 2 }, { dilation: [3, 2], padding: [[6, 2], 2] });
    both(
      last,
      { image: [1, 6, 2 * rows(20 * 6), 21], kernel: [3, 2], outC: 4 },
      { stride: 2, padding: [[0, 1], 0], depthwiseActivation: 'relu6' },
    );
    both(last, { image: [1, 4, rows(60 * 4), 60], kernel: [3, 3], outC: 2 }, { padding: 1, paddingMode: 'reflect' });
  });
  it('rows longer than a strip', () => {
    const columns = Math.ceil(HELD_BYTES / 4 / 3);
    both(last, { image: [1, 4, 3, columns], kernel: [2, 3], outC: 3 }, { padding: 1 });
    both(last, { image: [1, 1, 4, 2 * columns], kernel: [3, 1], outC: 2, multiplier: 2 }, { stride: [2, 1] });
  });
  it.each([
    { padding: 'same' },
    { padding: 'same-lower' },
    { padding: 'valid' },
    { padding: 2 },
    {
      padding: [
        [0, 3],
        [2, 1],
      ],
    },
    { padding: [[4, 0], 3] },
  ])('%j', ({ padding }) => {
    for (const stride of [1, 2, 3])
      for (const kernel of [
        [3, 3],
        [1, 2],
        [4, 3],
      ])
        both(last, { image: [1, 5, 6, 7], kernel, outC: 6 }, { padding, stride, depthwiseBias: integers(5, 5) });
  });
  it.each(['reflect', 'replicate', 'circular'])('border %s', (paddingMode) => {
    for (const padding of [
      1,
      'same',
      [
        [2, 0],
        [1, 3],
      ],
    ])
      for (const stride of [1, 2])
        both(last, { image: [2, 5, 5, 6], kernel: [3, 4], outC: 6 }, { padding, paddingMode, stride, bias: integers(6, 5) });
    both(last, { image: [1, 3, 4, 4], kernel: [3, 3], outC: 4, multiplier: 2 }, { padding: 2, paddingMode, dilation: 2 });
  });
  it.each(['relu', 'relu6', { leakyRelu: 0.5 }, { clamp: [-5, 9] }])('activations %j', (activation) => {
    for (const depthwiseActivation of [undefined, 'relu', 'relu6', { leakyRelu: 2 }, { clamp: [-3, 3] }])
      both(last, { image: [1, 5, 5, 5], kernel: [3, 3], outC: 6 }, { activation, depthwiseActivation, padding: 1, bias: integers(6, 5) });
  });
  it.each([2, 3, 6, 12])('shuffle by %i', (shuffle) => {
    both(last, { image: [2, 5, 5, 4], kernel: [3, 3], outC: 12 }, { shuffle, bias: integers(12, 5), activation: { leakyRelu: 0.5 } });
  });
  it.each(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'])('filter layout %s of both weights', (filterLayout) => {
    const shape = (sizes: Record<string, number>): Shape => [...filterLayout].map((letter) => sizes[letter] as number);
    const weights = [shape({ o: 10, i: 1, h: 3, w: 2 }), shape({ o: 7, i: 10, h: 1, w: 1 })];
    check('separableConv2d', [laidOut([2, 5, 6, 5], last), ...weights], { inputLayout: last ? 'nhwc' : 'nchw', filterLayout, padding: 1 });
  });
  it('an empty batch gives an empty result', () => both(last, { image: [0, 4, 5, 5], kernel: [3, 3], outC: 6 }, { padding: 1 }));
  // The last strip has fewer rows than a dilation leaves room for pairs of, or borders of more rows than one.
  it.each([1, 2, 3, 4])('3×3 of dilation %i in several strips, of every number of rows', (dilation) => {
    for (let rows = 9; rows < 27; rows++)
      for (const padding of [dilation, [[dilation, 0], dilation], [[0, 5], dilation]])
        both(
          last,
          { image: [1, 160, rows, 28], kernel: [3, 3], outC: 3 },
          { dilation, padding, activation: 'relu', depthwiseBias: integers(160, 5) },
        );
    both(last, { image: [1, 512, 14, 14], kernel: [3, 3], outC: 4 }, { dilation, padding: dilation });
  });
  it('windows that see nothing but border', () => {
    both(last, { image: [1, 5, 2, 3], kernel: [2, 2], outC: 6 }, { padding: 4, depthwiseBias: integers(5, 5), bias: integers(6, 6) });
    both(
      last,
      { image: [1, 5, 2, 3], kernel: [2, 2], outC: 6 },
      {
        padding: [
          [7, 0],
          [0, 5],
        ],
        stride: 2,
      },
    );
  });
});
