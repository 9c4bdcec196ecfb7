/** One to three filters of many channels, as dot products: right around every block, to the bit alone as among others, and chosen where they gain. */
import { describe, expect, it } from 'vitest';
import { FORESEEN, MR, PARTS, PIXELS } from '../assembly/blocks.ts';
import type { ConvOptions, Tensor } from '../src/index.ts';
import { fractions, integers, type Operands, operands, problem } from './cases.ts';
import { testEngine } from './engines.ts';
import { around, check, checkTensors } from './family.ts';

const engine = testEngine();
const layouts = ['nchw', 'nhwc'] as const;
/** The GEMM itself: 'auto' leaves few channels to the planes of groups.ts. */
const ways = [{ algorithm: 'gemm' }] as const;

/** Small integers, by the dot products of a GEMM, in both layouts. */
function checkProblem(name: string, extra: ConvOptions = {}): void {
  const p = problem(name);
  for (const inputLayout of layouts) {
    const { input, weight, options } = operands(p, { bias: integers(p.oc, 3), ...extra, inputLayout });
    checkTensors('conv2d', [input, weight], { ...options }, { ways });
  }
}

describe('sizes around every block', () => {
  it.each([1, 2, 3, 4])('%i filters: pixels of tiles and of blocks', (oc) => {
    for (const pixels of around(1, MR, 2 * MR, PIXELS, 2 * PIXELS)) checkProblem(`ic8ih1iw${pixels}oc${oc}kh1`);
  });

  it.each([1, 2, 3])('%i filters: channels, whole vectors and others, against parts of a sum', (oc) => {
    const vectors = Array.from({ length: PARTS + 1 }, (_part, i) => (i + 1) * FORESEEN);
    for (const channels of [1, 2, 3, 4, 5, 7, 8, 12, 20, 36, 52, ...vectors.flatMap((n) => around(4 * n))])
      checkProblem(`ic${channels}ih3oc${oc}kh1`);
  });

  it.each([1, 2, 3])('%i filters: kernels, steps, dilation, borders', (oc) => {
    for (const kernel of ['kh3ph1', 'kh2', 'kh5ph2', 'kh3kw1ph1pw0', 'kh1kw4', 'kh3ph2dh2', 'kh3sh2ph1', 'kh3kw2sh1sw3ph3pw2', 'kh7sh2ph3'])
      for (const channels of [4, 12, 20]) checkProblem(`mb2ic${channels}ih9iw7oc${oc}${kernel}`);
  });
});

describe('options', () => {
  it('groups, and shuffles of their results', () => {
    for (const each of [1, 2, 3]) for (const shuffle of [1, each, 4]) checkProblem(`mb2g4ic32ih5oc${4 * each}kh3ph1`, { shuffle });
    for (const each of [2, 3]) checkProblem(`ic16ih5oc${each}kh3ph1`, { shuffle: each });
  });

  it.each(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'] as const)('filter layout %s', (filterLayout) => {
    checkProblem('mb2g2ic24ih6oc6kh3', { filterLayout });
  });

  it('activations, with a bias and without', () => {
    const bound = (x: number, y: number): boolean => Math.abs(x - y) <= 1e-4;
    for (const activation of [
      'relu',
      'relu6',
      'sigmoid',
      'tanh',
      { elu: 0.5 },
      'silu',
      'hardSwish',
      { leakyRelu: 0.5 },
      { clamp: [-5, 3] },
    ] as const)
      for (const oc of [1, 2, 3])
        for (const bias of [integers(oc, 3), undefined])
          for (const inputLayout of layouts) {
            const { input, weight, options } = operands(problem(`ic8ih4oc${oc}kh3ph1`), { activation, bias, inputLayout });
            checkTensors('conv2d', [input, weight], { ...options }, { ways, bound });
          }
  });

  it('one and three dimensions', () => {
    for (const oc of [1, 2, 3]) {
      check(
        'conv1d',
        [
          [2, 36, 50],
          [oc, 36, 3],
        ],
        { padding: 1 },
        { ways },
      );
      check(
        'conv3d',
        [
          [2, 12, 4, 5, 6],
          [oc, 12, 3, 3, 3],
        ],
        { padding: 1 },
      );
      check(
        'conv3d',
        [
          [1, 3, 4, 5, 12],
          [oc, 12, 2, 3, 1],
        ],
        { inputLayout: 'ndhwc', stride: 2 },
      );
    }
  });

  it('transposed, by phases and tap by tap, and input gradients', () => {
    for (const oc of [1, 2, 3])
      for (const inputLayout of layouts) {
        const image = (c: number, h: number, w: number): number[] => (inputLayout === 'nchw' ? [2, c, h, w] : [2, h, w, c]);
        check('convTranspose2d', [image(16, 5, 6), [16, oc, 4, 4]], { inputLayout, stride: 2, padding: 1 });
        check('convTranspose2d', [image(16, 1, 1), [16, oc, 4, 4]], { inputLayout });
        check('convTranspose2d', [image(24, 3, 4), [24, oc, 3, 3]], { inputLayout, groups: 1, stride: 3, dilation: 2 });
        check('convTranspose2d', [image(24, 4, 3), [24, oc, 3, 3]], { inputLayout, groups: 2, padding: 1 });
        check('conv2dInputGrad', [image(32, 7, 8), [32, oc, 3, 3]], { inputLayout, padding: 1 }, { rest: [image(oc, 7, 8)] });
      }
  });
});

