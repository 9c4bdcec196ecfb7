/** Which algorithm, how its weights are packed, how much memory it takes. Nothing is touched: a plan can be printed. */
import { NR } from '../assembly/blocks.ts';
import {
  type Band,
  bandFloats,
  bandRowBytes,
  bandRows,
  directWork,
  forward,
  gemmWork,
  layoutBand,
  layoutBytes,
  roundUp,
  type ShareBand,
  wholeBand,
  zeroSides,
} from './bands.ts';
import { unsupported } from './check.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { CONV_PARAMS_BYTES } from './params.ts';
import { type ConvShape, type FilterShape, type Spatial, volume } from './shape.ts';
import { teamBytes } from './team.ts';
import { elements } from './tensor.ts';
import type { Accuracy } from './types.ts';
import type { FactorPart, Points, Tiles } from './winograd.ts';

/** Numbers of assembly/kinds.ts. */
export type Kind =
  | 'conv'
  | 'depthwise'
  | 'transposed'
  | 'transposedDepthwise'
  | 'scattered'
  | 'factored'
  | 'winograd'
  | 'grouped'
  | 'pointwise';

/** Which kernel computes, and how it wants its weights. Known before the image is. */
export interface PackPlan {
  readonly algorithm: 'gemm' | 'direct' | 'factored' | 'auto';
  readonly kind: Kind;
  /** The algorithm was named. */
  readonly asked: boolean;
  readonly accuracy: Accuracy;
  readonly channelsLast: boolean;
  /** Floats from one packed row, panel or tap to the next; of a transposed convolution each phase has its own. */
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
  /** Transposed: taps of a phase are this far apart. 1 elsewhere. */
  readonly phase: Spatial;
}

/** One call: what the kernel is told beyond the shape, and the memory it takes. */
export interface ConvPlan {
  readonly shape: ConvShape;
  readonly pack: PackPlan;
  readonly kind: Kind;
  readonly algorithm: 'gemm' | 'direct' | 'factored' | 'winograd';
  /** Border of the copy that is made of the image first, if one is made. */
  readonly border: { readonly begin: Spatial; readonly end: Spatial } | undefined;
  readonly band: Band;
  /** Transposed: rows of a band of the convolution inside. Winograd: tiles of a block. */
  readonly innerBand: number;
  /** Winograd: points of its transforms; else 0. */
  readonly points: Points | 0;
  /** Winograd: the weights of each phase that has factors, and where these lie. */
  readonly factors: readonly FactorPart[];
  /** A band whose layout was changed has zeros at its sides. */
  readonly sides: boolean;
  /** The depthwise kernel reads the image where it lies. */
  readonly inPlace: boolean;
  /** Bytes of the copy with a border, and of the workspace that the kernel takes in each thread, 0 where it is not needed. Their order is the order in memory. */
  readonly paddedBytes: number;
  readonly workBytes: number;
  /** Tiles that it was chosen from, and whether weights that are not finite left it none. */
  readonly tiles?: Tiles;
  readonly infinite?: boolean;
}

export const NO_PHASES: Spatial = [1, 1, 1];
/** Where nothing is cut. */
export const NO_BAND: Band = { images: 1, slices: 0, rows: 0, columns: 0 };
/** An image read as it is, all at once. */
export const AS_IT_IS = {
  border: undefined,
  band: NO_BAND,
  innerBand: 0,
  points: 0,
  factors: [],
  sides: false,
  inPlace: false,
  paddedBytes: 0,
} as const;

/**
 * Many large filters over the same channel give a GEMM rows to reuse. One channel of
 * 14², 28² or 56² pixels, Node 24 and 20, direct ÷ GEMM, channels last: 7×7 4 filters 0.7, 8 filters 1.05–1.2, 24 filters 1.4; 5×5
 * 16 filters 1.0–1.1, 24 filters 1.1–1.3; 3×3 24 and 32 filters 0.9–1.15, 64 filters 1.03–1.3. Channels first: 5×5 and 7×7 32 filters 0.93, 64 filters 1.03–1.15; 3×3 64
 * filters 0.8.
 */
function gemmSharesMore(groups: number, filters: number, taps: number, channelsLast: boolean): boolean {
  // Channels with a few filters each are vectors to the direct kernel, and matrices too small for a GEMM.
  if (!channelsLast || groups > 1) return filters >= 48 && taps > 9;
  return (filters >= 8 && taps >= 49) || (filters >= 20 && taps >= 25) || (filters >= 48 && taps >= 9);
}

