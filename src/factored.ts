/** Depthwise convolutions whose kernels are all of rank 1: down, then along. */
import { bandRows } from './bands.ts';
import { biasBytes, convCalls, RECORD_BYTES } from './conv-program.ts';
import { factorPlane } from './factor-kernel.ts';
import type { ConvSettings } from './options.ts';
import { AS_IT_IS, behindBorder, type ConvPlan, NO_BAND, type PackPlan, packBasics, packedBytes, reflected } from './plan.ts';
import type { Packing, Program } from './program.ts';
import { type ConvShape, convShape, type FilterShape } from './shape.ts';
import type { Tensor } from './types.ts';

/** Columns and rows of all kernels: `[outC, kH]` and `[outC, kW]`. */
export interface Factors {
  readonly column: Float32Array;
  readonly row: Float32Array;
}

/** As `factorKernel`: far below what one rounding of a sum costs. */
const TOLERANCE = 1e-6;

/** Products by the plain sum for each one by two sums, from which on two are faster: measured, see bench/EXPERIMENTS.md. */
const WORTH_FACTORING = 2;

/** Whether two sums are faster than one, if the kernels allow it. */
export function worthFactoring({ kernel }: FilterShape): boolean {
  const [, kH, kW] = kernel;
  return kH * kW >= WORTH_FACTORING * (kH + kW);
}

/** Whether there is a kernel for it, if the weights allow it. */
export function canFactor({ groupInC }: FilterShape, { rank, stride, accuracy }: ConvSettings): boolean {
  return rank === 2 && groupInC === 1 && accuracy !== 'exact' && stride[1] === 1;
}

/** The factors of every kernel, or undefined when one is not of rank 1: to the last bits of float32 its own row and column, where nothing is left to refine. */
export function factorWeight({ data }: Tensor, { outC, kernel, strideO, strideTap }: FilterShape): Factors | undefined {
  const [, kH, kW] = kernel;
  const column = new Float32Array(outC * kH);
  const row = new Float32Array(outC * kW);
  for (let c = 0; c < outC; c++) {
    const found = factorPlane((h, w) => data[c * strideO + (h * kW + w) * strideTap] as number, kH, kW, TOLERANCE);
    if (found === null) return undefined;
    column.set(found.column, c * kH);
    row.set(found.row, c * kW);
  }
  return { column, row };
}

/** Floats after which weights and bias of a row repeat themselves, in whole vectors. */
function periodOf(channels: number): number {
  return [1, 2, 4].map((n) => n * channels).find((floats) => floats % 4 === 0) as number;
}

/**
 * Weights and bias as assembly/depthwise-factored.ts wants them: written out for a period of a row.
 *
 * @returns `[plane][tap][period]` and `[plane][period]`
 */
function written(
  { outC, kernel }: FilterShape,
  { column, row }: Factors,
  { bias, channelsLast, ...settings }: ConvSettings,
  period: number,
) {
  const [planes, shuffle] = channelsLast ? [1, 1] : [outC, settings.shuffle];
  const [, kH, kW] = kernel;
  const channels = outC / planes;
  const weights = new Float32Array(planes * (kH + kW) * period);
  const starts = new Float32Array(planes * period);
  for (let at = 0; at < planes * period; at++) {
    const plane = Math.floor(at / period);
    const result = plane * channels + ((at % period) % channels);
    const c = (result % shuffle) * (outC / shuffle) + Math.floor(result / shuffle);
    const first = plane * (kH + kW) * period + (at % period);
    for (let h = 0; h < kH; h++) weights[first + h * period] = column[c * kH + h] as number;
    for (let w = 0; w < kW; w++) weights[first + (kH + w) * period] = row[c * kW + w] as number;
    starts[at] = bias?.data[c] ?? 0;
  }
  return { weights, starts };
}

/** Bytes of the workspace for bands of `rows` rows: see the head of assembly/depthwise-factored.ts. */
function workBytes(
  { inC, outC, inSize, outSize, kernel, stride, dilation, channelsLast }: ConvShape,
  { weightStride, kernelShuffle }: PackPlan,
  rows: number,
): number {
  const width = outSize[2] + (kernel[2] - 1) * dilation[2];
  if (!channelsLast) return (weightStride + width) * 4;
  const collected = kernelShuffle > 1 ? outSize[2] * outC : 0;
  const read = Math.min(inSize[1], (rows - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1);
  return (weightStride + width * outC + collected + (inC === outC ? 0 : read * inSize[2] * outC)) * 4;
}

export function factoredProgram(op: string, weight: Tensor, filter: FilterShape, settings: ConvSettings, factors: Factors): Program {
  const { outC, kernel } = filter;
  const { channelsLast } = settings;
  const [, kH, kW] = kernel;
  const planes = channelsLast ? 1 : outC;
  const period = periodOf(channelsLast ? outC : 1);
  const pack: PackPlan = {
    ...packBasics(settings),
    algorithm: 'factored',
    kind: 'factored',
    weightStride: period,
    weightFloats: planes * (kH + kW) * period,
    biasStride: period,
    biasGroups: planes,
  };
  const plan = (shape: ConvShape): ConvPlan =>
    behindBorder(shape, reflected(shape), (seen) => {
      const rows = bandRows(seen, seen.inSize[2] * (channelsLast ? outC : 1) * 4);
      return {
        ...AS_IT_IS,
        shape: seen,
        pack,
        kind: 'factored',
        algorithm: 'factored',
        band: { ...NO_BAND, rows },
        workBytes: workBytes(seen, pack, rows),
      };
    });
  const { weights, starts } = written(filter, factors, settings, period);
  const copied = (data: Float32Array, operand: Tensor | undefined, at: number): Packing => ({
    source: { data, shape: [data.length] },
    operand,
    pack: ({ heap }, _, packed, from) => {
      heap.f32.copyWithin((packed + at) / 4, from / 4, from / 4 + data.length);
    },
  });
  // What a layer keeps must not keep the tensors that were packed.
  const kept: ConvSettings = { ...settings, bias: undefined };
  return {
    op,
    recordBytes: RECORD_BYTES,
    packedBytes: packedBytes(pack),
    packings: [copied(weights, weight, biasBytes(pack)), copied(starts, settings.bias, 0)],
    ...convCalls((inputShape) => convShape(op, inputShape, filter, kept), plan, kept),
  };
}
