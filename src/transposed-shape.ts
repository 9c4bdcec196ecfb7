/** Sizes of a transposed convolution: the shape of the convolution whose input gradient it is, found from that one's output. */
import { conflict, wrongValue } from './check.ts';
import type { ConvSettings } from './options.ts';
import { type ConvShape, channelAxis, type FilterShape, imageShape, LARGEST, letterNames, shapeOf, spatial, steps } from './shape.ts';

interface Axis {
  /** Cells of the result. */
  readonly out: number;
  readonly begin: number;
  /** Negative where the result has cells that no tap reaches. */
  readonly end: number;
}

function axis(op: string, letter: 'd' | 'h' | 'w', index: number, input: number, kernel: number, settings: ConvSettings): Axis {
  const { padding, outputSize } = settings;
  const stride = settings.stride[index] as number;
  const dilation = settings.dilation[index] as number;
  const extra = settings.outputPadding?.[index] ?? 0;
  const asked = outputSize?.[index];
  const name = letterNames[letter];
  /** Cells from the first to the last that a tap reaches. */
  const whole = (input - 1) * stride + (kernel - 1) * dilation + 1;
  if (!(whole + extra <= LARGEST)) throw wrongValue(op, `the ${name} before padding is cut`, `at most 2^30 = ${LARGEST}`, whole + extra);
  const range = (least: number, most: number): void => {
    if (asked !== undefined && (asked < least || asked > most))
      throw wrongValue(op, `outputSize[${index}]`, `from ${Math.max(1, least)} to ${most}`, asked);
  };
  if (typeof padding === 'string') {
    range((input - 1) * stride + 1, input * stride);
    const out = asked ?? input * stride;
    if (!(out <= LARGEST)) throw wrongValue(op, `the output's ${name}`, `at most 2^30 = ${LARGEST}`, out);
    const total = whole - out;
    const small = Math.floor(Math.max(0, total) / 2);
    const begin = padding === 'same' ? small : Math.max(0, total) - small;
    return { out, begin, end: total - begin };
  }
  const [begin, end] = padding[index] as readonly [number, number];
  if (!(begin + end <= LARGEST)) throw wrongValue(op, `the padding of the ${name}`, `at most 2^30 = ${LARGEST}`, begin + end);
  if (extra > 0 && extra >= Math.max(stride, dilation))
    throw wrongValue(op, `outputPadding[${index}]`, `less than stride ${stride} or dilation ${dilation}`, extra);
  const base = whole - begin - end;
  range(base, base + stride - 1);
  const out = asked ?? base + extra;
  if (out < 1) throw conflict(op, `the output's ${name} (${input} − 1) · stride + extent − padding = ${out} must be at least 1`);
  if (!(out <= LARGEST)) throw wrongValue(op, `the output's ${name}`, `at most 2^30 = ${LARGEST}`, out);
  return { out, begin, end: whole - out - begin };
}

/**
 * @param given of the operand, which is what the convolution gives: its `inputShape` is that of the result
 * @param what  its name in messages
 * @throws RangeError when it does not fit the weight, or nothing is left of the result
 */
export function transposedShape(
  op: string,
  given: readonly number[],
  filter: FilterShape,
  settings: ConvSettings,
  [what, weight] = ['input.shape', 'weight.shape'],
): ConvShape {
  const { rank, filterLayout } = settings;
  const { batch, channels: outC, sizes } = imageShape(op, what, given, settings);
  const { groups, groupInC } = filter;
  if (outC !== filter.outC) {
    if (outC % groups !== 0) throw wrongValue(op, `${what}[${channelAxis(settings)}]`, `a multiple of groups = ${groups}`, outC);
    throw wrongValue(op, `${weight}[${filterLayout.indexOf('i')}]`, `inChannels = ${outC}`, filter.outC);
  }
  const letters = (['d', 'h', 'w'] as const).slice(3 - rank);
  const kernel = filter.kernel.slice(3 - rank);
  const axes = letters.map((letter, i) => axis(op, letter, i, sizes[i] as number, kernel[i] as number, settings));
  const results = axes.map(({ out }) => out);
  const inC = groupInC * groups;
  return {
    batch,
    inC,
    outC,
    groups,
    groupInC,
    groupOutC: outC / groups,
    inSize: spatial(results, 1),
    outSize: spatial(sizes, 1),
    kernel: filter.kernel,
    ...steps(sizes, kernel, settings),
    padBegin: spatial(
      axes.map(({ begin }) => begin),
      0,
    ),
    padEnd: spatial(
      axes.map(({ end }) => end),
      0,
    ),
    paddingMode: 'zeros',
    channelsLast: settings.channelsLast,
    inputShape: shapeOf({ batch, channels: inC, sizes: results }, settings),
    outputShape: [...given],
  };
}