/** What most kernels want alike. */
export function packBasics({ algorithm, accuracy, channelsLast, shuffle, activation }: ConvSettings) {
  return {
    asked: algorithm !== 'auto',
    accuracy,
    channelsLast,
    clamped: activation.name === 'clamp',
    biasGroups: 1,
    packShuffle: 1,
    kernelShuffle: shuffle,
    phase: NO_PHASES,
  } as const;
}

/** @throws RangeError `ERR_UNSUPPORTED` when the algorithm asked for cannot serve the weight */
export function packPlan(op: string, filter: FilterShape, settings: ConvSettings): PackPlan {
  const { outC, groupInC, groups } = filter;
  const { channelsLast, shuffle, algorithm } = settings;
  if (algorithm === 'winograd' || algorithm === 'factored') throw unsupported(op, `algorithm '${algorithm}' cannot serve it`);
  if (algorithm === 'direct' && settings.rank === 3) throw unsupported(op, "algorithm 'direct' is for one or two dimensions");
  if (algorithm === 'gemm' && filter.depthwise)
    throw unsupported(op, "algorithm 'gemm' is for conv2d, a depthwise kernel has nothing to reuse");
  const many = !filter.depthwise && gemmSharesMore(groups, outC / groups, volume(filter.kernel), channelsLast);
  const depthwise = groupInC === 1 && !many && settings.rank < 3;
  if (algorithm === 'direct' || (algorithm === 'auto' && depthwise)) {
    // The weights of a channel 512 bytes apart, or several times that, share few sets of L1: a line more between them. 3×3 512 14² 1.5, 1024 7² 1.9, 5×5 512 14² 2.0, 128 28² 1.1–1.2 (Node 24 and 22, AMD EPYC).
    const stride = channelsLast ? roundUp(outC, 4) + (outC % 128 ? 0 : 16) : volume(filter.kernel);
    return {
      ...packBasics(settings),
      algorithm: 'direct',
      kind: 'depthwise',
      weightStride: stride,
      weightFloats: channelsLast ? volume(filter.kernel) * stride : outC * stride,
      biasStride: channelsLast ? stride : outC,
    };
  }
  const k = groupInC * volume(filter.kernel);
  const panels = Math.ceil(outC / groups / NR);
  return {
    ...packBasics(settings),
    algorithm: 'gemm',
    kind: 'conv',
    weightStride: k * NR,
    weightFloats: groups * panels * k * NR,
    biasStride: panels * NR,
    biasGroups: groups,
    packShuffle: groups === 1 ? shuffle : 1,
    kernelShuffle: groups === 1 ? 1 : shuffle,
  };
}

/** A 1×1 kernel that takes every pixel sees one long row of them. */
export function flattenPixels(shape: ConvShape): ConvShape {
  // Behind a border a stride may leave as many results as there are pixels.
  const touched = [...shape.padBegin, ...shape.padEnd].some((n) => n !== 0);
  if (volume(shape.kernel) > 1 || shape.outSize.some((size, i) => size !== shape.inSize[i]) || touched) return shape;
  const line: Spatial = [1, 1, volume(shape.inSize)];
  return { ...shape, inSize: line, outSize: line };
}

/** A border that is not of zeros is copied with the image. */
export function reflected({ paddingMode, padBegin, padEnd }: ConvShape): ConvPlan['border'] {
  const some = paddingMode !== 'zeros' && [...padBegin, ...padEnd].some((n) => n > 0);
  return some ? { begin: padBegin, end: padEnd } : undefined;
}

