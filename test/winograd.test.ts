/** F(m, 3): right over its whole option space, as exact as promised, finite where it should be, and chosen where it gains. */
import { describe, expect, it } from 'vitest';
import type { Accuracy, ConvOptions, EngineTensor, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, integers, type Operands, operands, problem } from './cases.ts';
import { exact, expectClose, sumBound } from './close.ts';
import { testEngine } from './engines.ts';
import { accuracies, check, checkNonFinite, errors, layouts, sums } from './tiled.ts';

const engine = testEngine();
describe.each(layouts)('winograd, %s', (inputLayout) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 18, 19, 24, 25])('%i rows and columns', (size) => {
    check(`ic32ih${size}iw${size + 3}oc16kh3ph1`, { inputLayout });
    if (size > 2) check(`mb2ic16ih${size}iw5oc16kh3`, { inputLayout });
    check(`mb2ic33ih1iw${size}oc16kh1kw3pw1`, { inputLayout });
  });

  it.each([16, 17, 18, 19, 20, 23, 31, 32, 33, 34, 48, 49, 64, 65])('%i channels in, and out', (c) => {
    check(`ic${c}ih9iw8oc16kh3ph1`, { inputLayout });
    check(`ic16ih9iw8oc${c}kh3ph1`, { inputLayout });
    check(`mb3ic${c}ih1iw9oc${c}kh1kw3pw1`, { inputLayout });
  });

  it.each([2, 4, 5])('kernels of %i taps', (k) => {
    const pad = k >> 1;
    for (const size of [k - 1, k, k + 1, 7, 8, 9, 10, 11, 15, 16, 17])
      check(`ic32ih${size}iw${size + 2}oc17kh${k}ph${pad}`, { inputLayout });
    for (const size of [1, 2, 5, 6, 7, 23]) check(`mb2ic33ih1iw${size}oc16kh1kw${k}pw${pad}`, { inputLayout });
    check(`g2ic32ih14iw13oc32kh${k}dh2ph${pad}`, { inputLayout });
  });

  it('groups', () => {
    check('g2ic32ih10oc16kh3ph1', { inputLayout });
    check('g4ic16ih10oc32kh3ph1', { inputLayout });
    check('g3ic105ih7oc24kh3ph1', { inputLayout });
    check('g8ic16ih1iw33oc64kh1kw3pw1', { inputLayout });
  });

  it('dilation sees interleaved images', () => {
    for (const d of [2, 3, 5]) {
      check(`ic16ih${d + 7}iw${2 * d + 9}oc16kh3dh${d}ph${d}`, { inputLayout });
      check(`mb2ic16ih13iw12oc16kh3dh${d}dw1ph1`, { inputLayout });
    }
    // More phases than rows or columns.
    check('ic16ih3iw4oc16kh3dh7ph7', { inputLayout });
    check('ic16ih1iw50oc16kh1kw3dw4pw4', { inputLayout });
  });

  it('borders of every width and mode', () => {
    for (const begin of [0, 1, 2, 5])
      for (const end of [0, 1, 4])
        check('ic16ih7iw6oc16kh3', {
          inputLayout,
          padding: [
            [begin, end],
            [end, begin],
          ],
        });
    for (const padding of ['same', 'same-lower', 'valid'] as const) check('ic16ih8iw9oc17kh3', { inputLayout, padding });
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const) check('ic16ih6iw7oc16kh3ph2', { inputLayout, paddingMode });
    check('ic16ih1iw6oc16kh1kw3ph2pw3', { inputLayout });
  });

  it.each(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'] as const)('filter layout %s', (filterLayout) => {
    check('ic16ih6oc17kh3ph1', { inputLayout, filterLayout });
  });

  it('activations, bias, shuffle', () => {
    for (const activation of ['relu', 'relu6', 'silu', { leakyRelu: 0.5 }, { clamp: [-0.5, 0.25] }] as const)
      check('ic16ih6oc20kh3ph1', { inputLayout, activation });
    check('ic16ih6oc20kh3ph1', { inputLayout, bias: undefined });
    check('ic16ih6oc20kh3ph1', { inputLayout, shuffle: 5 });
  });

  it('more tiles than a block, more rows than a band, more images than either', () => {
    // The plain loops would take minutes; conv.test.ts compares these sums with them.
    const sums = ({ input, weight, options }: Operands): Tensor => engine.conv2d(input, weight, { ...options, algorithm: 'gemm' });
    check('ic16ih120iw131oc16kh3ph1', { inputLayout }, sums);
    check('mb9ic24ih22iw26oc40kh3ph1', { inputLayout }, sums);
    check('ic130ih40iw61oc130kh3dh2ph2', { inputLayout }, sums);
    check('ic40ih1iw40001oc16kh1kw3pw1', { inputLayout }, sums);
    check('ic16ih7iw30007oc16kh3ph1', { inputLayout }, sums);
  });

  it('one dimension', () => {
    const input = { data: fractions(2 * 20 * 37), shape: inputLayout === 'nhwc' ? [2, 37, 20] : [2, 20, 37] };
    const weight = { data: fractions(16 * 20 * 3, 2), shape: [16, 20, 3] };
    const options = { inputLayout: inputLayout === 'nhwc' ? 'nwc' : 'ncw', padding: 1, dilation: 2 } as const;
    const got = engine.conv1d(input, weight, { ...options, algorithm: 'winograd' });
    expectClose(got, reference.conv1d(input, weight, options), sumBound(60, 1));
  });

  it('NaN and infinities reach the outputs whose window holds them, and no others', () => {
    for (const [name, at] of [
      ['ic16ih14iw15oc16kh3ph1', [0, 700, 1234]],
      ['g2ic32ih20iw13oc16kh3ph1', [5, 2222, 8319]],
      ['ic16ih17iw19oc16kh3dh2ph2', [33, 2500]],
      ['mb2ic16ih1iw40oc16kh1kw3pw1', [0, 639, 1000]],
    ] as const)
      checkNonFinite(name, at, inputLayout);
  });

  it('finite data whose transforms are not', () => {
    const { input, weight, options } = operands(problem('ic16ih11iw12oc16kh3ph1'), { inputLayout });
    input.data.fill(0);
    for (const i of [0, 300, 301, 1500]) input.data[i] = 2e38 * (i % 2 === 0 ? 1 : -1);
    weight.data.fill(0);
    for (let i = 0; i < weight.data.length; i += 9) weight.data[i + (i % 4)] = 1;
    const want = reference.conv2d(input, weight, options);
    expect(want.data.every(Number.isFinite)).toBe(true);
    for (const accuracy of accuracies)
      expectClose(engine.conv2d(input, weight, { ...options, algorithm: 'winograd', accuracy }), want, (x, y) => Math.abs(x - y) <= 1e32);
  });

  it('weights that are not finite, or whose factors are not, are summed', () => {
    for (const value of [NaN, Infinity, 3e38]) {
      const { input, weight, options } = operands(problem('ic16ih6oc16kh3'), { inputLayout });
      input.data.fill(0.0001);
      weight.data.fill(0);
      weight.data[16 * 9 + 4] = value;
      weight.data[16 * 9 + 5] = value;
      const asked = { ...options, algorithm: 'winograd' } as const;
      const layer = engine.conv2d.prepare(weight, asked);
      expect(layer.plan(input.shape).algorithm).toBe(value > 3e38 || Number.isNaN(value) ? 'gemm' : 'winograd');
      const want = reference.conv2d(input, weight, options);
      expectClose(layer.run(input), want, (x, y) => exact(x, y, 0) || Math.abs(x - y) <= 1e-5 * Math.abs(y));
      layer.dispose();
    }
  });
});

