/**
 * Every operand of every operation, and its result, up to the last byte of the memory, where a load or store too many traps; all that the call works in is
 * dirty with NaN, so that nothing is read before it is written.
 */
import { describe, expect, it } from 'vitest';
import type { Engine, EngineTensor, Tensor } from '../src/index.ts';
import { PAGE_BYTES } from '../src/memory.ts';
import type { Op } from './any-call.ts';
import { integers } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';
import { elements, filled, following, laidOut, layoutTag, type Options, referenceOf, type Shape } from './family.ts';

type Anything = (...given: readonly unknown[]) => Tensor;
/** Images are the first so many tensors. */
type Call = readonly [op: Op, images: readonly Shape[], weights: readonly Shape[], rest: readonly unknown[], options: Options];

/** Floats of a block of the memory come in sixteens: only a tensor of as many ends where its block does. */
function ends(shape: Shape): boolean {
  return elements(shape) % 16 === 0;
}

function callsOf(last: boolean): Call[] {
  const image = (...shape: number[]): Shape => laidOut(shape, last);
  const of = (rank: 1 | 2 | 3, more: Options = {}): Options => ({ inputLayout: layoutTag(rank, last), ...more });
  return [
    ['convTranspose1d', [image(2, 8, 9)], [[8, 4, 4]], [], of(1, { stride: 2 })],
    ['convTranspose2d', [image(1, 16, 5, 7)], [[16, 8, 2, 2]], [], of(2, { stride: 2, bias: integers(8, 5) })],
    ['convTranspose2d', [image(1, 16, 5, 7)], [[16, 8, 2, 2]], [], of(2, { stride: 3, algorithm: 'gemm' })],
    ['convTranspose2d', [image(1, 16, 5, 7)], [[16, 1, 3, 3]], [], of(2, { stride: 2, groups: 16 })],
    ['convTranspose2d', [image(16, 3, 3, 5)], [[3, 1, 2, 2]], [], of(2, { stride: 2, groups: 3 })],
    ['convTranspose3d', [image(1, 8, 2, 3, 4)], [[8, 2, 2, 2, 2]], [], of(3, { stride: [1, 2, 2] })],
    [
      'separableConv2d',
      [image(1, 16, 5, 7)],
      [
        [16, 1, 3, 3],
        [16, 16, 1, 1],
      ],
      [],
      of(2, { padding: 1 }),
    ],
    // A sum of 32 products and a bias is run in two parts of 17 rows, of which the last is of zeros.
    [
      'separableConv2d',
      [image(1, 32, 5, 7)],
      [
        [32, 1, 3, 3],
        [16, 32, 1, 1],
      ],
      [],
      of(2, { padding: 1 }),
    ],
    [
      'separableConv2d',
      [image(16, 3, 5, 7)],
      [
        [6, 1, 2, 3],
        [16, 6, 1, 1],
      ],
      [],
      of(2, { stride: 2 }),
    ],
    [
      'spatialSeparableConv2d',
      [image(1, 16, 5, 7)],
      [
        [8, 16, 2, 1],
        [16, 8, 1, 4],
      ],
      [],
      of(2),
    ],
    [
      'flattenedConv2d',
      [image(1, 16, 5, 7)],
      [
        [16, 16],
        [16, 3],
        [16, 2],
      ],
      [],
      of(2, { padding: 1 }),
    ],
    ['depthwiseConv2d', [image(1, 16, 5, 7)], [[16, 1, 1, 4]], [], of(2, { algorithm: 'factored' })],
    // Channels last, pixels that are loaded ahead.
    ['depthwiseConv2d', [image(1, 64, 3, 20)], [[64, 1, 3, 3]], [], of(2, { padding: 1 })],
    ['depthwiseConv2d', [image(1, 64, 3, 19)], [[64, 1, 3, 3]], [], of(2, { padding: 1 })],
    ['depthwiseConv2d', [image(1, 64, 3, 20)], [[64, 1, 3, 3]], [], of(2, { padding: [1, [0, 1]] })],
    // Channels first, down the columns: two pixels that share a vector, one that ends with the row, and the same without a border.
    ['depthwiseConv2d', [image(1, 16, 4, 6)], [[16, 1, 3, 3]], [], of(2, { padding: 1 })],
    ['depthwiseConv2d', [image(1, 16, 5, 7)], [[16, 1, 3, 3]], [], of(2, { padding: 1 })],
    ['depthwiseConv2d', [image(1, 16, 5, 8)], [[16, 1, 3, 3]], [], of(2)],
    // With a dilation: vectors that the border cuts, and none.
    ['depthwiseConv2d', [image(1, 16, 6, 9)], [[16, 1, 3, 3]], [], of(2, { padding: 3, dilation: 3 })],
    ['depthwiseConv2d', [image(1, 16, 11, 17)], [[16, 1, 3, 3]], [], of(2, { padding: 5, dilation: 5 })],
    ['depthwiseConv2d', [image(1, 16, 12, 16)], [[16, 1, 3, 3]], [], of(2, { dilation: 3 })],
    // Channels first, twelve sums at a time.
    ['depthwiseConv2d', [image(1, 16, 6, 20)], [[16, 1, 5, 5]], [], of(2, { padding: 2 })],
    ['depthwiseConv2d', [image(1, 16, 5, 28)], [[16, 1, 7, 7]], [], of(2, { padding: 3 })],
    ['channelShuffle', [image(1, 16, 5, 7)], [], [4], of(2)],
    ['unfold', [[1, 16, 5, 7]], [], [2], { stride: 2 }],
    ['fold', [[1, 64, 6]], [], [[5, 7], 2], { stride: 2 }],
    ['conv2dInputGrad', [image(1, 16, 5, 7)], [[16, 8, 3, 3]], [image(1, 8, 5, 7)], of(2, { padding: 1 })],
    ['conv2dInputGrad', [image(1, 16, 3, 4)], [[16, 8, 1, 2]], [image(1, 8, 5, 8)], of(2, { stride: 2 })],
    ['conv2dWeightGrad', [image(1, 16, 5, 7), image(1, 16, 5, 7)], [], [[16, 16, 3, 3]], of(2, { padding: 1 })],
    ['conv2dWeightGrad', [image(16, 3, 5, 7), image(16, 5, 4, 5)], [], [[5, 3, 2, 3]], of(2)],
    ['conv2dWeightGrad', [image(16, 3, 5, 7), image(16, 6, 3, 3)], [], [[6, 1, 1, 3]], of(2, { stride: 2, groups: 3 })],
    ['conv2dWeightGrad', [image(1, 64, 3, 3), image(1, 16, 3, 3)], [], [[16, 64, 1, 1]], of(2)],
    ['conv3dWeightGrad', [image(1, 16, 2, 3, 4), image(1, 16, 2, 3, 4)], [], [[16, 1, 1, 1, 3]], of(3, { padding: [0, 0, 1], groups: 16 })],
    ['convTranspose2dInputGrad', [image(1, 8, 10, 14)], [[16, 8, 2, 2]], [image(1, 16, 5, 7)], of(2, { stride: 2 })],
    ['convTranspose2dWeightGrad', [image(1, 16, 5, 7), image(1, 8, 10, 14)], [], [[16, 8, 2, 2]], of(2, { stride: 2 })],
    ['biasGrad', [image(1, 16, 5, 7)], [], [], of(2)],
    ['biasGrad', [image(16, 5, 1, 3)], [], [], of(2)],
  ];
}

