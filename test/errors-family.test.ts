/** Every error of the operations that only move or add: channelShuffle, biasGrad, unfold, fold. Then: after any error each operation computes right. */
import { expect, it } from 'vitest';
import type { Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import type { Op } from './any-call.ts';
import { integers } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';
import { describeErrors, engine, loose, type Table } from './errors-subject.ts';
import { rightCalls } from './family-calls.ts';

const { channelShuffle, unfold, fold, biasGrad } = engine;
const references: Readonly<Record<Op, unknown>> = reference;

const filled = (...shape: number[]): Tensor => ({ data: integers(shape.reduce((a, b) => a * b, 1)), shape });
const x = filled(2, 4, 5, 6);

const table: Table = {
  channelShuffle: [
    ['channelShuffle: groups must be a divisor of the 4 channels, got 3', 'RangeError', () => channelShuffle(x, 3)],
    [
      'channelShuffle: groups must be a divisor of the 6 channels, got 4',
      'RangeError',
      () => channelShuffle(x, 4, { inputLayout: 'nhwc' }),
    ],
    ['channelShuffle: groups must be an integer of at least 1, got 0', 'RangeError', () => channelShuffle(x, 0)],
    ['channelShuffle: groups must be a number, got undefined', 'TypeError', () => channelShuffle(x, loose(undefined))],
    [
      'channelShuffle: input.shape.length must be at least 3: batch, channels and the spatial dimensions, got 2',
      'RangeError',
      () => channelShuffle(filled(2, 4), 2),
    ],
    [
      "channelShuffle: inputLayout must be one of 'nchw', 'nhwc', got 'ncw'",
      'RangeError',
      () => channelShuffle(x, 2, { inputLayout: 'ncw' }),
    ],
    ['channelShuffle: unknown option groups', 'TypeError', () => channelShuffle(x, 2, loose({ groups: 2 }))],
    [
      'channelShuffle: out must not be an input as well',
      'RangeError',
      () => {
        using own = engine.alloc([1, 4, 2, 2]);
        return channelShuffle(own, 2, { out: own });
      },
    ],
    [
      'channelShuffle: out.length must be 240, the size of [2, 4, 5, 6], got 2',
      'RangeError',
      () => channelShuffle(x, 2, { out: new Float32Array(2) }),
    ],
  ],
  biasGrad: [
    ['biasGrad: gradOutput must be a tensor { data, shape }, got Float32Array', 'TypeError', () => biasGrad(loose(x.data))],
    [
      'biasGrad: gradOutput.shape.length must be at least 3: batch, channels and the spatial dimensions, got 2',
      'RangeError',
      () => biasGrad(filled(2, 4)),
    ],
    [
      "biasGrad: inputLayout must be one of 'ncw', 'nwc', got 'nhwc'",
      'RangeError',
      () => biasGrad(filled(2, 4, 3), { inputLayout: 'nhwc' }),
    ],
    ['biasGrad: out.length must be 4, the size of [4], got 6', 'RangeError', () => biasGrad(x, { out: new Float32Array(6) })],
    ['biasGrad: unknown option stride', 'TypeError', () => biasGrad(x, loose({ stride: 1 }))],
  ],
  'unfold and fold': [
    ['unfold: input.shape.length must be 4: batch, channels, height, width, got 3', 'RangeError', () => unfold(filled(4, 5, 6), 2)],
    ['unfold: kernelSize must be a number or an array of 2, got undefined', 'TypeError', () => unfold(x, loose(undefined))],
    ['unfold: kernelSize must be an integer of at least 1, got 0', 'RangeError', () => unfold(x, 0)],
    ['unfold: kernelSize.length must be 2, one per spatial dimension, got 3', 'RangeError', () => unfold(x, [1, 2, 3])],
    ['unfold: kernelSize[1] must be an integer of at least 1, got 1.5', 'RangeError', () => unfold(x, [1, 1.5])],
    ["unfold: the kernel's height (6 − 1) · dilation 1 + 1 = 6 must not exceed the padded input's 5", 'RangeError', () => unfold(x, 6)],
    ['unfold: unknown option inputLayout', 'TypeError', () => unfold(x, 2, loose({ inputLayout: 'nchw' }))],
    ['unfold: unknown option kernelSize', 'TypeError', () => unfold(x, 2, loose({ kernelSize: 2 }))],
    ['unfold: out.length must be 640, the size of [2, 16, 20], got 20', 'RangeError', () => unfold(x, 2, { out: new Float32Array(20) })],
    ['fold: columns.shape.length must be 3: batch, C · kH · kW, L, got 4', 'RangeError', () => fold(x, [5, 6], 2)],
    ['fold: outputSize must be an array of 2, got 5', 'TypeError', () => fold(filled(2, 16, 20), loose(5), 2)],
    ['fold: outputSize.length must be 2, one per spatial dimension, got 4', 'RangeError', () => fold(filled(2, 16, 20), [2, 4, 5, 6], 2)],
    ['fold: outputSize[0] must be an integer of at least 1, got 0', 'RangeError', () => fold(filled(2, 16, 20), [0, 6], 2)],
    ['fold: columns.shape[1] must be a multiple of kH · kW = 6, got 16', 'RangeError', () => fold(filled(2, 16, 20), [5, 6], [2, 3])],
    ['fold: columns.shape[2] must be the number of windows in [5, 6] = 20, got 19', 'RangeError', () => fold(filled(2, 16, 19), [5, 6], 2)],
    [
      'fold: columns.shape[2] must be the number of windows in [5, 6] = 6, got 20',
      'RangeError',
      () => fold(filled(2, 16, 20), [5, 6], 2, { stride: 2 }),
    ],
    [
      "fold: the kernel's height (2 − 1) · dilation 5 + 1 = 6 must not exceed the padded input's 5",
      'RangeError',
      () => fold(filled(2, 16, 20), [5, 6], 2, { dilation: 5 }),
    ],
    [
      'fold: out.length must be 240, the size of [2, 4, 5, 6], got 1',
      'RangeError',
      () => fold(filled(2, 16, 20), [5, 6], 2, { out: new Float32Array(1) }),
    ],
  ],
};

describeErrors(table);

it.each(rightCalls)('%s: a wrong call in every way, then a right one, a hundred times', (op, given, options) => {
  const run = engine[op] as unknown as (...all: unknown[]) => Tensor;
  const want = (references[op] as typeof run)(...given, options);
  const out = new Float32Array(want.data.length).fill(7);
  const [first, ...others] = given;
  const { shape } = first as Tensor;
  const wrong: unknown[][] = [
    [{ data: new Float32Array(3), shape }, ...others, { ...options, out }],
    [{ data: Array.from((first as Tensor).data), shape }, ...others, { ...options, out }],
    [first, ...others, { ...options, out, paddings: 1 }],
    [first, ...others, { ...options, out: out.subarray(1) }],
    [first, ...others, 7],
    [undefined, ...others, { ...options, out }],
  ];
  if (others.length > 0) wrong.push([first, null, ...others.slice(1), { ...options, out }]);
  expectClose(run(...given, options), want);
  const before = engine.info.memoryBytes;
  for (let i = 0; i < 100; i++) {
    for (const call of wrong)
      expect(() => run(...call)).toThrow(
        expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(`^${op}: `) as string }),
      );
    expect(out.every((value) => value === 7)).toBe(true);
    expectClose(run(...given, options), want);
  }
  expect(engine.info.memoryBytes).toBe(before);
});

