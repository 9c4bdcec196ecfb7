/** What holds of every error: nothing is written, nothing is lost, and all ways in give the same. The tables are beside this file. */
import { expect, it } from 'vitest';
import { createEngine, conv2d as sharedConv2d } from '../src/index.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';
import { conv2d, engine, loose, maxMemory, w, want, x } from './errors-subject.ts';

it('an output is untouched when the call throws', () => {
  const out = new Float32Array(144).fill(7);
  for (const bad of [{ stride: 0 }, { padding: 3 }, { bias: new Float32Array(1) }, { algorithm: 'winograd' }]) {
    expect(() => conv2d(x, w, loose({ ...bad, out }))).toThrow();
  }
  expect(out.every((value) => value === 7)).toBe(true);
});

it('a thousand failing calls of each kind leave nothing behind', () => {
  const fresh = testEngine({ maxMemory: 4 * 65536 });
  fresh.conv2d(x, w);
  const size = fresh.info.memoryBytes;
  const big = { data: new Float32Array(4 * 300 * 300), shape: [1, 4, 300, 300] };
  const layer = fresh.conv2d.prepare(w, { padding: 2 ** 15 });
  const held = fresh.alloc([1, 4, 4, 4]);
  for (let i = 0; i < 1000; i++) {
    expect(() => fresh.channelShuffle(big, 2)).toThrow(expect.objectContaining({ code: 'ERR_MEMORY' }));
    expect(() => fresh.conv2d(held, big)).toThrow();
    expect(() => layer.run(held)).toThrow(expect.objectContaining({ code: 'ERR_MEMORY' }));
    expect(() => fresh.conv2d.prepare(big, loose({ groups: 2 }))).toThrow();
    expect(() => fresh.conv2d(x, w, loose({ strides: 1 }))).toThrow();
  }
  layer.dispose();
  held.dispose();
  for (let i = 0; i < 100; i++) expectClose(fresh.conv2d(x, w), want);
  expect(fresh.info.memoryBytes).toBe(size);
});

it('results too large for the memory, or for 32 bits, are refused by their bytes', () => {
  const before = engine.info.memoryBytes;
  const refused = expect.objectContaining({
    name: 'RangeError',
    code: 'ERR_MEMORY',
    message: expect.stringMatching(/^conv2d: [1-9]\d* more bytes of linear memory do not fit into maxMemory = \d+$/) as string,
  });
  // 2³² floats and more in the output alone; 2⁴⁰ of them are 0 in 32-bit arithmetic.
  for (const padding of [2 ** 15, 2 ** 16 - 3, 2 ** 20, 2 ** 28]) {
    for (const inputLayout of ['nchw', 'nhwc'] as const) {
      const image = { data: x.data.subarray(0, 36), shape: inputLayout === 'nchw' ? [1, 4, 3, 3] : [1, 3, 3, 4] };
      expect(() => conv2d(image, w, { padding, inputLayout })).toThrow(refused);
      expect(() => conv2d(image, w, { padding, paddingMode: 'replicate', inputLayout })).toThrow(refused);
      using layer = conv2d.prepare(w, { padding, inputLayout });
      expect(() => layer.run(image)).toThrow(refused);
      expect(layer.plan(image.shape).workspaceBytes).toBeGreaterThan(maxMemory);
    }
  }
  expectClose(conv2d(x, w), want);
  expect(engine.info.memoryBytes).toBe(Math.max(before, 65536));
});

it('a field that is undefined is absent, whatever its name', () => {
  expectClose(conv2d(x, w, loose({ strides: undefined, out: undefined })), want);
});

it('the functions of the module and createEngine reject with the same errors', async () => {
  await expect(sharedConv2d(x, w, loose({ strides: 2 }))).rejects.toThrow('conv2d: unknown option strides, did you mean stride?');
  await expect(createEngine(loose({ thread: 2 }))).rejects.toThrow('createEngine: unknown option thread, did you mean threads?');
});
