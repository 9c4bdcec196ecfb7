/** Settings and tensor shapes → named integers. After this, only running out of memory can throw. */
import { conflict, wrongValue } from './check.ts';
import type { ConvSettings } from './options.ts';
import { checkShape } from './tensor.ts';
import type { PaddingMode } from './types.ts';

/** Depth, height, width. A 2-D problem has depth 1, a 1-D problem depth and height 1. */
export type Spatial = readonly [d: number, h: number, w: number];

/** The weight of a convolution: its sizes, and where each element lies. */
export interface FilterShape {
  readonly outC: number;
  readonly groupInC: number;
  readonly groups: number;
  readonly kernel: Spatial;
  /** Elements from one output channel, input channel and kernel cell to the next. */
  readonly strideO: number;
  readonly strideI: number;
  readonly strideTap: number;
  /** Every channel has filters of its own: `groups` = inC, whatever inC will be. */
  readonly depthwise: boolean;
}

/** One convolution. Every size counts elements. */
export interface ConvShape {
  readonly batch: number;
  readonly inC: number;
  readonly outC: number;
  readonly groups: number;
  readonly groupInC: number;
  readonly groupOutC: number;
  readonly inSize: Spatial;
  readonly outSize: Spatial;
  readonly kernel: Spatial;
  /** 1 along an axis with one output. */
  readonly stride: Spatial;
  /** 1 along an axis with one tap. */
  readonly dilation: Spatial;
  readonly padBegin: Spatial;
  readonly padEnd: Spatial;
  readonly paddingMode: PaddingMode;
  readonly channelsLast: boolean;
  /** In the input's layout and rank. */
  readonly outputShape: readonly number[];
}

/** Kernels count in 32-bit integers; twice this still fits. */
const LARGEST = 2 ** 30;

const letterNames = { d: 'depth', h: 'height', w: 'width' } as const;

/** One number per spatial dimension → depth, height, width, with `rest` for those that are not there. */
function spatial(values: readonly number[], rest: number): Spatial {
  const [d, h, w] = [rest, rest, ...values].slice(-3);
  return [d, h, w] as Spatial;
}

export function volume([d, h, w]: Spatial): number {
  return d * h * w;
}

/**
 * @param shape of the weight, in the order of `settings.filterLayout`
 * @throws RangeError when rank, sizes, groups, shuffle and bias do not fit each other
 */
export function filterShape(op: string, name: string, shape: readonly number[], settings: ConvSettings, depthwise = false): FilterShape {
  const { rank, filterLayout: layout, groups, shuffle, bias } = settings;
  checkShape(op, `${name}.shape`, shape);
  if (shape.length !== rank + 2) throw wrongValue(op, `${name}.shape.length`, `${rank + 2}, as in '${layout}'`, shape.length);
  if (shape[0] === 0) throw wrongValue(op, `${name}.shape[0]`, 'an integer of at least 1', 0);
  const size = (letter: string): number => shape[layout.indexOf(letter)] as number;
  const step = (letter: string): number => shape.slice(layout.indexOf(letter) + 1).reduce((product, n) => product * n, 1);
  const at = (letter: string): string => `${name}.shape[${layout.indexOf(letter)}]`;
  const outC = size('o');
  const groupInC = size('i');
  const sizes = [...layout].filter((letter) => letter !== 'o' && letter !== 'i').map(size);
  if (depthwise && groupInC !== 1) throw wrongValue(op, at('i'), '1, since each channel has filters of its own', groupInC);
  if (outC % groups !== 0) throw wrongValue(op, at('o'), `a multiple of groups = ${groups}`, outC);
  if (outC % shuffle !== 0) throw wrongValue(op, 'shuffle', `a divisor of the ${outC} output channels`, shuffle);
  if (bias && bias.shape[0] !== outC) throw wrongValue(op, 'bias.length', `the number of output channels = ${outC}`, bias.shape[0]);
  return {
    outC,
    groupInC,
    groups,
    kernel: spatial(sizes, 1),
    strideO: step('o'),
    strideI: step('i'),
    strideTap: step('w'),
    depthwise,
  };
}

interface Axis {
  readonly out: number;
  readonly begin: number;
  readonly end: number;
}

