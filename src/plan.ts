/** Shape → algorithm, layout of the packed weights, bytes of workspace. Pure: a plan can be printed and tested. */
import { BAND_BYTES, CHANNELS, LAYOUT_BYTES, MR, NR, PIXELS, SKEW, WHOLE_ROWS_BELOW } from '../assembly/blocks.ts';
import { unsupported } from './check.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { CONV_PARAMS_BYTES } from './params.ts';
import { type ConvShape, type FilterShape, type Spatial, volume } from './shape.ts';
import { elements } from './tensor.ts';
import type { Plan } from './types.ts';

/** Which kernel computes, and how it wants its weights. Known before the image is. */
export interface PackPlan {
  readonly algorithm: 'gemm' | 'direct';
  readonly reason: string;
  readonly channelsLast: boolean;
  /** Floats from one packed row, panel or tap to the next. */
  readonly weightStride: number;
  /** Floats of the packed weights. */
  readonly weightFloats: number;
  /** Floats of the bias of one group, and how many groups it has. */
  readonly biasStride: number;
  readonly biasGroups: number;
  /** What follows the sum is a clamp, or nothing. */
  readonly clamped: boolean;
  /** Channel shuffle done by the order of the packed channels. */
  readonly packShuffle: number;
  /** Channel shuffle that the kernel does (gemm), or looks its channels up by (direct). */
  readonly kernelShuffle: number;
}

/** One call: what the kernel is told beyond the shape, and the memory it takes. */
export interface ConvPlan {
  readonly shape: ConvShape;
  readonly pack: PackPlan;
  readonly variant: string;
  /** Border of the copy that is made of the image first, if one is made. */
  readonly border: { readonly begin: Spatial; readonly end: Spatial } | undefined;
  /** Output rows of one band; channels-first, a GEMM has also images, output slices and columns of one. */
  readonly band: number;
  readonly bandImages: number;
  readonly bandSlices: number;
  readonly bandColumns: number;
  /** A band whose layout was changed has zeros at its sides. */
  readonly sides: boolean;
  /** The depthwise kernel reads the image where it lies. */
  readonly inPlace: boolean;
  /** Bytes of each part of the workspace, 0 where it is not needed. Their order is the order in memory. */
  readonly inputBytes: number;
  readonly paddedBytes: number;
  readonly workBytes: number;
  readonly outputBytes: number;
}

/** Bytes of the record `Grid` of assembly/depthwise-strip.ts. */
const GRID_BYTES = 24;

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/** @throws RangeError `ERR_UNSUPPORTED` when the algorithm asked for cannot serve the weight */
export function packPlan(op: string, filter: FilterShape, settings: ConvSettings): PackPlan {
  const { outC, groupInC } = filter;
  const { channelsLast, shuffle, algorithm } = settings;
  if (algorithm === 'winograd' || algorithm === 'factored')
    throw unsupported(op, `algorithm '${algorithm}' is not available in this version`);
  if (algorithm === 'direct' && groupInC !== 1) {
    throw unsupported(op, `algorithm 'direct' sums over one input channel, the weight has inChannels / groups = ${groupInC}`);
  }
  if (algorithm === 'direct' && settings.rank === 3) throw unsupported(op, "algorithm 'direct' is for one and two dimensions");
  if (algorithm === 'gemm' && filter.depthwise)
    throw unsupported(op, "algorithm 'gemm' is for conv2d, a depthwise kernel has nothing to reuse");
  const { groups } = filter;
  // Many large filters over the same channel give a GEMM rows to reuse: one channel, 56² pixels, GFLOP/s direct / GEMM, channels-first: 5×5
  // 16 filters 20 / 19, 32 filters 20 / 22; 3×3 64 filters 27 / 18. Channels-last alike.
  const many = !filter.depthwise && outC / groups >= 32 && volume(filter.kernel) > 9;
  const depthwise = groupInC === 1 && !many && settings.rank < 3;
  if (algorithm === 'direct' || (algorithm === 'auto' && depthwise)) {
    const stride = channelsLast ? roundUp(outC, 4) : volume(filter.kernel);
    return {
      algorithm: 'direct',
      reason: algorithm === 'direct' ? 'asked for' : 'one input channel per filter: a GEMM would have nothing to reuse',
      channelsLast,
      clamped: settings.activation.name === 'clamp',
      weightStride: stride,
      weightFloats: channelsLast ? volume(filter.kernel) * stride : outC * stride,
      biasStride: channelsLast ? stride : outC,
      biasGroups: 1,
      packShuffle: channelsLast ? shuffle : 1,
      kernelShuffle: shuffle,
    };
  }
  const k = groupInC * volume(filter.kernel);
  const groupOutC = outC / groups;
  const panels = Math.ceil(groupOutC / NR);
  return {
    algorithm: 'gemm',
    reason: algorithm === 'gemm' ? 'asked for' : `sums over ${k} products reuse every loaded vector ${MR} times`,
    channelsLast,
    clamped: settings.activation.name === 'clamp',
    weightStride: k * NR,
    weightFloats: groups * panels * k * NR,
    biasStride: panels * NR,
    biasGroups: groups,
    packShuffle: groups === 1 ? shuffle : 1,
    kernelShuffle: groups === 1 ? 1 : shuffle,
  };
}