const scales: Record<string, (channel: number, row: number, column: number) => number> = {
  uniform: () => 1,
  'scaled by 2^-60': () => 2 ** -60,
  'scaled by 2^60': () => 2 ** 60,
  'channels of very different size': (channel) => 2 ** ((channel % 16) - 8),
  'rows that grow': (_, row) => 2 ** (row / 2),
  'one bright corner': (_, row, column) => (row < 5 && column < 5 ? 1000 : 1),
  'an offset': () => NaN,
};

/** How many times the largest error of `given`, and their mean, those of direct sums are. */
function times(
  channels: number,
  taps: number,
  accuracy: Accuracy,
  change: (x: number, i: number) => number = (x) => x,
  seed = 1,
): readonly [largest: number, mean: number] {
  const size = 26;
  const image = { data: fractions(channels * size ** 2, seed).map(change), shape: [1, channels, size, size] };
  const weight = { data: fractions(16 * channels * taps ** 2, seed + 1000), shape: [16, channels, taps, taps] };
  const [wanted, direct] = sums(image, weight);
  const [largest, mean] = errors(engine.conv2d(image, weight, { algorithm: 'winograd', accuracy }), wanted);
  const [directLargest, directMean] = errors(direct, wanted);
  return [largest / directLargest, mean / directMean];
}

