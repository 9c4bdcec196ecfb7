/** F(m, r) inside transposed convolutions: each remainder of the stride that sees several taps is computed by tiles, the others are summed. */
import { describe, expect, it } from 'vitest';
import type { ConvTransposeOptions, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, guarded } from './cases.ts';
import { expectClose, sumBound } from './close.ts';
import { testEngine } from './engines.ts';
import { laidOut, layoutTag } from './family.ts';

const engine = testEngine();

function random(shape: readonly number[], seed: number): Tensor {
  return { data: fractions(elements(shape), seed), shape: [...shape] };
}

function elements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

interface Case {
  readonly batch?: number;
  readonly channels: readonly [from: number, to: number];
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly options?: ConvTransposeOptions;
}

/** By tiles, through an output that was NaN and whose neighbours still are. */
function check(last: boolean, { batch = 1, channels: [from, to], size, kernel, options = {} }: Case, sums = false): void {
  const rank = size.length as 1 | 2;
  const input = random(laidOut([batch, from, ...size], last), 1);
  const weight = random([from, to / (options.groups ?? 1), ...kernel], 2);
  const given = { inputLayout: layoutTag(rank, last), bias: fractions(to, 3), ...options } as ConvTransposeOptions;
  const plain = rank === 1 ? reference.convTranspose1d : reference.convTranspose2d;
  const tiled = rank === 1 ? engine.convTranspose1d : engine.convTranspose2d;
  // The plain loops would take a minute for large images; conv-transposed.test.ts compares the sums with them.
  const want = sums ? tiled(input, weight, { ...given, algorithm: 'direct' }) : plain(input, weight, given);
  for (const accuracy of ['normal', 'fast'] as const) {
    const { out, intact } = guarded(want.data.length);
    const got = tiled(input, weight, { ...given, algorithm: 'winograd', accuracy, out });
    expectClose(
      got,
      want,
      sumBound((from / (options.groups ?? 1)) * elements(kernel), 2),
      `${accuracy} ${JSON.stringify([size, kernel, given.stride])}`,
    );
    expect(intact()).toBe(true);
  }
}

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('transposed winograd, %s', (_, last) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13])('%i rows and columns, at every stride', (n) => {
    for (const [k, stride] of [
      [2, 1],
      [3, 1],
      [5, 1],
      [3, 2],
      [4, 2],
      [5, 2],
      [8, 2],
      [5, 3],
      [7, 4],
    ] as const)
      check(last, { channels: [16, 17], size: [n, n + 1], kernel: [k, k], options: { stride, padding: n > 1 ? k >> 1 : 0 } });
  });

  it('one dimension', () => {
    for (const [k, stride] of [
      [3, 1],
      [4, 2],
      [9, 4],
    ] as const)
      for (const n of [1, 6, 7, 50]) check(last, { batch: 2, channels: [20, 16], size: [n], kernel: [k], options: { stride, padding: 1 } });
  });

  it('groups, dilation, padding of the result, several strides, activations', () => {
    check(last, { channels: [32, 32], size: [7, 6], kernel: [4, 4], options: { stride: 2, groups: 2 } });
    check(last, { channels: [32, 16], size: [7, 6], kernel: [3, 3], options: { dilation: 2, padding: 2 } });
    check(last, { channels: [16, 16], size: [7, 6], kernel: [5, 5], options: { stride: 3, dilation: 2 } });
    check(last, { channels: [16, 16], size: [7, 6], kernel: [4, 4], options: { stride: 2, padding: 1, outputPadding: 1 } });
    check(last, { channels: [16, 16], size: [7, 6], kernel: [3, 5], options: { stride: [1, 2], padding: [1, 2] } });
    check(last, { channels: [16, 16], size: [9, 8], kernel: [1, 4], options: { stride: [2, 2], bias: undefined } });
    for (const activation of ['relu', 'tanh', { clamp: [-1, 0.5] }] as const)
      check(last, {
        batch: 2,
        channels: [24, 20],
        size: [6, 7],
        kernel: [4, 4],
        options: { stride: 2, padding: 1, activation, shuffle: 5 },
      });
  });

  it('more than a band, and than a block', () => {
    check(last, { channels: [64, 64], size: [60, 50], kernel: [4, 4], options: { stride: 2, padding: 1 } }, true);
    check(last, { batch: 3, channels: [40, 16], size: [70, 33], kernel: [3, 3], options: { padding: 1 } }, true);
  });

  it('an infinity reaches what its window holds, and nothing else', () => {
    const input = random(laidOut([1, 16, 9, 10], last), 1);
    input.data[0] = Infinity;
    input.data[777] = NaN;
    const weight = random([16, 16, 4, 4], 2);
    const options = { inputLayout: layoutTag(2, last), stride: 2, padding: 1 } as ConvTransposeOptions;
    const special = ({ data }: Tensor): string => data.map((x) => (Number.isFinite(x) ? 0 : x)).join();
    const got = engine.convTranspose2d(input, weight, { ...options, algorithm: 'winograd' });
    expect(special(got)).toBe(special(reference.convTranspose2d(input, weight, options)));
  });

  it('the workspace is as large as the plan says', () => {
    const own = testEngine();
    for (const [k, stride] of [
      [4, 2],
      [5, 2],
      [3, 1],
    ] as const) {
      const input = random(laidOut([2, 20, 13, 11], last), 1);
      const options = { inputLayout: layoutTag(2, last), stride, padding: 1 } as ConvTransposeOptions;
      const layer = own.convTranspose2d.prepare(random([20, 18, k, k], 2), { ...options, algorithm: 'winograd' });
      layer.run(input);
      const before = own.alloc([16]);
      const floats = layer.plan(input.shape).workspaceBytes / 4;
      const hole = own.alloc([floats]);
      const after = own.alloc([16]);
      for (const block of [before, after]) block.data.fill(7);
      hole.data.fill(NaN);
      hole.dispose();
      const want = engine.convTranspose2d(input, random([20, 18, k, k], 2), options);
      expectClose(layer.run(input), want, sumBound(20 * k * k, 1));
      for (const block of [before, after]) expect(block.data.every((x) => x === 7)).toBe(true);
      layer.dispose();
    }
  });
});

it('is chosen where it is faster, and refused where it cannot serve', () => {
  const planOf = (channels: readonly [number, number], size: number, k: number, options: ConvTransposeOptions) => {
    const layer = engine.convTranspose2d.prepare(random([...channels, k, k], 1), options);
    const plan = layer.plan([1, channels[0], size, size]);
    layer.dispose();
    return plan;
  };
  const plan = planOf([128, 64], 32, 4, { stride: 2, padding: 1 });
  expect(plan.algorithm).toBe('winograd');
  expect(plan.variant).toBe('4 phases of the stride, each a convolution, those of several taps by F(m, r) of 5 points');
  expect(plan.weightBytes).toBeGreaterThan((16 + 4 * 25) * 128 * 64 * 4);
  expect(planOf([128, 64], 32, 4, { stride: 2, padding: 1, accuracy: 'exact' }).algorithm).toBe('direct');
  expect(planOf([128, 64], 56, 2, { stride: 2 }).algorithm).toBe('direct');
  for (const [channels, k, options] of [
    [[16, 16], 2, { stride: 2 }],
    [[16, 8], 3, {}],
    [[16, 16], 6, {}],
    [[16, 16], 3, { accuracy: 'exact' }],
  ] as const)
    expect(() => planOf(channels, 5, k, { ...options, algorithm: 'winograd' })).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED' }),
    );
});
