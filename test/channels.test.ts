/** channelShuffle and biasGrad against the plain loops, and what a shuffle undoes. */
import { describe, expect, it } from 'vitest';
import type { InputLayout } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, integers } from './cases.ts';
import { expectClose } from './close.ts';
import { check, engine, filled, type Shape } from './family.ts';

/** Every rank, with the layouts that it has. */
const shapes: [Shape, (InputLayout | undefined)[]][] = [
  [
    [2, 12, 5],
    [undefined, 'ncw'],
  ],
  [[2, 5, 12], ['nwc']],
  [
    [2, 12, 3, 4],
    [undefined, 'nchw'],
  ],
  [[2, 3, 4, 12], ['nhwc']],
  [
    [1, 12, 2, 3, 2],
    [undefined, 'ncdhw'],
  ],
  [[1, 2, 3, 2, 12], ['ndhwc']],
  [
    [1, 12, 2, 1, 3, 2],
    [undefined, 'nchw'],
  ],
  [
    [2, 1, 3, 1, 2, 12],
    ['nhwc', 'ndhwc'],
  ],
];

describe('channelShuffle', () => {
  it.each(shapes)('%j', (shape, layouts) => {
    for (const inputLayout of layouts)
      for (const groups of [1, 2, 3, 4, 6, 12]) {
        check('channelShuffle', [shape], { inputLayout }, { rest: [groups] });
        // Its inverse has the other factor of the channels.
        const input = filled(shape);
        expectClose(engine.channelShuffle(engine.channelShuffle(input, groups, { inputLayout }), 12 / groups, { inputLayout }), input);
      }
  });
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 16, 17])('%i pixels', (pixels) => {
    for (const c of [1, 2, 6, 9, 40])
      for (const groups of [1, 2, 3, c]) {
        if (c % groups !== 0) continue;
        check('channelShuffle', [[2, c, pixels]], {}, { rest: [groups] });
        check('channelShuffle', [[2, pixels, c]], { inputLayout: 'nwc' }, { rest: [groups] });
      }
  });
  it('moves NaN payloads and the sign of zero as they are', () => {
    const bits = Uint32Array.of(0x7fc12345, 0x80000000, 0xff800000, 0x00000001, 0x7f800000, 0xffffffff);
    for (const [shape, inputLayout] of [
      [[1, 6, 1], 'ncw'],
      [[1, 1, 6], 'nwc'],
    ] as const) {
      const input = { data: new Float32Array(bits.buffer), shape };
      const got = new Uint32Array(engine.channelShuffle(input, 2, { inputLayout }).data.buffer);
      // V8 may quiet a signalling NaN on the way; these are quiet.
      expect([...got]).toEqual([0, 3, 1, 4, 2, 5].map((i) => bits[i]));
    }
  });
  it('an empty batch', () => check('channelShuffle', [[0, 6, 4]], {}, { rest: [2] }));
  it.each(['nchw', 'nhwc'] as const)('the shuffle option is a channelShuffle after the plain call, %s', (inputLayout) => {
    const [input, weight] = [filled(inputLayout === 'nchw' ? [2, 6, 5, 4] : [2, 5, 4, 6], 1), filled([12, 6, 3, 3], 2)];
    const options = { inputLayout, padding: 1, bias: integers(12, 5), activation: 'relu6' } as const;
    for (const shuffle of [2, 3, 4, 6]) {
      const after = (plain: ReturnType<typeof engine.conv2d>) => engine.channelShuffle(plain, shuffle, { inputLayout });
      expectClose(engine.conv2d(input, weight, { ...options, shuffle }), after(engine.conv2d(input, weight, options)));
      const grouped = { data: weight.data.subarray(0, 12 * 2 * 9), shape: [12, 2, 3, 3] };
      const groups = { ...options, groups: 3 };
      expectClose(engine.conv2d(input, grouped, { ...groups, shuffle }), after(engine.conv2d(input, grouped, groups)));
      const own = { data: weight.data.subarray(0, 12 * 9), shape: [12, 1, 3, 3] };
      expectClose(engine.depthwiseConv2d(input, own, { ...options, shuffle }), after(engine.depthwiseConv2d(input, own, options)));
      const back = { data: weight.data, shape: [6, 12, 3, 3] };
      expectClose(engine.convTranspose2d(input, back, { ...options, shuffle }), after(engine.convTranspose2d(input, back, options)));
      const pointwise = filled([12, 12, 1, 1], 3);
      expectClose(
        engine.separableConv2d(input, own, pointwise, { ...options, shuffle }),
        after(engine.separableConv2d(input, own, pointwise, options)),
      );
      const [column, row] = [filled([4, 6, 3, 1], 4), filled([12, 4, 1, 3], 5)];
      expectClose(
        engine.spatialSeparableConv2d(input, column, row, { ...options, shuffle }),
        after(engine.spatialSeparableConv2d(input, column, row, options)),
      );
      const flat = { channel: filled([12, 6], 6), vertical: filled([12, 3], 7), horizontal: filled([12, 3], 8) };
      expectClose(engine.flattenedConv2d(input, flat, { ...options, shuffle }), after(engine.flattenedConv2d(input, flat, options)));
    }
  });
});

