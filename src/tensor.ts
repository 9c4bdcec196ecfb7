import { checkInteger, detached, disposed, hostFull, wrongType, wrongValue } from './check.ts';
import type { Heap } from './memory.ts';
import type { Tensor } from './types.ts';

/**
 * A tensor of `data` in row-major order.
 *
 * @param data  a `Float32Array`, used as it is, or numbers, which are converted
 * @param shape sizes whose product is `data.length`; only the first may be 0
 * @throws TypeError when `data` or `shape` is of another kind, RangeError when they do not fit each other
 */
export function tensor(data: Float32Array | readonly number[], shape: readonly number[]): Tensor {
  const op = 'tensor';
  const sizes = copiedShape(shape);
  if (Array.isArray(data)) {
    checkShape(op, 'shape', sizes);
    // Before its entries are looked at: an array may say that it has more than any memory.
    checkCount(op, 'data.length', data.length, 'shape', sizes);
    const floats = freshFloats(op, elements(sizes));
    for (let i = 0; i < floats.length; i++) {
      const value: unknown = data[i];
      if (typeof value !== 'number') throw wrongType(op, `data[${i}]`, 'a number', value);
      floats[i] = value;
    }
    return { data: floats, shape: sizes };
  }
  checkData(op, 'data', data);
  checkShape(op, 'shape', sizes);
  checkCount(op, 'data.length', lengthOf(data), 'shape', sizes);
  return { data, shape: sizes };
}

/**
 * @param of so many zeros, or a copy of these. That of the constructor is not filled with zeros first, as one by slice() is, but below 1 MiB takes 1.1 to
 *   1.2 times as long (Node 20 to 24). A number has no length: what tells the two apart in few bytes of a page.
 */
export function freshFloats(op: string, of: number | Float32Array): Float32Array {
  try {
    return (of as Float32Array).length < 262144 ? (of as Float32Array).slice() : new Float32Array(of as number);
  } catch {
    throw hostFull(op, 4 * (((of as Float32Array).length ?? of) as number));
  }
}

/** Number of elements. Exact below 2⁵³; beyond, far past any memory. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Throws for a plain view of an engine's memory. Set by engine-tensor.ts, which alone hands out such views: where none was made, there is nothing to look for. */
export const views: { check?: (op: string, what: string, buffer: ArrayBufferLike) => void } = {};

/** A getter of every typed array, as the language made it: an object cannot lie to it, and those of other realms answer too. */
function getter<T>(name: 'length' | 'buffer' | 'byteOffset' | typeof Symbol.toStringTag): (array: unknown) => T {
  const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Float32Array.prototype), name) as { get: () => T };
  return (array) => get.call(array);
}

const kindOf = getter<string | undefined>(Symbol.toStringTag);
/** Number of elements of a typed array. */
export const lengthOf = getter<number>('length');
const bufferOf = getter<ArrayBufferLike>('buffer');
const offsetOf = getter<number>('byteOffset');

export function isFloat32Array(value: unknown): value is Float32Array {
  return kindOf(value) === 'Float32Array';
}

/** More dimensions than any tensor has; an array that says it is longer is not copied. */
const MOST_DIMENSIONS = 1024;

/** A copy of a shape, each entry read once; anything that is no array, or far too long for one, as it is. */
export function copiedShape(given: unknown): unknown {
  if (!Array.isArray(given)) return given;
  const { length } = given;
  return length > MOST_DIMENSIONS ? given : Array.from<unknown, unknown>({ length }, (_, i) => given[i]);
}

/** Throws unless `data` is a `Float32Array` outside any engine's memory. */
export function checkData(op: string, what: string, data: unknown): asserts data is Float32Array {
  if (!isFloat32Array(data)) throw wrongType(op, what, 'a Float32Array', data);
  const buffer = bufferOf(data);
  if (lengthOf(data) === 0) {
    try {
      new Uint8Array(buffer);
    } catch {
      throw detached(op, what);
    }
  }
  views.check?.(op, what, buffer);
}

/** Throws unless `shape` is an array of sizes of which only the first may be 0. */
export function checkShape(op: string, what: string, shape: unknown): asserts shape is readonly number[] {
  if (!Array.isArray(shape)) throw wrongType(op, what, 'an array of sizes', shape);
  if (shape.length === 0) throw wrongValue(op, what, 'an array of at least one size', shape);
  if (shape.length > MOST_DIMENSIONS) throw wrongValue(op, `${what}.length`, `at most ${MOST_DIMENSIONS}`, shape.length);
  for (let i = 0; i < shape.length; i++) checkInteger(op, `${what}[${i}]`, shape[i], i === 0 ? 0 : 1);
}

/** The first `length` floats of `data`, which has as many: not more, even if another thread makes a shared buffer grow under a view of all of it. */
export function fixedView(data: Float32Array, length: number): Float32Array {
  const buffer = bufferOf(data);
  return buffer instanceof ArrayBuffer ? data : new Float32Array(buffer, offsetOf(data), length);
}

/** The first `length` floats of `data`, seen by an array that has nothing of its own: one that was given may have its own `set`. */
export function plainView(data: Float32Array, length: number): Float32Array {
  return new Float32Array(bufferOf(data), offsetOf(data), length);
}

function checkCount(op: string, what: string, count: number, name: string, shape: readonly number[]): void {
  const size = elements(shape);
  if (count !== size) throw wrongValue(op, what, `the product of ${name} = ${size}`, count);
}

/**
 * The tensor `value`, of this or another engine or of none. Its fields are read once: what was checked is what is used.
 *
 * @throws TypeError, RangeError unless it is one
 */
export function readTensor(op: string, name: string, value: unknown): Tensor {
  if (value instanceof HeapTensor) {
    value.checkAlive(op, name);
    return value;
  }
  if (typeof value !== 'object' || value === null || !('data' in value) || !('shape' in value)) {
    throw wrongType(op, name, 'a tensor { data, shape }', value);
  }
  const { data } = value;
  checkData(op, `${name}.data`, data);
  const shape = copiedShape(value.shape);
  checkShape(op, `${name}.shape`, shape);
  checkCount(op, `${name}.data.length`, lengthOf(data), `${name}.shape`, shape);
  return { data, shape };
}

/** A tensor in the memory of an engine, which its heap stands for, as operations see it: engine-tensor.ts makes them. */
export abstract class HeapTensor implements Tensor {
  declare readonly shape: readonly number[];
  readonly #heap: Heap;
  readonly #pointer: number;
  #alive = true;

  constructor(heap: Heap, pointer: number) {
    this.#heap = heap;
    this.#pointer = pointer;
  }

  abstract readonly data: Float32Array;

  get heap(): Heap {
    return this.#heap;
  }

  get pointer(): number {
    return this.#pointer;
  }

  checkAlive(op: string, name: string): void {
    if (!this.#alive || this.#heap.closed) throw disposed(op, name);
  }

  /** @returns whether it had not ended before */
  protected end(): boolean {
    const was = this.#alive;
    this.#alive = false;
    return was;
  }
}
