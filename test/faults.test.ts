/** What users do wrong, or at the edge of what is right: buffers of every kind, results in every place, things that were disposed of, several engines at once. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostError, outOfMemory } from '../src/check.ts';
import { createEngine, createEngineSync, type Engine, type Layer, type Tensor, tensor as tensorOf } from '../src/index.ts';
import type { Kernels } from '../src/kernels.ts';
import { ownBinary } from '../src/own-binary.ts';
import { freshFloats } from '../src/tensor.ts';
import type { Operations } from '../src/types.ts';
import { canPrepare, type Op } from './any-call.ts';
import { fractions } from './cases.ts';
import { exact, expectClose } from './close.ts';
import { build, testEngine } from './engines.ts';
import { everyCall, splitOptions } from './every-call.ts';
import { filled, type Shape } from './family.ts';
import { type OpenEngine, openEngine } from './open-engine.ts';
import { usedBytes } from './used-bytes.ts';

const coded = (code: string, message = ''): Error =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as unknown as Error;
const tensor = (shape: Shape, seed: number): Tensor => filled(shape, seed, fractions);

/** Large enough for two threads. */
const [x, w] = [tensor([1, 16, 40, 40], 1), tensor([48, 16, 3, 3], 2)];
const bias = fractions(48, 3);
const shape = [1, 48, 40, 40];
const options = { bias, padding: 1, activation: 'relu' } as const;
const want = testEngine({ relaxedSimd: false }).conv2d(x, w, options);

type Resizable = ArrayBuffer & { resize(bytes: number): void };
type Growable = SharedArrayBuffer & { grow(bytes: number): void };
// Node knows them, the types of ES2022 do not.
const resizable = (bytes: number, maxByteLength: number): Resizable =>
  Reflect.construct(ArrayBuffer, [bytes, { maxByteLength }]) as Resizable;
const growable = (bytes: number, maxByteLength: number): Growable =>
  Reflect.construct(SharedArrayBuffer, [bytes, { maxByteLength }]) as Growable;

/** The same floats elsewhere: behind `gap` floats of a buffer of some kind. */
const places: [string, (data: Float32Array) => Float32Array][] = [
  ['shared memory', (data) => placed(new SharedArrayBuffer(data.byteLength), data, 0)],
  ['1 float into a buffer', (data) => placed(new ArrayBuffer(data.byteLength + 4), data, 1)],
  ['7 floats into shared memory', (data) => placed(new SharedArrayBuffer(data.byteLength + 64), data, 7)],
  ['a resizable buffer', (data) => placed(resizable(data.byteLength, 2 * data.byteLength), data, 0, true)],
  ['3 floats into a resizable buffer', (data) => placed(resizable(data.byteLength + 64, 2 * data.byteLength + 64), data, 3)],
  ['growable shared memory', (data) => placed(growable(data.byteLength, 2 * data.byteLength), data, 0, true)],
];

/** @param tracking the view is as long as its buffer, whatever becomes of that */
function placed(buffer: ArrayBufferLike, data: Float32Array, gap: number, tracking = false): Float32Array {
  const view = tracking ? new Float32Array(buffer, 4 * gap) : new Float32Array(buffer, 4 * gap, data.length);
  view.set(data);
  return view;
}