/** A 1×1 kernel that takes every pixel sees one long row of them. */
function flattenPixels(shape: ConvShape): ConvShape {
  const touched = shape.padBegin.some((n) => n > 0) || shape.padEnd.some((n) => n > 0);
  if (volume(shape.kernel) > 1 || volume(shape.outSize) !== volume(shape.inSize) || touched) return shape;
  const line: Spatial = [1, 1, volume(shape.inSize)];
  return { ...shape, inSize: line, outSize: line };
}

/** Zeros before and behind each dimension of the copy that the kernel reads instead of the image; undefined where it reads the image. */
function border(shape: ConvShape, pack: PackPlan): { begin: Spatial; end: Spatial } | undefined {
  const { padBegin, padEnd } = shape;
  if (shape.paddingMode !== 'zeros') {
    return [...padBegin, ...padEnd].some((n) => n > 0) ? { begin: padBegin, end: padEnd } : undefined;
  }
  const wholeRows =
    pack.algorithm === 'gemm' && pack.channelsLast && shape.groups === 1 && shape.inC < WHOLE_ROWS_BELOW && shape.dilation[2] === 1;
  if (!wholeRows || shape.kernel[2] === 1 || padBegin[2] + padEnd[2] === 0) return undefined;
  return { begin: [0, 0, padBegin[2]], end: [0, 0, padEnd[2]] };
}

/** The copy with its border takes the place of the image. */
function bordered(shape: ConvShape, { begin, end }: { begin: Spatial; end: Spatial }): ConvShape {
  const add = (sizes: Spatial, sign: number, ...more: Spatial[]): Spatial =>
    sizes.map((size, i) => size + sign * more.reduce((sum, pads) => sum + (pads[i] as number), 0)) as unknown as Spatial;
  return {
    ...shape,
    inSize: add(shape.inSize, 1, begin, end),
    padBegin: add(shape.padBegin, -1, begin),
    padEnd: add(shape.padEnd, -1, end),
  };
}

/** What the heads of assembly/depthwise-channels-last.ts and depthwise-3x3.ts ask for. */
function readInPlace(shape: ConvShape, pack: PackPlan): boolean {
  const { inC, outC, kernel, dilation } = shape;
  if (pack.channelsLast) return inC === outC && pack.kernelShuffle === 1 && inC >= 4;
  const [, outH, outW] = shape.outSize;
  const [, strideH, strideW] = shape.stride;
  const [, , pad] = shape.padBegin;
  const beyond = (outW - 1) * strideW + 3 - pad - shape.inSize[2];
  const is3x3 = kernel[1] === 3 && kernel[2] === 3 && dilation[1] === 1 && dilation[2] === 1;
  const near = strideW === 1 || (strideW === 2 && strideH === 2);
  return is3x3 && near && outH >= 2 && outW >= 5 && pad <= 1 && beyond <= 1 && pack.clamped;
}

