/** Arguments of `unfold` and `fold` → the convolution whose patches are the columns. */
import { wrongValue } from './check.ts';
import { convSettings, eachDimension, perDimension } from './options.ts';
import { type ConvShape, convShape, type FilterShape, volume } from './shape.ts';
import { readTensor } from './tensor.ts';
import type { Tensor, UnfoldOptions } from './types.ts';

const semantics = ['stride', 'dilation', 'padding'];

export interface Columns {
  readonly given: Tensor;
  readonly shape: ConvShape;
  /** `[batch, C · kH · kW, L]` */
  readonly columnsShape: readonly number[];
}

function geometry(
  op: string,
  image: readonly number[],
  kernelSize: unknown,
  options: UnfoldOptions | undefined,
  withOut: boolean,
): Omit<Columns, 'given'> {
  const settings = convSettings(op, 2, options, withOut ? [...semantics, 'out'] : semantics);
  const [kH, kW] = perDimension(op, 'kernelSize', kernelSize, 2) as readonly [number, number];
  const channels = image[1] as number;
  const taps = kH * kW;
  const filter: FilterShape = {
    outC: 1,
    groupInC: channels,
    groups: 1,
    kernel: [1, kH, kW],
    strideO: channels * taps,
    strideI: taps,
    strideTap: 1,
    depthwise: false,
  };
  const shape = convShape(op, image, filter, settings);
  return { shape, columnsShape: [shape.batch, channels * taps, volume(shape.outSize)] };
}

/** @throws TypeError, RangeError unless the windows fit the image `[batch, C, H, W]` */
export function unfoldColumns(
  op: string,
  input: unknown,
  kernelSize: unknown,
  options: UnfoldOptions | undefined,
  withOut: boolean,
): Columns {
  const given = readTensor(op, 'input', input);
  if (given.shape.length !== 4) throw wrongValue(op, 'input.shape.length', '4: batch, channels, height, width', given.shape.length);
  return { given, ...geometry(op, given.shape, kernelSize, options, withOut) };
}

/** @throws TypeError, RangeError unless `[batch, C · kH · kW, L]` are the columns of an image of `outputSize` */
export function foldColumns(
  op: string,
  columns: unknown,
  outputSize: unknown,
  kernelSize: unknown,
  options: UnfoldOptions | undefined,
  withOut: boolean,
): Columns {
  const given = readTensor(op, 'columns', columns);
  if (given.shape.length !== 3) throw wrongValue(op, 'columns.shape.length', '3: batch, C · kH · kW, L', given.shape.length);
  const sizes = eachDimension(op, 'outputSize', outputSize, 2, 1);
  const [kH, kW] = perDimension(op, 'kernelSize', kernelSize, 2) as readonly [number, number];
  const [batch, rows, count] = given.shape as readonly [number, number, number];
  if (rows % (kH * kW) !== 0) throw wrongValue(op, 'columns.shape[1]', `a multiple of kH · kW = ${kH * kW}`, rows);
  const found = geometry(op, [batch, rows / (kH * kW), ...sizes], kernelSize, options, withOut);
  const windows = found.columnsShape[2] as number;
  if (count !== windows) throw wrongValue(op, 'columns.shape[2]', `the number of windows in [${sizes.join(', ')}] = ${windows}`, count);
  return { given, ...found };
}
