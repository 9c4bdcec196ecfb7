/** Random calls of every operation, over its whole option space. */
import fc from 'fast-check';
import { convSettings, type Rank } from '../src/options.ts';
import { convShape, filterShape } from '../src/shape.ts';
import { type GivenOptions, transposedSettings } from '../src/transposed-options.ts';
import { transposedShape } from '../src/transposed-shape.ts';
import { type AnyCall, canPrepare, type Op } from './any-call.ts';

const letters = { 1: 'w', 2: 'hw', 3: 'dhw' } as const;

/** One of each spatial dimension. */
function each<T>(rank: Rank, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(arbitrary, { minLength: rank, maxLength: rank });
}

const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

/** Mostly less than two blocks of a kernel; sometimes one long row, for what is done by the band. */
function sizes(rank: Rank): fc.Arbitrary<number[]> {
  const most = { 1: 60, 2: 16, 3: 7 }[rank];
  const long = small(700).map((length) => [...new Array<number>(rank - 1).fill(2), length]);
  return fc.oneof({ weight: 20, arbitrary: each(rank, small(most)) }, { weight: 1, arbitrary: long });
}

function geometry(rank: Rank) {
  const s = letters[rank];
  const step = fc.oneof(fc.constant(undefined), small(3), each(rank, small(4)));
  const side = fc.integer({ min: 0, max: 4 });
  return fc.record({
    batch: fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 15, arbitrary: small(3) }),
    groups: small(4),
    groupInC: fc.oneof(fc.constant(1), small(20)),
    groupOutC: fc.oneof(fc.constant(1), small(18)),
    size: sizes(rank),
    kernel: each(rank, small({ 1: 9, 2: 5, 3: 3 }[rank])),
    stride: step,
    dilation: step,
    padding: fc.oneof(fc.constantFrom(undefined, 'same', 'same-lower', 'valid', 0, 1, 2), each(rank, fc.oneof(side, fc.tuple(side, side)))),
    inputLayout: fc.constantFrom(undefined, `nc${s}`, `n${s}c`),
    filterLayout: fc.constantFrom(undefined, `oi${s}`, `o${s}i`, `io${s}`, `i${s}o`, `${s}io`, `${s}oi`),
  });
}

type Geometry = ReturnType<typeof geometry> extends fc.Arbitrary<infer G> ? G : never;

const activation = fc.constantFrom(undefined, 'relu', 'relu6', { leakyRelu: 0.5 }, { clamp: [-3, 5] });
/** What follows the sums, and how they are found. */
const finish = fc.record({
  bias: fc.boolean(),
  between: fc.boolean(),
  shuffle: small(6),
  activation,
  betweenActivation: activation,
  algorithm: fc.constantFrom(undefined, 'auto', 'gemm', 'winograd', 'direct', 'factored'),
  accuracy: fc.constantFrom(undefined, 'exact', 'normal', 'fast'),
  paddingMode: fc.constantFrom(undefined, 'zeros', 'reflect', 'replicate', 'circular'),
  outputPadding: fc.constantFrom(undefined, undefined, 0, 1, 2),
  outputSize: fc.constantFrom(undefined, undefined, 0, 1, 2),
  multiplier: small(3),
  middle: small(12),
  prepared: fc.boolean(),
  hosted: fc.boolean(),
  rankOne: fc.boolean(),
});
type Finish = typeof finish extends fc.Arbitrary<infer F> ? F : never;

function rankOf(op: Op): Rank {
  return Number(/(\d)d/.exec(op)?.[1] ?? 2) as Rank;
}

/** A shape of `channels`, in the layout of the options. */
function imageOf({ batch, inputLayout }: Geometry, channels: number, size: readonly number[]): number[] {
  return inputLayout?.endsWith('c') ? [batch, ...size, channels] : [batch, channels, ...size];
}

/** A shape of a weight, in the layout of the options. */
function weightOf(rank: Rank, layout: string, o: number, i: number, kernel: readonly number[]): number[] {
  const s = letters[rank];
  return [...layout.replace(s, 's')].flatMap((letter) => (letter === 'o' ? [o] : letter === 'i' ? [i] : kernel));
}