/** Bytes of a row in the band of the depthwise kernels: see the head of either file. */
function bandRowBytes(shape: ConvShape, pack: PackPlan): number {
  const [, , outW] = shape.outSize;
  const [, , strideW] = shape.stride;
  const reach = (shape.kernel[2] - 1) * shape.dilation[2];
  if (pack.channelsLast) return ((outW - 1) * strideW + reach + 1) * Math.min(CHANNELS, pack.weightStride) * 4 + SKEW * 4;
  return (roundUp(outW, 4) + Math.floor(reach / strideW)) * strideW * 4;
}

/** As many output rows as BAND_BYTES hold, but at least twice the rows that neighbouring bands both copy. */
function bandRows(shape: ConvShape, rowBytes: number): number {
  const [, outH] = shape.outSize;
  const [, strideH] = shape.stride;
  const extent = (shape.kernel[1] - 1) * shape.dilation[1] + 1;
  const fitting = Math.floor((BAND_BYTES / rowBytes - extent) / strideH) + 1;
  return Math.min(outH, Math.max(fitting, 2 * Math.ceil(extent / strideH)));
}

function directWork(shape: ConvShape, pack: PackPlan, band: number, rowBytes: number, inPlace: boolean): number {
  if (inPlace) return pack.channelsLast ? GRID_BYTES : shape.inSize[2] * 4;
  const rows = (band - 1) * shape.stride[1] + (shape.kernel[1] - 1) * shape.dilation[1] + 1;
  return rows * rowBytes + (pack.channelsLast ? GRID_BYTES : volume(shape.kernel) * 4);
}

/** Least outputs along an axis for which neighbouring bands do not share more cells than they have of their own. */
function leastOf(shape: ConvShape, axis: 1 | 2): number {
  const extent = (shape.kernel[axis] - 1) * shape.dilation[axis] + 1;
  return Math.min(shape.outSize[axis], extent > shape.stride[axis] ? 2 * Math.ceil(extent / shape.stride[axis]) : 1);
}

/** What of the image changes its layout at a time. */
interface LayoutBand {
  readonly images: number;
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
}

/** Borders of less than a kernel's width, with no gaps between the taps: their zeros are few. */
function zeroSides(shape: ConvShape): boolean {
  const [, , kW] = shape.kernel;
  const [, , begin] = shape.padBegin;
  const end = (shape.outSize[2] - 1) * shape.stride[2] + kW - begin - shape.inSize[2];
  return shape.dilation[2] === 1 && begin < kW && end < kW;
}

/** Floats of the input and of the output of one band. */
function bandFloats(shape: ConvShape, { images, slices, rows, columns }: LayoutBand): readonly [input: number, output: number] {
  const reach = (axis: 0 | 1 | 2, outputs: number): number =>
    (outputs - 1) * shape.stride[axis] + (shape.kernel[axis] - 1) * shape.dilation[axis] + 1;
  const inSlices = Math.min(shape.inSize[0], reach(0, slices));
  const inRows = Math.min(shape.inSize[1], reach(1, rows));
  const inColumns = zeroSides(shape) ? reach(2, columns) : Math.min(shape.inSize[2], reach(2, columns));
  return [images * shape.inC * inSlices * inRows * inColumns, images * shape.outC * slices * rows * columns];
}