describe.each(Object.entries(scales))('the error over that of direct sums in float32: %s', (name, scale) => {
  const size = 26;
  it.each([
    ['normal', 3, 64, 4],
    ['fast', 3, 64, 10],
    ['fast', 3, 128, 10],
    ['normal', 3, 16, 4],
    ['fast', 3, 16, 4],
    ['normal', 3, 160, 4],
    ['fast', 3, 160, 10],
    ['normal', 2, 64, 4],
    ['fast', 2, 64, 10],
    ['normal', 4, 64, 4],
    ['fast', 4, 32, 10],
    ['normal', 5, 64, 4],
    ['fast', 5, 32, 10],
  ] as const)('accuracy %s, %i taps, %i channels: at most %i times', (accuracy, taps, channels, most) => {
    const [largest, mean] = times(channels, taps, accuracy, (x, i) => {
      if (name === 'an offset') return x + 16;
      return x * scale(Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size);
    });
    // Sixteen channels of which one outweighs the others are sums of nine products: nearly exact, so the error of the transforms shows.
    const bound = name.startsWith('channels') && channels === 16 ? 8 : most;
    expect(mean).toBeLessThan(bound);
    expect(largest).toBeLessThan(bound);
  });
});

describe('the error over that of direct sums in float32: many draws of uniform data', () => {
  it.each([
    ['fast', 3, 128, 10],
    ['fast', 4, 32, 10],
    ['fast', 5, 32, 10],
    ['normal', 3, 16, 4],
    ['normal', 2, 16, 4],
    ['normal', 4, 16, 4],
    ['normal', 5, 16, 4],
  ] as const)('accuracy %s, %i taps, %i channels: at most %i times', (accuracy, taps, channels, most) => {
    for (let seed = 1; seed <= 12; seed++) {
      const [largest, mean] = times(channels, taps, accuracy, undefined, seed);
      expect(largest).toBeLessThan(most);
      expect(mean).toBeLessThan(0.65 * most);
    }
  });

  it.each([
    [2, 8],
    [4, 4],
    [8, 4],
    [12, 2],
    [16, 2],
  ])('3 taps, %i channels to each of %i groups, at most 4 times', (channels, groups) => {
    const [size, inC, outC] = [26, channels * groups, 8 * groups];
    for (const accuracy of accuracies) {
      for (let seed = 1; seed <= 8; seed++) {
        const image = { data: fractions(inC * size ** 2, seed), shape: [1, inC, size, size] };
        const weight = { data: fractions(outC * channels * 9, seed + 1000), shape: [outC, channels, 3, 3] };
        const { data } = engine.conv2d(image, weight, { algorithm: 'winograd', accuracy, groups });
        for (let g = 0; g < groups; g++) {
          const ofGroup = (t: Tensor, count: number, each: number, shape: number[]): Tensor => ({
            data: t.data.subarray(g * count * each, (g + 1) * count * each),
            shape,
          });
          const [wanted, direct] = sums(
            ofGroup(image, channels, size ** 2, [1, channels, size, size]),
            ofGroup(weight, 8, channels * 9, [8, channels, 3, 3]),
          );
          const got = ofGroup({ data, shape: [] }, 8, (size - 2) ** 2, direct.shape as number[]);
          expect(errors(got, wanted)[0] / errors(direct, wanted)[0]).toBeLessThan(4);
        }
      }
    }
  });
});

