/** Every error about an operand or an option. */
import type { Tensor } from '../src/index.ts';
import { integers } from './cases.ts';
import { conv2d, depthwiseConv2d, describeErrors, detached, engine, loose, other, type Table, w, want, x } from './errors-subject.ts';

const dw: Tensor = { data: integers(8 * 9, 2), shape: [8, 1, 3, 3] };
const options = (given: Record<string, unknown>) => (): unknown => conv2d(x, w, loose(given));
const input = (given: unknown) => (): unknown => conv2d(loose(given), w);
const weight =
  (given: unknown, more: Record<string, unknown> = {}) =>
  (): unknown =>
    conv2d(x, loose(given), loose(more));

const table: Table = {
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
    [
      "conv2d: bias.data is a plain view of an engine's memory, which moves when it grows: give the engine tensor itself",
      'TypeError',
      () => {
        using t = engine.alloc([6]);
        return conv2d(x, w, { bias: t.data });
      },
    ],
    ['conv2d: bias.data has a detached buffer', 'TypeError', () => conv2d(x, w, { bias: { data: detached(), shape: [6] } })],
  ],
  options: [
    ['conv2d: options must be an object, got 3', 'TypeError', () => conv2d(x, w, loose(3))],
    ['conv2d: options must be an object, got null', 'TypeError', () => conv2d(x, w, loose(null))],
    ['conv2d: options must be an object, got []', 'TypeError', () => conv2d(x, w, loose([]))],
    ['conv2d: unknown option strides, did you mean stride?', 'TypeError', options({ strides: 2 })],
    ['conv2d: unknown option Padding, did you mean padding?', 'TypeError', options({ Padding: 1 })],
    ['conv2d: unknown option kernelSize', 'TypeError', options({ kernelSize: 1 })],
    ['conv2d: unknown option dilations, did you mean dilation?', 'TypeError', options({ stride: 1, dilations: [1, 1] })],
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
      "conv3d: algorithm 'direct' is for one or two dimensions",
      'RangeError',
      () =>
        engine.conv3d(
          { data: integers(27), shape: [1, 1, 3, 3, 3] },
          { data: integers(8), shape: [1, 1, 2, 2, 2] },
          { algorithm: 'direct' },
        ),
      'ERR_UNSUPPORTED',
    ],
    [
      "conv2d: algorithm 'winograd' needs square kernels or rows of two to five taps for each step of one stride, no dilation beside it, several channels to a filter, 16 or more of image and result (8 of the image in all phases of the stride), and an accuracy other than 'exact'",
      'RangeError',
      options({ algorithm: 'winograd' }),
      'ERR_UNSUPPORTED',
    ],
    [
      "conv2d: algorithm 'factored' needs two-dimensional kernels of rank 1, each over one input channel, a stride of 1 along rows, and an accuracy other than 'exact'",
      'RangeError',
      options({ algorithm: 'factored' }),
      'ERR_UNSUPPORTED',
    ],
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
};

describeErrors(table);
