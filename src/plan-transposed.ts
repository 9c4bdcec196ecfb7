/** Transposed convolutions, and with them input gradients: by phases, or tap by tap. */
import { LAYOUT_BYTES, NR } from '../assembly/blocks.ts';
import {
  type Band,
  backward,
  bandFloats,
  bandRowBytes,
  bandRows,
  directWork,
  gemmWork,
  type KernelShape,
  layoutBand,
  roundUp,
} from './bands.ts';
import { unsupported } from './check.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { CONV_PARAMS_BYTES } from './params.ts';
import { AS_IT_IS, type ConvPlan, layoutWork, type PackPlan, packBasics, shuffledChannels } from './plan.ts';
import type { Planning } from './planner.ts';
import { type ConvShape, type FilterShape, LARGEST, type Spatial, spatial, volume } from './shape.ts';
import { type Tiles, BAND_BYTES as WINOGRAD_BAND_BYTES } from './winograd.ts';
import { choosePhases, phaseBlocks, phaseFactors, pointsOfPhases } from './winograd-phases.ts';

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function map(values: Spatial, change: (value: number, axis: 0 | 1 | 2) => number): Spatial {
  return [change(values[0], 0), change(values[1], 1), change(values[2], 2)];
}

/** Strides beyond every image are one like the other: there is one cell then. */
function strides({ stride }: ConvSettings): Spatial {
  return map(spatial(stride, 1), (step) => Math.min(step, LARGEST));
}

/** Taps of a phase are stride / gcd(stride, dilation) apart: see assembly/conv-transposed.ts. */
function phases({ kernel }: FilterShape, settings: ConvSettings): Spatial {
  const dilation = spatial(settings.dilation, 1);
  return map(strides(settings), (stride, axis) => stride / greatestDivisor(stride, kernel[axis] === 1 ? 1 : dilation[axis]));
}

/** @throws RangeError `ERR_UNSUPPORTED` when the algorithm asked for cannot serve the weight */
function packTransposed(op: string, filter: FilterShape, settings: ConvSettings): PackPlan {
  const { outC, groupInC, groups, kernel } = filter;
  const { shuffle, algorithm, rank } = settings;
  if (algorithm === 'winograd' || algorithm === 'factored')
    throw unsupported(op, `algorithm '${algorithm}' is not available in this version`);
  const phase = phases(filter, settings);
  const own = groupInC === 1 && outC === groups && rank < 3 && algorithm !== 'gemm';
  if (own) {
    // As in plan.ts, where a page has no room for a name of its own: 3×3/2 512 14² 1.1–1.3, 4×4/2 1024 7² 1.4, 3×3 512 14² 1.5 (Node 24 and 22).
    const stride = roundUp(outC, 4) + (outC % 128 ? 0 : 16);
    return {
      ...packBasics(settings),
      algorithm: 'direct',
      kind: 'transposedDepthwise',
      weightStride: stride,
      weightFloats: volume(kernel) * stride,
      biasStride: stride,
      phase,
    };
  }
  const panels = Math.ceil(groupInC / NR);
  const groupOutC = outC / groups;
  return {
    ...packBasics(settings),
    algorithm,
    kind: 'transposed',
    weightStride: volume(kernel) * groupOutC * NR,
    weightFloats: groups * panels * volume(kernel) * groupOutC * NR,
    biasStride: panels * NR,
    biasGroups: groups,
    packShuffle: groups === 1 ? shuffle : 1,
    kernelShuffle: groups === 1 ? 1 : shuffle,
    phase,
  };
}

/** The largest convolution inside. */
function phaseShape(shape: ConvShape, phase: Spatial): KernelShape {
  return {
    inC: shape.outC,
    inSize: shape.outSize,
    outSize: map(shape.inSize, (size, axis) => Math.ceil(size / shape.stride[axis])),
    kernel: map(shape.kernel, (taps, axis) => Math.ceil(taps / phase[axis])),
    stride: [1, 1, 1],
    dilation: map(shape.dilation, (dilation, axis) => dilation / (shape.stride[axis] / phase[axis])),
  };
}

/** Products for each one that is needed: phases multiply zeros beyond the border too. */
export function waste({ inSize, outSize, stride }: ConvShape): number {
  return volume(map(inSize, (size, axis) => size / stride[axis])) / volume(outSize);
}

/** From this waste on it is cheaper to store products and add them. */
const WORTH_SCATTERING = 2;

/** What adding them takes, and the products. 64→64 3×3 of 4² cells, µs: products added 26, tiles 21, sums 48; of 2² cells 8, 13, 23; 5×5 of 4² cells 69, 108, 226. */
const ADDING = 1.25;

