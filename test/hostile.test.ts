/** Arguments that change, lie, or come from elsewhere: what was checked is what is used. */
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { createEngine, createEngineSync, tensor } from '../src/index.ts';
import { ownBinary } from '../src/own-binary.ts';
import { integers } from './cases.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const weight = tensor(new Float32Array(216).fill(1), [6, 4, 3, 3]);
const image = tensor(integers(100), [1, 4, 5, 5]);
const want = engine.conv2d(image, weight).data;
const bytes = ownBinary(false) as Uint8Array<ArrayBuffer>;
const coded = (code: string): object => expect.objectContaining({ code });

afterEach(() => expect(engine.conv2d(image, weight).data).toEqual(want));

/** `after` from the nth read on. */
function turning<T>(n: number, before: T, after: T): () => T {
  let reads = 0;
  return () => (++reads < n ? before : after);
}

describe('fields that answer differently at each read', () => {
  it.each([1, 2, 3, 4, 5])('data from read %i on', (n) => {
    const hole = engine.alloc([8192]);
    using keep = engine.alloc([30000]);
    keep.data.fill(3);
    hole.dispose();
    const data = turning(n, image.data, new Float32Array(30000).fill(9));
    const changing = {
      get data() {
        return data();
      },
      shape: image.shape,
    };
    // Either the first answer was used throughout, or it was refused.
    if (n === 1) expect(() => engine.conv2d(changing, weight)).toThrow(coded('ERR_ARGUMENT'));
    else expect(engine.conv2d(changing, weight).data).toEqual(want);
    expect(keep.data.every((x) => x === 3)).toBe(true);
  });
  it.each([2, 3, 4, 5])('shape from read %i on', (n) => {
    const shape = turning(n, [1, 4, 5, 5], [1, 4, 500, 500]);
    const changing = {
      data: image.data,
      get shape() {
        return shape();
      },
    };
    expect(engine.conv2d(changing, weight).shape).toEqual([1, 6, 3, 3]);
  });
  it('the weight', () => {
    const data = turning(2, weight.data, new Float32Array(40000).fill(9));
    const changing = {
      get data() {
        return data();
      },
      shape: weight.shape,
    };
    expect(engine.conv2d(image, changing).data).toEqual(want);
    using layer = engine.conv2d.prepare(weight);
    expect(layer.run(image).data).toEqual(want);
  });
});

it('an engine tensor keeps its shape and its place', () => {
  using own = engine.alloc([1, 1, 2, 2]);
  for (const field of ['shape', 'pointer', 'heap']) expect(() => Object.assign(own, { [field]: [1, 1, 4, 16] })).toThrow(TypeError);
  expect(() => (own.shape as number[]).push(7)).toThrow(TypeError);
  expect(own.shape).toEqual([1, 1, 2, 2]);
});

it('a shape that changes when it is read again', () => {
  let reads = 0;
  const shape = new Proxy([1], { get: (target, key) => (key === '0' ? (++reads === 1 ? 1 : 10_000) : Reflect.get(target, key)) });
  using own = engine.alloc(shape);
  expect([own.shape, own.data.length]).toEqual([[1], 1]);
});

it('a length of its own', () => {
  const lying = Object.defineProperty(new Float32Array(30000), 'length', { value: 100 });
  expect(() => engine.conv2d({ data: lying, shape: [1, 4, 5, 5] }, weight)).toThrow('data.length must be the product');
  const out = Object.defineProperty(new Float32Array(3), 'length', { value: want.length });
  expect(() => engine.conv2d(image, weight, { out })).toThrow(coded('ERR_ARGUMENT'));
});

it('typed arrays of another realm', () => {
  const data = runInNewContext('new Float32Array(100)') as Float32Array;
  for (let i = 0; i < 100; i++) data[i] = image.data[i] as number;
  expect(engine.conv2d({ data, shape: [1, 4, 5, 5] }, weight).data).toEqual(want);
  const out = runInNewContext(`new Float32Array(${want.length})`) as Float32Array;
  expect(engine.conv2d(image, weight, { out }).data).toBe(out);
  expect([...out]).toEqual([...want]);
});

it('arrays that hold each other', () => {
  const padding: unknown[] = [];
  padding.push(padding, padding);
  expect(() => engine.conv2d(image, weight, { padding: padding as never })).toThrow(coded('ERR_ARGUMENT'));
});

describe('sources of the binary', () => {
  it('a DataView, shared memory', async () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    expect(createEngineSync({ wasm: view }).conv2d(image, weight).data).toEqual(want);
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    expect((await createEngine({ wasm: shared as unknown as ArrayBuffer })).conv2d(image, weight).data).toEqual(want);
  });
  it('a module of another realm', async () => {
    const compile = runInNewContext('(bytes) => new WebAssembly.Module(bytes)') as (bytes: BufferSource) => WebAssembly.Module;
    const wasm = compile(bytes);
    expect(wasm instanceof WebAssembly.Module).toBe(false);
    expect(createEngineSync({ wasm }).conv2d(image, weight).data).toEqual(want);
    expect((await createEngine({ wasm: () => wasm })).conv2d(image, weight).data).toEqual(want);
  });
  it('a response that was read', async () => {
    const response = new Response(bytes);
    await response.arrayBuffer();
    await expect(createEngine({ wasm: response })).rejects.toThrow(coded('ERR_HOST'));
  });
  it('a binary with other imports', () => {
    // (import "env" "other" (func)), and a function of ours by its name.
    const other = Uint8Array.of(
      ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 13, 1, 3, 101, 110, 118, 5, 111, 116, 104, 101, 114, 0, 0, 7, 21, 1, 17],
      ...new TextEncoder().encode('convChannelsFirst'),
      ...[0, 0],
    );
    expect(() => createEngineSync({ wasm: other })).toThrow(coded('ERR_HOST'));
  });
});