describe('the planner', () => {
  const planOf = (name: string, extra: ConvOptions = {}) => {
    const { input, weight, options } = operands(problem(name), extra);
    const layer = engine.conv2d.prepare(weight, options);
    const plan = layer.plan(input.shape);
    layer.dispose();
    return plan;
  };

  it('says what it takes and why', () => {
    const plan = planOf('ic64ih56oc64kh3ph1');
    expect(plan).toMatchObject({
      algorithm: 'winograd',
      flops: 2 * 64 * 64 * 9 * 56 * 56,
      reason: '16 results take 36 products, where sums take 144',
    });
    expect(plan.variant).toMatch(/^F\(4×4, 3×3\) in blocks of \d+ tiles$/);
    expect(plan.weightBytes).toBeGreaterThan((36 + 9) * 64 * 64 * 4);
    expect(planOf('ic128ih112oc64kh3ph1', { accuracy: 'fast' }).variant).toMatch(/^F\(6×6, 3×3\)/);
    expect(planOf('ic64ih224oc64kh3ph1', { accuracy: 'fast' }).variant).toMatch(/^F\(4×4, 3×3\)/);
    expect(planOf('ic64ih4oc64kh3ph1').variant).toMatch(/^F\(2×2, 3×3\)/);
    expect(planOf('ic64ih1iw400oc64kh1kw3pw1').variant).toMatch(/^F\(4, 3\)/);
  });

  it('takes sums where nothing is gained, or exact ones are wanted', () => {
    expect(planOf('ic64ih56oc64kh3ph1', { accuracy: 'exact' }).algorithm).toBe('gemm');
    for (const name of [
      'ic64ih56oc64kh3ph1sh2sw1',
      'ic64ih57oc64kh3sh3',
      'ic64ih56oc64kh1',
      'ic3ih56oc64kh3ph1',
      'ic64ih56oc8kh3ph1',
      'g64ic64ih28oc64kh3ph1',
      'ic32ih3oc32kh3',
    ])
      expect(planOf(name).algorithm).not.toBe('winograd');
  });

  it('a single call takes it where it gains what the factors of the weights cost', () => {
    const same = (name: string): boolean => {
      const { input, weight, options } = operands(problem(name), {}, fractions);
      const sums = engine.conv2d(input, weight, { ...options, algorithm: 'gemm' });
      const own = engine.conv2d(input, weight, options);
      expectClose(own, sums, sumBound(64 * 9, 1));
      return own.data.every((x, i) => x === sums.data[i]);
    };
    expect(same('ic64ih9oc64kh3ph1')).toBe(true);
    expect(same('ic64ih56oc64kh3ph1')).toBe(false);
    const { input, weight, options } = operands(problem('ic64ih56oc64kh3ph1'), { accuracy: 'exact' });
    expectClose(engine.conv2d(input, weight, options), engine.conv2d(input, weight, { ...options, algorithm: 'gemm' }));
  });

  it.each<[string, ConvOptions]>([
    ['ic16ih9oc16kh3', { accuracy: 'exact' }],
    ['ic16ih9oc16kh3sh3', {}],
    ['ic16ih9oc16kh3sh2sw1', {}],
    ['ic16ih9oc16kh3sh2dh2', {}],
    ['ic16ih19oc16kh11sh2', {}],
    ['ic16ih9oc16kh6', {}],
    ['ic16ih9oc16kh3kw1', {}],
    ['ic16ih9oc16kh2kw3', {}],
    ['ic8ih9oc16kh3', {}],
    ['ic16ih9oc8kh3', {}],
    ['g2ic16ih9oc20kh3', {}],
    ['g16ic16ih9oc16kh3', {}],
    ['g2ic32ih9oc32kh3', { shuffle: 2, inputLayout: 'nhwc' }],
  ])('%s %j cannot be asked for', (name, extra) => {
    const { input, weight, options } = operands(problem(name), extra);
    expect(() => engine.conv2d(input, weight, { ...options, algorithm: 'winograd' })).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED' }),
    );
  });
});

