/** What the tests of the whole family share: tensors of small integers, and a call of any operation in every form against the plain loops. */
import { expect } from 'vitest';
import type { EngineTensor, Layer, Tensor } from '../src/index.ts';
import * as plainLoops from '../src/reference/index.ts';
import { canPrepare, type Op } from './any-call.ts';
import { guarded, integers } from './cases.ts';
import { type Bound, exact, expectClose } from './close.ts';
import { testEngine } from './engines.ts';

export const engine = testEngine();

export type Shape = readonly number[];
export type Options = Readonly<Record<string, unknown>>;
/** An operation as a caller without types sees it. */
export type Anything = (...given: readonly unknown[]) => Tensor;
type Preparing = (...given: readonly unknown[]) => Layer;

export const elements = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
export const filled = (shape: Shape, seed = 1, data = integers): Tensor => ({ data: data(elements(shape), seed), shape });
export const t = (data: readonly number[], shape: Shape): Tensor => ({ data: Float32Array.from(data), shape });
export const values = ({ data }: Tensor): number[] => [...data];
/** Sizes below, on and above each block, and two blocks. */
export function around(...blocks: number[]): number[] {
  const sizes = blocks.flatMap((block) => [1, block - 1, block, block + 1, 2 * block + 1]);
  return [...new Set(sizes)].filter((size) => size > 0);
}

const references: Readonly<Record<Op, unknown>> = plainLoops;
export const referenceOf = (op: Op): Anything => references[op] as Anything;
export const operationOf = (op: Op): Anything => engine[op] as unknown as Anything;
export const prepareOf = (op: Op): Preparing => (engine[op] as unknown as { prepare: Preparing }).prepare;

/** The shape of an image in either layout, from that with channels first. */
export function laidOut([batch, channels, ...size]: Shape, last: boolean): Shape {
  return (last ? [batch, ...size, channels] : [batch, channels, ...size]) as Shape;
}

const tags = { 1: ['ncw', 'nwc'], 2: ['nchw', 'nhwc'], 3: ['ncdhw', 'ndhwc'] } as const;
export const layoutTag = (rank: 1 | 2 | 3, last: boolean): string => tags[rank][last ? 1 : 0];

/** Arguments between the first tensor and the options. */
export function following(op: Op, weights: readonly Tensor[], rest: readonly unknown[]): readonly unknown[] {
  const [channel, vertical, horizontal] = weights;
  return [...(op === 'flattenedConv2d' ? [{ channel, vertical, horizontal }] : weights), ...rest];
}

function hosted(value: Tensor): EngineTensor {
  const copy = engine.alloc(value.shape);
  copy.data.set(value.data);
  return copy;
}

/** What a call is named in a failure. */
function titleOf(op: Op, tensors: readonly Tensor[], rest: readonly unknown[], options: Options): string {
  const shown = (_: string, value: unknown): unknown => (value instanceof Float32Array ? `${value.length} floats` : value);
  return `${op} ${tensors.map(({ shape }) => `[${shape}]`).join(' ')} ${JSON.stringify([rest, options], shown)}`;
}

/** One call in all of its forms: into an array between gaps of NaN, from and into engine tensors, prepared or fresh. */
function expectAlike(op: Op, tensors: readonly Tensor[], rest: readonly unknown[], options: Options, want: Tensor, bound: Bound): void {
  const [first, ...others] = tensors as [Tensor, ...Tensor[]];
  const more = following(op, others, rest);
  const title = titleOf(op, tensors, rest, options);
  const call = operationOf(op);

  const { out, intact } = guarded(want.data.length);
  const into = call(first, ...more, { ...options, out });
  expectClose(into, want, bound, title);
  expect(into.data, title).toBe(out);
  expect(intact(), `${title}: written outside of out`).toBe(true);

  const [from, target] = [hosted(first), engine.alloc(want.shape)];
  target.data.fill(NaN);
  expect(call(from, ...more, { ...options, out: target }), title).toBe(target);
  expectClose(target, want, bound, `${title}, engine tensors`);
  for (const held of [from, target]) held.dispose();

  if (canPrepare(op)) {
    const layer = prepareOf(op)(...more, options);
    expect(layer.plan(first.shape).outputShape, title).toEqual(want.shape);
    expectClose(layer.run(first), want, bound, `${title}, prepared`);
    layer.dispose();
  } else {
    expectClose(call(first, ...more, options), want, bound, `${title}, fresh`);
  }
}

export interface Checked {
  /** What follows the tensors. */
  readonly rest?: readonly unknown[];
  /** Options that change how the result is found, not what it is. */
  readonly ways?: readonly Options[];
  readonly bound?: Bound;
}

/** Computes `tensors` by the plain loops and in all ways by the engine. @returns what the plain loops give */
export function checkTensors(op: Op, tensors: readonly Tensor[], options: Options = {}, checked: Checked = {}): Tensor {
  const { rest = [], ways = [{}], bound = exact } = checked;
  const [first, ...others] = tensors as [Tensor, ...Tensor[]];
  const want = referenceOf(op)(first, ...following(op, others, rest), options);
  for (const way of ways) expectAlike(op, tensors, rest, { ...options, ...way }, want, bound);
  return want;
}

/** The same with tensors of small integers, whose sums are exact in any order: equal bit for bit. */
export function check(op: Op, shapes: readonly Shape[], options: Options = {}, checked: Checked = {}): Tensor {
  const tensors = shapes.map((shape, i) => filled(shape, i + 1));
  return checkTensors(op, tensors, options, checked);
}
