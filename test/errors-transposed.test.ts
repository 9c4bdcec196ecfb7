/** Every error that transposed convolutions have of their own. */
import type { ConvTransposeOptions, Tensor } from '../src/index.ts';
import { integers } from './cases.ts';
import { describeErrors, detached, engine, loose, other, type Table } from './errors-subject.ts';

const { convTranspose1d, convTranspose2d, convTranspose3d } = engine;

const filled = (...shape: number[]): Tensor => ({ data: integers(shape.reduce((a, b) => a * b, 1)), shape });
const x = filled(2, 4, 5, 6);
const w = filled(4, 6, 3, 3);
const transposed = (options: Record<string, unknown>) => (): unknown => convTranspose2d(x, w, options as ConvTransposeOptions);

const table: Table = {
  'transposed: operands': [
    ['convTranspose2d: input must be a tensor { data, shape }, got undefined', 'TypeError', () => convTranspose2d(loose(undefined), w)],
    ['convTranspose2d: input.data has a detached buffer', 'TypeError', () => convTranspose2d({ data: detached(), shape: [2, 4, 5, 6] }, w)],
    ['convTranspose2d: weight must be a tensor { data, shape }, got null', 'TypeError', () => convTranspose2d(x, loose(null))],
    [
      'convTranspose2d: input.shape.length must be 4: batch, channels and 2 spatial, got 3',
      'RangeError',
      () => convTranspose2d(filled(4, 5, 6), w),
    ],
    [
      'convTranspose1d: input.shape.length must be 3: batch, channels and 1 spatial, got 4',
      'RangeError',
      () => convTranspose1d(x, filled(4, 6, 3)),
    ],
    ["convTranspose3d: weight.shape.length must be 5, as in 'iodhw', got 4", 'RangeError', () => convTranspose3d(filled(1, 4, 2, 2, 2), w)],
    ['convTranspose2d: weight.shape[0] must be inChannels = 4, got 6', 'RangeError', () => convTranspose2d(x, filled(6, 4, 3, 3))],
    [
      'convTranspose2d: weight.shape[1] must be inChannels = 4, got 6',
      'RangeError',
      () => convTranspose2d(x, filled(4, 6, 3, 3), { filterLayout: 'oihw' }),
    ],
    ['convTranspose2d: weight.shape[0] must be a multiple of groups = 3, got 4', 'RangeError', transposed({ groups: 3 })],
    [
      'convTranspose2d: input.shape[1] must be a multiple of groups = 3, got 4',
      'RangeError',
      () => convTranspose2d(x, filled(6, 2, 3, 3), { groups: 3 }),
    ],
    [
      'convTranspose2d: bias.length must be the number of output channels = 6, got 4',
      'RangeError',
      transposed({ bias: new Float32Array(4) }),
    ],
    [
      'convTranspose2d: bias.length must be the number of output channels = 12, got 6',
      'RangeError',
      transposed({ bias: new Float32Array(6), groups: 2 }),
    ],
    ['convTranspose2d: shuffle must be a divisor of the 6 output channels, got 4', 'RangeError', transposed({ shuffle: 4 })],
    [
      'convTranspose2d: weight.shape[1] must be an integer of at least 1, got 0',
      'RangeError',
      () => convTranspose2d(x, filled(4, 0, 3, 3)),
    ],
  ],
  'transposed: sizes': [
    [
      'convTranspose2d: outputPadding[0] must be less than stride 2 or dilation 1, got 2',
      'RangeError',
      transposed({ stride: 2, outputPadding: 2 }),
    ],
    [
      'convTranspose2d: outputPadding[1] must be less than stride 1 or dilation 3, got 3',
      'RangeError',
      transposed({ dilation: 3, outputPadding: [0, 3] }),
    ],
    ['convTranspose2d: outputPadding[0] must be less than stride 1 or dilation 1, got 1', 'RangeError', transposed({ outputPadding: 1 })],
    ['convTranspose2d: outputPadding must be an integer of at least 0, got -1', 'RangeError', transposed({ outputPadding: -1 })],
    [
      'convTranspose2d: outputPadding[1] must be an integer of at least 0, got 0.5',
      'RangeError',
      transposed({ stride: 2, outputPadding: [0, 0.5] }),
    ],
    ['convTranspose2d: outputPadding.length must be 2, one per spatial dimension, got 1', 'RangeError', transposed({ outputPadding: [0] })],
    ["convTranspose2d: outputPadding must be a number or an array of 2, got '1'", 'TypeError', transposed({ outputPadding: '1' })],
    ['convTranspose2d: outputSize must be an array of 2, got 9', 'TypeError', transposed({ outputSize: 9 })],
    [
      'convTranspose2d: outputSize.length must be 2, one per spatial dimension, got 4',
      'RangeError',
      transposed({ outputSize: [1, 6, 7, 8] }),
    ],
    ['convTranspose2d: outputSize[0] must be an integer of at least 1, got 0', 'RangeError', transposed({ outputSize: [0, 8] })],
    ['convTranspose2d: outputSize[0] must be from 11 to 12, got 10', 'RangeError', transposed({ stride: 2, outputSize: [10, 13] })],
    ['convTranspose2d: outputSize[1] must be from 13 to 14, got 15', 'RangeError', transposed({ stride: 2, outputSize: [11, 15] })],
    ['convTranspose2d: outputSize[0] must be from 7 to 7, got 8', 'RangeError', transposed({ outputSize: [8, 8] })],
    [
      'convTranspose2d: outputSize[0] must be from 9 to 10, got 11',
      'RangeError',
      transposed({ stride: 2, padding: 'same', outputSize: [11, 12] }),
    ],
    [
      'convTranspose2d: outputSize[1] must be from 11 to 12, got 10',
      'RangeError',
      transposed({ stride: 2, padding: 'same-lower', outputSize: [9, 10] }),
    ],
    [
      'convTranspose2d: outputPadding and outputSize exclude each other',
      'RangeError',
      transposed({ stride: 2, outputPadding: 1, outputSize: [12, 14] }),
    ],
    [
      "convTranspose2d: outputPadding and padding 'same' exclude each other",
      'RangeError',
      transposed({ stride: 2, outputPadding: 1, padding: 'same' }),
    ],
    [
      "convTranspose2d: outputPadding and padding 'same-lower' exclude each other",
      'RangeError',
      transposed({ stride: 2, outputPadding: [1, 0], padding: 'same-lower' }),
    ],
    [
      "convTranspose2d: the output's height (5 − 1) · stride + extent − padding = -1 must be at least 1",
      'RangeError',
      transposed({ padding: 4 }),
    ],
    [
      "convTranspose2d: the output's width (6 − 1) · stride + extent − padding = 0 must be at least 1",
      'RangeError',
      transposed({ padding: [0, [3, 5]] }),
    ],
    [
      'convTranspose2d: the height before padding is cut must be at most 2^30 = 1073741824, got 4294967299',
      'RangeError',
      transposed({ stride: 2 ** 30 }),
    ],
    [
      'convTranspose2d: the padding of the height must be at most 2^30 = 1073741824, got 4294967296',
      'RangeError',
      transposed({ padding: 2 ** 31 }),
    ],
    [
      "convTranspose2d: the output's height must be at most 2^30 = 1073741824, got 1342177275",
      'RangeError',
      () => convTranspose2d(x, filled(4, 6, 1, 1), { stride: 268435455, padding: 'same' }),
    ],
  ],
  'transposed: options': [
    ['convTranspose2d: unknown option output_padding', 'TypeError', transposed({ output_padding: 1 })],
    ['convTranspose2d: unknown option outputSizes, did you mean outputSize?', 'TypeError', transposed({ outputSizes: [7, 8] })],
    ['convTranspose2d: unknown option strides, did you mean stride?', 'TypeError', transposed({ strides: 2 })],
    [
      "convTranspose2d: paddingMode must be 'zeros', got 'reflect': there is nothing to pad with",
      'RangeError',
      transposed({ paddingMode: 'reflect' }),
      'ERR_UNSUPPORTED',
    ],
    [
      "convTranspose2d: paddingMode must be one of 'zeros', 'reflect', 'replicate', 'circular', got 'same'",
      'RangeError',
      transposed({ paddingMode: 'same' }),
    ],
    [
      "convTranspose2d: filterLayout must be one of 'oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi', got 'iow'",
      'RangeError',
      transposed({ filterLayout: 'iow' }),
    ],
    [
      "convTranspose3d: inputLayout must be one of 'ncdhw', 'ndhwc', got 'nchw'",
      'RangeError',
      () => convTranspose3d(filled(1, 4, 2, 2, 2), filled(4, 1, 1, 1, 1), { inputLayout: 'nchw' }),
    ],
    [
      "convTranspose2d: algorithm 'winograd' needs remainders of the stride that see a square or a row of two to five taps, several channels to a filter, 16 or more of image and result, and an accuracy other than 'exact'",
      'RangeError',
      transposed({ algorithm: 'winograd' }),
      'ERR_UNSUPPORTED',
    ],
    [
      "convTranspose2d: algorithm 'factored' is not available in this version",
      'RangeError',
      transposed({ algorithm: 'factored' }),
      'ERR_UNSUPPORTED',
    ],
    [
      'convTranspose2d: out.length must be 672, the size of [2, 6, 7, 8], got 671',
      'RangeError',
      transposed({ out: new Float32Array(671) }),
    ],
    [
      'convTranspose2d: out must not be a tensor of another engine',
      'RangeError',
      () => {
        using out = other.alloc([2, 6, 7, 8]);
        return convTranspose2d(x, w, { out });
      },
    ],
    ['convTranspose2d: unknown option out', 'TypeError', () => convTranspose2d.prepare(w, loose({ out: new Float32Array(1) }))],
  ],
};

describeErrors(table);
