/** conv2d against the plain loops, bit for bit on integers: sizes around every block, and every form of geometry. */
import { describe, expect, it } from 'vitest';
import { FAR_BYTES, LAYOUT_BYTES, MR, NR, PIXELS, WHOLE_ROWS_BELOW } from '../assembly/blocks.ts';
import type { ConvOptions } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { guarded, integers, operands, problem } from './cases.ts';
import { exact, expectClose } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const layouts = ['nchw', 'nhwc'] as const;
const filterLayouts = ['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'] as const;

/** Equal to the reference bit for bit, through an output that was NaN and whose neighbours still are. */
function check(name: string, extra: ConvOptions = {}): void {
  const { input, weight, options } = operands(problem(name), extra);
  const { algorithm, ...semantics } = options;
  const want = reference.conv2d(input, weight, semantics);
  const { out, intact } = guarded(want.data.length);
  const got = engine.conv2d(input, weight, { ...options, out });
  expectClose(got, want, exact, `${name} ${JSON.stringify(extra)}`);
  expect(got.data).toBe(out);
  expect(intact()).toBe(true);
}

/** Sizes below, on and above a block, and two blocks. */
const around = (block: number): number[] => [...new Set([1, block - 1, block, block + 1, 2 * block + 1])];

describe.each(layouts)('conv2d %s: sizes around every block', (inputLayout) => {
  it.each(around(NR))('%i output channels against panels', (oc) => check(`ic5ih6oc${oc}kh3ph1`, { inputLayout, bias: integers(oc, 3) }));
  it.each(around(MR))('%i output channels against tiles', (oc) => check(`ic3ih4iw5oc${oc}kh2`, { inputLayout }));
  // As many results as pixels, and not those of the pixels.
  it.each([1, 2, 3, 7, 11])('one tap, %i pixels, a stride behind a border', (iw) => {
    const pad = (end: number): ConvOptions['padding'] => [
      [0, 0],
      [0, end],
    ];
    for (const stride of [1, 2, 3])
      for (const name of [`mb2ic2ih2iw${iw}oc1kh1`, `ic3ih2iw${iw}oc8kh1`, `g2ic4ih1iw${iw}oc6kh1`, `ic20ih3iw${iw}oc20kh1`])
        check(name, { inputLayout, stride: [1, stride], padding: pad((iw - 1) * (stride - 1)) });
    check('mb2ic2ih2iw11oc1kh1', {
      inputLayout,
      stride: [2, 1],
      padding: [
        [0, 1],
        [0, 0],
      ],
    });
  });
  it.each(around(NR))('%i pixels against panels', (iw) => check(`ic3ih1iw${iw}oc6kh1`, { inputLayout }));
  it.each(around(MR))('%i pixels against tiles', (iw) => check(`mb2ic18ih1iw${iw}oc9kh1`, { inputLayout }));
  it.each(around(PIXELS))('%i pixels against the block of rows', (iw) => check(`ic17ih1iw${iw}oc4kh1`, { inputLayout }));
  it.each([1, 511, 512, 1025])('%i steps of the sum', (ic) => {
    check(`ic${ic}ih2iw3oc7kh1`, { inputLayout, bias: integers(7, 3), activation: 'relu' });
    check(`mb2ic${ic}ih3iw7oc12kh1`, { inputLayout, bias: integers(12, 3), activation: { clamp: [-9, 9] }, shuffle: 3 });
    check(`g2ic${2 * ic}ih3iw7oc12kh1`, { inputLayout, bias: integers(12, 3), activation: { leakyRelu: 0.5 } });
  });
  it('more images, rows and columns than change their layout together', () => {
    const floats = LAYOUT_BYTES / 4;
    check(`mb${Math.ceil(floats / 300)}ic3ih5oc9kh3ph1`, { inputLayout });
    check(`ic3ih${Math.ceil(floats / 100)}iw20oc4kh3ph1`, { inputLayout });
    check(`mb2ic7ih90iw90oc5kh3ph1sh2`, { inputLayout, bias: integers(5) });
    check(`ic5ih2iw${Math.ceil(floats / 6)}oc4kh2kw3pw1`, { inputLayout });
    check(`ic5ih3iw${Math.ceil(floats / 6)}oc4kh3kw5pw2sw2`, { inputLayout, padding: [1, [0, 3]] });
    check(`ic6ih1iw${Math.ceil(floats / 6)}oc4kh1`, { inputLayout, shuffle: 2 });
    check(`g2ic6ih90iw100oc8kh3dh6ph7`, { inputLayout, shuffle: 4 });
  });
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 36, 65])('%i pixels and channels change their layout', (n) => {
    for (const m of [1, 2, 3, 4, 5, 7, 8, 9]) {
      check(`ic${m}ih1iw${n}oc${m}kh1`, { inputLayout, algorithm: 'gemm' });
      check(`ic${n}ih2iw${m}oc${n}kh2ph1`, { inputLayout, algorithm: 'gemm' });
    }
  });
  it.each(around(WHOLE_ROWS_BELOW))('%i channels to a tap', (ic) => {
    // Windows inside the image, cut off at the sides, with gaps; more pixels than a block of them.
    for (const rest of ['ih5oc9kh3ph1', 'ih7iw9oc9kh3kw2', 'mb2ih5iw40oc9kh2kw3sw2', 'ih5iw9oc4kh2kw3dh2', 'ih5iw9oc4kh2kw3dw2'])
      check(`ic${ic}${rest}`, { inputLayout });
  });
  it.each([1, 2, 3, 4, 5])('batch of %i small maps', (mb) => check(`mb${mb}ic4ih3oc6kh3ph1`, { inputLayout }));
  it('bands that are larger where the weights are many', () => {
    const name = 'ic512ih20iw12oc128kh3ph1';
    const bandOf = (oc: number): number => {
      const { input, weight, options } = operands(problem(name.replace('oc128', `oc${oc}`)), { inputLayout, algorithm: 'gemm' });
      const layer = engine.conv2d.prepare(weight, options);
      const { variant } = layer.plan(input.shape);
      layer.dispose();
      return Number(/bands of (\d+)×12/.exec(variant)?.[1] ?? 0);
    };
    if (inputLayout === 'nchw') expect(bandOf(512)).toBeGreaterThan(1.5 * bandOf(8));
    check(name, { inputLayout, algorithm: 'gemm', bias: integers(128, 3) });
  });
  it.each([-1, 1])('images that are read ahead, and are not: rows from the limit %i', (more) => {
    const rows = Math.ceil(FAR_BYTES / 4 / (53 * (40 + 12))) + more;
    for (const name of [`ic40ih${rows}iw53oc12kh1`, `g2ic40ih${rows}iw53oc12kh1`, `mb2ic40ih${rows}iw27oc12kh1`])
      check(name, { inputLayout, bias: integers(12, 3) });
  });
  it.each([0, 1])('weights that are read ahead, and are not: filters from the limit %i', (more) => {
    const filters = FAR_BYTES / 4 / 512 + more;
    check(`ic512ih2iw3oc${filters}kh1`, { inputLayout, bias: integers(filters, 3) });
    check(`g2ic512ih2iw3oc${2 * filters}kh1`, { inputLayout });
  });
  it.each([16, 48])('%i planes that lie in the same sets of a cache', (oc) => {
    for (const size of ['ih73iw7', 'ih32iw16', 'ih64iw16']) check(`mb2ic16${size}oc${oc}kh3ph1`, { inputLayout, algorithm: 'gemm' });
  });
});