// Threads run the release binary.
describe.each(build === 'debug' ? [1] : [1, 2])('%i threads', (threads) => {
  const start = (): Promise<Engine> =>
    threads === 1 ? Promise.resolve(testEngine({ relaxedSimd: false })) : createEngine({ threads, relaxedSimd: false });
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
  });
  afterAll(() => engine.dispose());
  const right = (): void => expectClose(engine.conv2d(x, w, options), want);
  /** The call is refused so, and the next one is right. */
  const refuses = (call: () => unknown, error: Error): void => {
    expect(call).toThrow(error);
    right();
  };

  describe('buffers', () => {
    it.each(places)('every operand and the result in %s', (_, place) => {
      const there = { data: place(x.data), shape: x.shape };
      const weight = { data: place(w.data), shape: w.shape };
      const out = place(new Float32Array(want.data.length).fill(NaN));
      expectClose(engine.conv2d(there, w, options), want);
      expectClose(engine.conv2d(x, weight, options), want);
      expectClose(engine.conv2d(x, w, { ...options, bias: place(bias) }), want);
      expect(engine.conv2d(there, weight, { ...options, bias: place(bias), out }).data).toBe(out);
      expectClose({ data: out, shape }, want);
      using layer = engine.conv2d.prepare(weight, { ...options, bias: place(bias) });
      weight.data.fill(NaN);
      out.fill(NaN);
      expect(layer.run(there, { out }).data).toBe(out);
      expectClose({ data: out, shape }, want);
    });

    it('a view that its buffer has left: refused until the buffer is back', () => {
      for (const tracking of [true, false]) {
        const buffer = resizable(x.data.byteLength, 2 * x.data.byteLength);
        const view = placed(buffer, x.data, 0, tracking);
        using layer = engine.conv2d.prepare(w, options);
        buffer.resize(x.data.byteLength - 4);
        const got = tracking ? x.data.length - 1 : 0;
        const message = `conv2d: input.data.length must be the product of input.shape = ${x.data.length}, got ${got}`;
        refuses(() => engine.conv2d({ data: view, shape: x.shape }, w, options), coded('ERR_ARGUMENT', message));
        refuses(() => layer.run({ data: view, shape: x.shape }), coded('ERR_ARGUMENT', message));
        buffer.resize(0);
        refuses(() => engine.conv2d({ data: view, shape: x.shape }, w, options), coded('ERR_ARGUMENT', 'input.data.length'));
        buffer.resize(2 * x.data.byteLength);
        const longer = (): unknown => engine.conv2d({ data: view, shape: x.shape }, w, options);
        if (tracking) refuses(longer, coded('ERR_ARGUMENT', `got ${2 * x.data.length}`));
        buffer.resize(x.data.byteLength);
        view.set(x.data);
        expectClose(engine.conv2d({ data: view, shape: x.shape }, w, options), want);
      }
    });

    it('out that its buffer has left', () => {
      const buffer = resizable(want.data.byteLength, 2 * want.data.byteLength);
      const out = new Float32Array(buffer).fill(7);
      buffer.resize(want.data.byteLength - 4);
      refuses(() => engine.conv2d(x, w, { ...options, out }), coded('ERR_ARGUMENT', 'conv2d: out.length must be'));
      expect(out.every((value) => value === 7)).toBe(true);
    });

    it('an operand that shrinks, grows or goes while the others are read', () => {
      const [resized, shared] = [resizable(x.data.byteLength, 2 * x.data.byteLength), growable(x.data.byteLength, 2 * x.data.byteLength)];
      const sent = x.data.slice();
      const changes: [Float32Array, () => unknown, string][] = [
        [new Float32Array(resized), () => resized.resize(64), 'the length of an operand must be'],
        [new Float32Array(shared), () => shared.grow(2 * x.data.byteLength), 'the length of an operand must be'],
        [sent, () => structuredClone(sent.buffer, { transfer: [sent.buffer] }), 'an operand has a detached buffer'],
      ];
      for (const [data, change, message] of changes) {
        const grad = { data, shape: x.shape };
        // Looked at first, when the names of the options are, and taken last of all.
        let reads = 0;
        const given = {
          get out(): undefined {
            if (++reads === 2) change();
            return undefined;
          },
        };
        refuses(() => engine.biasGrad(grad, given), coded('ERR_ARGUMENT', `biasGrad: ${message}`));
      }
    });

    it('a detached one', () => {
      const gone = x.data.slice();
      structuredClone(gone.buffer, { transfer: [gone.buffer] });
      refuses(
        () => engine.conv2d({ data: gone, shape: x.shape }, w, options),
        coded('ERR_ARGUMENT', 'conv2d: input.data has a detached buffer'),
      );
      refuses(() => engine.conv2d(x, w, { ...options, bias: gone }), coded('ERR_ARGUMENT', 'bias.data has a detached buffer'));
      refuses(() => engine.conv2d(x, w, { ...options, out: gone }), coded('ERR_ARGUMENT', 'out has a detached buffer'));
    });

    it('an array with methods of its own', () => {
      const out = new Float32Array(want.data.length);
      const caught: unknown[] = [];
      Object.defineProperties(out, { set: { value: (given: unknown) => caught.push(given) }, buffer: { value: new ArrayBuffer(8) } });
      expect(engine.conv2d(x, w, { ...options, out }).data).toBe(out);
      expect(caught).toEqual([]);
      expectClose({ data: out, shape }, want);
    });
  });

  describe('out', () => {
    it('over an input, a weight or a bias, at any distance', () => {
      const room = 64;
      for (const [name, source] of [
        ['input', x.data],
        ['weight', w.data],
        ['bias', bias],
      ] as const) {
        for (const shift of [0, 1, room - 1, room]) {
          const all = new Float32Array(Math.max(source.length, want.data.length) + room);
          const data = all.subarray(shift, shift + source.length);
          data.set(source);
          const out = all.subarray(room - shift, room - shift + want.data.length);
          const given = {
            input: name === 'input' ? { data, shape: x.shape } : x,
            weight: name === 'weight' ? { data, shape: w.shape } : w,
            bias: name === 'bias' ? data : bias,
          };
          engine.conv2d(given.input, given.weight, { ...options, bias: given.bias, out });
          expectClose({ data: out, shape }, want, exact, `${name} ${shift}`);
        }
      }
    });

    it('of the wrong length, or of a call that fails: untouched', () => {
      for (const length of [0, want.data.length - 1, want.data.length + 1]) {
        const out = new Float32Array(length).fill(7);
        refuses(() => engine.conv2d(x, w, { ...options, out }), coded('ERR_ARGUMENT', `conv2d: out.length must be ${want.data.length}`));
        expect(out.every((value) => value === 7)).toBe(true);
      }
      const out = new Float32Array(want.data.length).fill(7);
      refuses(() => engine.conv2d(x, w, { ...options, out, padding: -1 }), coded('ERR_ARGUMENT', 'padding'));
      expect(out.every((value) => value === 7)).toBe(true);
      using held = engine.alloc(shape);
      held.data.fill(7);
      refuses(() => engine.conv2d(x, w, { ...options, out: held, bias: new Float32Array(2) }), coded('ERR_ARGUMENT', 'bias'));
      expect(held.data.every((value) => value === 7)).toBe(true);
    });
  });

  describe('several', () => {
    it('engines by turns, and one after another is gone', async () => {
      const others = await Promise.all(Array.from({ length: 3 }, start));
      const layers = others.map((other) => other.conv2d.prepare(w, options));
      const [tensors, outs] = [others.map((other) => other.alloc(x.shape)), others.map((other) => other.alloc(shape))];
      for (const given of tensors) given.data.set(x.data);
      for (const _ of [1, 2]) {
        for (const [i, layer] of layers.entries()) {
          right();
          const [given, out] = [tensors[i], outs[i]] as [Tensor & { dispose(): void }, (typeof outs)[0]];
          expectClose(layer.run(given, { out }), want);
          // Of another engine: copied in, never a result.
          const next = outs[(i + 1) % 3] as (typeof outs)[0];
          expectClose(layer.run(tensors[(i + 1) % 3] as Tensor), want);
          expect(() => layer.run(given, { out: next })).toThrow(coded('ERR_ARGUMENT', 'another engine'));
        }
      }
      for (const [i, other] of others.entries()) {
        other.dispose();
        other.dispose();
        expect(() => layers[i]?.run(x)).toThrow(coded('ERR_DISPOSED'));
        for (const layer of layers.slice(i + 1)) expectClose(layer.run(x), want);
        right();
      }
    });

    it('layers of every kind on one engine, run and disposed of in no order', () => {
      const one = testEngine({ relaxedSimd: false });
      const made = [false, true]
        .flatMap((last) => [5, 23].flatMap((size) => everyCall(last, size, fractions)))
        .filter(([op]) => canPrepare(op))
        .map(([op, given]) => {
          const [[input, ...weights], others] = splitOptions(given);
          const prepare = (on: Engine): Layer =>
            (on[op] as unknown as { prepare: (...all: readonly unknown[]) => Layer }).prepare(...weights, others);
          using alone = prepare(one);
          return { op, input: input as Tensor, layer: prepare(engine), result: alone.run(input as Tensor) };
        });
      expect(made.length).toBeGreaterThan(50);
      while (made.length > 0) {
        // Some prime far from any step of the list.
        for (let i = 0; i < 10; i++) {
          const { op, input, layer, result } = made[(i * 31) % made.length] as (typeof made)[0];
          expectClose(layer.run(input), result, exact, op);
        }
        for (const { layer } of made.splice(((made.length * 7) % 13) % made.length, 7)) {
          layer.dispose();
          layer.dispose();
          expect(() => layer.run(x)).toThrow(coded('ERR_DISPOSED', 'the layer was disposed'));
        }
      }
      one.dispose();
    });
  });

  describe('after dispose', () => {
    it('everything says so, but dispose', async () => {
      const gone = await start();
      const [layer, held] = [gone.conv2d.prepare(w, options), gone.alloc(x.shape)];
      const { conv2d } = gone;
      expectClose(layer.run(x), want);
      for (const thing of [gone, layer, held, gone, layer, held]) thing.dispose();
      const calls: (() => unknown)[] = [
        () => conv2d(x, w),
        () => conv2d.prepare(w),
        () => layer.run(x),
        () => layer.plan(x.shape),
        () => held.data,
        () => gone.alloc([1]),
        () => conv2d(held, w),
        ...everyCall(false).map(
          ([op, given]) =>
            () =>
              (gone[op] as unknown as (...all: readonly unknown[]) => unknown)(...given),
        ),
      ];
      for (const call of calls) expect(call).toThrow(coded('ERR_DISPOSED'));
      expect(gone.info).toMatchObject({ threads: 1, memoryBytes: 0 });
      refuses(() => engine.conv2d(held, w), coded('ERR_DISPOSED'));
      refuses(() => engine.conv2d(x, w, { out: held as never }), coded('ERR_DISPOSED'));
    });
  });
});