/** Cells before and behind each dimension of the copy that the kernel reads instead of the image; undefined where it reads the image. */
function border(shape: ConvShape, pack: PackPlan): ConvPlan['border'] {
  if (shape.paddingMode !== 'zeros') return reflected(shape);
  const { padBegin, padEnd } = shape;
  const wholeRows = pack.algorithm === 'gemm' && pack.channelsLast && shape.groups === 1 && shape.dilation[2] === 1;
  const [begin, end] = [padBegin[2], Math.max(0, padEnd[2])];
  if (!wholeRows || shape.kernel[2] === 1 || begin + end === 0) return undefined;
  return { begin: [0, 0, begin], end: [0, 0, end] };
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
function readInPlace({ inC, outC, kernel, stride, dilation, inSize, outSize, padBegin }: ConvShape, pack: PackPlan): boolean {
  if (pack.channelsLast) return inC === outC && inC >= 4;
  const far = dilation[2];
  return (
    pack.clamped &&
    stride[1] === stride[2] &&
    dilation[1] === far &&
    // At stride 2 no dilation.
    (stride[2] - 1) * far < 2 &&
    // Rows a multiple of 1 KB apart share the sets of L1: copied, but for the dilations that have loops of their own. From dilation 5 on also rows of one to three columns more, which is fewer bytes to say.
    4 % far <= inSize[2] % 256 &&
    outSize[1] >= 2 * far &&
    outSize[2] > 2 * far + 2 &&
    ([1, 2] as const).every(
      (axis) =>
        kernel[axis] === 3 &&
        padBegin[axis] <= far &&
        // The border behind.
        (outSize[axis] - 1) * stride[axis] + far + 1 - padBegin[axis] <= inSize[axis],
    )
  );
}

/** A convolution with one input channel to a filter. */
function depthwisePlan(shape: ConvShape, pack: PackPlan): Pick<ConvPlan, 'band' | 'inPlace' | 'workBytes'> {
  const inPlace = readInPlace(shape, pack);
  const channels = pack.channelsLast ? shape.inC : 1;
  const rowBytes = inPlace ? shape.inSize[2] * channels * 4 : bandRowBytes(shape, pack.channelsLast, pack.weightStride);
  const fitting = bandRows(shape, rowBytes);
  // Rows as far apart as taps are summed in pairs.
  const whole = fitting - (fitting % (2 * shape.dilation[1]));
  const rows = fitting < shape.outSize[1] && whole > 0 ? whole : fitting;
  return {
    band: { ...NO_BAND, rows },
    inPlace,
    workBytes: directWork(shape, pack.channelsLast, rows, rowBytes, inPlace, shuffledChannels(shape.outC, pack)),
  };
}

/** Channels of a result that a kernel channels-last shuffles itself: their order could not be packed. */
export function shuffledChannels(channels: number, { channelsLast, kernelShuffle }: PackPlan): number {
  return channelsLast && kernelShuffle > 1 ? channels : 0;
}

function gemmPlan(shape: ConvShape, pack: PackPlan, share: ShareBand): Pick<ConvPlan, 'band' | 'inPlace' | 'workBytes'> {
  if (pack.channelsLast) return { band: NO_BAND, inPlace: false, workBytes: gemmWork(shape, shuffledChannels(shape.outC, pack)) };
  const direction = forward(shape);
  const band = share(direction, layoutBand(direction, layoutBytes(pack.weightFloats)));
  return {
    band,
    inPlace: false,
    workBytes: layoutWork(bandFloats(direction, band)) + gemmWork(shape, 0),
  };
}

/** Bytes that a change of layout takes around its kernel: see assembly/channels-first.ts. */
export function layoutWork([gathered, computed]: readonly [number, number]): number {
  return align(CONV_PARAMS_BYTES) + (gathered + computed) * 4 + 16;
}

/** A kernel on the image as it is: without a copy, whatever its border. */
export function kernelPlan(shape: ConvShape, pack: PackPlan, share = wholeBand): ConvPlan {
  const direct = pack.kind === 'depthwise';
  return {
    ...AS_IT_IS,
    shape,
    pack,
    kind: pack.kind,
    algorithm: direct ? 'direct' : 'gemm',
    sides: !direct && zeroSides(shape),
    ...(direct ? depthwisePlan(shape, pack) : gemmPlan(shape, pack, share)),
  };
}

/** The same behind a copy of the image with its border, where one is made. */
export function behindBorder(shape: ConvShape, copied: ConvPlan['border'], plan: (seen: ConvShape) => ConvPlan): ConvPlan {
  if (copied === undefined) return plan(shape);
  const seen = bordered(shape, copied);
  return { ...plan(seen), border: copied, paddedBytes: elements([seen.batch, seen.inC, ...seen.inSize]) * 4 };
}

export function convPlan(shape: ConvShape, pack: PackPlan, share: ShareBand): ConvPlan {
  const flat = (seen: ConvShape): ConvShape => (pack.kind === 'conv' ? flattenPixels(seen) : seen);
  return behindBorder(shape, border(shape, pack), (seen) => kernelPlan(flat(seen), pack, share));
}

/** Bytes of packed weights and bias. */
export function packedBytes(pack: PackPlan): number {
  return align(pack.weightFloats * 4) + align(pack.biasGroups * pack.biasStride * 4);
}

/** Bytes of the workspace of all threads beside the copies of input and result. */
export function workBytes({ paddedBytes, workBytes: own }: ConvPlan, threads: number): number {
  return (paddedBytes > 0 ? align(paddedBytes) : 0) + teamBytes(threads, own);
}
