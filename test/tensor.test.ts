/** Tensors outside the engine, and inside. Their errors are in the tables of errors. */
import { describe, expect, it } from 'vitest';
import { tensor } from '../src/index.ts';
import { freshFloats } from '../src/tensor.ts';
import { integers } from './cases.ts';
import { testEngine } from './engines.ts';

describe('tensor', () => {
  it('keeps a Float32Array and converts numbers', () => {
    const data = new Float32Array(6);
    expect(tensor(data, [2, 3]).data).toBe(data);
    expect(tensor([1, 2, 3.5], [3])).toEqual({ data: Float32Array.of(1, 2, 3.5), shape: [3] });
    const shape = [2, 3];
    const made = tensor(data, shape);
    shape[0] = 9;
    expect(made.shape).toEqual([2, 3]);
    expect(tensor([], [0, 4]).data.length).toBe(0);
  });
});

describe('freshFloats', () => {
  it.each([3, 2 ** 18 - 1, 2 ** 18])('copies %i floats, on either side of 1 MiB', (length) => {
    const all = Float32Array.from({ length: length + 2 }, (_, i) => i);
    const copy = freshFloats('test', all.subarray(1, length + 1));
    expect([copy.length, copy.byteOffset, copy.buffer.byteLength]).toEqual([length, 0, 4 * length]);
    expect(copy.every((value, i) => value === i + 1)).toBe(true);
    expect(copy.buffer).not.toBe(all.buffer);
  });

  it('gives zeros', () => {
    expect(freshFloats('test', 5)).toEqual(new Float32Array(5));
  });
});

describe('engine.alloc', () => {
  const engine = testEngine();

  it('gives zeros in the shape asked for, also for an empty batch', () => {
    const t = engine.alloc([2, 3, 4]);
    expect(t.shape).toEqual([2, 3, 4]);
    expect(t.data).toEqual(new Float32Array(24));
    expect(engine.alloc([0, 3, 4]).data).toEqual(new Float32Array(0));
    t.dispose();
  });

  it('gives zeros where others have written', () => {
    const first = engine.alloc([100]);
    const at = first.data.byteOffset;
    first.data.fill(NaN);
    first.dispose();
    const second = engine.alloc([100]);
    expect(second.data.byteOffset).toBe(at);
    expect(second.data).toEqual(new Float32Array(100));
    second.dispose();
  });

  it('keeps its shape, whatever becomes of the array given', () => {
    const shape = [2, 3];
    const t = engine.alloc(shape);
    shape[0] = 9;
    expect(t.shape).toEqual([2, 3]);
    expect(() => (t.shape as number[]).push(1)).toThrow(TypeError);
    t.dispose();
  });

  it('tensors do not overlap', () => {
    const tensors = Array.from({ length: 20 }, (_, i) => engine.alloc([i + 1]));
    for (const [i, t] of tensors.entries()) t.data.fill(i);
    for (const [i, t] of tensors.entries()) expect(t.data).toEqual(new Float32Array(i + 1).fill(i));
    for (const t of tensors) t.dispose();
  });

  it('data is read anew after the memory has grown', () => {
    const own = testEngine();
    const t = own.alloc([3]);
    t.data.set(integers(3));
    const old = t.data;
    own.alloc([2 ** 20]);
    expect(old.length).toBe(0);
    expect(t.data).toEqual(integers(3));
  });

  it('disposing gives the memory back, once', () => {
    const own = testEngine();
    own.alloc([1000]).dispose();
    const size = own.info.memoryBytes;
    for (let i = 0; i < 10_000; i++) own.alloc([1000]).dispose();
    expect(own.info.memoryBytes).toBe(size);
    const first = own.alloc([16]);
    first.dispose();
    const second = own.alloc([16]);
    // Disposing the first again must not free what now belongs to the second.
    first.dispose();
    second.data.fill(7);
    expect(own.alloc([16]).data).toEqual(new Float32Array(16));
    expect(second.data).toEqual(new Float32Array(16).fill(7));
  });
});
