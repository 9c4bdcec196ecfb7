/** Activations at every kind of number, and NaN and infinities on their way through a convolution. */
import { describe, expect, it } from 'vitest';
import type { Activation } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, integers, operands, problem } from './cases.ts';
import { type Bound, exact, expectClose, ulps } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const layouts = ['nchw', 'nhwc'] as const;

describe('conv2d: activations', () => {
  const all: Activation[] = [
    'relu',
    'relu6',
    'sigmoid',
    'tanh',
    'silu',
    'hardSwish',
    { leakyRelu: 0.1 },
    { leakyRelu: -3 },
    { leakyRelu: 0 },
    { elu: 0.7 },
    { elu: -2 },
    { elu: 0 },
    { clamp: [-0.5, 0.25] },
    { clamp: [1, 1] },
    { clamp: [-Infinity, 1] },
    { clamp: [0.5, Infinity] },
  ];
  const specials = [NaN, Infinity, -Infinity, 0, -0, 1e-40, -1e-40, 3.4e38, -3.4e38, 1e-6, -1e-6];
  // At the beginning for whole vectors, at the end for what is left of a row.
  const values = Float32Array.from([...specials, ...fractions(4000).map((x, i) => x * ([1, 8, 30, 120][i % 4] as number)), ...specials]);
  const one = { data: Float32Array.of(1), shape: [1, 1, 1, 1] };

  // By GEMM in both layouts (the image is one channel of many pixels) and by the depthwise kernels.
  it.each(all.map((activation) => [JSON.stringify(activation), activation] as const))('%s', (_, activation) => {
    for (const inputLayout of layouts) {
      const shape = inputLayout === 'nchw' ? [1, 1, 1, values.length] : [1, 1, values.length, 1];
      for (const algorithm of ['gemm', 'direct'] as const) {
        const got = engine.conv2d({ data: values, shape }, one, { inputLayout, activation, algorithm });
        const want = reference.conv2d({ data: values, shape }, one, { inputLayout, activation });
        // The polynomial's remainder and the roundings of its sums (assembly/activation.ts): at most three units in the last place over
        // 400,000 values, one to spare; below the smallest normal number a unit is all there is.
        expectClose(got, want, (a, b) => exact(a, b, 0) || ulps(a, b) <= 4 || Math.abs(a - b) <= 2 ** -126, `${inputLayout} ${algorithm}`);
      }
    }
  });

  it('follow the bias', () => {
    for (const inputLayout of layouts) {
      for (const name of ['ic6ih5oc11kh3ph1', 'g6ic6ih5oc6kh3ph1']) {
        const p = problem(name);
        const { input, weight, options } = operands(p, { inputLayout, bias: integers(p.oc), activation: 'relu' });
        expectClose(engine.conv2d(input, weight, options), reference.conv2d(input, weight, options), exact, name);
      }
    }
  });

  it.each(layouts)('NaN and infinities reach the outputs whose window holds them, and no others: %s', (inputLayout) => {
    const names = [
      'ic3ih9oc5kh3ph1',
      'ic20ih9oc5kh3ph1',
      'g3ic3ih9oc3kh3ph1',
      'ic4ih9oc5kh1',
      'g3ic3ih9oc3kh5ph2',
      'ic2ih9oc9kh3sh2dh2ph2',
    ];
    for (const name of names) {
      for (const activation of [undefined, 'relu', 'relu6', 'hardSwish', { leakyRelu: 0.5 }] as const) {
        for (const [value, at] of [NaN, Infinity, -Infinity].flatMap((x) => [0, 0.3, 0.5, 0.8, 1].map((part) => [x, part] as const))) {
          const p = problem(name);
          const { input, weight, options } = operands(p, { inputLayout, activation });
          const positive = { ...weight, data: weight.data.map((w) => Math.abs(w) + 1) };
          const cell = Math.round(at * (input.data.length - 1));
          input.data[cell] = value;
          const want = reference.conv2d(input, positive, options);
          // hardSwish divides by six, the only step here that rounds.
          const bound: Bound = activation === 'hardSwish' ? (a, b) => exact(a, b, 0) || ulps(a, b) <= 4 : exact;
          expectClose(engine.conv2d(input, positive, options), want, bound, `${name} ${value} at ${cell}`);
        }
      }
    }
  });

  it.each(layouts)('NaN passes every activation: %s', (inputLayout) => {
    for (const activation of all) {
      for (const name of ['ic3ih5oc6kh3ph1', 'g3ic3ih5oc3kh3ph1']) {
        const { input, weight, options } = operands(problem(name), { inputLayout, activation });
        input.data.fill(NaN);
        const { data } = engine.conv2d(input, weight, options);
        expect(
          data.findIndex((y) => !Number.isNaN(y)),
          `${name} ${JSON.stringify(activation)}`,
        ).toBe(-1);
      }
    }
  });
});