describe('bits', () => {
  const bits = ({ data }: Tensor): Int32Array => new Int32Array(data.slice().buffer);

  it.each([1, 2, 3])('%i filters: a pixel alone and among others', (oc) => {
    const channels = 388;
    for (const activation of [undefined, { leakyRelu: 0.1 }] as const) {
      const data = fractions(7 * channels);
      const weight = { data: fractions(oc * channels, 2), shape: [oc, channels, 1, 1] };
      const options: ConvOptions = { inputLayout: 'nhwc', activation, bias: fractions(oc, 3), algorithm: 'gemm' };
      const all = engine.conv2d({ data, shape: [1, 1, 7, channels] }, weight, options);
      for (let i = 0; i < 7; i++) {
        const pixel = { data: data.slice(i * channels, (i + 1) * channels), shape: [1, 1, 1, channels] };
        expect(bits(engine.conv2d(pixel, weight, options))).toEqual(bits(all).slice(i * oc, (i + 1) * oc));
      }
    }
  });

  it('zeros keep their sign', () => {
    for (const bias of [0, -0])
      for (const oc of [1, 2, 3]) {
        const { input, weight, options } = operands(problem(`ic36ih4oc${oc}kh1`), {
          inputLayout: 'nhwc',
          bias: new Float32Array(oc).fill(bias),
        });
        input.data.fill(0);
        weight.data.fill(-1);
        expect(engine.conv2d(input, weight, options).data.every((x) => Object.is(x, bias))).toBe(true);
      }
  });

  it('NaN and infinities reach the pixels that see them, and no others', () => {
    for (const inputLayout of layouts) {
      const given = operands(problem('ic16ih6oc3kh3ph1'), { inputLayout });
      for (const [i, at] of [3, 300, 16 * 36 - 1].entries()) given.input.data[at] = [NaN, Infinity, -Infinity][i] as number;
      checkTensors('conv2d', [given.input, given.weight], { ...given.options }, { ways });
      given.weight.data[40] = NaN;
      checkTensors('conv2d', [given.input, given.weight], { ...given.options }, { ways });
    }
  });

  it('sums of 16,384 products are nearer than one chain of them', () => {
    const { input, weight, options }: Operands = operands(problem('ic1024ih4oc1kh4'), {}, fractions);
    const want = input.data.reduce((sum, x, i) => sum + x * (weight.data[i] as number), 0);
    const got = engine.conv2d(input, weight, options).data[0] as number;
    const chain = input.data.reduce((sum, x, i) => Math.fround(sum + Math.fround(x * (weight.data[i] as number))), 0);
    expect(Math.abs(got - want)).toBeLessThan(Math.abs(chain - want));
  });
});

describe('the planner', () => {
  it.each([
    ['ic1024ih4oc1kh4', 'gemm'],
    ['ic96ih28oc3kh3ph1', 'gemm'],
    ['ic48ih28oc2kh3sh2ph1', 'gemm'],
    ['ic64ih28oc3kh3ph1', 'direct'],
    ['ic97ih28oc3kh3ph1', 'direct'],
    ['ic128ih28oc4kh3ph1', 'direct'],
  ])('%s: %s', (name, algorithm) => {
    for (const inputLayout of layouts) {
      const { input, weight, options } = operands(problem(name), { inputLayout });
      const layer = engine.conv2d.prepare(weight, options);
      expect(layer.plan(input.shape)).toMatchObject({ algorithm });
      layer.dispose();
    }
  });
});
