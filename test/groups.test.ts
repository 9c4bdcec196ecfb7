/** Convolutions in groups of few channels, against plain loops: every width of tile, band, border and phase, through outputs that were NaN. */
import { describe, expect, it } from 'vitest';
import { BAND_BYTES } from '../assembly/blocks.ts';
import type { ConvOptions, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, guarded, integers, operands, problem } from './cases.ts';
import { exact, expectClose, sumBound } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const layouts = ['nchw', 'nhwc'] as const;

function check(name: string, extra: ConvOptions = {}, bound = exact, method: ConvOptions = { algorithm: 'direct' }): void {
  const p = problem(name);
  const { input, weight, options } = operands(p, { bias: integers(p.oc, 3), ...extra });
  const want = reference.conv2d(input, weight, options);
  const { out, intact } = guarded(want.data.length);
  const got = engine.conv2d(input, weight, { ...options, ...method, out });
  expectClose(got, want, bound, `${name} ${JSON.stringify(extra)}`);
  expect(intact()).toBe(true);
}

function planOf(weight: readonly number[], input: readonly number[], options: ConvOptions): ReturnType<typeof layer.plan> {
  const size = weight.reduce((a, b) => a * b, 1);
  const layer = engine.conv2d.prepare({ data: integers(size), shape: weight }, options);
  const plan = layer.plan(input);
  layer.dispose();
  return plan;
}