describe('biasGrad', () => {
  it.each(shapes)('%j', (shape, layouts) => {
    for (const inputLayout of layouts) check('biasGrad', [shape], { inputLayout });
  });
  // Sums are taken 1024 neighbours, or 64 pixels, at a time, in vectors of eight or four.
  it.each([1, 3, 7, 8, 9, 63, 64, 65, 129, 1023, 1024, 1025, 2049])('%i pixels', (pixels) => {
    for (const c of [1, 3, 4, 5, 8]) {
      check('biasGrad', [[2, c, pixels]]);
      check('biasGrad', [[2, pixels, c]], { inputLayout: 'nwc' });
      check('biasGrad', [[2, 1, pixels, c]], { inputLayout: 'nhwc' });
    }
  });
  it('of an empty batch is all zeros', () => {
    check('biasGrad', [[0, 3, 4]]);
    check('biasGrad', [[0, 4, 3]], { inputLayout: 'nwc' });
    expect(engine.biasGrad({ data: new Float32Array(0), shape: [0, 3, 4] }, { out: new Float32Array(3).fill(NaN) }).data).toEqual(
      new Float32Array(3),
    );
  });
  it('a long sum rounds no more than a short one', () => {
    // 2¹⁸ values in ±1: chunks of 1024, four to eight partial sums of at most 256 terms each, and float64 for the rest.
    const input = filled([1, 2, 2 ** 17], 1, fractions);
    const bound = 2 ** 17 * 256 * 2 ** -24;
    const want = reference.biasGrad(input);
    expectClose(engine.biasGrad(input), want, (got, value) => Math.abs(got - value) <= bound);
    expectClose(
      engine.biasGrad({ ...input, shape: [1, 2 ** 17, 2] }, { inputLayout: 'nwc' }),
      reference.biasGrad({ ...input, shape: [1, 2 ** 17, 2] }, { inputLayout: 'nwc' }),
      (got, value) => Math.abs(got - value) <= bound,
    );
    // Added one after the other in float32, a million thirds come out off by some thousand. Chunks of 1024 add 128 of them to each partial sum.
    const thirds = { data: new Float32Array(2 ** 20).fill(1 / 3), shape: [1, 1, 2 ** 20] };
    const total = 2 ** 20 * Math.fround(1 / 3);
    expect(Math.abs((engine.biasGrad(thirds).data[0] as number) - total)).toBeLessThanOrEqual(129 * 2 ** -24 * total);
  });
  it('NaN and Infinity reach their own channel', () => {
    const data = integers(60, 1);
    data[7] = NaN;
    data[33] = Infinity;
    expect(engine.biasGrad({ data, shape: [2, 5, 6] }).data).toEqual(reference.biasGrad({ data, shape: [2, 5, 6] }).data);
    expect(engine.biasGrad({ data, shape: [2, 6, 5] }, { inputLayout: 'nwc' }).data).toEqual(
      reference.biasGrad({ data, shape: [2, 6, 5] }, { inputLayout: 'nwc' }).data,
    );
  });
});
