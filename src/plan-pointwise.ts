/** Convolutions of one tap, channels first, where the image keeps its layout: see assembly/pointwise-channels-first.ts. */
import { FORESEEN, NR, PANEL_BYTES, PARTS, ROWS } from '../assembly/blocks.ts';
import { roundUp } from './bands.ts';
import { AS_IT_IS, type ConvPlan, flattenPixels, NO_BAND, type PackPlan } from './plan.ts';
import { type ConvShape, volume } from './shape.ts';

/** Floats of a row of the weights: bias, products, and as many zeros as let the loop be cut (see assembly/gemm.ts). */
export function rowFloats(channels: number): number {
  const least = Math.ceil((channels + 1) / FORESEEN);
  return least <= PARTS ? roundUp(channels + 1, least) : channels + 1;
}

/** Bytes of workspace for blocks of `pixels` pixels. */
export function blockWork(stride: number, pixels: number): number {
  return (ROWS * PARTS + NR + ROWS * NR + roundUp(pixels, NR) * stride) * 4;
}

/** Pixels of a block, whose panels stay in L2. */
export function blockPixels(stride: number, pixels: number): number {
  const fitting = Math.floor(PANEL_BYTES / (stride * 4 * NR)) * NR;
  return Math.min(pixels, Math.max(NR, fitting));
}

/** Pixels of a plane below which the rows of the weights, made for them, gain too little. */
const LEAST_PIXELS = 64;

/** Which part of the columns of panels must be pixels. */
const FULL = 0.93;

/**
 * The part of the columns that are pixels; the last panel may be half of one, which takes 0.8 of its time. One layer of each size, sums over changed layouts
 * against panels of pixels, 512→2048: 25 pixels (0.82) 58 / 51 GFLOP/s, 33 (0.86) 58 / 54, 49 (0.90) 59 / 55, 81 (0.94) 58 / 58, 100 (0.98) 58 / 60, 64 60 / 61; 32→192: 49
 * 51 / 49, 81 52 / 53, 100 53 / 55.
 */
function fullness(pixels: number): number {
  const rest = pixels % NR;
  const last = rest === 0 ? 0 : rest > NR / 2 ? NR : 0.8 * NR;
  return pixels / (pixels - rest + last);
}

/** The plan without a change of layout, or undefined where that cannot be, or is slower and was not chosen before. */
export function pointwisePlan(given: ConvShape, pack: PackPlan, chosen = false): ConvPlan | undefined {
  if (pack.kind !== 'conv' || pack.channelsLast || volume(given.kernel) > 1) return undefined;
  const shape = flattenPixels(given);
  const pixels = shape.inSize[2];
  const slower = pixels < LEAST_PIXELS || fullness(pixels) < FULL;
  if (shape === given || (slower && !chosen)) return undefined;
  const stride = rowFloats(shape.groupInC);
  const block = blockPixels(stride, pixels);
  return {
    ...AS_IT_IS,
    shape,
    pack: { ...pack, weightStride: stride },
    kind: 'pointwise',
    algorithm: 'gemm',
    band: { ...NO_BAND, rows: block },
    workBytes: blockWork(stride, block),
  };
}

/** Bytes of the rows that are made of the panels of weights. */
export function rowBytes({ shape, pack }: ConvPlan): number {
  return shape.outC * pack.weightStride * 4;
}