/** Forward result, or the shape of nothing where the forward call is refused. */
function resultShape(
  rank: Rank,
  input: readonly number[],
  weight: readonly number[],
  options: Record<string, unknown>,
  transposed: boolean,
): readonly number[] {
  try {
    const given = options as GivenOptions;
    const settings = (transposed ? transposedSettings : convSettings)('forward', rank, given, Object.keys(options));
    const filter = filterShape('forward', 'weight', weight, settings, transposed ? 'transposed' : 'conv');
    if (transposed) return transposedShape('forward', input, filter, settings).inputShape;
    return convShape('forward', input, filter, settings).outputShape;
  } catch {
    return input;
  }
}

/** Sizes of a transposed result around those that are allowed. */
function transposedSizes(rank: Rank, g: Geometry, f: Finish): Record<string, unknown> {
  const extra = f.outputPadding === undefined ? {} : { outputPadding: f.outputPadding };
  if (f.outputSize === undefined) return extra;
  const entry = (value: unknown, i: number): unknown => (Array.isArray(value) ? value[i] : (value ?? 1));
  const outputSize = g.size.map((size, i) => {
    const stride = entry(g.stride, i) as number;
    if (g.padding === 'same' || g.padding === 'same-lower') return Math.max(1, size * stride - (f.outputSize as number));
    const pad = typeof g.padding === 'string' ? 0 : (entry(g.padding ?? 0, i) as number | [number, number]);
    const cut = Array.isArray(pad) ? pad[0] + pad[1] : 2 * pad;
    const extent = ((g.kernel[i] as number) - 1) * (entry(g.dilation, i) as number) + 1;
    return Math.max(1, (size - 1) * stride + extent - cut + (f.outputSize as number));
  });
  return { outputSize: outputSize.slice(0, rank) };
}

function defined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** What is common to a call of any operation. */
function callOf(op: Op, f: Finish, tensors: number[][], rest: AnyCall['rest'], options: Record<string, unknown>): AnyCall {
  // Factors of any other kernels are not exact.
  const rankOne = f.rankOne && op === 'depthwiseConv2d';
  const method = f.algorithm === 'factored' && !rankOne ? undefined : f.algorithm;
  const prepared = canPrepare(op) && f.prepared;
  return {
    op,
    tensors,
    rest,
    options: defined({ algorithm: method, accuracy: f.accuracy, ...options }),
    prepared,
    hosted: f.hosted,
    rankOne,
  };
}

function forward(op: Op, g: Geometry, f: Finish): AnyCall {
  const rank = rankOf(op);
  const transposed = op.startsWith('convTranspose');
  const { groups, groupInC, groupOutC, kernel } = g;
  const { stride, dilation, padding, inputLayout } = g;
  const geometric = { stride, dilation, padding, inputLayout };
  const dividing = (channels: number): number | undefined => (channels % f.shuffle === 0 ? f.shuffle : undefined);
  const after = (channels: number): Record<string, unknown> => ({
    bias: f.bias ? channels : undefined,
    shuffle: dividing(channels),
    activation: f.activation,
    paddingMode: transposed ? undefined : f.paddingMode,
  });
  const layout = g.filterLayout ?? `${transposed ? 'io' : 'oi'}${letters[rank]}`;
  const filterLayout = g.filterLayout;
  const [inC, outC] = [groupInC * groups, groupOutC * groups];
  const input = imageOf(g, inC, g.size);
  const weight = (o: number, i: number, size = kernel): number[] => weightOf(rank, layout, o, i, size);
  const [kH, kW] = kernel as [number, number];
  const all = { ...geometric, filterLayout };
  switch (op) {
    case 'depthwiseConv2d': {
      const channels = inC * f.multiplier;
      const rows = f.rankOne ? undefined : filterLayout;
      const shape = f.rankOne ? [channels, 1, kH, kW] : weight(channels, 1);
      return callOf(op, f, [input, shape], [], { ...geometric, filterLayout: rows, ...after(channels) });
    }
    case 'separableConv2d': {
      const channels = inC * f.multiplier;
      const between = { depthwiseBias: f.between ? channels : undefined, depthwiseActivation: f.betweenActivation };
      return callOf(op, f, [input, weight(channels, 1), weight(outC, channels, [1, 1])], [], { ...all, ...after(outC), ...between });
    }
    case 'spatialSeparableConv2d': {
      const middle = f.middle * groups;
      const tensors = [input, weight(middle, groupInC, [kH, 1]), weight(outC, f.middle, [1, kW])];
      return callOf(op, f, tensors, [], { ...all, groups, ...after(outC) });
    }
    case 'flattenedConv2d':
      return callOf(op, f, [input, [outC, inC], [outC, kH], [outC, kW]], [], { ...geometric, ...after(outC) });
    default: {
      const sizesOf = transposed ? transposedSizes(rank, g, f) : {};
      const shape = transposed ? weight(groupOutC, inC) : weight(outC, groupInC);
      return callOf(op, f, [input, shape], [], { ...all, groups, ...after(outC), ...sizesOf });
    }
  }
}