const FLOATS = 60_000;

/** `shape` at the end of the memory, behind a hole that is dirty. */
function atEnd(engine: Engine, shape: Shape): EngineTensor {
  const hole = engine.alloc([FLOATS]);
  hole.data.fill(NaN);
  const before = engine.alloc([16]);
  const bytes = Math.ceil(elements(shape) / 16) * 64;
  const next = before.data.byteOffset + 64;
  const filler = Math.ceil((next + bytes) / PAGE_BYTES) * PAGE_BYTES - bytes - next;
  if (filler > 0) engine.alloc([filler / 4]).data.fill(NaN);
  const placed = engine.alloc(shape);
  expect(placed.data.byteOffset + bytes).toBe(engine.info.memoryBytes);
  hole.dispose();
  return placed;
}

describe.each([false, true])('channels last: %s', (last) => {
  it.each(callsOf(last))('%s %j %j', (op, images, weights, rest, options) => {
    const { algorithm, ...semantics } = options;
    // Kernels of one value are of rank 1.
    const data = (length: number, seed = 1): Float32Array =>
      algorithm === 'factored' ? new Float32Array(length).fill(seed) : integers(length, seed);
    const all = [...images, ...weights].map((shape, i) => filled(shape, i + 1, data));
    const call = (engine: Engine, given: readonly Tensor[], more: Options): Tensor => {
      const [first, ...others] = given;
      return (engine[op] as unknown as Anything)(first, ...following(op, others, rest), { ...options, ...more });
    };
    const [first, ...others] = all;
    const want = referenceOf(op)(first, ...following(op, others, rest), semantics);
    let exactEnds = 0;
    for (const [i, tensor] of all.entries()) {
      const engine = testEngine();
      const placed = atEnd(engine, tensor.shape);
      placed.data.set(tensor.data);
      const size = engine.info.memoryBytes;
      const given = all.map((other, n) => (n === i ? placed : other));
      expectClose(call(engine, given, {}), want, undefined, `operand ${i}`);
      expect(engine.info.memoryBytes).toBe(size);
      expect(placed.data).toEqual(tensor.data);
      if (ends(tensor.shape)) exactEnds++;
      engine.dispose();
    }
    const engine = testEngine();
    const out = atEnd(engine, want.shape);
    out.data.fill(NaN);
    expect(call(engine, all, { out })).toBe(out);
    expectClose(out, want, undefined, 'result');
    engine.dispose();
    expect(exactEnds + (ends(want.shape) ? 1 : 0)).toBeGreaterThan(0);
  });
});
