import { describe, expect, it } from 'vitest';
import { GATHER_BELOW, KC, MC, MR, NC, NR, PIXELS } from '../assembly/blocks.ts';
import { type Activation, type ConvOptions, type EngineTensor, conv2d as sharedConv2d, type Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, guarded, integers, operands, problem } from './cases.ts';
import { exact, expectClose, sumBound, ulps } from './close.ts';
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
  it.each(around(NR))('%i pixels against panels', (iw) => check(`ic3ih1iw${iw}oc6kh1`, { inputLayout }));
  it.each(around(MR))('%i pixels against tiles', (iw) => check(`mb2ic18ih1iw${iw}oc9kh1`, { inputLayout }));
  it.each(around(NC))('%i pixels against the block of pixels', (iw) => check(`ic2ih1iw${iw}oc3kh1kw3pw1`, { inputLayout }));
  it.each(around(PIXELS))('%i pixels against the block of rows', (iw) => check(`ic17ih1iw${iw}oc4kh1`, { inputLayout }));
  it.each(around(KC))('%i steps of the sum', (ic) => check(`ic${ic}ih2iw3oc7kh1`, { inputLayout }));
  it.each(around(MC))('%i rows of weights', (oc) => check(`ic2ih3oc${oc}kh2`, { inputLayout }));
  it.each(around(GATHER_BELOW))('%i channels to a tap', (ic) => check(`ic${ic}ih5oc9kh3ph1`, { inputLayout }));
  it.each([1, 2, 3, 4, 5])('batch of %i small maps', (mb) => check(`mb${mb}ic4ih3oc6kh3ph1`, { inputLayout }));
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
      [
        [0, 2],
        [3, 1],
      ],
      [2, [0, 1]],
    ] as const;
    for (const padding of paddings) {
      for (const name of ['ic3ih7iw8oc5kh4kw3', 'ic3ih7iw8oc5kh2kw3sh2', 'ic3ih9oc2kh2sh3', 'ic3ih9oc2kh3dh2'])
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

  it.each([2, 3, 4, 6, 12])('shuffle by %i', (shuffle) => {
    check('ic5ih6oc12kh3ph1', { inputLayout, shuffle, bias: integers(12) });
    check('g2ic6ih4oc12kh1', { inputLayout, shuffle, bias: integers(12) });
    check('g6ic6ih5oc12kh3ph1', { inputLayout, shuffle, bias: integers(12) });
    check('g6ic6ih5oc12kh3ph1', { inputLayout, shuffle, bias: integers(12), algorithm: 'gemm' });
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
});

describe('conv2d: activations', () => {
  const all: Activation[] = [
    'relu',
    'relu6',
    'sigmoid',
    'tanh',
    'silu',
    'hardSwish',
    { leakyRelu: 0.1 },
    { elu: 0.7 },
    { clamp: [-0.5, 0.25] },
    { clamp: [-Infinity, 1] },
    { clamp: [0.5, Infinity] },
  ];
  const specials = [NaN, Infinity, -Infinity, 0, -0, 1e-40, -1e-40, 3.4e38, -3.4e38, 1e-6, -1e-6];
  const values = Float32Array.from([...specials, ...fractions(4000).map((x, i) => x * [1, 8, 30, 120][i % 4]!)]);
  const one = { data: Float32Array.of(1), shape: [1, 1, 1, 1] };

  // By GEMM in both layouts (the image is one channel of many pixels) and by the depthwise kernels.
  it.each(all.map((activation) => [JSON.stringify(activation), activation] as const))('%s', (_, activation) => {
    for (const inputLayout of layouts) {
      const shape = inputLayout === 'nchw' ? [1, 1, 1, values.length] : [1, 1, values.length, 1];
      for (const algorithm of ['gemm', 'direct'] as const) {
        const got = engine.conv2d({ data: values, shape }, one, { inputLayout, activation, algorithm });
        const want = reference.conv2d({ data: values, shape }, one, { inputLayout, activation });
        // The polynomial's remainder and the roundings of its sums (assembly/activation.ts) stay within a few units in the last place;
        // below the smallest normal number a unit is all there is.
        expectClose(got, want, (a, b) => exact(a, b, 0) || ulps(a, b) <= 8 || Math.abs(a - b) <= 2 ** -126, `${inputLayout} ${algorithm}`);
      }
    }
  });

  it('follow the bias, and precede nothing', () => {
    for (const inputLayout of layouts) check('ic6ih5oc11kh3ph1', { inputLayout, bias: integers(11), activation: 'relu' });
  });

  it('NaN and infinities reach the outputs whose window holds them, and no others', () => {
    for (const inputLayout of layouts) {
      for (const name of ['ic3ih9oc5kh3ph1', 'ic20ih9oc5kh3ph1', 'g3ic3ih9oc3kh3ph1', 'ic4ih9oc5kh1', 'g3ic3ih9oc3kh5ph2']) {
        for (const value of [NaN, Infinity, -Infinity]) {
          const { input, weight, options } = operands(problem(name), { inputLayout, activation: 'relu' });
          const positive = { ...weight, data: weight.data.map((w) => Math.abs(w) + 1) };
          input.data[Math.floor(input.data.length / 2)] = value;
          expectClose(engine.conv2d(input, positive, options), reference.conv2d(input, positive, options), exact, `${name} ${value}`);
        }
      }
    }
  });
});

describe('conv2d: operands', () => {
  const { input, weight, options } = operands(problem('mb2ic5ih7oc9kh3ph1'), { bias: integers(9, 5) });
  const want = reference.conv2d(input, weight, options);
  const hosted = (value: Tensor): EngineTensor => {
    const copy = engine.alloc(value.shape);
    copy.data.set(value.data);
    return copy;
  };

  it('random data stays within the bound of a float32 sum', () => {
    for (const inputLayout of layouts) {
      const random = operands(problem('ic64ih9oc20kh3ph1'), { inputLayout }, fractions);
      expectClose(
        engine.conv2d(random.input, random.weight, random.options),
        reference.conv2d(random.input, random.weight, random.options),
        sumBound(64 * 9, 1),
      );
    }
  });

  it('tensors in the engine, outside, and mixed', () => {
    const inputs = [input, hosted(input)];
    const weights = [weight, hosted(weight)];
    const biases = [options.bias, { data: integers(9, 5), shape: [9] }, hosted({ data: integers(9, 5), shape: [9] })];
    const outs = [undefined, new Float32Array(want.data.length).fill(NaN), hosted({ ...want, data: want.data.map(() => NaN) })];
    for (const x of inputs)
      for (const w of weights)
        for (const bias of biases)
          for (const out of outs) {
            const got = engine.conv2d(x, w, { ...options, bias, out } as ConvOptions);
            expectClose(got, want);
            if (out instanceof Float32Array) expect(got.data).toBe(out);
            else if (out) expect(got).toBe(out);
          }
  });

  it('inputs are never modified', () => {
    const before = [input.data.slice(), weight.data.slice()];
    engine.conv2d(input, weight, options);
    expect([input.data, weight.data]).toEqual(before);
  });

  it('a result may overlap an input', () => {
    const shared = new Float32Array(input.data.length + want.data.length);
    shared.set(input.data, 3);
    const out = shared.subarray(0, want.data.length);
    engine.conv2d({ data: shared.subarray(3, 3 + input.data.length), shape: input.shape }, weight, { ...options, out });
    expectClose({ data: out, shape: want.shape }, want);
  });

  it('a tensor of another engine is copied in', () => {
    const other = testEngine();
    const there = other.alloc(input.shape);
    there.data.set(input.data);
    expectClose(engine.conv2d(there, weight, options), want);
    other.dispose();
  });

  it('destructured, and as a function of the module', async () => {
    const { conv2d } = engine;
    expectClose(conv2d(input, weight, options), want);
    expectClose(await sharedConv2d(input, weight, options), want);
  });

  it('undefined options are absent', () => {
    expectClose(engine.conv2d(input, weight, { ...options, stride: undefined, activation: undefined, out: undefined }), want);
  });
});

describe('conv2d.prepare', () => {
  it.each(layouts)('runs any batch and size, %s', (inputLayout) => {
    const made = operands(problem('ic5ih7oc9kh3ph1'), { inputLayout, bias: integers(9), activation: 'relu6' });
    const layer = engine.conv2d.prepare(made.weight, made.options);
    for (const name of ['ic5ih7oc9kh3ph1', 'ic5ih7oc9kh3ph1', 'mb3ic5ih4iw9oc9kh3ph1', 'mb1ic5ih1iw1oc9kh3ph1', 'ic5ih30oc9kh3ph1']) {
      const { input } = operands(problem(name), { inputLayout });
      const want = reference.conv2d(input, made.weight, made.options);
      expectClose(layer.run(input), want);
      const { out, intact } = guarded(want.data.length);
      expect(layer.run(input, { out }).data).toBe(out);
      expectClose({ data: out, shape: want.shape }, want);
      expect(intact()).toBe(true);
      const kept = engine.alloc(want.shape);
      expect(layer.run(input, { out: kept })).toBe(kept);
      expectClose(kept, want);
      kept.dispose();
    }
    layer.dispose();
    layer.dispose();
  });

  it('copies its weights and bias', () => {
    const { input, weight, options } = operands(problem('ic5ih7oc9kh3ph1'), { bias: integers(9) });
    const want = reference.conv2d(input, weight, options);
    const layer = engine.conv2d.prepare(weight, options);
    weight.data.fill(NaN);
    (options.bias as Float32Array).fill(NaN);
    expectClose(layer.run(input), want);
    layer.dispose();
  });

  it('plans without touching memory, and its algorithm can be given back', () => {
    const { input, weight, options } = operands(problem('mb2ic64ih56oc64kh3ph1'));
    const layer = engine.conv2d.prepare(weight, options);
    const before = engine.info.memoryBytes;
    const plan = layer.plan(input.shape);
    expect(engine.info.memoryBytes).toBe(before);
    expect(plan).toMatchObject({ algorithm: 'gemm', outputShape: [2, 64, 56, 56], flops: 2 * 2 * 64 * 56 * 56 * 64 * 9 });
    expect(plan.variant).not.toBe('');
    expect(plan.reason).not.toBe('');
    expect(plan.weightBytes).toBeGreaterThanOrEqual(64 * 64 * 9 * 4);
    expect(plan.workspaceBytes).toBeGreaterThanOrEqual(2 * (2 * 64 * 56 * 56) * 4);
    const again = engine.conv2d.prepare(weight, { ...options, algorithm: plan.algorithm });
    expect(again.plan(input.shape).algorithm).toBe(plan.algorithm);
    again.dispose();
    layer.dispose();
  });
});
