/** What convolution promises whatever the numbers: statements about results alone, which hold without the reference. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ConvOptions, Padding } from '../src/index.ts';
import { fractions, integers, permute } from './cases.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const parameters = { seed: 20261123, numRuns: 60 };
const inputLayout = fc.constantFrom('nchw', 'nhwc');

type Sizes = readonly [batch: number, channels: number, h: number, w: number];

/** The same numbers channels-last. */
function channelsLast(data: Float32Array, [batch, channels, h, w]: Sizes): Float32Array {
  const moved = new Float32Array(data.length);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < h * w; i++) moved[(b * h * w + i) * channels + c] = data[(b * channels + c) * h * w + i] as number;
  return moved;
}

/** A small problem with integers, channels first. */
const problems = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  inC: fc.integer({ min: 1, max: 20 }),
  outC: fc.integer({ min: 1, max: 19 }),
  h: fc.integer({ min: 5, max: 12 }),
  w: fc.integer({ min: 5, max: 12 }),
  kH: fc.integer({ min: 1, max: 4 }),
  kW: fc.integer({ min: 1, max: 4 }),
});

interface Made {
  readonly image: Float32Array;
  readonly shape: Sizes;
  readonly weight: { readonly data: Float32Array; readonly shape: readonly [number, number, number, number] };
}

function make({ batch, inC, outC, h, w, kH, kW }: Record<'batch' | 'inC' | 'outC' | 'h' | 'w' | 'kH' | 'kW', number>): Made {
  return {
    image: integers(batch * inC * h * w, 1),
    shape: [batch, inC, h, w],
    weight: { data: integers(outC * inC * kH * kW, 2), shape: [outC, inC, kH, kW] },
  };
}

function conv({ image, shape, weight }: Made, options: ConvOptions = {}): { data: Float32Array; shape: readonly number[] } {
  return engine.conv2d({ data: image, shape }, weight, options);
}

it('is linear in the image and in the weight', () => {
  fc.assert(
    fc.property(inputLayout, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3 }), (layout, c, k) => {
      const shape = permute({ n: 1, c, h: 6, w: 5 }, layout);
      const [a, b] = [integers(c * 30, 1), integers(c * 30, 2)];
      const w = { data: integers(7 * c * k * k, 3), shape: [7, c, k, k] };
      const conv = (data: Float32Array): Float32Array => engine.conv2d({ data, shape }, w, { padding: 'same', inputLayout: layout }).data;
      const sum = conv(a.map((x, i) => 3 * x - 2 * (b[i] as number)));
      const [ca, cb] = [conv(a), conv(b)];
      expect(sum).toEqual(ca.map((x, i) => 3 * x - 2 * (cb[i] as number)));
    }),
    { ...parameters, numRuns: 60 },
  );
});

it('a shifted image gives a shifted result under a circular border', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 8 }), (h, w, shift) => {
      const image = fractions(3 * h * w);
      const roll = (data: Float32Array): Float32Array => data.map((_, i) => data[i - (i % w) + (((i % w) + shift) % w)] as number);
      const weight = { data: fractions(4 * 3, 5), shape: [4, 3, 1, 1] };
      const kernel = { data: fractions(4 * 3 * 2 * Math.min(w, 3), 5), shape: [4, 3, Math.min(h, 2), Math.min(w, 3)] };
      kernel.data = kernel.data.subarray(0, 12 * Math.min(h, 2) * Math.min(w, 3));
      for (const k of [weight, kernel]) {
        const conv = (data: Float32Array): Float32Array =>
          engine.conv2d({ data, shape: [1, 3, h, w] }, k, { padding: 'same', paddingMode: 'circular' }).data;
        expect(conv(roll(image))).toEqual(roll(conv(image)));
      }
    }),
    { ...parameters, numRuns: 100 },
  );
});

it('a result is the same to the bit in every call, and in a batch', () => {
  const one = { data: fractions(2 * 17 * 81), shape: [2, 17, 9, 9] };
  const weight = { data: fractions(19 * 17 * 9, 2), shape: [19, 17, 3, 3] };
  const both = engine.conv2d(one, weight).data;
  expect(engine.conv2d(one, weight).data).toEqual(both);
  const second = engine.conv2d({ data: one.data.slice(17 * 81), shape: [1, 17, 9, 9] }, weight).data;
  expect(second).toEqual(both.slice(19 * 49));
});