describe('a layer makes the factors of its weights when it first needs them', () => {
  const layerOf = ({ weight, options }: Operands, own = engine, accuracy?: Accuracy) =>
    own.conv2d.prepare(weight, { ...options, algorithm: 'winograd', accuracy });

  it('once for each tile, and gives them back', () => {
    const own = testEngine();
    const given = operands(problem('ic64ih20oc64kh3ph1'), {}, fractions);
    const small: Tensor = { data: fractions(64 * 16), shape: [1, 64, 4, 4] };
    let settled = 0;
    for (let i = 0; i < 20; i++) {
      const layer = layerOf(given, own, 'fast');
      const first = layer.run(given.input).data;
      layer.run(small);
      expect(layer.run(given.input).data).toEqual(first);
      layer.dispose();
      layer.dispose();
      if (i === 1) settled = own.info.memoryBytes;
    }
    expect(own.info.memoryBytes).toBe(settled);
  });

  it('both layouts, a call and a layer, an operand in the engine: the same bits', () => {
    const given = operands(problem('mb2ic20ih15iw18oc24kh3ph1'), {}, fractions);
    const { input, weight, options } = given;
    const layer = layerOf(given);
    const want = layer.run(input);
    expect(engine.conv2d(input, weight, { ...options, algorithm: 'winograd' }).data).toEqual(want.data);
    const image: EngineTensor = engine.alloc(input.shape);
    image.data.set(input.data);
    expect(layer.run(image).data).toEqual(want.data);
    layer.dispose();
    const [b, c, h, w] = input.shape as [number, number, number, number];
    const last = input.data.map((_, i) => {
      const [channel, pixel] = [i % c, Math.floor(i / c)];
      return input.data[(Math.floor(pixel / (h * w)) * c + channel) * h * w + (pixel % (h * w))] as number;
    });
    const got = engine.conv2d({ data: last, shape: [b, h, w, c] }, weight, { ...options, inputLayout: 'nhwc', algorithm: 'winograd' });
    const outC = want.shape[1] as number;
    const back = want.data.map((_, i) => {
      const [pixel, plane] = [i % (h * w), Math.floor(i / (h * w))];
      return got.data[(Math.floor(plane / outC) * h * w + pixel) * outC + (plane % outC)] as number;
    });
    expect(back).toEqual(want.data);
  });

  it('not enough memory for them is said, and the layer still serves other shapes', () => {
    const own = testEngine({ maxMemory: 2 ** 20 });
    const given = operands(problem('ic128ih8oc64kh3ph1'), {}, integers);
    const layer = own.conv2d.prepare(given.weight, given.options);
    expect(() => layer.run(given.input)).toThrow(expect.objectContaining({ name: 'RangeError', code: 'ERR_MEMORY' }));
    const pixel: Tensor = { data: integers(128), shape: [1, 128, 1, 1] };
    expectClose(layer.run(pixel), reference.conv2d(pixel, given.weight, given.options));
    layer.dispose();
  });
});
