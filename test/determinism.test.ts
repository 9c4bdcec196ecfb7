/** The same bits every time: repeated calls, other engines, a memory that others have used, prepared or not, whatever holds the operands. */
import { describe, expect, it } from 'vitest';
import type { Engine, Tensor } from '../src/index.ts';
import type { Op } from './any-call.ts';
import { fractions } from './cases.ts';
import { testEngine } from './engines.ts';
import { filled, laidOut, layoutTag, type Options, type Shape } from './family.ts';

type Anything = (...given: readonly unknown[]) => Tensor;
const run = (engine: Engine, op: Op, given: readonly unknown[]): Tensor => (engine[op] as unknown as Anything)(...given);
const bits = ({ data }: Tensor): Buffer => Buffer.from(data.slice().buffer);

/** Names the first float that differs: arrays of this size take long to compare as values. */
function expectBits(got: Buffer, want: Buffer): void {
  if (got.equals(want)) return;
  const at = want.findIndex((byte, i) => got[i] !== byte);
  expect.fail(`float ${at >> 2} of ${want.length >> 2} differs`);
}
const random = (shape: Shape, seed: number): Tensor => filled(shape, seed, fractions);

/** Operation, tensors, what follows them. Each sums over many bands, rows and images. */
function callsOf(last: boolean): [Op, Tensor[], unknown[]][] {
  const options = (more: Options = {}, rank: 1 | 2 | 3 = 2): Options => ({ inputLayout: layoutTag(rank, last), ...more });
  const image = (shape: Shape, seed: number): Tensor => random(laidOut(shape, last), seed);
  return [
    ['conv2dWeightGrad', [image([3, 3, 90, 80], 1), image([3, 9, 90, 80], 2)], [[9, 3, 3, 3], options({ padding: 1 })]],
    ['conv2dWeightGrad', [image([2, 64, 40, 30], 1), image([2, 5, 20, 15], 2)], [[5, 64, 2, 2], options({ stride: 2 })]],
    ['conv2dWeightGrad', [image([2, 20, 60, 50], 1), image([2, 20, 58, 48], 2)], [[20, 1, 3, 3], options({ groups: 20 })]],
    ['conv1dWeightGrad', [image([4, 5, 5000], 1), image([4, 6, 4996], 2)], [[6, 5, 5], options({}, 1)]],
    [
      'conv3dWeightGrad',
      [image([2, 4, 9, 20, 20], 1), image([2, 3, 5, 10, 10], 2)],
      [[3, 4, 2, 2, 2], options({ stride: 2, padding: [[1, 0], 0, 0] }, 3)],
    ],
    ['convTranspose2dWeightGrad', [image([2, 6, 40, 30], 1), image([2, 4, 81, 61], 2)], [[6, 4, 3, 3], options({ stride: 2 })]],
    [
      'conv2dInputGrad',
      [image([2, 9, 40, 40], 1), random([9, 5, 3, 3], 2)],
      [laidOut([2, 5, 80, 80], last), options({ stride: 2, padding: 1 })],
    ],
    ['convTranspose2d', [image([2, 9, 40, 40], 1), random([9, 5, 4, 4], 2)], [options({ stride: 2, padding: 1 })]],
    ['separableConv2d', [image([2, 9, 80, 70], 1), random([9, 1, 3, 3], 2), random([5, 9, 1, 1], 3)], [options({ padding: 1 })]],
    ['spatialSeparableConv2d', [image([2, 3, 80, 70], 1), random([4, 3, 5, 1], 2), random([5, 4, 1, 5], 3)], [options({ padding: 2 })]],
    ['biasGrad', [image([3, 7, 60, 50], 1)], [options()]],
  ];
}

describe.each([false, true])('channels last: %s', (last) => {
  it.each(callsOf(last).map(([op, tensors, rest]) => [op, tensors.map(({ shape }) => shape).join(' · '), tensors, rest] as const))(
    '%s %s',
    (op, _, tensors, rest) => {
      const engine = testEngine();
      const want = bits(run(engine, op, [...tensors, ...rest]));
      for (let i = 0; i < 5; i++) {
        // Something else in between, and dirt where the next call will work.
        engine.conv2d(random([1, 4, 9 + i, 9], 4), random([5, 4, 3, 3], 5));
        const block = engine.alloc([50_000 + 777 * i]);
        block.data.fill(NaN);
        block.dispose();
        expectBits(bits(run(engine, op, [...tensors, ...rest])), want);
      }
      const held = tensors.map(({ data, shape }) => {
        const tensor = engine.alloc(shape);
        tensor.data.set(data);
        return tensor;
      });
      expectBits(bits(run(engine, op, [...held, ...rest])), want);
      const fresh = testEngine();
      expectBits(bits(run(fresh, op, [...tensors, ...rest])), want);
      fresh.dispose();
      engine.dispose();
    },
  );
});

/** [batch, C, …] → [batch, …, C] */
function turned({ data, shape }: Tensor): Tensor {
  const [batch = 1, channels = 1, ...size] = shape;
  const pixels = data.length / batch / channels;
  const moved = new Float32Array(data.length);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < pixels; p++) moved[(b * pixels + p) * channels + c] = data[(b * channels + c) * pixels + p] as number;
  return { data: moved, shape: [batch, ...size, channels] };
}

it.each<[Shape, Shape, Shape, Options]>([
  [[2, 3, 60, 50], [2, 9, 60, 50], [9, 3, 3, 3], { padding: 1 }],
  [[2, 17, 40, 30], [2, 5, 20, 15], [5, 17, 2, 2], { stride: 2 }],
  [[2, 20, 30, 25], [2, 20, 28, 23], [20, 1, 3, 3], { groups: 20 }],
])('a weight gradient sums in the same order in both layouts: %j %j %j', (input, gradOutput, weight, options) => {
  const engine = testEngine();
  const [x, g] = [random(input, 1), random(gradOutput, 2)];
  const first = engine.conv2dWeightGrad(x, g, weight, options);
  const last = engine.conv2dWeightGrad(turned(x), turned(g), weight, { ...options, inputLayout: 'nhwc' });
  expectBits(bits(last), bits(first));
});
