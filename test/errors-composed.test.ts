/** Every error that operations of several steps have of their own. */
import type { ConvOptions, Tensor } from '../src/index.ts';
import { integers } from './cases.ts';
import { describeErrors, engine, loose, type Table } from './errors-subject.ts';

const { separableConv2d, spatialSeparableConv2d, flattenedConv2d } = engine;

const filled = (...shape: number[]): Tensor => ({ data: integers(shape.reduce((a, b) => a * b, 1)), shape });
const x = filled(2, 4, 5, 6);
const depthwise = filled(8, 1, 3, 3);
const pointwise = filled(6, 8, 1, 1);
const separable =
  (options: Record<string, unknown>, first = depthwise, second = pointwise) =>
  (): unknown =>
    separableConv2d(x, first, second, options as ConvOptions);
const [column, row] = [filled(3, 4, 3, 1), filled(6, 3, 1, 2)];
const spatial =
  (options: Record<string, unknown>, first = column, second = row) =>
  (): unknown =>
    spatialSeparableConv2d(x, first, second, options as ConvOptions);
const [channel, vertical, horizontal] = [filled(3, 4), filled(3, 2), filled(3, 3)];
const flattened =
  (options: Record<string, unknown>, weights: unknown = { channel, vertical, horizontal }) =>
  (): unknown =>
    flattenedConv2d(x, loose(weights), options as ConvOptions);

