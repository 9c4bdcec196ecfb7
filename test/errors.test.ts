/** Every error of the contract: class, code, words; and that the engine computes the next call right and has lost nothing. */
import { describe, expect, it } from 'vitest';
import { type CodedError, createEngine, createEngineSync, conv2d as sharedConv2d, type Tensor, tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { integers } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const other = testEngine();
const x: Tensor = { data: integers(2 * 4 * 6 * 5), shape: [2, 4, 6, 5] };
const w: Tensor = { data: integers(6 * 4 * 3 * 3, 2), shape: [6, 4, 3, 3] };
const dw: Tensor = { data: integers(8 * 9, 2), shape: [8, 1, 3, 3] };
const want = reference.conv2d(x, w);
const { conv2d, depthwiseConv2d } = engine;

/** As a caller without types would write it. */
const loose = <T>(value: unknown): T => value as T;

function detached(): Float32Array {
  const data = new Float32Array(240);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

function gone<T extends { dispose(): void }>(thing: T): T {
  thing.dispose();
  return thing;
}

type Kind = 'TypeError' | 'RangeError' | 'Error';
type Row = [message: string, kind: Kind, call: () => unknown, code?: CodedError['code']];

const options = (given: Record<string, unknown>) => (): unknown => conv2d(x, w, loose(given));
const input = (given: unknown) => (): unknown => conv2d(loose(given), w);
const weight =
  (given: unknown, more: Record<string, unknown> = {}) =>
  (): unknown =>
    conv2d(x, loose(given), loose(more));

const rows: Record<string, Row[]> = {
  'the input': [
    ['conv2d: input must be a tensor { data, shape }, got undefined', 'TypeError', input(undefined)],
    ['conv2d: input must be a tensor { data, shape }, got null', 'TypeError', input(null)],
    ['conv2d: input must be a tensor { data, shape }, got Float32Array', 'TypeError', input(x.data)],
    ['conv2d: input.data must be a Float32Array, got [1, 2]', 'TypeError', input({ data: [1, 2], shape: [2] })],
    ['conv2d: input.data must be a Float32Array, got Float64Array', 'TypeError', input({ data: new Float64Array(4), shape: [1, 4, 1, 1] })],
    ['conv2d: input.data must be a Float32Array, got Int32Array', 'TypeError', input({ data: new Int32Array(4), shape: [1, 4, 1, 1] })],
    ['conv2d: input.data has a detached buffer', 'TypeError', () => conv2d({ data: detached(), shape: x.shape }, w)],
    ['conv2d: input.shape must be an array of sizes, got 5', 'TypeError', input({ data: x.data, shape: 5 })],
    ["conv2d: input.shape[0] must be a number, got '2'", 'TypeError', input({ data: x.data, shape: ['2', 4, 6, 5] })],
    ['conv2d: input.shape must be an array of at least one size, got []', 'RangeError', input({ data: x.data, shape: [] })],
    [
      'conv2d: input.shape[1] must be an integer of at least 1, got 0',
      'RangeError',
      input({ data: new Float32Array(0), shape: [2, 0, 6, 5] }),
    ],
    ['conv2d: input.shape[2] must be an integer of at least 1, got -6', 'RangeError', input({ data: x.data, shape: [2, 4, -6, 5] })],
    ['conv2d: input.shape[3] must be an integer of at least 1, got 2.5', 'RangeError', input({ data: x.data, shape: [2, 4, 6, 2.5] })],
    ['conv2d: input.shape[3] must be an integer of at least 1, got NaN', 'RangeError', input({ data: x.data, shape: [2, 4, 6, NaN] })],
    [
      'conv2d: input.data.length must be the product of input.shape = 120, got 240',
      'RangeError',
      input({ data: x.data, shape: [1, 4, 6, 5] }),
    ],
    // 65536 · 65536 is 2³², and 0 in 32-bit arithmetic.
    [
      'conv2d: input.data.length must be the product of input.shape = 4294967296, got 0',
      'RangeError',
      input({ data: new Float32Array(0), shape: [1, 65536, 65536, 1] }),
    ],
    ['conv2d: input.shape.length must be 4: batch, channels and 2 spatial, got 3', 'RangeError', input({ data: x.data, shape: [8, 6, 5] })],
    [
      'conv2d: input.shape.length must be 4: batch, channels and 2 spatial, got 5',
      'RangeError',
      input({ data: x.data, shape: [2, 1, 4, 6, 5] }),
    ],
    ['conv2d: weight.shape[1] must be inChannels / groups = 6, got 4', 'RangeError', input({ data: x.data, shape: [2, 6, 4, 5] })],
  ],
  'the weight': [
    ['conv2d: weight must be a tensor { data, shape }, got undefined', 'TypeError', weight(undefined)],
    ["conv2d: weight.shape.length must be 4, as in 'oihw', got 2", 'RangeError', weight({ data: w.data, shape: [6, 36] })],
    [
      'conv2d: weight.shape[0] must be an integer of at least 1, got 0',
      'RangeError',
      weight({ data: new Float32Array(0), shape: [0, 4, 3, 3] }),
    ],
    ['conv2d: weight.shape[1] must be inChannels / groups = 4, got 3', 'RangeError', weight({ data: w.data, shape: [8, 3, 3, 3] })],
    ['conv2d: weight.shape[1] must be inChannels / groups = 2, got 4', 'RangeError', weight(w, { groups: 2 })],
    ['conv2d: weight.shape[0] must be a multiple of groups = 4, got 6', 'RangeError', weight(w, { groups: 4 })],
    ['conv2d: input.shape[1] must be a multiple of groups = 3, got 4', 'RangeError', weight(w, { groups: 3 })],
    ['conv2d: weight.shape[2] must be inChannels / groups = 4, got 3', 'RangeError', weight(w, { filterLayout: 'hwio' })],
    [
      "conv2d: the kernel's height (7 − 1) · dilation 1 + 1 = 7 must not exceed the padded input's 6",
      'RangeError',
      weight({ data: integers(4 * 7), shape: [1, 4, 7, 1] }),
    ],
    [
      "conv2d: the kernel's width (3 − 1) · dilation 3 + 1 = 7 must not exceed the padded input's 5",
      'RangeError',
      weight(w, { dilation: [1, 3] }),
    ],
    [
      "conv2d: the kernel's width (3 − 1) · dilation 4294967295 + 1 = 8589934591 must not exceed the padded input's 5",
      'RangeError',
      weight(w, { dilation: [1, 4294967295] }),
    ],
  ],
  'the bias': [
    ['conv2d: bias must be a Float32Array or a tensor, got [1, 2, 3, 4, 5, 6]', 'TypeError', options({ bias: [1, 2, 3, 4, 5, 6] })],
    ['conv2d: bias must be a Float32Array or a tensor, got 1', 'TypeError', options({ bias: 1 })],
    ['conv2d: bias must be a Float32Array or a tensor, got Float64Array', 'TypeError', options({ bias: new Float64Array(6) })],
    ['conv2d: bias.length must be the number of output channels = 6, got 5', 'RangeError', options({ bias: new Float32Array(5) })],
    ['conv2d: bias.shape.length must be 1, got 2', 'RangeError', options({ bias: { data: new Float32Array(6), shape: [1, 6] } })],
    ['conv2d: bias.data has a detached buffer', 'TypeError', () => conv2d(x, w, { bias: { data: detached(), shape: [6] } })],
  ],
  options: [
    ['conv2d: options must be an object, got 3', 'TypeError', () => conv2d(x, w, loose(3))],
    ['conv2d: options must be an object, got null', 'TypeError', () => conv2d(x, w, loose(null))],
    ['conv2d: options must be an object, got []', 'TypeError', () => conv2d(x, w, loose([]))],
    ['conv2d: unknown option strides, did you mean stride?', 'TypeError', options({ strides: 2 })],
    ['conv2d: unknown option Padding, did you mean padding?', 'TypeError', options({ Padding: 1 })],
    ['conv2d: unknown option outputPadding', 'TypeError', options({ outputPadding: 1 })],
    ["conv2d: stride must be a number or an array of 2, got '2'", 'TypeError', options({ stride: '2' })],
    ['conv2d: stride must be a number or an array of 2, got null', 'TypeError', options({ stride: null })],
    ['conv2d: stride must be an integer of at least 1, got 0', 'RangeError', options({ stride: 0 })],
    ['conv2d: stride must be an integer of at least 1, got 1.5', 'RangeError', options({ stride: 1.5 })],
    ['conv2d: stride.length must be 2, one per spatial dimension, got 3', 'RangeError', options({ stride: [1, 1, 1] })],
    ['conv2d: stride[1] must be an integer of at least 1, got -1', 'RangeError', options({ stride: [1, -1] })],
    ['conv2d: stride[0] must be a number, got undefined', 'TypeError', options({ stride: [undefined, 1] })],
    ['conv2d: dilation[0] must be an integer of at least 1, got 0', 'RangeError', options({ dilation: [0, 1] })],
    ["conv2d: padding must be one of 'valid', 'same', 'same-lower', got 'SAME'", 'RangeError', options({ padding: 'SAME' })],
    ['conv2d: padding must be a number, a string or an array of 2, got true', 'TypeError', options({ padding: true })],
    ['conv2d: padding must be an integer of at least 0, got -1', 'RangeError', options({ padding: -1 })],
    ['conv2d: padding.length must be 2, one per spatial dimension, got 4', 'RangeError', options({ padding: [1, 1, 1, 1] })],
    ["conv2d: padding[1] must be a number or a pair [begin, end], got 'same'", 'TypeError', options({ padding: [1, 'same'] })],
    ['conv2d: padding[0] must be a number or a pair [begin, end], got [1]', 'RangeError', options({ padding: [[1], 1] })],
    ['conv2d: padding[0][1] must be an integer of at least 0, got -2', 'RangeError', options({ padding: [[1, -2], 1] })],
    ['conv2d: the padded height must be at most 2^30 = 1073741824, got 4294967302', 'RangeError', options({ padding: 2 ** 31 })],
    [
      "conv2d: paddingMode must be one of 'zeros', 'reflect', 'replicate', 'circular', got 'mirror'",
      'RangeError',
      options({ paddingMode: 'mirror' }),
    ],
    [
      'conv2d: reflect padding of the width must be less than its size 5, got 5',
      'RangeError',
      options({ paddingMode: 'reflect', padding: [0, 5] }),
    ],
    [
      'conv2d: circular padding of the height must be at most its size 6, got 7',
      'RangeError',
      options({ paddingMode: 'circular', padding: [[0, 7], 0] }),
    ],
    ['conv2d: groups must be an integer of at least 1, got 0', 'RangeError', options({ groups: 0 })],
    ["conv2d: groups must be a number, got '2'", 'TypeError', options({ groups: '2' })],
    ['conv2d: shuffle must be a divisor of the 6 output channels, got 4', 'RangeError', options({ shuffle: 4 })],
    ['conv2d: shuffle must be an integer of at least 1, got -2', 'RangeError', options({ shuffle: -2 })],
    [
      "conv2d: activation must be one of 'relu', 'relu6', 'sigmoid', 'tanh', 'silu', 'hardSwish', got 'ReLU'",
      'RangeError',
      options({ activation: 'ReLU' }),
    ],
    ['conv2d: activation must be a string or an object, got 1', 'TypeError', options({ activation: 1 })],
    ['conv2d: unknown option gelu', 'TypeError', options({ activation: { gelu: 1 } })],
    ['conv2d: activation must be one of { leakyRelu }, { elu }, { clamp }, got []', 'RangeError', options({ activation: {} })],
    [
      "conv2d: activation must be one of { leakyRelu }, { elu }, { clamp }, got ['elu', 'leakyRelu']",
      'RangeError',
      options({ activation: { elu: 1, leakyRelu: 1 } }),
    ],
    ["conv2d: activation.elu must be a number, got '1'", 'TypeError', options({ activation: { elu: '1' } })],
    ['conv2d: activation.leakyRelu must be a finite float32, got NaN', 'RangeError', options({ activation: { leakyRelu: NaN } })],
    ['conv2d: activation.clamp must be a pair [min, max], got 6', 'TypeError', options({ activation: { clamp: 6 } })],
    ['conv2d: activation.clamp must be a pair [min, max], got [1]', 'RangeError', options({ activation: { clamp: [1] } })],
    ['conv2d: activation.clamp[1] must be a float32 or ±Infinity, got NaN', 'RangeError', options({ activation: { clamp: [1, NaN] } })],
    ['conv2d: activation.clamp[0] = 2 must not be above activation.clamp[1] = 1', 'RangeError', options({ activation: { clamp: [2, 1] } })],
    ["conv2d: inputLayout must be one of 'nchw', 'nhwc', got 'NHWC'", 'RangeError', options({ inputLayout: 'NHWC' })],
    ["conv2d: inputLayout must be one of 'nchw', 'nhwc', got 'ncw'", 'RangeError', options({ inputLayout: 'ncw' })],
    [
      "conv2d: filterLayout must be one of 'oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi', got 'ohiw'",
      'RangeError',
      options({ filterLayout: 'ohiw' }),
    ],
    [
      "conv2d: algorithm must be one of 'auto', 'gemm', 'winograd', 'direct', 'factored', got 'fft'",
      'RangeError',
      options({ algorithm: 'fft' }),
    ],
    [
      "conv2d: algorithm 'direct' sums over one input channel, the weight has inChannels / groups = 4",
      'RangeError',
      options({ algorithm: 'direct' }),
      'ERR_UNSUPPORTED',
    ],
    ["conv2d: algorithm 'winograd' is not available in this version", 'RangeError', options({ algorithm: 'winograd' }), 'ERR_UNSUPPORTED'],
    ["conv2d: algorithm 'factored' is not available in this version", 'RangeError', options({ algorithm: 'factored' }), 'ERR_UNSUPPORTED'],
    ["conv2d: accuracy must be one of 'exact', 'normal', 'fast', got 'high'", 'RangeError', options({ accuracy: 'high' })],
  ],
  out: [
    ['conv2d: out must be a Float32Array or an EngineTensor, got []', 'TypeError', options({ out: [] })],
    [
      'conv2d: out must be a Float32Array or an EngineTensor, got Object',
      'TypeError',
      options({ out: { data: new Float32Array(144), shape: want.shape } }),
    ],
    ['conv2d: out must be a Float32Array or an EngineTensor, got Float64Array', 'TypeError', options({ out: new Float64Array(144) })],
    ['conv2d: out.length must be 144, the size of [2, 6, 4, 3], got 143', 'RangeError', options({ out: new Float32Array(143) })],
    ['conv2d: out has a detached buffer', 'TypeError', () => conv2d(x, w, { out: detached() })],
    [
      'conv2d: out.shape must be [2, 6, 4, 3], got [2, 6, 3, 4]',
      'RangeError',
      () => {
        using out = engine.alloc([2, 6, 3, 4]);
        return conv2d(x, w, { out });
      },
    ],
    [
      'conv2d: out must not be a tensor of another engine',
      'RangeError',
      () => {
        using out = other.alloc(want.shape);
        return conv2d(x, w, { out });
      },
    ],
    [
      'conv2d: out must not be an input as well',
      'RangeError',
      () => {
        using out = engine.alloc([2, 4, 6, 5]);
        return conv2d(out, { data: integers(4 * 4), shape: [4, 4, 1, 1] }, { out });
      },
    ],
    [
      'conv2d: out must not be an input as well',
      'RangeError',
      () => {
        using out = engine.alloc([1, 1, 1, 1]);
        return conv2d({ data: integers(1), shape: [1, 1, 1, 1] }, out, { out });
      },
    ],
  ],
  'memory and disposed things': [
    [
      "conv2d: input.data is a plain view of an engine's memory, which moves when it grows: give the engine tensor itself",
      'TypeError',
      () => {
        using t = engine.alloc(x.shape);
        return conv2d({ data: t.data, shape: x.shape }, w);
      },
    ],
    [
      "conv2d: weight.data is a plain view of an engine's memory, which moves when it grows: give the engine tensor itself",
      'TypeError',
      () => {
        using t = other.alloc(w.shape);
        return conv2d(x, { data: t.data, shape: w.shape });
      },
    ],
    [
      "conv2d: out is a plain view of an engine's memory, which moves when it grows: give the engine tensor itself",
      'TypeError',
      () => {
        using t = engine.alloc(want.shape);
        return conv2d(x, w, { out: t.data });
      },
    ],
    ['conv2d: input was disposed', 'Error', () => conv2d(gone(engine.alloc(x.shape)), w), 'ERR_DISPOSED'],
    ['conv2d: weight was disposed', 'Error', () => conv2d(x, gone(engine.alloc(w.shape))), 'ERR_DISPOSED'],
    ['conv2d: bias was disposed', 'Error', () => conv2d(x, w, { bias: gone(engine.alloc([6])) }), 'ERR_DISPOSED'],
    ['conv2d: out was disposed', 'Error', () => conv2d(x, w, { out: gone(engine.alloc(want.shape)) }), 'ERR_DISPOSED'],
    ['EngineTensor: data was disposed', 'Error', () => gone(engine.alloc([1])).data, 'ERR_DISPOSED'],
    ['conv2d: the layer was disposed', 'Error', () => gone(conv2d.prepare(w)).run(x), 'ERR_DISPOSED'],
    ['conv2d: the layer was disposed', 'Error', () => gone(conv2d.prepare(w)).plan(x.shape), 'ERR_DISPOSED'],
    ['conv2d: the engine was disposed', 'Error', () => gone(testEngine()).conv2d(x, w), 'ERR_DISPOSED'],
    ['conv2d: the engine was disposed', 'Error', () => gone(testEngine()).conv2d.prepare(w), 'ERR_DISPOSED'],
    ['alloc: the engine was disposed', 'Error', () => gone(testEngine()).alloc([1]), 'ERR_DISPOSED'],
    [
      'conv2d: the engine was disposed',
      'Error',
      () => {
        const e = testEngine();
        const layer = e.conv2d.prepare(w);
        e.dispose();
        layer.dispose();
        return e.conv2d(x, w);
      },
      'ERR_DISPOSED',
    ],
    [
      'conv2d: the engine was disposed',
      'Error',
      () => {
        const e = testEngine();
        const layer = e.conv2d.prepare(w);
        e.dispose();
        return layer.run(x);
      },
      'ERR_DISPOSED',
    ],
    [
      'EngineTensor: data was disposed',
      'Error',
      () => {
        const e = testEngine();
        const t = e.alloc([1]);
        e.dispose();
        return t.data;
      },
      'ERR_DISPOSED',
    ],
    [
      'alloc: 17179869184 more bytes of linear memory do not fit into maxMemory = 4294967296',
      'RangeError',
      () => engine.alloc([65536, 65536]),
      'ERR_MEMORY',
    ],
    ['alloc: 18446744073709552000 more bytes', 'RangeError', () => engine.alloc([2 ** 31, 2 ** 31]), 'ERR_MEMORY'],
    ['alloc: shape must be an array of sizes, got undefined', 'TypeError', () => engine.alloc(loose(undefined))],
    ['alloc: shape[1] must be an integer of at least 1, got 0', 'RangeError', () => engine.alloc([1, 0])],
  ],
  depthwiseConv2d: [
    ['depthwiseConv2d: unknown option groups', 'TypeError', () => depthwiseConv2d(x, dw, loose({ groups: 4 }))],
    [
      'depthwiseConv2d: weight.shape[1] must be 1, since each channel has filters of its own, got 4',
      'RangeError',
      () => depthwiseConv2d(x, w),
    ],
    [
      'depthwiseConv2d: weight.shape[0] must be a multiple of inChannels = 4, got 6',
      'RangeError',
      () => depthwiseConv2d(x, { data: integers(54), shape: [6, 1, 3, 3] }),
    ],
    [
      "depthwiseConv2d: algorithm 'gemm' is for conv2d, a depthwise kernel has nothing to reuse",
      'RangeError',
      () => depthwiseConv2d(x, dw, { algorithm: 'gemm' }),
      'ERR_UNSUPPORTED',
    ],
    [
      'depthwiseConv2d: out.length must be 192, the size of [2, 8, 4, 3], got 1',
      'RangeError',
      () => depthwiseConv2d(x, dw, { out: new Float32Array(1) }),
    ],
  ],
  'prepare, run and plan': [
    ['conv2d: unknown option out', 'TypeError', () => conv2d.prepare(w, loose({ out: new Float32Array(1) }))],
    ['conv2d: weight must be a tensor { data, shape }, got undefined', 'TypeError', () => conv2d.prepare(loose(undefined))],
    [
      'conv2d: unknown option padding',
      'TypeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run(x, loose({ padding: 1 }));
      },
    ],
    [
      'conv2d: weight.shape[1] must be inChannels / groups = 5, got 4',
      'RangeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run({ data: integers(150), shape: [1, 5, 6, 5] });
      },
    ],
    [
      'conv2d: out.length must be 144, the size of [2, 6, 4, 3], got 0',
      'RangeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run(x, { out: new Float32Array(0) });
      },
    ],
    [
      'conv2d: input.shape must be an array of sizes, got undefined',
      'TypeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.plan(loose(undefined));
      },
    ],
    [
      'conv2d: input.shape.length must be 4: batch, channels and 2 spatial, got 2',
      'RangeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.plan([1, 4]);
      },
    ],
  ],
  tensor: [
    ['tensor: data must be a Float32Array, got undefined', 'TypeError', () => tensor(loose(undefined), [1])],
    ['tensor: data must be a Float32Array, got Float64Array', 'TypeError', () => tensor(loose(new Float64Array(1)), [1])],
    ["tensor: data[1] must be a number, got 'b'", 'TypeError', () => tensor(loose([1, 'b']), [2])],
    ['tensor: data.length must be the product of shape = 6, got 5', 'RangeError', () => tensor([1, 2, 3, 4, 5], [2, 3])],
    ['tensor: shape[1] must be an integer of at least 1, got 0', 'RangeError', () => tensor([], [1, 0])],
    ['tensor: data has a detached buffer', 'TypeError', () => tensor(detached(), [240])],
  ],
  'engine options': [
    ['createEngineSync: unknown option thread, did you mean threads?', 'TypeError', () => createEngineSync(loose({ thread: 2 }))],
    ['createEngineSync: options must be an object, got 4', 'TypeError', () => createEngineSync(loose(4))],
    ["createEngineSync: threads must be one of 'auto', got 'all'", 'RangeError', () => createEngineSync({ threads: loose('all') })],
    ['createEngineSync: threads must be an integer of at least 1, got 0', 'RangeError', () => createEngineSync({ threads: 0 })],
    ["createEngineSync: relaxedSimd must be one of 'auto', got 1", 'TypeError', () => createEngineSync({ relaxedSimd: loose(1) })],
    [
      'createEngineSync: maxMemory must be an integer of at least 65536, got 1000',
      'RangeError',
      () => createEngineSync({ maxMemory: 1000 }),
    ],
    ["createEngineSync: maxMemory must be a number, got '1GB'", 'TypeError', () => createEngineSync({ maxMemory: loose('1GB') })],
    ['createEngineSync: worker must be a URL or a function, got true', 'TypeError', () => createEngineSync({ worker: loose(true) })],
    [
      'createEngineSync: wasm must be a WebAssembly.Module or bytes, got Promise',
      'TypeError',
      () => createEngineSync({ wasm: loose(Promise.resolve(new Uint8Array(8))) }),
    ],
    [
      'createEngineSync: wasm must be a WebAssembly binary, got Uint8Array',
      'TypeError',
      () => createEngineSync({ wasm: new Uint8Array(8) }),
    ],
    [
      'createEngineSync: wasm must be a binary of wasm-conv, got WebAssembly.Module',
      'TypeError',
      () => createEngineSync({ wasm: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) }),
    ],
  ],
};