describe.each(layouts)('conv2d %s: geometry', (inputLayout) => {
  it.each([
    'ic3ih9iw7oc4kh3sh2',
    'ic3ih9iw7oc4kh3sh2sw3',
    'ic3ih9iw8oc4kh3dh2',
    'ic20ih9iw11oc4kh2kw3dh3dw2sh2ph1',
    'ic3ih5oc4kh5ph4',
    'ic3ih4oc4kh1sh3',
    'ic2ih20oc3kh2sh5',
    'ic3ih9oc4kh9',
    'ic1ih28oc8kh5ph2',
    'ic16ih1iw40oc8kh1kw7pw3',
    'ic16ih40iw1oc8kh7kw1ph3pw0',
    'ic3ih4oc4kh3ph3sh2',
  ])('%s', (name) => check(name, { inputLayout }));

  it.each(['g2ic6ih5oc4kh3ph1', 'g3ic6ih5oc9kh1', 'g4ic8ih7iw6oc36kh3sh2', 'g2ic40ih5oc20kh3ph1', 'g5ic5ih6oc5kh3', 'g5ic5ih6oc10kh3ph1'])(
    '%s',
    (name) => {
      check(name, { inputLayout });
      check(name, { inputLayout, algorithm: 'gemm' });
    },
  );

  it('pads by pairs, by rule and not at all', () => {
    const paddings = [
      'valid',
      'same',
      'same-lower',
      2,
      [1, 0],
      [0, [0, 2]],
      [0, [2, 0]],
      [
        [0, 2],
        [3, 1],
      ],
      [2, [0, 1]],
    ] as const;
    for (const padding of paddings) {
      for (const name of ['ic3ih7iw8oc5kh4kw3', 'ic20ih7iw8oc5kh4kw3', 'ic3ih7iw8oc5kh2kw3sh2', 'ic20ih9oc2kh2sh3', 'ic3ih9oc2kh3dh2'])
        check(name, { inputLayout, padding });
    }
  });

  it('borders of the image itself', () => {
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const) {
      check('ic3ih5iw6oc4kh3', {
        inputLayout,
        paddingMode,
        padding: [
          [1, 3],
          [4, 2],
        ],
      });
      check('g3ic3ih5iw6oc6kh3', { inputLayout, paddingMode, padding: 'same' });
      check('ic3ih5iw6oc4kh1', { inputLayout, paddingMode, padding: 0 });
      check('mb2ic3ih5iw6oc4kh3sh2', { inputLayout, paddingMode, padding: 'same-lower' });
    }
    check('ic2ih3iw4oc2kh3', { inputLayout, paddingMode: 'circular', padding: [3, 4] });
    check('ic2ih3iw4oc2kh2', { inputLayout, paddingMode: 'replicate', padding: [9, 7] });
  });

  it.each(filterLayouts)('filter layout %s', (filterLayout) => {
    check('ic5ih6oc7kh3kw2', { inputLayout, filterLayout });
    check('g2ic6ih5oc4kh3ph1', { inputLayout, filterLayout, bias: integers(4) });
    check('g4ic4ih5oc8kh3ph1', { inputLayout, filterLayout, bias: integers(8) });
  });

  it.each([1, 4, 7, 8, 9, 16, 17, 24, 31, 32, 33, 36, 40, 65])('one pixel to %i channels', (oc) => {
    for (const activation of [undefined, 'relu', { leakyRelu: 0.5 }] as const)
      check(`ic5ih3oc${oc}kh3`, { inputLayout, bias: integers(oc, 3), activation });
    check(`mb121ic3ih1oc${oc}kh1`, { inputLayout, bias: integers(oc, 3) });
    check(`g2ic6ih2oc${2 * oc}kh2`, { inputLayout, bias: integers(2 * oc, 3) });
  });

  it.each([2, 3, 4, 6, 12])('shuffle by %i', (shuffle) => {
    check('ic5ih6oc12kh3ph1', { inputLayout, shuffle, bias: integers(12) });
    check('g2ic6ih4oc12kh1', { inputLayout, shuffle, bias: integers(12) });
    check('g6ic6ih5oc12kh3ph1', { inputLayout, shuffle, bias: integers(12) });
    check('g6ic6ih5oc12kh3ph1', { inputLayout, shuffle, bias: integers(12), algorithm: 'gemm' });
    // More pixels than a block of the GEMM, and more rows than a depthwise band, with and without a copy of it.
    check('mb2g2ic6ih13iw11oc12kh3', { inputLayout, shuffle, bias: integers(12) });
    check('mb2g12ic12ih40iw33oc12kh3ph1sh2', { inputLayout, shuffle, bias: integers(12) });
    check('mb2g6ic6ih40iw33oc12kh3ph1', { inputLayout, shuffle, bias: integers(12) });
  });

  it('an empty batch gives an empty result', () => {
    const { input, weight, options } = operands(problem('mb1ic2ih3oc4kh3'), { inputLayout });
    const empty = { data: new Float32Array(0), shape: [0, ...input.shape.slice(1)] };
    const want = inputLayout === 'nchw' ? [0, 4, 1, 1] : [0, 1, 1, 4];
    expect(engine.conv2d(empty, weight, options)).toEqual({ data: new Float32Array(0), shape: want });
    const out = engine.alloc(want);
    expect(engine.conv2d(empty, weight, { ...options, out })).toBe(out);
    out.dispose();
  });

  it('steps and paddings beyond any image', () => {
    // Positions near 2³⁰ still fit the kernels' 32-bit integers; the sums see the cells of the image and nothing else.
    check('ic2ih3oc5kh1', { inputLayout, stride: 2 ** 40 });
    check('ic2ih3oc5kh2', { inputLayout, stride: [2 ** 31, 1] });
    check('ic2ih3oc5kh1', { inputLayout, stride: 2 ** 29, padding: 2 ** 29 - 2 });
    check('ic2ih3oc5kh3', { inputLayout, dilation: 2 ** 28, padding: 2 ** 28 });
    check('ic2ih3oc5kh3', { inputLayout, dilation: 2 ** 28, padding: 2 ** 28, stride: 2 });
    check('ic20ih3oc5kh3', { inputLayout, dilation: [2 ** 28, 1], padding: [2 ** 28, 1] });
  });
});
