/** Settings and tensor shapes → named integers. After this, only running out of memory can throw. */
import { conflict, wrongValue } from './check.ts';
import type { ConvSettings } from './options.ts';
import { checkShape } from './tensor.ts';
import type { PaddingMode } from './types.ts';

/** Depth, height, width. A 2-D problem has depth 1, a 1-D problem depth and height 1. */
export type Spatial = readonly [d: number, h: number, w: number];

/**
 * The weight of a convolution: its sizes, and where each element lies. That of a transposed convolution is the weight of the convolution whose
 * input gradient it computes: `outC` are the channels it takes, `groupInC` those it gives to a group.
 */
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

export type FilterRole = 'conv' | 'depthwise' | 'transposed';

/** One convolution. Every size counts elements. A transposed one, and every gradient, is described by the convolution it belongs to. */
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
  /** Both in the layout and rank that was asked for. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
}

/** Kernels count in 32-bit integers; twice this still fits. */
export const LARGEST = 2 ** 30;

export const letterNames = { d: 'depth', h: 'height', w: 'width' } as const;

/** One number per spatial dimension → depth, height, width, with `rest` for those that are not there. */
export function spatial(values: readonly number[], rest: number): Spatial {
  const [d, h, w] = [rest, rest, ...values].slice(-3);
  return [d, h, w] as Spatial;
}

export function volume([d, h, w]: Spatial): number {
  return d * h * w;
}

/**
 * @param what  for messages: `weight.shape`, or the name of a shape that was given alone
 * @param shape of the weight, in the order of `settings.filterLayout`
 * @throws RangeError when rank, sizes, groups, shuffle and bias do not fit each other
 */
export function filterShape(
  op: string,
  what: string,
  shape: readonly number[],
  settings: ConvSettings,
  role: FilterRole = 'conv',
): FilterShape {
  const { rank, filterLayout: layout, groups, shuffle, bias } = settings;
  checkShape(op, what, shape);
  if (shape.length !== rank + 2) throw wrongValue(op, `${what}.length`, `${rank + 2}, as in '${layout}'`, shape.length);
  if (shape[0] === 0) throw wrongValue(op, `${what}[0]`, 'an integer of at least 1', 0);
  const size = (letter: string): number => shape[layout.indexOf(letter)] as number;
  const step = (letter: string): number => shape.slice(layout.indexOf(letter) + 1).reduce((product, n) => product * n, 1);
  const at = (letter: string): string => `${what}[${layout.indexOf(letter)}]`;
  const [outer, inner] = role === 'transposed' ? ['i', 'o'] : ['o', 'i'];
  const outC = size(outer);
  const groupInC = size(inner);
  const results = role === 'transposed' ? groupInC * groups : outC;
  const sizes = [...layout].filter((letter) => letter !== 'o' && letter !== 'i').map(size);
  if (role === 'depthwise' && groupInC !== 1) throw wrongValue(op, at('i'), '1, since each channel has filters of its own', groupInC);
  if (outC % groups !== 0) throw wrongValue(op, at(outer), `a multiple of groups = ${groups}`, outC);
  if (results % shuffle !== 0) throw wrongValue(op, 'shuffle', `a divisor of the ${results} output channels`, shuffle);
  if (bias && bias.shape[0] !== results) throw wrongValue(op, 'bias.length', `the number of output channels = ${results}`, bias.shape[0]);
  return {
    outC,
    groupInC,
    groups,
    kernel: spatial(sizes, 1),
    strideO: step(outer),
    strideI: step(inner),
    strideTap: step('w'),
    depthwise: role === 'depthwise',
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

/** What the shape of an image says, in the layout and rank of `settings`. */
interface ImageShape {
  readonly batch: number;
  readonly channels: number;
  readonly sizes: readonly number[];
}

/** Place of the channels in the shape of an image. */
export function channelAxis({ rank, channelsLast }: ConvSettings): number {
  return channelsLast ? rank + 1 : 1;
}

/** @throws RangeError unless it has batch, channels and the spatial dimensions */
export function imageShape(op: string, what: string, shape: readonly number[], settings: ConvSettings): ImageShape {
  const { rank, channelsLast } = settings;
  checkShape(op, what, shape);
  if (shape.length !== rank + 2) throw wrongValue(op, `${what}.length`, `${rank + 2}: batch, channels and ${rank} spatial`, shape.length);
  return {
    batch: shape[0] as number,
    channels: shape[channelAxis(settings)] as number,
    sizes: channelsLast ? shape.slice(1, -1) : shape.slice(2),
  };
}

/** The shape of an image in that layout. */
export function shapeOf({ batch, channels, sizes }: ImageShape, { channelsLast }: Pick<ConvSettings, 'channelsLast'>): readonly number[] {
  return channelsLast ? [batch, ...sizes, channels] : [batch, channels, ...sizes];
}

/**
 * @param inputShape in the layout of `settings`
 * @param what       its name in messages
 * @throws RangeError when it does not fit the weight, or the window does not fit the image
 */
export function convShape(
  op: string,
  inputShape: readonly number[],
  filter: FilterShape,
  settings: ConvSettings,
  [what, weight] = ['input.shape', 'weight.shape'],
): ConvShape {
  const { rank, filterLayout } = settings;
  const { batch, channels: inC, sizes } = imageShape(op, what, inputShape, settings);
  const groups = filter.depthwise ? inC : filter.groups;
  if (filter.depthwise) {
    if (filter.outC % inC !== 0)
      throw wrongValue(op, `${weight}[${filterLayout.indexOf('o')}]`, `a multiple of inChannels = ${inC}`, filter.outC);
  } else if (inC !== filter.groupInC * groups) {
    if (inC % groups !== 0) throw wrongValue(op, `${what}[${channelAxis(settings)}]`, `a multiple of groups = ${groups}`, inC);
    throw wrongValue(op, `${weight}[${filterLayout.indexOf('i')}]`, `inChannels / groups = ${inC / groups}`, filter.groupInC);
  }
  const letters = (['d', 'h', 'w'] as const).slice(3 - rank);
  const kernel = filter.kernel.slice(3 - rank);
  const axes = letters.map((letter, i) => axis(op, letter, i, sizes[i] as number, kernel[i] as number, settings));
  const outs = axes.map(({ out }) => out);
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
    ...steps(outs, kernel, settings),
    padBegin: spatial(
      axes.map(({ begin }) => begin),
      0,
    ),
    padEnd: spatial(
      axes.map(({ end }) => end),
      0,
    ),
    paddingMode: settings.paddingMode,
    channelsLast: settings.channelsLast,
    inputShape: [...inputShape],
    outputShape: shapeOf({ batch, channels: filter.outC, sizes: outs }, settings),
  };
}

/** The step to a second output, or to a second tap, that does not exist may be any number, and would be taken for a size. */
export function steps(outs: readonly number[], kernel: readonly number[], settings: ConvSettings): Pick<ConvShape, 'stride' | 'dilation'> {
  const stride = outs.map((out, i) => (out === 1 ? 1 : (settings.stride[i] as number)));
  const dilation = kernel.map((size, i) => (size === 1 ? 1 : (settings.dilation[i] as number)));
  return { stride: spatial(stride, 1), dilation: spatial(dilation, 1) };
}
