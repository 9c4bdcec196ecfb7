/** How an image is cut, so that what is worked on stays in the cache, and the bytes that each kernel takes. */
import { BAND_BYTES, BOUNDS_BYTES, CHANNELS, COPY_BYTES, LAYOUT_BYTES, MR, NR, PARTS, PIXELS, SKEW } from '../assembly/blocks.ts';
import { type ConvShape, type Spatial, volume } from './shape.ts';

/** Bytes of the record `Grid` of assembly/depthwise-grid.ts, and of what assembly/depthwise-narrow.ts takes: 64 more for each tap. */
const GRID_BYTES = 320;

export function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/** What of a result is computed at a time. */
export interface Band {
  readonly images: number;
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
}

/** The convolution of one phase of a transposed one (see assembly/conv-transposed.ts), or any other: what a kernel's workspace depends on. */
export type KernelShape = Pick<ConvShape, 'inC' | 'inSize' | 'outSize' | 'kernel' | 'stride' | 'dilation'>;

/** Bytes of a row in the band of the depthwise kernels: see the head of either file. */
export function bandRowBytes(shape: KernelShape, channelsLast: boolean, weightStride: number): number {
  const [, , outW] = shape.outSize;
  const [, , strideW] = shape.stride;
  const reach = (shape.kernel[2] - 1) * shape.dilation[2];
  if (channelsLast) return ((outW - 1) * strideW + reach + 1) * Math.min(CHANNELS, weightStride) * 4 + SKEW * 4;
  return (roundUp(outW, 4) + Math.floor(reach / strideW)) * strideW * 4;
}

/** As many output rows as `bytes` hold, but at least twice the rows that neighbouring bands both copy. */
export function bandRows(shape: KernelShape, rowBytes: number, bytes = BAND_BYTES): number {
  const [, outH] = shape.outSize;
  const [, strideH] = shape.stride;
  const extent = (shape.kernel[1] - 1) * shape.dilation[1] + 1;
  const fitting = Math.floor((bytes / rowBytes - extent) / strideH) + 1;
  return Math.min(outH, Math.max(fitting, 2 * Math.ceil(extent / strideH)));
}

/** Bytes of workspace of a depthwise kernel, with `shuffled` channels that it shuffles itself, or none. */
export function directWork(
  shape: KernelShape,
  channelsLast: boolean,
  band: number,
  rowBytes: number,
  inPlace: boolean,
  shuffled: number,
): number {
  const own = channelsLast
    ? GRID_BYTES + 64 * volume(shape.kernel) + COPY_BYTES * shape.inC + band * shape.outSize[2] * shuffled * 4
    : inPlace
      ? // A row of zeros, or the ends of rows: see assembly/depthwise-3x3-dilated.ts.
        shape.inSize[2] * 4 + 2e3 * shape.dilation[1]
      : // A tile of two vectors reads one behind the last row where the row has an odd number of them.
        BOUNDS_BYTES + 16 + 8 * roundUp(volume(shape.kernel), 4);
  const rows = (band - 1) * shape.stride[1] + (shape.kernel[1] - 1) * shape.dilation[1] + 1;
  return inPlace ? own : rows * rowBytes + own;
}

/** The same of the GEMM. The parts are listed at the head of assembly/conv-channels-last.ts. */
export function gemmWork({ inC, kernel }: Pick<ConvShape, 'inC' | 'kernel'>, shuffled: number): number {
  const lines = kernel[0] * kernel[1];
  return (
    (PIXELS * shuffled + inC * kernel[2] + PIXELS * NR + PIXELS + lines + roundUp(PIXELS, MR) * lines * Math.max(PARTS, kernel[2])) * 4
  );
}

/** Borders of less than a kernel's width, with no gaps between the taps: their zeros are few. */
export function zeroSides(shape: ConvShape): boolean {
  const [, , kW] = shape.kernel;
  const [, , begin] = shape.padBegin;
  const end = (shape.outSize[2] - 1) * shape.stride[2] + kW - begin - shape.inSize[2];
  return shape.dilation[2] === 1 && begin < kW && end < kW;
}