const table: Table = {
  separableConv2d: [
    ['separableConv2d: unknown option groups', 'TypeError', separable({ groups: 4 })],
    ['separableConv2d: unknown option outputPadding', 'TypeError', separable({ outputPadding: 1 })],
    [
      'separableConv2d: depthwise must be a tensor { data, shape }, got undefined',
      'TypeError',
      () => separableConv2d(x, loose(undefined), pointwise),
    ],
    [
      'separableConv2d: pointwise must be a tensor { data, shape }, got Object',
      'TypeError',
      () => separableConv2d(x, depthwise, loose({ bias: 1 })),
    ],
    [
      'separableConv2d: depthwise.shape[1] must be 1, since each channel has filters of its own, got 2',
      'RangeError',
      separable({}, filled(4, 2, 3, 3)),
    ],
    [
      'separableConv2d: depthwise.shape[0] must be a multiple of inChannels = 4, got 6',
      'RangeError',
      separable({}, filled(6, 1, 3, 3), filled(6, 6, 1, 1)),
    ],
    [
      'separableConv2d: pointwise.shape[1] must be inChannels / groups = 8, got 4',
      'RangeError',
      separable({}, depthwise, filled(6, 4, 1, 1)),
    ],
    ['separableConv2d: pointwise.shape[2] must be 1, got 3', 'RangeError', separable({}, depthwise, filled(6, 8, 3, 3))],
    ['separableConv2d: pointwise.shape[3] must be 1, got 2', 'RangeError', separable({}, depthwise, filled(6, 8, 1, 2))],
    ["separableConv2d: depthwise.shape.length must be 4, as in 'oihw', got 2", 'RangeError', separable({}, filled(8, 9))],
    [
      'separableConv2d: depthwiseBias.length must be the number of depthwise channels = 8, got 6',
      'RangeError',
      separable({ depthwiseBias: new Float32Array(6) }),
    ],
    ['separableConv2d: depthwiseBias must be a Float32Array or a tensor, got [1]', 'TypeError', separable({ depthwiseBias: [1] })],
    ['separableConv2d: depthwiseBias.shape.length must be 1, got 2', 'RangeError', separable({ depthwiseBias: filled(8, 1) })],
    [
      "separableConv2d: depthwiseActivation must be one of 'relu', 'relu6', 'sigmoid', 'tanh', 'silu', 'hardSwish', got 'gelu'",
      'RangeError',
      separable({ depthwiseActivation: 'gelu' }),
    ],
    [
      'separableConv2d: depthwiseActivation.clamp must be a pair [min, max], got 6',
      'TypeError',
      separable({ depthwiseActivation: { clamp: 6 } }),
    ],
    [
      'separableConv2d: bias.length must be the number of output channels = 6, got 8',
      'RangeError',
      separable({ bias: new Float32Array(8) }),
    ],
    ['separableConv2d: shuffle must be a divisor of the 6 output channels, got 4', 'RangeError', separable({ shuffle: 4 })],
    [
      "separableConv2d: the kernel's height (3 − 1) · dilation 3 + 1 = 7 must not exceed the padded input's 5",
      'RangeError',
      separable({ dilation: 3 }),
    ],
    [
      'separableConv2d: reflect padding of the height must be less than its size 5, got 5',
      'RangeError',
      separable({ padding: [5, 0], paddingMode: 'reflect' }),
    ],
    [
      "separableConv2d: algorithm 'direct' cannot serve these weights, 'gemm' can",
      'RangeError',
      separable({ algorithm: 'direct' }),
      'ERR_UNSUPPORTED',
    ],
    [
      "separableConv2d: algorithm 'winograd' cannot serve these weights, 'gemm' can",
      'RangeError',
      separable({ algorithm: 'winograd' }),
      'ERR_UNSUPPORTED',
    ],
    ['separableConv2d: out.length must be 144, the size of [2, 6, 3, 4], got 1', 'RangeError', separable({ out: new Float32Array(1) })],
  ],
  spatialSeparableConv2d: [
    [
      'spatialSeparableConv2d: column must be a tensor { data, shape }, got undefined',
      'TypeError',
      () => spatialSeparableConv2d(x, loose(undefined), row),
    ],
    [
      'spatialSeparableConv2d: row must be a tensor { data, shape }, got undefined',
      'TypeError',
      () => spatialSeparableConv2d(x, column, loose(undefined)),
    ],
    ['spatialSeparableConv2d: column.shape[3] must be 1, got 2', 'RangeError', spatial({}, filled(3, 4, 3, 2))],
    ['spatialSeparableConv2d: row.shape[2] must be 1, got 2', 'RangeError', spatial({}, column, filled(6, 3, 2, 1))],
    ['spatialSeparableConv2d: column.shape[1] must be inChannels / groups = 4, got 3', 'RangeError', spatial({}, filled(3, 3, 3, 1))],
    ['spatialSeparableConv2d: row.shape[1] must be inChannels / groups = 3, got 4', 'RangeError', spatial({}, column, filled(6, 4, 1, 2))],
    ['spatialSeparableConv2d: column.shape[0] must be a multiple of groups = 2, got 3', 'RangeError', spatial({ groups: 2 })],
    ['spatialSeparableConv2d: unknown option depthwiseBias', 'TypeError', spatial({ depthwiseBias: new Float32Array(3) })],
    [
      'spatialSeparableConv2d: bias.length must be the number of output channels = 6, got 3',
      'RangeError',
      spatial({ bias: new Float32Array(3) }),
    ],
    [
      "spatialSeparableConv2d: the kernel's width (2 − 1) · dilation 7 + 1 = 8 must not exceed the padded input's 6",
      'RangeError',
      spatial({ dilation: [1, 7] }),
    ],
    [
      "spatialSeparableConv2d: algorithm 'factored' cannot serve these weights, 'gemm' can",
      'RangeError',
      spatial({ algorithm: 'factored' }),
      'ERR_UNSUPPORTED',
    ],
  ],
  flattenedConv2d: [
    [
      'flattenedConv2d: weights must be an object { channel, vertical, horizontal }, got undefined',
      'TypeError',
      () => flattenedConv2d(x, loose(undefined)),
    ],
    ['flattenedConv2d: vertical must be a tensor { data, shape }, got undefined', 'TypeError', flattened({}, { channel, horizontal })],
    [
      'flattenedConv2d: channel.shape.length must be 2, got 4',
      'RangeError',
      flattened({}, { channel: filled(3, 4, 1, 1), vertical, horizontal }),
    ],
    [
      'flattenedConv2d: vertical.shape[0] must be the number of output channels = 3, got 4',
      'RangeError',
      flattened({}, { channel, vertical: filled(4, 2), horizontal }),
    ],
    [
      'flattenedConv2d: horizontal.shape[0] must be the number of output channels = 3, got 2',
      'RangeError',
      flattened({}, { channel, vertical, horizontal: filled(2, 3) }),
    ],
    [
      'flattenedConv2d: channel.shape[1] must be inChannels / groups = 4, got 5',
      'RangeError',
      flattened({}, { channel: filled(3, 5), vertical, horizontal }),
    ],
    ['flattenedConv2d: unknown option groups', 'TypeError', flattened({ groups: 1 })],
    ['flattenedConv2d: unknown option filterLayout', 'TypeError', flattened({ filterLayout: 'oihw' })],
    [
      'flattenedConv2d: bias.length must be the number of output channels = 3, got 4',
      'RangeError',
      flattened({ bias: new Float32Array(4) }),
    ],
    [
      "flattenedConv2d: algorithm 'direct' cannot serve these weights, 'gemm' can",
      'RangeError',
      flattened({ algorithm: 'direct' }),
      'ERR_UNSUPPORTED',
    ],
    ['flattenedConv2d: out.length must be 96, the size of [2, 3, 4, 4], got 97', 'RangeError', flattened({ out: new Float32Array(97) })],
  ],
};

describeErrors(table);