function gradient(op: Op, g: Geometry, f: Finish): AnyCall {
  const rank = rankOf(op);
  const transposed = op.startsWith('convTranspose');
  const { groups, groupInC, groupOutC } = g;
  const { stride, dilation, padding, inputLayout, filterLayout } = g;
  const [inC, outC] = [groupInC * groups, groupOutC * groups];
  const options = defined({
    ...{ stride, dilation, padding, inputLayout, filterLayout, groups },
    ...(transposed ? transposedSizes(rank, g, f) : {}),
  });
  const layout = filterLayout ?? `${transposed ? 'io' : 'oi'}${letters[rank]}`;
  const input = imageOf(g, inC, g.size);
  const [o, i] = transposed ? [groupOutC, inC] : [outC, groupInC];
  const weight = weightOf(rank, layout, o, i, g.kernel);
  const result = [...resultShape(rank, input, weight, options, transposed)];
  if (op.endsWith('InputGrad')) return callOf(op, f, [result, weight], [input], options);
  return callOf(op, f, [input, result], [weight], options);
}

function columns(op: 'unfold' | 'fold', g: Geometry, f: Finish): AnyCall {
  const { stride, dilation } = g;
  const padding = Array.isArray(g.padding) ? g.padding.map((pair) => (Array.isArray(pair) ? pair[0] : pair)) : undefined;
  const given = defined({ stride, dilation, padding: typeof g.padding === 'number' ? g.padding : padding });
  const channels = g.groupInC;
  const [kH, kW] = g.kernel as [number, number];
  const kernelSize = kH === kW ? kH : g.kernel;
  const none = { ...f, algorithm: undefined, accuracy: undefined };
  const image = [g.batch, channels, ...g.size];
  if (op === 'unfold') return callOf(op, none, [image], [kernelSize], given);
  const [, , outH = 1, outW = 1] = resultShape(2, image, [1, channels, kH, kW], given, false);
  return callOf(op, none, [[g.batch, channels * kH * kW, outH * outW]], [g.size, kernelSize], given);
}

function byChannel(op: 'channelShuffle' | 'biasGrad', g: Geometry, f: Finish): AnyCall {
  const channels = g.groupInC * g.groups;
  const none = { ...f, algorithm: undefined, accuracy: undefined };
  return callOf(op, none, [imageOf(g, channels, g.size)], op === 'biasGrad' ? [] : [g.groups], defined({ inputLayout: g.inputLayout }));
}

/** Plain loops take about 10 ns for a product. */
const MOST_PRODUCTS = 1_500_000;

function affordable({ groups, groupInC, groupOutC, batch, size, kernel, stride }: Geometry, f: Finish): boolean {
  const volume = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);
  const bigger = stride === undefined ? 1 : 4;
  const channels = groupInC * Math.max(groupOutC, f.middle, f.multiplier * groupOutC) * groups;
  return batch * volume(size) * volume(kernel) * channels * bigger <= MOST_PRODUCTS;
}

export function anyCall(op: Op): fc.Arbitrary<AnyCall> {
  const make = (g: Geometry, f: Finish): AnyCall => {
    if (op.endsWith('Grad') && op !== 'biasGrad') return gradient(op, g, f);
    if (op === 'unfold' || op === 'fold') return columns(op, g, f);
    if (op === 'channelShuffle' || op === 'biasGrad') return byChannel(op, g, f);
    return forward(op, g, f);
  };
  return fc
    .tuple(geometry(rankOf(op)), finish)
    .filter(([g, f]) => affordable(g, f))
    .map(([g, f]) => make(g, f));
}
