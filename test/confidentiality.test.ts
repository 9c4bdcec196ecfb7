/**
 * What a finished call leaves in the memory is never seen through a later one: each result is the same whatever the memory held before, and holds nothing
 * of it.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine, type Layer, type Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { anyCall } from './any-call.arbitrary.ts';
import { canPrepare, difference, type Op } from './any-call.ts';
import { build, testEngine } from './engines.ts';
import { everyCall, splitOptions } from './every-call.ts';
import { filled, type Options } from './family.ts';

/** 7·10¹⁸ as a float32: far from all that is computed here, so that whatever it is added to shows. */
const MARK = 0x5ec2e75a;
/** −6·10¹⁸. What is not the same for both depends on the memory. */
const OTHER = 0xdeadbe57;

type Anything = (...given: readonly unknown[]) => Tensor;

function call(engine: Engine, op: Op, given: readonly unknown[], more: Options = {}): Tensor {
  const [all, options] = splitOptions(given);
  return (engine[op] as unknown as Anything)(...all, { ...options, ...more });
}

/** Fills what the next calls are given. Nothing is held, so the first gap is all of the memory. */
function fill(engine: Engine, mark: number, floats: number): void {
  const block = engine.alloc([floats]);
  const { buffer, byteOffset } = block.data;
  new Uint32Array(buffer, byteOffset, floats).fill(mark);
  block.dispose();
  // With threads there is a second memory, for calls on arrays that move data: its workspace is all copies of the operand and of the result.
  const half = floats >> 1;
  engine.channelShuffle({ data: new Float32Array(new Uint32Array(half).fill(mark).buffer), shape: [1, 1, half] }, 1);
}

function words(data: Float32Array): Uint32Array {
  return new Uint32Array(data.slice().buffer);
}

function expectWords(got: Uint32Array, want: Uint32Array): void {
  expect(got.length).toBe(want.length);
  expect(got.findIndex((word, i) => word !== want[i])).toBe(-1);
}

/** Runs `compute` in a memory that is full of each mark in turn. @returns its words, the same for both */
function computed(engine: Engine, floats: number, compute: () => Float32Array): Uint32Array {
  const [first, second] = [MARK, OTHER].map((mark) => {
    fill(engine, mark, floats);
    const before = engine.info.memoryBytes;
    const found = words(compute());
    // Had it grown, the call would have worked in pages that hold zeros.
    expect(engine.info.memoryBytes).toBe(before);
    expect(found.includes(MARK) || found.includes(OTHER)).toBe(false);
    return found;
  }) as [Uint32Array, Uint32Array];
  expectWords(second, first);
  return first;
}

/** A call in all of its forms, each of which gives the same words. */
function expectConfidential(engine: Engine, floats: number, op: Op, given: readonly unknown[]): void {
  const fresh = computed(engine, floats, () => {
    const { data } = call(engine, op, given);
    // There is nothing behind a result but the result.
    expect(data.buffer.byteLength).toBe(4 * data.length);
    return data;
  });
  const { shape } = call(engine, op, given);
  const held = computed(engine, floats, () => {
    using out = engine.alloc(shape);
    return call(engine, op, given, { out }).data.slice();
  });
  expectWords(held, fresh);
  if (!canPrepare(op)) return;
  const [[input, ...weights], options] = splitOptions(given);
  const prepare = (engine[op] as unknown as { prepare: (...all: readonly unknown[]) => Layer }).prepare;
  const prepared = computed(engine, floats, () => {
    using layer = prepare(...weights, options);
    layer.run(input as Tensor);
    return layer.run(input as Tensor).data;
  });
  expectWords(prepared, fresh);
}

function titled(size?: number): [op: Op, layout: string, given: readonly unknown[]][] {
  return [false, true].flatMap((last) =>
    everyCall(last, size).map(([op, given]): [Op, string, readonly unknown[]] => [op, last ? 'last' : 'first', given]),
  );
}

describe('one thread', () => {
  const engine = testEngine();
  it.each(titled())('%s, channels %s', (op, _, given) => expectConfidential(engine, 300_000, op, given));

  it.each(Object.keys(reference) as Op[])('%s: every option with every other', (op) => {
    fc.assert(
      fc.property(anyCall(op), (made) => {
        fill(engine, MARK, 300_000);
        expect(difference(engine, made), JSON.stringify(made)).toBeUndefined();
      }),
      { seed: 20261125, numRuns: 25 },
    );
  });

  it('an engine tensor starts as zeros', () => {
    const own = testEngine();
    fill(own, MARK, 300_000);
    for (const length of [1, 15, 16, 17, 1001]) {
      const { data } = own.alloc([length]);
      expect(data.length).toBe(length);
      expect(words(data).every((word) => word === 0)).toBe(true);
    }
    own.dispose();
  });

  it('what one call was given, the next does not see', () => {
    const own = testEngine();
    const [mark] = new Float32Array(Uint32Array.of(MARK).buffer) as unknown as [number];
    const secret = { data: new Float32Array(13 * 35).fill(mark), shape: [1, 13, 5, 7] };
    const weight = filled([13, 13, 3, 3], 2);
    own.conv2d(secret, weight, { padding: 1 });
    const got = own.conv2d(filled([1, 13, 5, 7]), weight, { padding: 1 });
    expectWords(words(got.data), words(testEngine().conv2d(filled([1, 13, 5, 7]), weight, { padding: 1 }).data));
    own.dispose();
  });
});

// Threads run the release binary, whatever is under test.
describe.runIf(build === 'release')('two threads', () => {
  const started = createEngine({ threads: 2, relaxedSimd: false });
  afterAll(async () => (await started).dispose());

  it.each(titled(61))('%s, channels %s', async (op, _, given) => expectConfidential(await started, 3_000_000, op, given));
});