describe.each(Object.entries(rows))('%s', (_, list) => {
  it.each(list)('%s', (message, kind, call, code = 'ERR_ARGUMENT') => {
    const before = engine.info.memoryBytes;
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: kind, code, message: expect.stringContaining(message) as string });
    expect(error).toBeInstanceOf({ TypeError, RangeError, Error }[kind]);
    expectClose(conv2d(x, w), want);
    expect(engine.info.memoryBytes).toBe(Math.max(before, 65536));
  });
});

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
  const layer = fresh.conv2d.prepare(w);
  for (let i = 0; i < 1000; i++) {
    expect(() => fresh.conv2d(big, w)).toThrow(expect.objectContaining({ code: 'ERR_MEMORY' }));
    expect(() => layer.run(big)).toThrow(expect.objectContaining({ code: 'ERR_MEMORY' }));
    expect(() => fresh.conv2d.prepare(big, loose({ groups: 2 }))).toThrow();
    expect(() => fresh.conv2d(x, w, loose({ strides: 1 }))).toThrow();
  }
  layer.dispose();
  for (let i = 0; i < 100; i++) expectClose(fresh.conv2d(x, w), want);
  expect(fresh.info.memoryBytes).toBe(size);
});

it('the functions of the module and createEngine reject with the same errors', async () => {
  await expect(sharedConv2d(x, w, loose({ strides: 2 }))).rejects.toThrow('conv2d: unknown option strides, did you mean stride?');
  await expect(createEngine(loose({ thread: 2 }))).rejects.toThrow('createEngine: unknown option thread, did you mean threads?');
});