describe.each(layouts)('few channels %s', (inputLayout) => {
  /** By weights of its own, and, where it is chosen, by those of a GEMM. */
  const both = (name: string, extra: ConvOptions = {}, bound = exact): void => {
    check(name, { inputLayout, ...extra }, bound);
    check(name, { inputLayout, ...extra }, bound, { accuracy: 'exact' });
  };

  it.each(Array.from({ length: 18 }, (_, i) => i + 1))('%i columns', (iw) => {
    for (const ih of [1, 2, 3, 6]) both(`ic3ih${ih}iw${iw}oc8kh3ph1`);
    both(`ic2ih7iw${2 * iw}oc12kh3sh2ph1`);
    both(`ic1ih5iw${iw}oc16kh3ph1`);
    both(`ic3ih4iw${iw}oc36kh2kw3ph1sh1sw3pw2`);
  });
  // Less than a four of filters, which go by twos and ones.
  it.each([1, 2, 3, 4])('%i filters of any number of channels', (oc) => {
    for (const ic of [2, 3, 5, 9, 16, 33])
      for (const iw of [1, 3, 4, 7, 8, 12, 13, 17]) {
        both(`mb2ic${ic}ih5iw${iw}oc${oc}kh3ph1`);
        both(`ic${ic}ih6iw${iw}oc${oc}kh3sh2ph1`, { activation: 'relu' });
        both(`ic${ic}ih3iw${iw + 27}oc${oc}kh1`, { bias: undefined });
        both(`ic${ic}ih1iw${4 * iw}oc${oc}kh1kw2sw3pw2`);
      }
    both(`ic3ih9iw14oc${oc}kh5ph2`, { shuffle: oc, activation: 'silu' }, sumBound(80, 4));
  });
  it.each([4, 8, 12, 16, 28, 32, 36, 40, 64, 68])('%i filters', (oc) => {
    for (const ic of [1, 2, 3, 4])
      for (const iw of [3, 6, 8, 12, 16, 21]) {
        both(`mb2ic${ic}ih5iw${iw}oc${oc}kh3ph1`);
        both(`ic${ic}ih6iw${iw}oc${oc}kh3sh2ph1`);
      }
  });
  it.each([56, 57, 59, 60, 61, 64, 67])('one tap, %i columns', (iw) => {
    for (const ic of [1, 2, 5, 16]) for (const oc of [8, 12, 36]) both(`ic${ic}ih3iw${iw}oc${oc}kh1`);
    both(`mb2ic7ih5iw${2 * iw}oc12kh1sh2`);
    both(`ic3ih4iw${iw}oc8kh1ph1`, { shuffle: 2 });
  });
  it('planes a power of two apart', () => {
    both('ic16ih64iw64oc16kh1');
    both('ic8ih32iw128oc8kh1');
  });
  it('more rows than a band holds', () => {
    both('ic3ih70iw64oc8kh3ph1');
    both('mb2ic3ih90iw128oc32kh3sh2ph1');
    both('ic1ih300iw64oc12kh5ph2');
  });
  it('paddings, borders, dilations, filter layouts, shuffles', () => {
    for (const padding of ['valid', 'same', 'same-lower'] as const) both('ic3ih9iw16oc8kh4kw3sh2', { padding });
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const) both('ic3ih9iw16oc8kh3ph1', { paddingMode });
    both('ic3ih12iw16oc8kh3dh2ph3');
    both('ic3ih12iw16oc8kh3dh1sh3ph2');
    for (const filterLayout of ['ohwi', 'iohw', 'hwio'] as const) both('ic3ih6iw8oc12kh3ph1', { filterLayout });
    for (const shuffle of [2, 4, 6]) for (const ic of [1, 3]) both(`ic${ic}ih5iw8oc12kh3ph1`, { shuffle });
    both('ic3ih5iw8oc36kh3ph1', { shuffle: 3, bias: undefined });
  });
  it('activations', () => {
    for (const activation of ['relu', { clamp: [-9, 30] }, 'sigmoid', 'silu'] as const)
      for (const name of ['ic3ih5iw16oc8kh3ph1', 'ic3ih4iw12oc32kh3ph1']) both(name, { activation }, sumBound(72, 4));
  });
  it('NaN reaches the results whose window holds it, and no others', () => {
    for (const name of ['ic3ih6iw16oc12kh3ph1', 'ic3ih7iw16oc32kh3ph1sh2', 'ic1ih9iw16oc32kh3ph1']) {
      const { input, weight, options } = operands(problem(name), { inputLayout });
      for (const [i, value] of [NaN, Infinity, -Infinity].entries()) input.data[i * 40 + 7] = value;
      for (const algorithm of ['direct', 'auto'] as const)
        expectClose(engine.conv2d(input, weight, { ...options, algorithm, accuracy: 'exact' }), reference.conv2d(input, weight, options));
    }
  });
  it.each([1, 2, 3, 5, 7, 10])('%i filters of one channel', (oc) => {
    for (const iw of [3, 6, 8, 13, 16, 21]) {
      both(`mb2ic1ih5iw${iw}oc${oc}kh3ph1`);
      both(`ic1ih8iw${iw}oc${oc}kh5sh2ph2`, { activation: 'relu' });
    }
    const image = inputLayout === 'nchw' ? [1, 1, 28, 28] : [1, 28, 28, 1];
    expect(planOf([oc, 1, 3, 3], image, { inputLayout }).variant.startsWith('all channels')).toBe(inputLayout === 'nhwc');
  });
  it('gives the bits of the GEMM', () => {
    for (const name of [
      'ic3ih20iw16oc32kh3sh2ph1',
      'ic4ih9iw24oc8kh5ph2',
      'ic2ih9iw16oc20kh3ph1',
      'ic16ih9iw61oc20kh1',
      'ic7ih9iw115oc20kh1sh2',
    ]) {
      const { input, weight, options } = operands(problem(name), { inputLayout });
      const random: Tensor = { ...input, data: fractions(input.data.length, 5) };
      const [few, gemm] = (['auto', 'gemm'] as const).map((algorithm) =>
        engine.conv2d(random, weight, { ...options, algorithm, accuracy: 'exact' }),
      );
      expect(few?.data).toEqual(gemm?.data);
    }
  });
  it('is chosen for short sums over rows that fill vectors', () => {
    const plan = (weight: readonly number[], size: number, options: ConvOptions = {}) => {
      const c = weight[1] as number;
      return planOf(weight, inputLayout === 'nchw' ? [1, c, size, size] : [1, size, size, c], {
        padding: (weight[2] as number) >> 1,
        inputLayout,
        ...options,
      });
    };
    const stem = plan([32, 3, 3, 3], 224, { stride: 2 });
    expect(stem.algorithm).toBe('direct');
    expect(stem.variant).toMatch(/^all channels, copied in bands of \d+ rows$/);
    expect(stem.reason).toContain('few channels');
    expect(plan([8, 1, 5, 5], 28).algorithm).toBe('direct');
    // Lines of a result that is larger than the caches are written in parts.
    expect(plan([64, 3, 3, 3], 224).algorithm).toBe(inputLayout === 'nchw' ? 'direct' : 'gemm');
    expect(plan([16, 4, 5, 5], 28).algorithm).toBe('direct');
    // Of one tap, planes that are long enough to go without a copy in panels.
    const pointwise = inputLayout === 'nchw' ? 'direct' : 'gemm';
    expect(plan([96, 16, 1, 1], 112).algorithm).toBe(pointwise);
    expect(plan([32, 16, 1, 1], 112, { stride: 2 }).algorithm).toBe(pointwise);
    expect(plan([96, 17, 1, 1], 112).algorithm).toBe('gemm');
    expect(plan([96, 16, 1, 1], 55).algorithm).toBe('gemm');
    // Up to four filters; under one tap channels first up to two, or few channels.
    for (const [oc, ic] of [
      [1, 16],
      [2, 16],
      [3, 4],
    ] as const)
      expect(plan([oc, ic, 1, 1], 112).algorithm).toBe('direct');
    expect(plan([4, 16, 1, 1], 112).algorithm).toBe(inputLayout === 'nchw' ? 'gemm' : 'direct');
    expect(plan([3, 33, 1, 1], 112).algorithm).toBe('gemm');
    expect(plan([4, 16, 1, 1], 27).algorithm).toBe('gemm');
    for (const oc of [1, 2, 3, 4]) expect(plan([oc, 64, 3, 3], 56).algorithm).toBe('direct');
    expect(plan([5, 3, 3, 3], 56).algorithm).toBe('gemm');
    // A row of them is too long.
    expect(planOf([1, 512, 3, 3], inputLayout === 'nchw' ? [1, 512, 3, 800] : [1, 3, 800, 512], { inputLayout }).algorithm).toBe('gemm');
    // Rows of 14, sums of 100; no fours; many channels; one tap of short rows; rows that are too long to copy.
    expect(plan([16, 4, 5, 5], 14).algorithm).toBe('gemm');
    expect(plan([10, 3, 3, 3], 28).algorithm).toBe('gemm');
    expect(plan([16, 12, 3, 3], 28, { accuracy: 'exact' }).algorithm).toBe('gemm');
    expect(plan([16, 3, 1, 1], 28).algorithm).toBe('gemm');
    expect(planOf([8, 3, 3, 3], inputLayout === 'nchw' ? [1, 3, 3, 100000] : [1, 3, 100000, 3], { inputLayout }).algorithm).toBe('gemm');
    expect(plan([32, 3, 3, 3], 224, { stride: 2, algorithm: 'gemm' }).algorithm).toBe('gemm');
    expect(plan([32, 3, 3, 3], 224, { stride: 2, algorithm: 'direct' }).reason).toBe('asked for');
  });
});

