/** spatialSeparableConv2d and flattenedConv2d against the plain loops: several steps in strips of rows, whose seams are computed twice. */
import { describe, it } from 'vitest';
import { CHANNELS, HELD_BYTES, MR, NR } from '../assembly/blocks.ts';
import { integers } from './cases.ts';
import { around, check, laidOut, type Options, type Shape } from './family.ts';

/** Image with channels first, channels after each step, kernel. */
interface Sizes {
  readonly image: Shape;
  readonly midC?: number;
  readonly outC: number;
  readonly kernel: Shape;
}

function spatial(last: boolean, { image, midC = 3, outC, kernel: [kH = 1, kW = 1] }: Sizes, options: Options = {}): void {
  const groups = (options.groups as number | undefined) ?? 1;
  const shapes = [laidOut(image, last), [midC, (image[1] as number) / groups, kH, 1], [outC, midC / groups, 1, kW]];
  check('spatialSeparableConv2d', shapes, { inputLayout: last ? 'nhwc' : 'nchw', ...options });
}

function flattened(last: boolean, { image, outC, kernel: [kH = 1, kW = 1] }: Sizes, options: Options = {}): void {
  const shapes = [laidOut(image, last), [outC, image[1] as number], [outC, kH], [outC, kW]];
  check('flattenedConv2d', shapes, { inputLayout: last ? 'nhwc' : 'nchw', ...options });
}

const operations = [
  ['spatialSeparableConv2d', spatial],
  ['flattenedConv2d', flattened],
] as const;

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('%s', (_, last) => {
  describe.each(operations)('%s', (name, both) => {
    it.each(around(MR, NR, CHANNELS))('%i output channels', (outC) => {
      both(last, { image: [2, 4, 6, 5], outC, kernel: [3, 3] }, { padding: 1, bias: integers(outC, 5) });
      both(last, { image: [1, 5, 7, 6], outC, kernel: [2, 4] }, { stride: 2, shuffle: outC, activation: 'relu' });
    });
    it.each([...around(CHANNELS), 4])('%i channels', (c) => {
      both(last, { image: [1, c, 5, 6], midC: c, outC: 6, kernel: [3, 2] }, { padding: 'same' });
      both(last, { image: [2, c, 5, 4], midC: 7, outC: 3, kernel: [1, 3] });
    });
    it('more rows than a strip', () => {
      const rows = (floats: number): number => Math.ceil((2.3 * HELD_BYTES) / 4 / floats);
      const flat = { outC: 4, midC: 4, kernel: [5, 3] };
      both(last, { image: [1, 2, rows(30 * 4), 30], ...flat }, { padding: 2, bias: integers(4, 5) });
      both(last, { image: [1, 2, rows(30 * 4), 31], ...flat }, { stride: [1, 2], dilation: [7, 1], padding: [[20, 3], 0] });
      both(
        last,
        { image: [2, 2, 2 * rows(40 * 4), 20], ...flat },
        {
          stride: [2, 1],
          padding: [
            [0, 1],
            [2, 0],
          ],
          shuffle: 2,
        },
      );
      both(last, { image: [1, 2, rows(60 * 4), 60], ...flat }, { padding: 2, paddingMode: 'circular' });
    });
    it('a kernel taller than a strip', () => {
      const columns = Math.ceil(HELD_BYTES / 4 / 60);
      both(last, { image: [1, 2, 40, columns], outC: 3, kernel: [13, 2] }, { padding: [6, 0] });
      both(last, { image: [1, 2, 40, columns], outC: 3, kernel: [5, 2] }, { dilation: [6, 1], stride: [3, 1], padding: [[11, 2], 1] });
    });
    it('rows longer than a strip', () => {
      const columns = Math.ceil(HELD_BYTES / 4 / 3);
      both(last, { image: [1, 2, 3, columns], outC: 3, kernel: [2, 3] }, { padding: 1 });
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
      for (const stride of [1, 2, [3, 1]])
        for (const kernel of [
          [3, 3],
          [1, 2],
          [4, 3],
          [2, 1],
        ])
          both(last, { image: [1, 4, 6, 7], outC: 6, kernel }, { padding, stride, bias: integers(6, 5) });
      both(last, { image: [2, 4, 8, 7], outC: 6, kernel: [3, 2] }, { padding, dilation: [2, 3] });
    });
    it.each(['reflect', 'replicate', 'circular'])('border %s', (paddingMode) => {
      for (const padding of [
        1,
        'same',
        [
          [2, 0],
          [1, 3],
        ],
        [[3, 0], 0],
        [0, [0, 2]],
      ])
        for (const stride of [1, 2, [1, 2]])
          both(last, { image: [2, 4, 5, 6], outC: 6, kernel: [3, 4] }, { padding, paddingMode, stride, bias: integers(6, 5) });
    });
    it.each(['relu', 'relu6', { leakyRelu: 0.5 }, { clamp: [-5, 9] }])('activation %j follows the last step alone', (activation) => {
      both(last, { image: [1, 4, 5, 5], outC: 6, kernel: [3, 3] }, { activation, padding: 1, bias: integers(6, 5) });
    });
    it('windows that see nothing but border, and an empty batch', () => {
      both(last, { image: [1, 4, 2, 3], outC: 6, kernel: [2, 2] }, { padding: 4, bias: integers(6, 5) });
      both(
        last,
        { image: [1, 4, 2, 3], outC: 6, kernel: [2, 2] },
        {
          padding: [
            [7, 0],
            [0, 5],
          ],
          stride: 2,
        },
      );
      both(last, { image: [0, 4, 5, 5], outC: 6, kernel: [3, 3] });
    });
    it(`${name}: sums of sums stay exact`, () => both(last, { image: [1, 20, 5, 5], midC: 20, outC: 5, kernel: [3, 3] }));
  });

  it.each([2, 4])('spatialSeparableConv2d in %i groups', (groups) => {
    for (const shuffle of [1, 2, 4])
      spatial(last, { image: [2, 8, 5, 6], midC: 12, outC: 8, kernel: [3, 2] }, { groups, shuffle, padding: 1, bias: integers(8, 5) });
    spatial(last, { image: [1, 4, 5, 6], midC: 4, outC: 4, kernel: [3, 3] }, { groups: 4, paddingMode: 'replicate', padding: 2 });
    // As many groups as channels: each step is one filter to a channel.
    spatial(last, { image: [1, groups, 5, 6], midC: groups, outC: 2 * groups, kernel: [3, 3] }, { groups, shuffle: groups });
  });
  it.each(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'])('spatialSeparableConv2d, filter layout %s', (filterLayout) => {
    const shape = (sizes: Record<string, number>): Shape => [...filterLayout].map((letter) => sizes[letter] as number);
    const weights = [shape({ o: 6, i: 2, h: 3, w: 1 }), shape({ o: 8, i: 3, h: 1, w: 2 })];
    const options = { inputLayout: last ? 'nhwc' : 'nchw', filterLayout, groups: 2 };
    check('spatialSeparableConv2d', [laidOut([2, 4, 6, 5], last), ...weights], options);
  });
});