/** As much as LAYOUT_BYTES hold: columns before rows before slices before images. */
function layoutBand(shape: ConvShape): LayoutBand {
  const [outD, outH, outW] = shape.outSize;
  const whole: LayoutBand = { images: Math.max(1, shape.batch), slices: outD, rows: outH, columns: outW };
  const fits = (band: LayoutBand): boolean => {
    const [input, output] = bandFloats(shape, band);
    return (input + output) * 4 <= LAYOUT_BYTES;
  };
  /** The largest count of what `band` counts that fits, but at least `least`. */
  const most = (least: number, count: number, band: (n: number) => LayoutBand): number => {
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
  const row = { ...slice, rows: leastOf(shape, 1) };
  if (fits(row)) return { ...slice, rows: most(row.rows, outH, (rows) => ({ ...slice, rows })) };
  const columns = most(leastOf(shape, 2), outW, (n) => ({ ...row, columns: n }));
  // Whole blocks of PIXELS, where there is one.
  const block = Math.ceil(PIXELS / row.rows);
  return { ...row, columns: columns < outW && columns > block ? columns - (columns % block) : columns };
}

/** The parts are listed at the head of assembly/conv-channels-last.ts. */
function gemmWork(shape: ConvShape): number {
  return (shape.inC * shape.kernel[2] + MR * NR + (shape.kernel[0] * shape.kernel[1] + PIXELS * volume(shape.kernel))) * 4;
}

/**
 * @param inputHosted  the input is an engine tensor: it is read where it lies
 * @param outputHosted likewise the output
 */
export function convPlan(shape: ConvShape, pack: PackPlan, inputHosted = false, outputHosted = false): ConvPlan {
  const inputBytes = inputHosted ? 0 : elements([shape.batch, shape.inC, ...shape.inSize]) * 4;
  const outputBytes = outputHosted ? 0 : elements([shape.batch, shape.outC, ...shape.outSize]) * 4;
  const copied = border(shape, pack);
  const seen = copied ? bordered(shape, copied) : shape;
  const paddedBytes = copied ? elements([seen.batch, seen.inC, ...seen.inSize]) * 4 : 0;
  if (pack.algorithm === 'direct') {
    const inPlace = readInPlace(seen, pack);
    const rowBytes = inPlace ? seen.inSize[2] * seen.inC * 4 : bandRowBytes(seen, pack);
    const band = bandRows(seen, rowBytes);
    const workBytes = directWork(seen, pack, band, rowBytes, inPlace);
    const variant = `depthwise, ${inPlace ? 'in place' : `copied in bands of ${band} rows`}`;
    return {
      shape: seen,
      pack,
      variant,
      border: copied,
      band,
      bandImages: 1,
      bandSlices: 0,
      bandColumns: 0,
      sides: false,
      inPlace,
      inputBytes,
      paddedBytes,
      workBytes,
      outputBytes,
    };
  }
  const final = flattenPixels(seen);
  const name = volume(final.kernel) === 1 ? 'pointwise' : 'indirect';
  const band = pack.channelsLast ? { images: 1, slices: 0, rows: 0, columns: 0 } : layoutBand(final);
  const [gathered, computed] = pack.channelsLast ? [0, 0] : bandFloats(final, band);
  const layout = pack.channelsLast ? 0 : align(CONV_PARAMS_BYTES) + (gathered + computed) * 4;
  return {
    shape: final,
    pack,
    variant: `${name}, tiles of ${MR}×${NR}${pack.channelsLast ? '' : `, layout changed in bands of ${band.rows}×${band.columns} pixels`}`,
    border: copied,
    band: band.rows,
    bandImages: band.images,
    bandSlices: band.slices,
    bandColumns: band.columns,
    sides: zeroSides(final),
    inPlace: false,
    inputBytes,
    paddedBytes,
    workBytes: layout + gemmWork(final),
    outputBytes,
  };
}

/** Bytes of the whole workspace, as the heap gives them. */
export function workspaceBytes(plan: ConvPlan): number {
  return [plan.inputBytes, plan.paddedBytes, plan.workBytes, plan.outputBytes].reduce(
    (sum, bytes) => sum + (bytes > 0 ? align(bytes) : 0),
    0,
  );
}

/** Bytes of packed weights and bias. */
export function packedBytes(pack: PackPlan): number {
  return align(pack.weightFloats * 4) + align(pack.biasGroups * pack.biasStride * 4);
}

export function publicPlan(plan: ConvPlan): Plan {
  const { shape, pack } = plan;
  return {
    algorithm: pack.algorithm,
    variant: plan.variant,
    outputShape: [...shape.outputShape],
    flops: 2 * elements([shape.batch, shape.outC, ...shape.outSize]) * shape.groupInC * volume(shape.kernel),
    workspaceBytes: shape.batch === 0 ? 0 : workspaceBytes(plan),
    weightBytes: packedBytes(pack),
    reason: pack.reason,
  };
}
