/** What the tables of errors share: an engine, operands that fit, and what each row must do. */
import { describe, expect, it } from 'vitest';
import type { CodedError, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { integers } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';

/** Small, so that a lost block is soon missed. */
export const maxMemory = 32 * 65536;
export const engine = testEngine({ maxMemory });
export const other = testEngine();
export const x: Tensor = { data: integers(2 * 4 * 6 * 5), shape: [2, 4, 6, 5] };
export const w: Tensor = { data: integers(6 * 4 * 3 * 3, 2), shape: [6, 4, 3, 3] };
/** Of `x` under `w`. */
export const want = reference.conv2d(x, w);
export const { conv2d, depthwiseConv2d } = engine;

/** As a caller without types would write it. */
export const loose = <T>(value: unknown): T => value as T;

export function detached(): Float32Array {
  const data = new Float32Array(240);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

export function gone<T extends { dispose(): void }>(thing: T): T {
  thing.dispose();
  return thing;
}

type Kind = 'TypeError' | 'RangeError' | 'Error';
export type Row = [message: string, kind: Kind, call: () => unknown, code?: CodedError['code']];
export type Table = Readonly<Record<string, readonly Row[]>>;

/** Floats of the largest tensor that an engine like `engine` gives as long as it holds nothing. */
function largestTensor(): number {
  const fresh = testEngine({ maxMemory });
  let [fits, over] = [1, maxMemory / 4];
  while (over - fits > 1) {
    const middle = Math.floor((fits + over) / 2);
    try {
      fresh.alloc([middle]).dispose();
      fits = middle;
    } catch {
      over = middle;
    }
  }
  return fits;
}

/** Each row throws exactly what it says, the memory stays as large as it was, and the next call is right. */
export function describeErrors(table: Table): void {
  const rows = Object.values(table).flat();

  describe.each(Object.entries(table))('%s', (_, list) => {
    it.each(list)('%s', (message, kind, call, code = 'ERR_ARGUMENT') => {
      expectClose(conv2d(x, w), want);
      const before = engine.info.memoryBytes;
      let error: unknown;
      try {
        call();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ name: kind, code, message });
      expect(error).toBeInstanceOf({ TypeError, RangeError, Error }[kind]);
      expect(engine.info.memoryBytes).toBe(before);
      expectClose(conv2d(x, w), want);
      expect(engine.info.memoryBytes).toBe(before);
    });
  });

  it('none of them keeps a byte', () => {
    const floats = largestTensor();
    for (const [message, , call] of rows) {
      for (let i = 0; i < 3; i++) expect(call, message).toThrow();
      expect(() => engine.alloc([floats]).dispose(), `after '${message}'`).not.toThrow();
    }
    expect(() => engine.alloc([floats + 16])).toThrow('maxMemory');
    expectClose(conv2d(x, w), want);
  });
}