it('channels-last is channels-first with the axes moved', () => {
  fc.assert(
    fc.property(problems, fc.integer({ min: 1, max: 3 }), fc.constantFrom<Padding[]>('same', 'valid', 2), (sizes, stride, padding) => {
      const p = make(sizes);
      const first = conv(p, { stride, padding });
      const moved = {
        data: channelsLast(p.image, p.shape),
        shape: permute({ n: p.shape[0], c: p.shape[1], h: sizes.h, w: sizes.w }, 'nhwc'),
      };
      const last = engine.conv2d(moved, p.weight, { stride, padding, inputLayout: 'nhwc' });
      expect(last.data).toEqual(channelsLast(first.data, first.shape as Sizes));
    }),
    parameters,
  );
});

it('a stride keeps every so many pixels of the result without it', () => {
  fc.assert(
    fc.property(problems, fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.boolean(), (sizes, sh, sw, wide) => {
      const p = make(sizes);
      const padding = wide ? 2 : 0;
      const all = conv(p, { padding });
      const some = conv(p, { padding, stride: [sh, sw] });
      const [h, w] = all.shape.slice(2) as [number, number];
      const kept = all.data.filter((_, i) => Math.floor((i / w) % h) % sh === 0 && (i % w) % sw === 0);
      expect(some.shape.slice(2)).toEqual([Math.ceil(h / sh), Math.ceil(w / sw)]);
      expect(some.data).toEqual(kept);
    }),
    parameters,
  );
});

it('a dilated kernel is a larger one with zeros between its taps', () => {
  fc.assert(
    fc.property(problems, inputLayout, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), (sizes, layout, dh, dw) => {
      const p = make(sizes);
      const [outC, inC, kH, kW] = p.weight.shape;
      const [extentH, extentW] = [(kH - 1) * dh + 1, (kW - 1) * dw + 1];
      const spread = new Float32Array(outC * inC * extentH * extentW);
      for (const [i, value] of p.weight.data.entries()) {
        const [filter, kh, kw] = [Math.floor(i / (kH * kW)), Math.floor(i / kW) % kH, i % kW];
        spread[(filter * extentH + kh * dh) * extentW + kw * dw] = value;
      }
      const shape = permute({ n: sizes.batch, c: inC, h: sizes.h, w: sizes.w }, layout);
      const options: ConvOptions = { padding: 5, inputLayout: layout };
      const dilated = engine.conv2d({ data: p.image, shape }, p.weight, { ...options, dilation: [dh, dw] });
      const large = engine.conv2d({ data: p.image, shape }, { data: spread, shape: [outC, inC, extentH, extentW] }, options);
      expect(dilated).toEqual(large);
    }),
    parameters,
  );
});

it('groups are convolutions side by side', () => {
  fc.assert(
    fc.property(problems, fc.integer({ min: 1, max: 4 }), (sizes, groups) => {
      const { batch, h, w, kH, kW } = { ...sizes, batch: 1 };
      const parts = Array.from({ length: groups }, (_, g) => {
        const part = make({ ...sizes, batch });
        return {
          ...part,
          image: integers(part.image.length, 10 + g),
          weight: { ...part.weight, data: integers(part.weight.data.length, 20 + g) },
        };
      });
      const joined = (arrays: Float32Array[]): Float32Array => Float32Array.from(arrays.flatMap((array) => [...array]));
      const whole = engine.conv2d(
        { data: joined(parts.map(({ image }) => image)), shape: [1, groups * sizes.inC, h, w] },
        { data: joined(parts.map(({ weight }) => weight.data)), shape: [groups * sizes.outC, sizes.inC, kH, kW] },
        { groups, padding: 'same' },
      );
      expect(whole.data).toEqual(joined(parts.map((part) => conv(part, { padding: 'same' }).data)));
    }),
    parameters,
  );
});

it('a border mode is a padding with zeros of the image that has the border', () => {
  fc.assert(
    fc.property(problems, inputLayout, fc.constantFrom('reflect', 'replicate', 'circular'), (sizes, layout, paddingMode) => {
      const p = make(sizes);
      const shape = permute({ n: sizes.batch, c: sizes.inC, h: sizes.h, w: sizes.w }, layout);
      // A kernel of one in each channel alone gives the bordered image itself.
      const eye = new Float32Array(sizes.inC ** 2).map((_, i) => (i % (sizes.inC + 1) === 0 ? 1 : 0));
      const padding = [
        [1, 3],
        [2, 4],
      ] as const;
      const options = { paddingMode, padding, inputLayout: layout } as const;
      const bordered = engine.conv2d({ data: p.image, shape }, { data: eye, shape: [sizes.inC, sizes.inC, 1, 1] }, options);
      const want = engine.conv2d(bordered, p.weight, { inputLayout: layout });
      expect(engine.conv2d({ data: p.image, shape }, p.weight, options)).toEqual(want);
    }),
    parameters,
  );
});
