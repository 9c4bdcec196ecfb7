/** Prepared layers of every operation that has them: changing shapes, copied weights, what their plans say; and where results may be written. */
import { describe, expect, it } from 'vitest';
import type { EngineTensor, Layer, Tensor } from '../src/index.ts';
import type { Op } from './any-call.ts';
import { guarded, integers } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';
import {
  elements,
  engine,
  filled,
  following,
  laidOut,
  layoutTag,
  type Options,
  operationOf,
  prepareOf,
  referenceOf,
  type Shape,
} from './family.ts';

/** Weights, options, and channels of the image. */
interface Prepared {
  readonly op: Op;
  readonly rank: 1 | 2 | 3;
  readonly weights: readonly Shape[];
  readonly options: Options;
  readonly channels: number;
}

const prepared: Prepared[] = [
  { op: 'conv1d', rank: 1, weights: [[6, 4, 3]], options: { padding: 1, stride: 2, bias: integers(6, 5) }, channels: 4 },
  { op: 'conv3d', rank: 3, weights: [[6, 4, 2, 3, 2]], options: { padding: 1, activation: 'relu' }, channels: 4 },
  { op: 'convTranspose1d', rank: 1, weights: [[4, 6, 3]], options: { stride: 2, bias: integers(6, 5) }, channels: 4 },
  {
    op: 'convTranspose2d',
    rank: 2,
    weights: [[4, 6, 3, 3]],
    options: { stride: 2, padding: 'same', activation: 'relu6', shuffle: 3 },
    channels: 4,
  },
  { op: 'convTranspose2d', rank: 2, weights: [[4, 6, 2, 2]], options: { stride: 3, algorithm: 'gemm', bias: integers(6, 5) }, channels: 4 },
  { op: 'convTranspose2d', rank: 2, weights: [[4, 1, 3, 3]], options: { stride: 2, groups: 4, bias: integers(4, 5) }, channels: 4 },
  { op: 'convTranspose3d', rank: 3, weights: [[4, 5, 2, 2, 2]], options: { stride: [1, 2, 1] }, channels: 4 },
  {
    op: 'separableConv2d',
    rank: 2,
    weights: [
      [8, 1, 3, 3],
      [6, 8, 1, 1],
    ],
    options: { padding: 1, depthwiseBias: integers(8, 5), depthwiseActivation: 'relu', bias: integers(6, 6), shuffle: 2 },
    channels: 4,
  },
  {
    op: 'spatialSeparableConv2d',
    rank: 2,
    weights: [
      [3, 4, 3, 1],
      [6, 3, 1, 3],
    ],
    options: { padding: 1, paddingMode: 'replicate', bias: integers(6, 5) },
    channels: 4,
  },
  {
    op: 'flattenedConv2d',
    rank: 2,
    weights: [
      [6, 4],
      [6, 3],
      [6, 2],
    ],
    options: { padding: 'same', activation: { leakyRelu: 0.5 }, bias: integers(6, 5) },
    channels: 4,
  },
  // 5 × 5 kernels of one value are of rank 1, and large enough to be run as such.
  { op: 'depthwiseConv2d', rank: 2, weights: [[4, 1, 5, 5]], options: { padding: 2, bias: integers(4, 5) }, channels: 4 },
];

function weightsOf({ op, weights }: Prepared): Tensor[] {
  if (op === 'depthwiseConv2d') return weights.map((shape) => ({ data: new Float32Array(elements(shape)).fill(2), shape }));
  return weights.map((shape, i) => filled(shape, i + 2));
}

const rows = prepared.flatMap((given) => [false, true].map((last) => [given.op, last, given] as const));