describe.each(layouts)('groups %s', (inputLayout) => {
  // Vectors of four, pairs of them along rows, pairs of rows where one is left over.
  it.each(Array.from({ length: 26 }, (_, i) => i + 1))('%i columns', (iw) => {
    for (const ih of [1, 2, 3, 6]) check(`g3ic12ih${ih}iw${iw}oc12kh3ph1`, { inputLayout });
    check(`g2ic8ih5iw${iw}oc8kh3ph1sh2`, { inputLayout });
    check(`g2ic6ih4iw${iw}oc8kh2kw3ph1sh1sw3`, { inputLayout });
  });
  it.each([2, 3, 4, 5, 7, 8, 16, 17])('%i input channels a group', (c) => {
    for (const g of [2, 3, 5])
      for (const n of [4, 8, 12]) {
        check(`g${g}ic${g * c}ih5oc${g * n}kh3ph1`, { inputLayout });
        check(`g${g}ic${g * c}ih7oc${g * n}kh2kw1sh2`, { inputLayout });
      }
  });
  // Fours, and two or one that are left: rows of less than a vector, of two, and of several, and as many rows as a tile has, fewer and more.
  it.each([1, 2, 3, 5, 6, 7, 9, 13])('%i filters a group', (n) => {
    for (const iw of [1, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 33])
      for (const ih of [1, 2, 3, 4, 5, 6, 7, 11]) check(`g3ic6ih${ih}iw${iw}oc${3 * n}kh3ph1`, { inputLayout });
    for (const iw of [5, 15, 16, 33]) {
      check(`mb2g2ic8ih9iw${iw}oc${2 * n}kh3sh2ph1`, { inputLayout, shuffle: n });
      check(`g2ic6ih9iw${iw}oc${2 * n}kh3dh2ph2`, { inputLayout, activation: 'relu6' });
      check(`g2ic6ih6iw${iw}oc${2 * n}kh3ph1`, { inputLayout, activation: 'silu', shuffle: 2 }, sumBound(72, 4));
      check(`g2ic4ih6iw${iw}oc${2 * n}kh3ph1`, { inputLayout, paddingMode: 'reflect' });
      check(`g2ic4ih5iw${iw}oc${2 * n}kh1`, { inputLayout });
      check(`mb2g18ic36ih5iw${iw}oc${18 * n}kh3ph1`, { inputLayout });
      check(`ic5ih6iw${iw}oc${n}kh3ph1`, { inputLayout, shuffle: n, activation: { clamp: [-9, 30] } });
    }
  });
  it('all that are left over give the bits of the GEMM', () => {
    for (const n of [1, 2, 3, 5, 7, 34])
      for (const iw of [5, 13, 21]) {
        const { input, weight, options } = operands(problem(`g2ic6ih7iw${iw}oc${2 * n}kh3ph1`), { inputLayout }, fractions);
        const [few, gemm] = (['direct', 'gemm'] as const).map((algorithm) => engine.conv2d(input, weight, { ...options, algorithm }));
        expect(few?.data).toEqual(gemm?.data);
      }
  });
  it('weights are packed as they are, without padding', () => {
    for (const n of [1, 2, 3, 5, 6, 7, 9, 13, 16]) {
      const given = [32 * n, 4, 3, 3];
      const { weightBytes } = planOf(given, inputLayout === 'nchw' ? [1, 128, 28, 28] : [1, 28, 28, 128], {
        groups: 32,
        inputLayout,
        algorithm: 'direct',
      });
      const padding = weightBytes - 4 * 32 * n * (4 * 9 + 1);
      expect(padding).toBeGreaterThanOrEqual(0);
      expect(padding).toBeLessThan(128);
    }
  });
  it('groups of whole, cut and several cache lines', () => {
    for (const [g, c] of [
      [4, 4],
      [7, 4],
      [9, 4],
      [5, 8],
      [3, 16],
      [3, 20],
      [17, 2],
    ] as const)
      check(`mb2g${g}ic${g * c}ih6iw9oc${g * 4}kh3ph1`, { inputLayout });
  });
  it('more rows than a band holds', () => {
    const rows = Math.ceil(BAND_BYTES / (40 * 4 * 4)) + 5;
    check(`g5ic20ih${rows}iw40oc20kh3ph1`, { inputLayout });
    check(`g5ic20ih${rows}iw41oc20kh3ph1sh2`, { inputLayout });
    check(`mb2g2ic8ih${rows}iw39oc16kh5dh2dw1ph4pw2`, { inputLayout });
  });
  it('a row longer than a band', () => check(`g2ic8ih3iw${BAND_BYTES / 8 + 3}oc8kh3ph1`, { inputLayout }));
  it.each([
    'g2ic8ih9iw8oc8kh3dh2ph2',
    'g2ic8ih12iw14oc8kh2kw3dh3dw2sh2sw3ph1',
    'g2ic8ih5oc8kh5ph4',
    'g3ic12ih9oc12kh1sh3',
    'g2ic8ih9oc8kh3sh4sw5ph1',
    'g2ic8ih9oc8kh9',
    'mb3g2ic8ih5oc16kh3ph2',
    'g4ic16ih20oc16kh7ph3',
    'g2ic8ih1iw1oc8kh3ph6',
    'g4ic16ih1iw30oc16kh1kw5pw2',
    'g4ic16ih30iw1oc16kh5kw1ph2pw0',
  ])('%s', (name) => check(name, { inputLayout }));
  it.each([1, 2, 3])('borders at stride %i', (stride) => {
    for (const size of [3, 4, 7, 8, 9, 13])
      for (const begin of [0, 1, 2, 5])
        for (const end of [0, 1, 2, 5]) {
          const padding = [
            [begin, end],
            [end, begin],
          ] as const;
          check(`g2ic8ih${size}oc8kh3sh${stride}`, { inputLayout, padding });
          check(`g2ic8ih${size}iw${size + 2}oc8kh3dh2sh${stride}`.replace('dh2', size > 4 ? 'dh2' : ''), { inputLayout, padding });
        }
  });
  it('paddings, borders, filter layouts, shuffles', () => {
    for (const padding of ['valid', 'same', 'same-lower'] as const) check('g2ic8ih7iw8oc8kh4kw3sh2', { inputLayout, padding });
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const)
      check('g2ic8ih5iw6oc8kh3', {
        inputLayout,
        paddingMode,
        padding: [
          [1, 3],
          [4, 2],
        ],
      });
    for (const filterLayout of ['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'] as const)
      check('g3ic12ih6oc24kh3kw2', { inputLayout, filterLayout });
    for (const shuffle of [2, 3, 4, 6, 12]) for (const iw of [3, 9, 13]) check(`mb2g3ic12ih5iw${iw}oc12kh3ph1`, { inputLayout, shuffle });
    check('g3ic12ih5iw9oc24kh3ph1', { inputLayout, shuffle: 3, bias: undefined });
  });
  it('activations', () => {
    for (const activation of [
      'relu',
      'relu6',
      { clamp: [-9, 30] },
      { leakyRelu: 0.5 },
      { elu: 0.5 },
      'sigmoid',
      'tanh',
      'silu',
      'hardSwish',
    ] as const)
      for (const name of ['g2ic8ih5iw15oc8kh3ph1', 'g2ic8ih4iw3oc8kh3ph1']) check(name, { inputLayout, activation }, sumBound(72, 4));
  });
  it('one dimension', () => {
    const weight: Tensor = { data: integers(12 * 4 * 3, 2), shape: [12, 4, 3] };
    const channelsLast = inputLayout === 'nhwc';
    for (const w of [3, 8, 41]) {
      const input: Tensor = { data: integers(2 * 12 * w), shape: channelsLast ? [2, w, 12] : [2, 12, w] };
      const options = { groups: 3, padding: 1, inputLayout: channelsLast ? 'nwc' : 'ncw' } as const;
      const layer = engine.conv1d.prepare(weight, options);
      expect(layer.plan(input.shape).algorithm).toBe('direct');
      expectClose(layer.run(input), reference.conv1d(input, weight, options));
      layer.dispose();
    }
  });
  it('NaN reaches the results whose window holds it, and no others', () => {
    for (const name of ['g3ic12ih6iw14oc12kh3ph1', 'g3ic12ih7iw9oc12kh3ph1sh2']) {
      const { input, weight, options } = operands(problem(name), { inputLayout });
      for (const [i, value] of [NaN, Infinity, -Infinity].entries()) input.data[i * 100 + 7] = value;
      const algorithm = 'direct';
      expectClose(engine.conv2d(input, weight, { ...options, algorithm }), reference.conv2d(input, weight, options));
    }
  });
  it('is chosen where a GEMM would pad the filters, or take up a few products at a time', () => {
    const chosen = (inC: number, outC: number, taps: number, options: ConvOptions = {}): string => {
      const image = inputLayout === 'nchw' ? [1, 8 * inC, 28, 28] : [1, 28, 28, 8 * inC];
      return planOf([8 * outC, inC, taps, taps], image, { groups: 8, inputLayout, padding: taps >> 1, ...options }).algorithm;
    };
    const images = inputLayout === 'nchw' ? [1, 128, 28, 28] : [1, 28, 28, 128];
    const plan = planOf([128, 4, 3, 3], images, { groups: 32, inputLayout });
    expect(plan.variant).toMatch(/^groups of 4→4 channels, copied in bands of \d+ rows$/);
    expect(plan.reason).toContain('a GEMM would pad');
    expect(planOf([128, 4, 3, 3], images, { groups: 32, inputLayout, algorithm: 'direct' }).reason).toBe('asked for');
    for (const n of [1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13, 17, 20, 25, 33])
      for (const c of [2, 16]) expect(chosen(c, n, 3), `${c}→${n}`).toBe('direct');
    for (const n of [15, 23, 36, 60]) expect(chosen(16, n, 3), `16→${n}`).toBe('gemm');
    for (const [c, n] of [
      [64, 28],
      [256, 20],
      [256, 5],
    ] as const)
      expect(chosen(c, n, 3), `${c}→${n}`).toBe('gemm');
    // Whole eights: of few channels.
    const first = inputLayout === 'nchw' ? 'direct' : 'gemm';
    for (const c of [2, 4]) expect(chosen(c, 8, 3)).toBe('direct');
    expect(chosen(4, 8, 3, { stride: 2 })).toBe(first);
    expect(chosen(8, 8, 3)).toBe(first);
    expect(chosen(8, 8, 3, { stride: 2 })).toBe('gemm');
    expect(chosen(12, 8, 3)).toBe('gemm');
    // Tiles of F(m, r) stay.
    expect(chosen(8, 64, 3)).toBe('winograd');
    // One tap.
    for (const n of [1, 3, 5]) expect(chosen(4, n, 1)).toBe(inputLayout === 'nchw' ? 'gemm' : 'direct');
    for (const n of [4, 8, 12, 15]) expect(chosen(4, n, 1)).toBe('gemm');
    expect(chosen(4, 4, 3, { algorithm: 'gemm' })).toBe('gemm');
    // Of one group, by the packed weights of a GEMM where it is not asked for.
    for (const algorithm of ['auto', 'direct'] as const)
      expect(planOf([10, 4, 3, 3], inputLayout === 'nchw' ? [1, 4, 28, 28] : [1, 28, 28, 4], { inputLayout, algorithm }).algorithm).toBe(
        algorithm === 'auto' ? 'gemm' : 'direct',
      );
  });
});

it('both layouts give the same bits, and the GEMM those of sums in the same order', () => {
  const p = problem('g4ic16ih9iw11oc16kh3ph1');
  const given = operands(p, { bias: fractions(16, 3) }, fractions);
  const turned = operands(p, { inputLayout: 'nhwc', bias: fractions(16, 3) }, fractions);
  for (let c = 0; c < 16; c++) for (let i = 0; i < 99; i++) turned.input.data[i * 16 + c] = given.input.data[c * 99 + i] as number;
  const first = engine.conv2d(given.input, given.weight, given.options);
  const last = engine.conv2d(turned.input, given.weight, turned.options);
  const gemm = engine.conv2d(given.input, given.weight, { ...given.options, algorithm: 'gemm' });
  expect(gemm.data).toEqual(first.data);
  for (let c = 0; c < 16; c++) for (let i = 0; i < 99; i++) expect(last.data[i * 16 + c]).toBe(first.data[c * 99 + i]);
});