/** What a band of a convolution, or of the way back through it, reads and writes. */
export interface Direction {
  readonly fromC: number;
  readonly toC: number;
  readonly batch: number;
  readonly result: Spatial;
  /** Cells that `results` neighbouring results of an axis read at most. */
  cells(axis: 0 | 1 | 2, results: number): number;
  /** Least results along an axis for which neighbouring bands do not share more cells than they have of their own. */
  least(axis: 1 | 2): number;
}

export function forward(shape: ConvShape): Direction {
  const sides = zeroSides(shape);
  return {
    fromC: shape.inC,
    toC: shape.outC,
    batch: shape.batch,
    result: shape.outSize,
    cells: (axis, results) => {
      const reach = (results - 1) * shape.stride[axis] + (shape.kernel[axis] - 1) * shape.dilation[axis] + 1;
      return axis === 2 && sides ? reach : Math.min(shape.inSize[axis], reach);
    },
    least: (axis) => {
      const extent = (shape.kernel[axis] - 1) * shape.dilation[axis] + 1;
      return Math.min(shape.outSize[axis], extent > shape.stride[axis] ? 2 * Math.ceil(extent / shape.stride[axis]) : 1);
    },
  };
}

export function backward(shape: ConvShape): Direction {
  const extent = (axis: 0 | 1 | 2): number => (shape.kernel[axis] - 1) * shape.dilation[axis] + 1;
  return {
    fromC: shape.outC,
    toC: shape.inC,
    batch: shape.batch,
    result: shape.inSize,
    cells: (axis, results) => Math.min(shape.outSize[axis], Math.floor((results + extent(axis) - 2) / shape.stride[axis]) + 1),
    least: (axis) => Math.min(shape.inSize[axis], Math.max(shape.stride[axis], 2 * extent(axis))),
  };
}

/** Floats of the input and of the output of one band. */
export function bandFloats(
  { fromC, toC, cells }: Direction,
  { images, slices, rows, columns }: Band,
): readonly [input: number, output: number] {
  return [images * fromC * cells(0, slices) * cells(1, rows) * cells(2, columns), images * toC * slices * rows * columns];
}

/**
 * Channels first, bytes of a band whose kernel reads so many floats of weights, once a band: half of the weights' bytes, but a megabyte at most. AMD EPYC with 1 MB of L2, bands of 256 KB and of 1 MB, Node 20:
 * 3×3/2 512→512 7² 7.4 and 6.3 ms, 1×1/2 1024→2048 7² 7.0 and 6.3; an eighth and half of the weights' bytes, Node 24: 3×3 dilated by 2 256→256 33² 24.1 and 23.8 ms.
 */
export function layoutBytes(weightFloats: number): number {
  return Math.min(1e6, Math.max(LAYOUT_BYTES, weightFloats * 2));
}

/** As much as `bytes` hold: columns before rows before slices before images. */
export function layoutBand(direction: Direction, bytes: number): Band {
  const { batch, result } = direction;
  const [outD, outH, outW] = result;
  const whole: Band = { images: Math.max(1, batch), slices: outD, rows: outH, columns: outW };
  const fits = (band: Band): boolean => {
    const [input, output] = bandFloats(direction, band);
    return (input + output) * 4 <= bytes;
  };
  /** The largest count of what `band` counts that fits, but at least `least`. */
  const most = (least: number, count: number, band: (n: number) => Band): number => {
    let [low, high] = [least, count];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (fits(band(middle))) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const image = { ...whole, images: 1 };
  if (fits(image)) return { ...whole, images: most(1, whole.images, (images) => ({ ...whole, images })) };
  const slice = { ...image, slices: 1 };
  if (fits(slice)) return { ...image, slices: most(1, outD, (slices) => ({ ...image, slices })) };
  const row = { ...slice, rows: direction.least(1) };
  if (fits(row)) return { ...slice, rows: most(row.rows, outH, (rows) => ({ ...slice, rows })) };
  const columns = most(direction.least(2), outW, (n) => ({ ...row, columns: n }));
  // Whole blocks of PIXELS, where there is one.
  const block = Math.ceil(PIXELS / row.rows);
  return { ...row, columns: columns < outW && columns > block ? columns - (columns % block) : columns };
}

/**
 * A band of fewer rows, where several threads would find too few of them. The bits of a result do not depend on it.
 *
 * @param step rows that are computed together
 */
export type ShareBand = (direction: Direction, band: Band, step?: number) => Band;

/** For one thread. */
export const wholeBand: ShareBand = (_, band) => band;
