/** Random problems over the whole option space: equal to the reference bit for bit, or refused with the same words. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Activation, ConvOptions, Padding, PaddingMode } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { guarded, integers, permute } from './cases.ts';
import { exact, expectClose } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();

/** A fixed seed, so that a failure is the same tomorrow; fast-check prints the smallest counter-example. */
const parameters = { seed: 20261123, numRuns: 1200 };

const inputLayout = fc.constantFrom('nchw', 'nhwc');
const filterLayout = fc.constantFrom('oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi');
/** Exact on integers. */
const activation = fc.constantFrom<(Activation | undefined)[]>(
  undefined,
  'relu',
  'relu6',
  { leakyRelu: 0.5 },
  { clamp: [-3, 5] },
  { clamp: [-Infinity, 2] },
);
const side = fc.integer({ min: 0, max: 4 });
const padding: fc.Arbitrary<Padding | undefined> = fc.oneof(
  fc.constantFrom<(Padding | undefined)[]>(undefined, 'same', 'same-lower', 'valid', 0, 1, 2),
  fc.tuple(fc.oneof(side, fc.tuple(side, side)), fc.oneof(side, fc.tuple(side, side))),
);
const stepOption = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 1, max: 3 }),
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
);

const problems = fc.record({
  depthwise: fc.boolean(),
  batch: fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 12, arbitrary: fc.integer({ min: 1, max: 3 }) }),
  groups: fc.integer({ min: 1, max: 4 }),
  groupInC: fc.integer({ min: 1, max: 20 }),
  groupOutC: fc.integer({ min: 1, max: 18 }),
  size: fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 20 })),
  kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  stride: stepOption,
  dilation: stepOption,
  padding,
  paddingMode: fc.constantFrom<(PaddingMode | undefined)[]>(undefined, 'zeros', 'reflect', 'replicate', 'circular'),
  inputLayout,
  filterLayout,
  activation,
  bias: fc.boolean(),
  shuffle: fc.integer({ min: 1, max: 6 }),
  algorithm: fc.constantFrom(undefined, 'auto', 'gemm', 'direct'),
  prepared: fc.boolean(),
  hosted: fc.boolean(),
});

type Problem = typeof problems extends fc.Arbitrary<infer P> ? P : never;

function attempt<T>(call: () => T): { value: T } | { error: Error } {
  try {
    return { value: call() };
  } catch (error) {
    return { error: error as Error };
  }
}

function compare(p: Problem): void {
  const inC = p.depthwise ? p.groupInC : p.groupInC * p.groups;
  const outC = p.depthwise ? inC * (1 + (p.groupOutC % 3)) : p.groupOutC * p.groups;
  const shape = permute({ n: p.batch, c: inC, h: p.size[0], w: p.size[1] }, p.inputLayout);
  const weightShape = permute({ o: outC, i: p.depthwise ? 1 : p.groupInC, h: p.kernel[0], w: p.kernel[1] }, p.filterLayout);
  const product = (sizes: number[]): number => sizes.reduce((a, b) => a * b, 1);
  const input = { data: integers(product(shape), 1), shape };
  const weight = { data: integers(product(weightShape), 2), shape: weightShape };
  const semantics = {
    stride: p.stride,
    dilation: p.dilation,
    padding: p.padding,
    paddingMode: p.paddingMode,
    inputLayout: p.inputLayout,
    filterLayout: p.filterLayout,
    activation: p.activation,
    bias: p.bias ? integers(outC, 3) : undefined,
    shuffle: outC % p.shuffle === 0 ? p.shuffle : undefined,
    ...(p.depthwise ? {} : { groups: p.groups }),
  } as ConvOptions;
  const op = p.depthwise ? ('depthwiseConv2d' as const) : ('conv2d' as const);
  const algorithm = p.depthwise || (p.algorithm === 'direct' && p.groupInC !== 1) ? undefined : p.algorithm;
  const want = attempt(() => (p.depthwise ? reference.depthwiseConv2d : reference.conv2d)(input, weight, semantics));
  const length = 'value' in want ? want.value.data.length : 0;
  const { out, intact } = guarded(length);
  const got = attempt(() => {
    if (!p.hosted && !p.prepared) return engine[op](input, weight, { ...semantics, algorithm, ...('value' in want ? { out } : {}) });
    using layer = engine[op].prepare(weight, { ...semantics, algorithm });
    if (!p.hosted) return layer.run(input, 'value' in want ? { out } : {});
    using image = engine.alloc(shape);
    image.data.set(input.data);
    if ('error' in want) return layer.run(image);
    using result = engine.alloc(want.value.shape);
    result.data.fill(NaN);
    layer.run(image, { out: result });
    return { data: result.data.slice(), shape: result.shape };
  });
  if ('error' in want) {
    expect(got).toMatchObject({ error: { message: want.error.message, name: want.error.name } });
    return;
  }
  if ('error' in got) throw got.error;
  expectClose(got.value, want.value, exact);
  expect(intact()).toBe(true);
}

it('every option with every other', () => {
  fc.assert(fc.property(problems, compare), parameters);
});