it.each(rightCalls)('%s: operands that were disposed, views of the memory, a closed engine', (op, given, options) => {
  const run = engine[op] as unknown as (...all: unknown[]) => Tensor;
  const want = run(...given, options);
  const gone = testEngine();
  const [first, ...others] = given as [Tensor, ...unknown[]];
  const name = /^(conv|convTranspose)\dd(InputGrad)$|^biasGrad$/.test(op) ? 'gradOutput' : op === 'fold' ? 'columns' : 'input';
  const disposed = engine.alloc(first.shape);
  const view = { data: disposed.data, shape: first.shape };
  expect(() => run(view, ...others, options)).toThrow(
    expect.objectContaining({
      name: 'TypeError',
      message: expect.stringMatching(`^${op}: ${name}.data is a plain view of an engine's memory`) as string,
    }),
  );
  disposed.dispose();
  expect(() => run(disposed, ...others, options)).toThrow(
    expect.objectContaining({ code: 'ERR_DISPOSED', message: `${op}: ${name} was disposed` }),
  );
  const out = engine.alloc(want.shape);
  out.dispose();
  expect(() => run(...given, { ...options, out })).toThrow(
    expect.objectContaining({ code: 'ERR_DISPOSED', message: `${op}: out was disposed` }),
  );
  gone.dispose();
  expect(() => (gone[op] as unknown as typeof run)(...given, options)).toThrow(
    expect.objectContaining({ code: 'ERR_DISPOSED', message: `${op}: the engine was disposed` }),
  );
  expectClose(run(...given, options), want);
});

it('results too large for the memory are refused by their bytes', () => {
  const refused = (op: Op): unknown =>
    expect.objectContaining({
      name: 'RangeError',
      code: 'ERR_MEMORY',
      message: expect.stringMatching(
        new RegExp(`^${op}: [1-9]\\d* more bytes of linear memory do not fit into maxMemory = \\d+$`),
      ) as string,
    });
  const before = engine.info.memoryBytes;
  const pixel = filled(1, 4, 1, 1);
  for (const stride of [2 ** 12, 2 ** 20])
    for (const inputLayout of ['nchw', 'nhwc'] as const)
      for (const algorithm of ['direct', 'gemm'] as const) {
        const image = inputLayout === 'nchw' ? filled(1, 4, 2, 2) : filled(1, 2, 2, 4);
        const options = { stride, inputLayout, algorithm };
        expect(() => engine.convTranspose2d(image, filled(4, 6, 2, 2), options)).toThrow(refused('convTranspose2d'));
        const layer = engine.convTranspose2d.prepare(filled(4, 6, 2, 2), options);
        expect(() => layer.run(image)).toThrow(refused('convTranspose2d'));
        layer.dispose();
      }
  expect(() => engine.conv2dInputGrad(filled(1, 6, 1, 1), filled(6, 4, 2, 2), [1, 4, 2 ** 14, 2 ** 14], { stride: 2 ** 14 })).toThrow(
    refused('conv2dInputGrad'),
  );
  expect(() => engine.separableConv2d(pixel, filled(4, 1, 1, 1), filled(2, 4, 1, 1), { padding: 2 ** 14 })).toThrow(
    refused('separableConv2d'),
  );
  expect(() => unfold(pixel, 1, { padding: 2 ** 14 })).toThrow(refused('unfold'));
  expect(() => fold(filled(1, 1, 1), [2 ** 14, 2 ** 14], 1, { stride: 2 ** 14 })).toThrow(refused('fold'));
  expect(engine.info.memoryBytes).toBe(before);
  expectClose(channelShuffle(x, 2), reference.channelShuffle(x, 2));
});
