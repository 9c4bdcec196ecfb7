/** Shape → algorithm, layout of the packed weights, bytes of workspace. Pure: a plan can be printed and tested. */
import { BAND_BYTES, CHANNELS, GATHER_BELOW, KC, MC, MR, NC, NR, PIXELS, SKEW } from '../assembly/blocks.ts';
import { unsupported } from './check.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
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
  /** Output rows of one band of the depthwise kernels. */
  readonly band: number;
  /** Bytes of each part of the workspace, 0 where it is not needed. Their order is the order in memory. */
  readonly inputBytes: number;
  readonly paddedBytes: number;
  readonly workBytes: number;
  readonly outputBytes: number;
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/** A row stride of whole KiB would put all rows of a tile into the same few sets of the cache. */
function skewed(floats: number): number {
  return floats % 256 === 0 ? floats + SKEW : floats;
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
  if (algorithm === 'gemm' && filter.depthwise)
    throw unsupported(op, "algorithm 'gemm' is for conv2d, a depthwise kernel has nothing to reuse");
  const { groups } = filter;
  // One image feeding many outputs, channels-last: its pixels would have to be spread over the lanes; GEMM takes patches instead.
  const depthwise = groupInC === 1 && (groups > 1 || filter.depthwise || !channelsLast);
  if (algorithm === 'direct' || (algorithm === 'auto' && depthwise)) {
    const stride = channelsLast ? roundUp(outC, 4) : volume(filter.kernel);
    return {
      algorithm: 'direct',
      reason: algorithm === 'direct' ? 'asked for' : 'one input channel per filter: a GEMM would have nothing to reuse',
      channelsLast,
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
  const stride = channelsLast ? k * NR : skewed(k);
  return {
    algorithm: 'gemm',
    reason: algorithm === 'gemm' ? 'asked for' : `sums over ${k} products reuse every loaded vector ${MR} times`,
    channelsLast,
    weightStride: stride,
    weightFloats: channelsLast ? groups * panels * stride : outC * stride,
    biasStride: channelsLast ? panels * NR : groupOutC,
    biasGroups: groups,
    packShuffle: groups === 1 ? shuffle : 1,
    kernelShuffle: groups === 1 ? 1 : shuffle,
  };
}

/** A 1×1 kernel that takes every pixel sees one long row of them. */
function flattenPixels(shape: ConvShape): ConvShape {
  const one = (size: Spatial): boolean => volume(size) === 1;
  const touched = shape.padBegin.some((n) => n > 0) || shape.padEnd.some((n) => n > 0);
  if (!one(shape.kernel) || !one(shape.stride) || touched) return shape;
  const line: Spatial = [1, 1, volume(shape.inSize)];
  return { ...shape, inSize: line, outSize: line };
}

/** The image with a border of its own cells takes the place of the image. */
function withBorder(shape: ConvShape): ConvShape {
  const { padBegin, padEnd } = shape;
  const inSize = shape.inSize.map((size, i) => size + (padBegin[i] as number) + (padEnd[i] as number));
  return { ...shape, inSize: inSize as unknown as Spatial, padBegin: [0, 0, 0], padEnd: [0, 0, 0] };
}

/** Bytes of a copied row of the depthwise kernels: see the head of either file. */
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

function directWork(shape: ConvShape, band: number, rowBytes: number): number {
  const rows = (band - 1) * shape.stride[1] + (shape.kernel[1] - 1) * shape.dilation[1] + 1;
  return rows * rowBytes + volume(shape.kernel) * 4;
}

/** The parts are listed at the head of assembly/conv-channels-first.ts and conv-channels-last.ts. */
function gemmWork(shape: ConvShape, pack: PackPlan): number {
  const taps = volume(shape.kernel);
  const k = shape.groupInC * taps;
  const scratch = MR * NR * 4;
  if (pack.channelsLast) {
    const gather = shape.groups === 1 && taps > 1 && shape.inC < GATHER_BELOW;
    return shape.inC * 4 + scratch + PIXELS * (gather ? 1 : taps) * 4 + (gather ? PIXELS * k * 4 : 0);
  }
  const columns = Math.min(NC, shape.batch * volume(shape.outSize));
  const steps = Math.ceil(k / Math.ceil(k / KC));
  const tableRows = roundUp(shape.groupOutC, MR) + Math.ceil(shape.groupOutC / MC) * MR;
  return tableRows * 4 + scratch + Math.ceil(columns / NR) * (steps * NR + NR) * 4;
}

/**
 * @param inputHosted  the input is an engine tensor: it is read where it lies
 * @param outputHosted likewise the output
 */
export function convPlan(shape: ConvShape, pack: PackPlan, inputHosted = false, outputHosted = false): ConvPlan {
  const border = shape.paddingMode !== 'zeros' && [...shape.padBegin, ...shape.padEnd].some((n) => n > 0);
  const inputBytes = inputHosted ? 0 : elements([shape.batch, shape.inC, ...shape.inSize]) * 4;
  const outputBytes = outputHosted ? 0 : elements([shape.batch, shape.outC, ...shape.outSize]) * 4;
  const bordered = border ? withBorder(shape) : shape;
  const paddedBytes = border ? elements([bordered.batch, bordered.inC, ...bordered.inSize]) * 4 : 0;
  if (pack.algorithm === 'direct') {
    const rowBytes = bandRowBytes(bordered, pack);
    const band = bandRows(bordered, rowBytes);
    const workBytes = directWork(bordered, band, rowBytes);
    const variant = `depthwise, bands of ${band} rows`;
    return { shape: bordered, pack, variant, band, inputBytes, paddedBytes, workBytes, outputBytes };
  }
  const final = flattenPixels(bordered);
  const variant = `${volume(final.kernel) === 1 ? 'pointwise' : pack.channelsLast ? 'indirect' : 'im2col'}, tiles of ${MR}×${NR}`;
  return { shape: final, pack, variant, band: 0, inputBytes, paddedBytes, workBytes: gemmWork(final, pack), outputBytes };
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