describe.each(rows)('%s.prepare, channels last: %s', (op, last, given) => {
  const { rank, channels } = given;
  const options: Options = { inputLayout: layoutTag(rank, last), ...given.options };
  const image = (batch: number, ...size: number[]): Shape => laidOut([batch, channels, ...size.slice(0, rank)], last);
  const make = (weights = weightsOf(given), more: Options = {}): Layer =>
    prepareOf(op)(...following(op, weights, []), { ...options, ...more });
  const wanted = (input: Tensor): Tensor => {
    const { algorithm, accuracy, ...semantics } = options;
    return referenceOf(op)(input, ...following(op, weightsOf(given), []), semantics);
  };

  it('runs any batch and size, and the same one again', () => {
    const layer = make();
    for (const shape of [
      image(1, 6, 7, 5),
      image(1, 6, 7, 5),
      image(3, 9, 5, 6),
      image(2, 5, 5, 5),
      image(1, 30, 25, 4),
      image(0, 6, 7, 5),
      image(1, 6, 7, 5),
    ]) {
      const input = filled(shape, 1);
      const want = wanted(input);
      expectClose(layer.run(input), want);
      const { out, intact } = guarded(want.data.length);
      expect(layer.run(input, { out }).data).toBe(out);
      expectClose({ data: out, shape: want.shape }, want);
      expect(intact()).toBe(true);
      const kept = engine.alloc(want.shape);
      expect(layer.run(input, { out: kept })).toBe(kept);
      expectClose(kept, want);
      kept.dispose();
      expect(layer.plan(shape).outputShape).toEqual(want.shape);
    }
    layer.dispose();
    layer.dispose();
    expect(() => layer.run(filled(image(1, 6, 7, 5)))).toThrow(
      expect.objectContaining({ code: 'ERR_DISPOSED', message: `${op}: the layer was disposed` }),
    );
  });

  it('copies its weights and biases', () => {
    const weights = weightsOf(given);
    const biases = Object.fromEntries(
      Object.entries(options).flatMap(([field, value]) => (value instanceof Float32Array ? [[field, value.slice()]] : [])),
    );
    const layer = make(weights, biases);
    for (const { data } of weights) data.fill(NaN);
    for (const data of Object.values(biases)) data.fill(NaN);
    const input = filled(image(2, 6, 7, 5), 1);
    expectClose(layer.run(input), wanted(input));
    layer.dispose();
  });

  it('several layers, let go in any order', () => {
    const layers = [make(), make(), make()];
    layers[1]?.dispose();
    const again = make();
    const input = filled(image(1, 6, 7, 5), 1);
    for (const layer of [layers[0], again, layers[2]]) {
      expectClose(layer?.run(input) as Tensor, wanted(input));
      layer?.dispose();
    }
  });

  it('its plan touches nothing, and its algorithm can be given back', () => {
    const layer = make();
    const shape = image(2, 9, 8, 6);
    const before = engine.info.memoryBytes;
    const plan = layer.plan(shape);
    expect(engine.info.memoryBytes).toBe(before);
    expect(layer.plan(shape)).toEqual(plan);
    expect(Object.keys(plan).sort()).toEqual(['algorithm', 'flops', 'outputShape', 'reason', 'variant', 'weightBytes', 'workspaceBytes']);
    expect(['gemm', 'direct', 'factored']).toContain(plan.algorithm);
    expect(plan.weightBytes).toBeGreaterThan(0);
    for (const text of [plan.variant, plan.reason]) expect(text).not.toBe('');
    expect(plan.workspaceBytes).toBeGreaterThanOrEqual(4 * (elements(shape) + elements(plan.outputShape)));
    const again = make(weightsOf(given), { algorithm: plan.algorithm });
    expect(again.plan(shape)).toMatchObject({
      algorithm: plan.algorithm,
      variant: plan.variant,
      outputShape: plan.outputShape,
      flops: plan.flops,
    });
    const input = filled(shape, 1);
    expect(again.run(input).data).toEqual(layer.run(input).data);
    again.dispose();
    layer.dispose();
  });

  it('takes no more than its plan says', () => {
    const fresh = testEngine();
    const weights = weightsOf(given);
    const layer = (fresh[op] as unknown as { prepare: (...all: unknown[]) => Layer }).prepare(...following(op, weights, []), options);
    const input = filled(image(2, 9, 8, 6), 1);
    // A hole of exactly that size, dirty, between two blocks that must stay.
    const sentinel = (): EngineTensor => {
      const block = fresh.alloc([64]);
      block.data.fill(7);
      return block;
    };
    const before = sentinel();
    const hole = fresh.alloc([layer.plan(input.shape).workspaceBytes / 4]);
    const after = sentinel();
    hole.data.fill(NaN);
    const size = fresh.info.memoryBytes;
    hole.dispose();
    expectClose(layer.run(input), wanted(input));
    expect(fresh.info.memoryBytes).toBe(size);
    for (const block of [before, after]) expect(block.data.every((value) => value === 7)).toBe(true);
    fresh.dispose();
  });

  it('operands in the engine, outside of it, of another engine, and under the result', () => {
    const weights = weightsOf(given);
    const input = filled(image(2, 6, 7, 5), 1);
    const want = wanted(input);
    const copy = (of: ReturnType<typeof testEngine>, { data, shape }: Tensor): EngineTensor => {
      const held = of.alloc(shape);
      held.data.set(data);
      return held;
    };
    const other = testEngine();
    for (const owner of [engine, other]) {
      const held = [copy(owner, input), ...weights.map((weight) => copy(owner, weight))];
      const [first, ...more] = held as [EngineTensor, ...EngineTensor[]];
      expectClose(operationOf(op)(first, ...following(op, more, []), options), want);
      expectClose(operationOf(op)(input, ...following(op, more, []), options), want);
      expect(first.data).toEqual(input.data);
      for (const tensor of held) tensor.dispose();
    }
    other.dispose();
    const shared = new Float32Array(input.data.length + want.data.length);
    shared.set(input.data, 3);
    const out = shared.subarray(0, want.data.length);
    const overlapped = { data: shared.subarray(3, 3 + input.data.length), shape: input.shape };
    operationOf(op)(overlapped, ...following(op, weights, []), { ...options, out });
    expectClose({ data: out, shape: want.shape }, want);
    for (const [i, { data }] of weightsOf(given).entries()) expect(weights[i]?.data).toEqual(data);
  });
});
