/** Every operation as a function of the module, on the shared engine. */
import { expect, it } from 'vitest';
import * as library from '../src/index.ts';
import type { Op } from './any-call.ts';
import { expectClose } from './close.ts';
import { engine, operationOf } from './family.ts';
import { rightCalls } from './family-calls.ts';

const functions: Readonly<Record<Op, unknown>> = library;

it.each(rightCalls)('%s', async (op, given, options) => {
  const call = functions[op] as (...all: readonly unknown[]) => Promise<library.Tensor>;
  const want = operationOf(op)(...given, options);
  const pending = call(...given, options);
  expect(pending).toBeInstanceOf(Promise);
  expectClose(await pending, want);
  const out = new Float32Array(want.data.length);
  expect((await call(...given, { ...options, out })).data).toBe(out);
  await expect(call(...given, { ...options, strids: 1 })).rejects.toThrow(`${op}: unknown option strids`);
  expect(call).not.toHaveProperty('prepare');
});

it('into a tensor of the shared engine, which is never disposed', async () => {
  const shared = await library.defaultEngine();
  expect(await library.defaultEngine()).toBe(shared);
  using out = shared.alloc([1, 4, 2, 2]);
  const input = { data: Float32Array.from({ length: 16 }, (_, i) => i), shape: [1, 4, 2, 2] };
  expect(await library.channelShuffle(input, 2, { out })).toBe(out);
  expectClose(out, engine.channelShuffle(input, 2));
});

it('none is missing', () => {
  const { info, alloc, dispose, ...operations } = engine;
  for (const op of Object.keys(operations)) expect(functions).toHaveProperty(op);
  expect(
    rightCalls
      .map(([op]) => op as string)
      .concat('conv1d', 'conv2d', 'conv3d', 'depthwiseConv2d')
      .sort(),
  ).toEqual(Object.keys(operations).sort());
});