describe('an error in the middle', () => {
  /** What a call does, in order: blocks that it takes, kernels that it runs. The nth of these fails. */
  function failing(n: number, fault: () => Error): OpenEngine & { readonly failed: () => boolean } {
    let left = n;
    const step = <T>(then: () => T): T => {
      if (left-- === 0) throw fault();
      return then();
    };
    const open = openEngine(2 ** 31, (kernels) => {
      const counted = ([name, member]: [string, unknown]): [string, unknown] =>
        typeof member === 'function' ? [name, (...given: unknown[]) => step(() => member(...given))] : [name, member];
      return Object.fromEntries(Object.entries(kernels).map(counted)) as unknown as Kernels;
    });
    const take = open.heap.take.bind(open.heap);
    open.heap.take = (op, bytes) => step(() => take(op, bytes));
    return { ...open, failed: () => left < 0 };
  }

  /** Calls `use` with engines that fail ever later, until one does not. Where memory is short, a call may be made in strips. */
  function expectNothingLeft(use: (operations: Operations) => Tensor, result: Tensor, fault: () => Error, mayRecover: boolean): void {
    for (let n = 0; ; n++) {
      const { operations, heap, failed } = failing(n, fault);
      let got: Tensor | undefined;
      try {
        got = use(operations);
      } catch (error) {
        expect(error).toMatchObject({ code: (fault() as Error & { code: string }).code });
      }
      expect(usedBytes(heap), `step ${n}`).toBe(0);
      if (failed()) {
        if (got && mayRecover) expectClose(got, result);
        else expect(got, `step ${n}`).toBeUndefined();
        // The next call of the same engine is right.
        expectClose(use(operations), result);
        expect(usedBytes(heap), `after step ${n}`).toBe(0);
        continue;
      }
      expectClose(got as Tensor, result);
      // A block for the operands, and a kernel, at least.
      expect(n).toBeGreaterThanOrEqual(2);
      return;
    }
  }

  const calls = [false, true].flatMap((last) =>
    everyCall(last, 9).map(([op, given]): [Op, string, readonly unknown[]] => [op, last ? 'last' : 'first', given]),
  );

  it.each(calls)('%s, channels %s: nothing is kept', (op, _, given) => {
    const call = (operations: Operations): Tensor => (operations[op] as unknown as (...all: readonly unknown[]) => Tensor)(...given);
    const result = call(openEngine().operations);
    expectNothingLeft(call, result, () => hostError('test', 'a fault'), false);
    expectNothingLeft(call, result, () => outOfMemory('test', 1, 1), true);
  });

  it.each(calls.filter(([op]) => canPrepare(op)))('%s.prepare, channels %s: nothing is kept', (op, _, given) => {
    const [[input, ...weights], others] = splitOptions(given);
    const use = (operations: Operations): Tensor => {
      using layer = (operations[op] as unknown as { prepare: (...all: readonly unknown[]) => Layer }).prepare(...weights, others);
      return layer.run(input as Tensor);
    };
    const result = use(openEngine().operations);
    expectNothingLeft(use, result, () => hostError('test', 'a fault'), false);
    expectNothingLeft(use, result, () => outOfMemory('test', 1, 1), true);
  });

  it('a layer that had no memory to run goes on', () => {
    const { operations, heap } = openEngine(12 * 65536);
    const [small, large] = [tensor([1, 16, 9, 9], 1), tensor([1, 16, 90, 90], 1)];
    // Its images are not cut.
    using layer = operations.convTranspose2d.prepare(tensor([16, 16, 3, 3], 2), { padding: 1 });
    const result = layer.run(small);
    const held: number[] = [];
    for (const _ of [1, 2, 3]) {
      expect(() => layer.run(large)).toThrow(coded('ERR_MEMORY'));
      expectClose(layer.run(small), result);
      held.push(usedBytes(heap));
    }
    // What the first made of the weights serves the others.
    expect(held).toEqual([held[0], held[0], held[0]]);
    layer.dispose();
    expect(usedBytes(heap)).toBe(0);
  });

  it('what a getter throws comes back as it is', () => {
    const { operations, heap } = openEngine();
    const own = new Error('own');
    const fails = {
      get bias(): never {
        throw own;
      },
    };
    expect(() => operations.conv2d(x, w, fails)).toThrow(own);
    expect(() => operations.conv2d.prepare(w, fails)).toThrow(own);
    expect(usedBytes(heap)).toBe(0);
  });
});