/** Padding and output size of one spatial dimension. */
function axis(op: string, letter: 'd' | 'h' | 'w', index: number, input: number, kernel: number, settings: ConvSettings): Axis {
  const { padding, paddingMode } = settings;
  const stride = settings.stride[index] as number;
  const dilation = settings.dilation[index] as number;
  const extent = (kernel - 1) * dilation + 1;
  const name = letterNames[letter];
  let begin: number;
  let end: number;
  if (typeof padding === 'string') {
    const total = Math.max(0, (Math.ceil(input / stride) - 1) * stride + extent - input);
    const small = Math.floor(total / 2);
    [begin, end] = padding === 'same' ? [small, total - small] : [total - small, small];
  } else {
    [begin, end] = padding[index] as readonly [number, number];
  }
  const padded = input + begin + end;
  if (!(padded <= LARGEST)) throw wrongValue(op, `the padded ${name}`, `at most 2^30 = ${LARGEST}`, padded);
  if (!(extent <= padded)) {
    throw conflict(
      op,
      `the kernel's ${name} (${kernel} − 1) · dilation ${dilation} + 1 = ${extent} must not exceed the padded input's ${padded}`,
    );
  }
  const widest = Math.max(begin, end);
  if (paddingMode === 'reflect' && widest >= input)
    throw wrongValue(op, `reflect padding of the ${name}`, `less than its size ${input}`, widest);
  if (paddingMode === 'circular' && widest > input)
    throw wrongValue(op, `circular padding of the ${name}`, `at most its size ${input}`, widest);
  return { out: Math.floor((padded - extent) / stride) + 1, begin, end };
}

/**
 * @param inputShape in the layout of `settings`
 * @throws RangeError when it does not fit the weight, or the window does not fit the image
 */
export function convShape(op: string, inputShape: readonly number[], filter: FilterShape, settings: ConvSettings): ConvShape {
  const { rank, channelsLast } = settings;
  checkShape(op, 'input.shape', inputShape);
  if (inputShape.length !== rank + 2) {
    throw wrongValue(op, 'input.shape.length', `${rank + 2}: batch, channels and ${rank} spatial`, inputShape.length);
  }
  const channelAt = channelsLast ? rank + 1 : 1;
  const batch = inputShape[0] as number;
  const inC = inputShape[channelAt] as number;
  const sizes = channelsLast ? inputShape.slice(1, -1) : inputShape.slice(2);
  const groups = filter.depthwise ? inC : filter.groups;
  if (filter.depthwise) {
    if (filter.outC % inC !== 0) {
      throw wrongValue(op, `weight.shape[${settings.filterLayout.indexOf('o')}]`, `a multiple of inChannels = ${inC}`, filter.outC);
    }
  } else if (inC !== filter.groupInC * groups) {
    const index = settings.filterLayout.indexOf('i');
    if (inC % groups !== 0) throw wrongValue(op, `input.shape[${channelAt}]`, `a multiple of groups = ${groups}`, inC);
    throw wrongValue(op, `weight.shape[${index}]`, `inChannels / groups = ${inC / groups}`, filter.groupInC);
  }
  const letters = (['d', 'h', 'w'] as const).slice(3 - rank);
  const kernel = filter.kernel.slice(3 - rank);
  const axes = letters.map((letter, i) => axis(op, letter, i, sizes[i] as number, kernel[i] as number, settings));
  const outs = axes.map(({ out }) => out);
  // The step to a second output, or to a second tap, that does not exist may be any number, and would be taken for a size.
  const stride = outs.map((out, i) => (out === 1 ? 1 : (settings.stride[i] as number)));
  const dilation = kernel.map((size, i) => (size === 1 ? 1 : (settings.dilation[i] as number)));
  return {
    batch,
    inC,
    outC: filter.outC,
    groups,
    groupInC: filter.groupInC,
    groupOutC: filter.outC / groups,
    inSize: spatial(sizes, 1),
    outSize: spatial(outs, 1),
    kernel: filter.kernel,
    stride: spatial(stride, 1),
    dilation: spatial(dilation, 1),
    padBegin: spatial(
      axes.map(({ begin }) => begin),
      0,
    ),
    padEnd: spatial(
      axes.map(({ end }) => end),
      0,
    ),
    paddingMode: settings.paddingMode,
    channelsLast,
    outputShape: channelsLast ? [batch, ...outs, filter.outC] : [batch, filter.outC, ...outs],
  };
}
