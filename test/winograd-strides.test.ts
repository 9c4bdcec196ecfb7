/** F(m, r) over the phases of a stride: right over its whole option space, as exact as promised, finite where it should be, and chosen where it gains. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, type Operands, operands, problem } from './cases.ts';
import { expectClose, sumBound } from './close.ts';
import { testEngine } from './engines.ts';
import { check, checkNonFinite, errors, layouts, sums } from './tiled.ts';

const engine = testEngine();

describe.each(layouts)('winograd with a stride, %s', (inputLayout) => {
  it.each([3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 18, 31, 32, 33, 34])('%i rows and columns', (size) => {
    check(`ic32ih${size}iw${size + 3}oc16kh3sh2ph1`, { inputLayout });
    check(`mb2ic16ih${size}iw5oc16kh3sh2`, { inputLayout });
    check(`mb2ic33ih1iw${size}oc16kh1kw3sh1sw2pw1`, { inputLayout });
  });

  it.each([16, 17, 19, 20, 31, 33, 48, 64, 65])('%i channels in, and out', (c) => {
    check(`ic${c}ih17iw15oc16kh3sh2ph1`, { inputLayout });
    check(`ic16ih17iw15oc${c}kh3sh2ph1`, { inputLayout });
  });

  it.each([
    [3, 2],
    [4, 2],
    [5, 2],
    [6, 2],
    [7, 2],
    [9, 2],
    [10, 2],
    [4, 3],
    [5, 3],
    [6, 3],
    [7, 3],
    [9, 4],
  ])('%i taps at stride %i', (k, s) => {
    for (const size of [k, k + 1, 2 * k + 3, 24, 29]) check(`ic32ih${size}iw${size + 2}oc17kh${k}sh${s}ph${k >> 1}`, { inputLayout });
    for (const size of [k, 23, 64]) check(`mb2ic33ih1iw${size}oc16kh1kw${k}sh1sw${s}pw${k >> 1}`, { inputLayout });
    check(`g2ic32ih21iw26oc32kh${k}sh${s}ph1`, { inputLayout });
  });

  it('borders of every width and mode', () => {
    for (const begin of [0, 1, 2, 5])
      for (const end of [0, 1, 4])
        check('ic16ih10iw11oc16kh3sh2', {
          inputLayout,
          padding: [
            [begin, end],
            [end, begin],
          ],
        });
    for (const padding of ['same', 'same-lower', 'valid'] as const) check('ic16ih14iw15oc17kh3sh2', { inputLayout, padding });
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const)
      check('ic16ih12iw13oc16kh3sh2ph2', { inputLayout, paddingMode });
  });

  it('activations, bias, shuffle, groups', () => {
    for (const activation of ['relu', 'silu', { clamp: [-0.5, 0.25] }] as const)
      check('ic16ih12oc20kh3sh2ph1', { inputLayout, activation });
    check('ic16ih12oc20kh3sh2ph1', { inputLayout, bias: undefined });
    check('ic16ih12oc20kh3sh2ph1', { inputLayout, shuffle: 5 });
    check('g3ic105ih15oc24kh3sh2ph1', { inputLayout });
    check('g4ic16ih20oc32kh3sh2ph1', { inputLayout });
  });

  it('more tiles than a block, more rows than a band, more images than either', () => {
    const plain = ({ input, weight, options }: Operands): Tensor => engine.conv2d(input, weight, { ...options, algorithm: 'gemm' });
    check('ic16ih220iw231oc16kh3sh2ph1', { inputLayout }, plain);
    check('mb9ic24ih42iw46oc40kh3sh2ph1', { inputLayout }, plain);
    check('ic130ih60iw81oc130kh3sh2ph2', { inputLayout }, plain);
    check('ic40ih1iw80001oc16kh1kw3sh1sw2pw1', { inputLayout }, plain);
    check('ic16ih13iw60007oc16kh3sh2ph1', { inputLayout }, plain);
  });

  it('few channels, whose phases are gathered', () => {
    for (const [ic, k, stride] of [
      [3, 7, 2],
      [3, 3, 2],
      [2, 5, 2],
      [4, 4, 2],
      [4, 9, 2],
      [3, 5, 2],
    ] as const) {
      for (const size of [k, k + 1, 17, 30, 41]) check(`ic${ic}ih${size}iw${size + 3}oc16kh${k}sh${stride}ph${k >> 1}`, { inputLayout });
      check(`mb2ic${ic}ih23iw9oc33kh${k}sh${stride}ph${k}`, { inputLayout, activation: 'relu' });
      check(`ic${ic}ih24iw25oc17kh${k}sh${stride}`, { inputLayout, padding: 'same', activation: 'silu' });
    }
    for (const [ic, k, stride] of [
      [3, 9, 4],
      [2, 8, 6],
      [8, 3, 2],
    ] as const)
      for (const size of [k, 60, 61, 62, 63]) check(`mb2ic${ic}ih1iw${size}oc19kh1kw${k}sh1sw${stride}pw2`, { inputLayout });
    check('ic3ih30iw20oc16kh5sh2ph2', { inputLayout, paddingMode: 'reflect' });
    const plain = ({ input, weight, options }: Operands): Tensor => engine.conv2d(input, weight, { ...options, algorithm: 'gemm' });
    check('mb2ic3ih150iw171oc40kh7sh2ph3', { inputLayout }, plain);
    check('ic3ih15iw40001oc16kh7sh2ph3', { inputLayout }, plain);
  });

  it('results one cell high or wide, where the stride leads nowhere', () => {
    for (const name of ['ic16ih3oc16kh3sh2', 'ic16ih5oc16kh5sh2', 'ic16ih4iw9oc16kh3sh2', 'ic16ih9iw4oc16kh3sh2']) {
      const { input, weight, options } = operands(problem(name), { inputLayout }, fractions);
      const layer = engine.conv2d.prepare(weight, { ...options, algorithm: 'winograd' });
      expectClose(layer.run(input), reference.conv2d(input, weight, options), sumBound(16 * 25, 2), name);
      // The same layer at a size where it leads somewhere, and back.
      const wide: Tensor = { data: fractions(16 * 12 * 14), shape: inputLayout === 'nchw' ? [1, 16, 12, 14] : [1, 12, 14, 16] };
      expectClose(layer.run(wide), reference.conv2d(wide, weight, options), sumBound(16 * 25, 2), name);
      expectClose(layer.run(input), reference.conv2d(input, weight, options), sumBound(16 * 25, 2), name);
      layer.dispose();
    }
  });

  it('NaN and infinities reach the outputs whose window holds them, and no others', () => {
    for (const [name, at] of [
      ['ic16ih24iw25oc16kh3sh2ph1', [0, 700, 1234]],
      ['g2ic32ih20iw13oc16kh5sh2ph1', [5, 2222, 8319]],
      ['mb2ic16ih1iw80oc16kh1kw3sh1sw2pw1', [0, 639, 1000]],
      ['mb2ic3ih24iw20oc16kh7sh2ph3', [0, 639, 1001]],
    ] as const)
      checkNonFinite(name, at, inputLayout);
  });
});

it.each([
  ['normal', 3, 2, 64, 4],
  ['fast', 3, 2, 64, 10],
  ['normal', 3, 2, 16, 4],
  ['normal', 4, 2, 64, 4],
  ['normal', 5, 2, 64, 4],
  ['normal', 5, 2, 16, 4],
  ['fast', 5, 2, 64, 10],
  ['normal', 7, 2, 64, 4],
  ['normal', 5, 3, 64, 4],
  ['normal', 7, 2, 3, 4],
  ['fast', 7, 2, 3, 10],
  ['normal', 3, 2, 3, 4],
  ['normal', 4, 2, 4, 4],
] as const)(
  'accuracy %s, %i taps at stride %i, %i channels: at most %i times the error of direct sums',
  (accuracy, taps, stride, channels, most) => {
    const { input, weight } = operands(problem(`ic${channels}ih35oc16kh${taps}`), {}, fractions);
    const [wanted, direct] = sums(input, weight, stride);
    const [largest, mean] = errors(engine.conv2d(input, weight, { stride, algorithm: 'winograd', accuracy }), wanted);
    const [directLargest, directMean] = errors(direct, wanted);
    expect(mean / directMean).toBeLessThan(most);
    expect(largest / directLargest).toBeLessThan(most);
  },
);

it.each([3, 4])('%i channels have no larger tiles of two taps than the bound of the error allows', (channels) => {
  const { input, weight, options } = operands(problem(`ic${channels}ih64oc64kh3sh2ph1`), {}, fractions);
  const layer = engine.conv2d.prepare(weight, { ...options, algorithm: 'winograd' });
  expect(layer.plan(input.shape).variant).toMatch(/^F\(3×3, 2×2\)/);
  layer.dispose();
});

it('is chosen where it gains, and says why', () => {
  const { input, weight, options } = operands(problem('ic128ih56oc128kh3sh2ph1'), {}, fractions);
  const layer = engine.conv2d.prepare(weight, options);
  const plan = layer.plan(input.shape);
  expect(plan).toMatchObject({ algorithm: 'winograd', reason: '16 results take 81 products, where sums take 144' });
  expect(plan.variant).toMatch(/^F\(4×4, 2×2\) of 4 phases of the stride in blocks of \d+ tiles$/);
  layer.dispose();
});

// The largest error of a result goes beyond 4 times in an image of fifty; the root mean square does not come near.
it.each([
  [3, 16],
  [3, 64],
  [4, 16],
  [5, 16],
  [5, 64],
  [7, 3],
] as const)(
  'accuracy normal, %i taps at stride 2, %i channels, many draws: at most 2.6 times the error of direct sums, root mean square',
  (taps, channels) => {
    for (let seed = 1; seed <= 12; seed++) {
      const input = { data: fractions(channels * 26 * 26, seed), shape: [1, channels, 26, 26] };
      const weight = { data: fractions(16 * channels * taps * taps, seed + 1000), shape: [16, channels, taps, taps] };
      const [wanted, direct] = sums(input, weight, 2);
      const [, mean] = errors(engine.conv2d(input, weight, { stride: 2, algorithm: 'winograd' }), wanted);
      expect(mean / errors(direct, wanted)[1]).toBeLessThan(2.6);
    }
  },
);