describe('what the host cannot do', () => {
  it('an array that no memory holds', () => {
    expect(() => freshFloats('test', 2 ** 40)).toThrow(coded('ERR_MEMORY', 'test: this host gives no array of 4398046511104 bytes'));
    const endless = new Array<number>(2 ** 32 - 1);
    expect(() => tensorOf(endless, [2, 3])).toThrow(coded('ERR_ARGUMENT', 'data.length must be the product of shape = 6, got 4294967295'));
  });

  it('a binary in a buffer that is gone, or may be resized', () => {
    const bytes = ownBinary(false) as Uint8Array<ArrayBuffer>;
    const roomy = resizable(bytes.length, 2 * bytes.length);
    new Uint8Array(roomy).set(bytes);
    const engine = createEngineSync({ wasm: roomy });
    expectClose(engine.conv2d(x, w, options), want);
    engine.dispose();
    const gone = bytes.slice().buffer;
    structuredClone(gone, { transfer: [gone] });
    expect(() => createEngineSync({ wasm: gone })).toThrow(coded('ERR_ARGUMENT', 'createEngineSync: wasm has a detached buffer'));
  });

  it('a value that throws when a message shows it', () => {
    const shy = new Proxy(Object.create(null) as object, {
      get: () => {
        throw new Error('own');
      },
    });
    const { operations } = openEngine();
    const call = (): unknown => operations.conv2d(x, w, { padding: shy as never });
    expect(call).toThrow(
      coded('ERR_ARGUMENT', 'conv2d: padding must be a number, a string or an array of 2, got a value of type object that cannot be read'),
    );
  });
});
