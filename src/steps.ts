/** Operations that are made of several convolutions, as the list of these: arguments → settings and weights of each step. */
import { wrongType, wrongValue } from './check.ts';
import {
  activationSetting,
  biasTensor,
  type ConvSettings,
  convFields,
  convSettings,
  noActivation,
  type PaddingSetting,
} from './options.ts';
import { type ConvShape, convShape, type FilterRole, type FilterShape, filterShape } from './shape.ts';
import { readTensor } from './tensor.ts';
import type { ConvOptions, FlattenedWeights, SeparableOptions, Tensor } from './types.ts';

export const separableFields: readonly string[] = /* @__PURE__ */ convFields.concat('depthwiseBias', 'depthwiseActivation');

/** One convolution of several. */
export interface Step {
  /** Of its weight, in messages. */
  readonly name: string;
  readonly weight: Tensor;
  readonly settings: ConvSettings;
  readonly filter: FilterShape;
}

/** @param shape of the weight with all its dimensions */
export function step(
  op: string,
  name: string,
  weight: Tensor,
  settings: ConvSettings,
  role: FilterRole = 'conv',
  shape = weight.shape,
): Step {
  return { name, weight, settings, filter: filterShape(op, `${name}.shape`, shape, settings, role) };
}

/** Settings of a step that neither pads nor strides, and nothing follows. */
function plain(settings: ConvSettings): ConvSettings {
  const none: PaddingSetting = [
    [0, 0],
    [0, 0],
  ];
  return { ...settings, stride: [1, 1], dilation: [1, 1], padding: none, bias: undefined, shuffle: 1, activation: noActivation };
}

/** `settings` along one axis of two: 0 down, 1 along. */
export function along(axis: 0 | 1, settings: ConvSettings): ConvSettings {
  const only = (values: readonly number[]): number[] => values.map((value, i) => (i === axis ? value : 1));
  const { padding } = settings;
  return {
    ...settings,
    stride: only(settings.stride),
    dilation: only(settings.dilation),
    // A rule gives no padding where kernel and stride are 1.
    padding: typeof padding === 'string' ? padding : padding.map((pair, i) => (i === axis ? pair : ([0, 0] as const))),
  };
}

/** Throws unless the kernel is one cell wide where another step has its extent. */
function checkFlat(op: string, { name, filter, settings }: Step, axes: readonly ('h' | 'w')[]): void {
  for (const letter of axes) {
    const size = filter.kernel[letter === 'h' ? 1 : 2];
    if (size !== 1) throw wrongValue(op, `${name}.shape[${settings.filterLayout.indexOf(letter)}]`, '1', size);
  }
}

/** Depthwise, then pointwise. */
export function separableSteps(
  op: string,
  givenDepthwise: unknown,
  givenPointwise: unknown,
  options: SeparableOptions | undefined,
  fields: readonly string[],
): Step[] {
  const settings = convSettings(op, 2, options, fields);
  const bias = biasTensor(op, options?.depthwiseBias, 'depthwiseBias');
  const activation = activationSetting(op, options?.depthwiseActivation, 'depthwiseActivation');
  const depthwise = step(
    op,
    'depthwise',
    readTensor(op, 'depthwise', givenDepthwise),
    { ...settings, bias: undefined, shuffle: 1, activation },
    'depthwise',
  );
  const { outC } = depthwise.filter;
  if (bias && bias.shape[0] !== outC)
    throw wrongValue(op, 'depthwiseBias.length', `the number of depthwise channels = ${outC}`, bias.shape[0]);
  const { bias: last, shuffle, activation: end } = settings;
  const pointwise = step(op, 'pointwise', readTensor(op, 'pointwise', givenPointwise), {
    ...plain(settings),
    bias: last,
    shuffle,
    activation: end,
  });
  checkFlat(op, pointwise, ['h', 'w']);
  return [{ ...depthwise, settings: { ...depthwise.settings, bias } }, pointwise];
}

/** Down, then along, both dense. */
export function spatialSteps(
  op: string,
  givenColumn: unknown,
  givenRow: unknown,
  options: ConvOptions | undefined,
  fields: readonly string[],
): Step[] {
  const settings = convSettings(op, 2, options, fields);
  const first = { ...along(0, settings), bias: undefined, shuffle: 1, activation: noActivation };
  const column = step(op, 'column', readTensor(op, 'column', givenColumn), first);
  const row = step(op, 'row', readTensor(op, 'row', givenRow), along(1, settings));
  checkFlat(op, column, ['w']);
  checkFlat(op, row, ['h']);
  return [column, row];
}

/** Across channels, then down, then along (arXiv 1412.5474). */
export function flattenedSteps(op: string, given: FlattenedWeights, options: ConvOptions | undefined, fields: readonly string[]): Step[] {
  const settings = convSettings(op, 2, options, fields);
  if (typeof given !== 'object' || given === null) throw wrongType(op, 'weights', 'an object { channel, vertical, horizontal }', given);
  const matrix = (name: keyof FlattenedWeights): Tensor => {
    const read = readTensor(op, name, given[name]);
    if (read.shape.length !== 2) throw wrongValue(op, `${name}.shape.length`, '2', read.shape.length);
    return read;
  };
  const [channel, vertical, horizontal] = [matrix('channel'), matrix('vertical'), matrix('horizontal')];
  const [outC, inC] = channel.shape as readonly [number, number];
  for (const [name, { shape }] of [
    ['vertical', vertical],
    ['horizontal', horizontal],
  ] as const) {
    if (shape[0] !== outC) throw wrongValue(op, `${name}.shape[0]`, `the number of output channels = ${outC}`, shape[0]);
  }
  const none = { bias: undefined, shuffle: 1, activation: noActivation };
  const [kH, kW] = [vertical.shape[1] as number, horizontal.shape[1] as number];
  const across = step(op, 'channel', channel, plain(settings), 'conv', [outC, inC, 1, 1]);
  const down = step(op, 'vertical', vertical, { ...along(0, settings), ...none }, 'depthwise', [outC, 1, kH, 1]);
  const last = step(op, 'horizontal', horizontal, along(1, settings), 'depthwise', [outC, 1, 1, kW]);
  return [across, down, last];
}

/** The shape of each step, given that of the image. */
export function stepShapes(op: string, inputShape: readonly number[], steps: readonly Omit<Step, 'weight'>[]): ConvShape[] {
  let [given, what] = [inputShape, 'input.shape'];
  return steps.map(({ name, filter, settings }, i) => {
    const shape = convShape(op, given, filter, settings, [what, `${name}.shape`]);
    [given, what] = [shape.outputShape, `the shape after ${steps[i]?.name}`];
    return shape;
  });
}
