/** What goes in and comes out: tensors inside and outside the engine, outputs, prepared layers, plans. */
import { describe, expect, it } from 'vitest';
import { type ConvOptions, type EngineTensor, conv2d as sharedConv2d, type Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, guarded, integers, operands, problem } from './cases.ts';
import { expectClose, sumBound } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const layouts = ['nchw', 'nhwc'] as const;

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
    expect(plan).toMatchObject({ algorithm: 'winograd', outputShape: [2, 64, 56, 56], flops: 2 * 2 * 64 * 56 * 56 * 64 * 9 });
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
