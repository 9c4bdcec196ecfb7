/** Arguments of `unfold` and `fold` → the convolution whose patches are the columns. */
import { checkFields, wrongValue } from './check.ts';
import { type ConvSettings, convSettings, eachDimension, perDimension } from './options.ts';
import { type ConvShape, convShape, type FilterShape, volume } from './shape.ts';
import { readTensor } from './tensor.ts';
import type { Tensor, UnfoldOptions } from './types.ts';

export interface Columns {
  readonly given: Tensor;
  readonly shape: ConvShape;
  /** `[batch, C · kH · kW, L]` */
  readonly columnsShape: readonly number[];
}

/** What is said of the windows. */
interface Windows {
  readonly kernel: readonly [kH: number, kW: number];
  readonly settings: ConvSettings;
}

/** Every argument but the tensor, each read once. */
function readWindows(op: string, kernelSize: unknown, options: UnfoldOptions | undefined, withOut: boolean): Windows {
  const fields = ['stride', 'dilation', 'padding'];
  checkFields(op, options, withOut ? [...fields, 'out'] : fields);
  const { stride, dilation, padding = 0 } = options ?? {};
  return {
    kernel: perDimension(op, 'kernelSize', kernelSize, 2) as unknown as Windows['kernel'],
    settings: convSettings(op, 2, { stride, dilation, padding: perDimension(op, 'padding', padding, 2, 0) }),
  };
}

/** @param image `[batch, C, H, W]` */
function geometry(op: string, image: readonly number[], { kernel: [kH, kW], settings }: Windows): Omit<Columns, 'given'> {
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
  const windows = readWindows(op, kernelSize, options, withOut);
  const given = readTensor(op, 'input', input);
  if (given.shape.length !== 4) throw wrongValue(op, 'input.shape.length', '4: batch, channels, height, width', given.shape.length);
  return { given, ...geometry(op, given.shape, windows) };
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
  const sizes = eachDimension(op, 'outputSize', outputSize, 2, 1);
  const windows = readWindows(op, kernelSize, options, withOut);
  const given = readTensor(op, 'columns', columns);
  if (given.shape.length !== 3) throw wrongValue(op, 'columns.shape.length', '3: batch, C · kH · kW, L', given.shape.length);
  const [kH, kW] = windows.kernel;
  const [batch, rows, count] = given.shape as readonly [number, number, number];
  if (rows % (kH * kW) !== 0) throw wrongValue(op, 'columns.shape[1]', `a multiple of kH · kW = ${kH * kW}`, rows);
  const found = geometry(op, [batch, rows / (kH * kW), ...sizes], windows);
  const expected = found.columnsShape[2] as number;
  if (count !== expected) throw wrongValue(op, 'columns.shape[2]', `the number of windows in [${sizes.join(', ')}] = ${expected}`, count);
  return { given, ...found };
}