/** Floats of weights that L2 does not hold, and the least bytes of a band beside them. */
const MANY_WEIGHTS = 262144;
const LEAST_BYTES = 262144;

/**
 * Bytes of a band: 2×2/2 1024→512 28² takes 1.18 times what it takes without bands where they have 256 KB, 1.03 where they have 1 MB (Node 20). Where the weights pass through L2 once a band, larger ones lose their results from it: with half of the weights' bytes, as convolutions have, 512→256 2×2/2 8² to 10² and, channels last, 14²
 * took 1.03–1.06 times as long as with an eighth (AMD EPYC with 1 MB of L2, Node 24).
 */
function bandBytes(weightFloats: number): number {
  return weightFloats > MANY_WEIGHTS ? Math.min(1e6, Math.max(LEAST_BYTES, weightFloats / 2)) : LAYOUT_BYTES;
}

/**
 * @param stride of the operation, which counts also where the image has one cell
 * @param tiles  of F(m, r) that may be used
 */
export function transposedPlan(given: ConvShape, pack: PackPlan, stride: Spatial, tiles: Tiles): ConvPlan {
  const shape: ConvShape = { ...given, stride };
  const { phase, channelsLast, weightStride } = pack;
  const inner = phaseShape(shape, phase);
  const direction = backward(shape);
  const depthwise = pack.kind === 'transposedDepthwise';
  const held = layoutBand(direction, WINOGRAD_BAND_BYTES);
  const far = channelsLast ? { ...held, images: Math.max(1, shape.batch) } : held;
  const wasted = waste(shape);
  const scatters = pack.algorithm === 'auto' && wasted >= WORTH_SCATTERING;
  const points = depthwise ? 0 : choosePhases(shape, phase, far, tiles, scatters ? ADDING / wasted : 1);
  const scattered = !depthwise && points === 0 && (pack.algorithm === 'gemm' || scatters);
  const inPlace = depthwise && shape.outC >= 4;
  const whole: Band = { images: 1, slices: shape.inSize[0], rows: shape.inSize[1], columns: shape.inSize[2] };
  const band = scattered ? whole : points === 0 ? layoutBand(direction, bandBytes(pack.weightFloats)) : far;
  let innerBand = 0;
  let workBytes = align(CONV_PARAMS_BYTES);
  if (depthwise) {
    const rowBytes = inPlace ? inner.inSize[2] * inner.inC * 4 : bandRowBytes(inner, true, weightStride);
    innerBand = bandRows(inner, rowBytes);
    workBytes += directWork(inner, true, innerBand, rowBytes, inPlace, shuffledChannels(shape.inC, pack));
  } else if (scattered) {
    const images = channelsLast ? shape.batch : band.images;
    const sent = images * volume(shape.outSize) * shape.inC;
    workBytes +=
      (pack.biasGroups * pack.biasStride + sent) * 4 + gemmWork({ inC: shape.outC, kernel: [1, 1, 1] }, shuffledChannels(shape.inC, pack));
  } else if (points === 0) {
    workBytes += gemmWork(inner, shuffledChannels(shape.inC, pack));
  } else {
    const blocks = phaseBlocks(shape, phase, band, points);
    innerBand = blocks.tiles;
    // Phases that are not served, and tiles that are mended, are sums.
    workBytes += blocks.bytes + align(CONV_PARAMS_BYTES) + gemmWork(inner, 0);
  }
  if (!channelsLast) workBytes += layoutWork(bandFloats(direction, band));
  return {
    ...AS_IT_IS,
    shape,
    pack,
    kind: scattered ? 'scattered' : pack.kind,
    algorithm: scattered ? 'gemm' : points === 0 ? 'direct' : 'winograd',
    band: channelsLast ? { ...band, rows: roundUp(band.rows, Math.min(shape.stride[1], shape.inSize[1])) } : band,
    innerBand,
    points,
    factors: points === 0 ? [] : phaseFactors(shape, phase, points),
    inPlace,
    workBytes,
  };
}

/** From result to image. */
export const back: Planning = {
  isBack: true,
  summed: 'direct',
  tilesNeed:
    'remainders of the stride that see a square or a row of two to five taps, several channels to a filter, 16 or more of image and result',
  points: (filter, settings) => pointsOfPhases(filter, settings, phases(filter, settings)),
  pack: packTransposed,
  plan: (shape, pack, settings, tiles) => transposedPlan(shape, pack, strides(settings), tiles),
};
