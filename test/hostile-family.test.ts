/** Arguments of every operation that answer differently at each read: what was checked is what is used, or the call is refused. */
import { expect, it } from 'vitest';
import type { Tensor } from '../src/index.ts';
import { exact, firstWrong } from './close.ts';
import { engine, operationOf } from './family.ts';
import { rightCalls } from './family-calls.ts';

/** `before` at the first `n` reads, `after` from then on. */
function turning<T extends object>(target: T, field: string, after: unknown, n: number): T {
  const before: unknown = Reflect.get(target, field);
  let reads = 0;
  return Object.defineProperty(target, field, { get: () => (++reads <= n ? before : after), enumerable: true });
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}

/** The same argument in all the ways in which it can change: its fields, those of the tensors in it, its entries. */
function changing(argument: unknown, n: number): unknown[] {
  if (isTensor(argument)) {
    const { data, shape } = argument;
    const larger = shape.map((size, axis) => (axis > 1 ? size * 30 : size));
    return [turning({ data, shape }, 'data', new Float32Array(90_000).fill(9), n), turning({ data, shape }, 'shape', larger, n)];
  }
  if (Array.isArray(argument)) return argument.map((_, i) => turning([...argument], String(i), 1000, n));
  if (typeof argument !== 'object' || argument === null) return [];
  return Object.entries(argument).flatMap(([key, value]) => changing(value, n).map((changed) => ({ ...argument, [key]: changed })));
}

type Outcome = Tensor | 'refused';

it.each(rightCalls)('%s', (op, given, options) => {
  const call = (...all: readonly unknown[]): Outcome => {
    try {
      return operationOf(op)(...all);
    } catch (error) {
      expect(error).toMatchObject({ code: expect.any(String) as string });
      return 'refused';
    }
  };
  const same = (a: Outcome, b: Outcome): boolean =>
    a === b || (a !== 'refused' && b !== 'refused' && firstWrong(a, b, exact) === undefined);
  using keep = engine.alloc([30_000]);
  keep.data.fill(3);
  const untouched = (): boolean => keep.data.every((value) => value === 3);
  const want = call(...given, options);
  expect(want).not.toBe('refused');
  for (const n of [0, 1, 2, 3, 4, 5])
    for (const [i, argument] of given.entries())
      for (const changed of changing(argument, n)) {
        const got = call(...given.slice(0, i), changed, ...given.slice(i + 1), options);
        // What was never seen in its first form may be refused, or be a right call of another kind.
        if (n > 0) expect(same(got, want), `argument ${i}, ${n} reads`).toBe(true);
        expect(untouched()).toBe(true);
      }
  for (const field of Object.keys(options))
    for (const n of [0, 1, 2, 3]) {
      // The names are listed with their values before one of them is taken: either value, but throughout.
      const got = call(...given, turning({ ...options }, field, 50, n));
      const other = call(...given, { ...options, [field]: 50 });
      expect(same(got, want) || same(got, other), `${field}, ${n} reads`).toBe(true);
      expect(untouched()).toBe(true);
    }
});
