/** Depthwise convolutions whose kernels are all of rank 1: down, then along. */

import { chainProgram } from './chain.ts';
import { convCall, packings, RECORD_BYTES } from './conv-program.ts';
import { factorPlane } from './factor-kernel.ts';
import type { Program } from './layer.ts';
import type { ConvSettings } from './options.ts';
import { behindBorder, type ConvPlan, NO_BAND, NO_PHASES, type PackPlan, packedBytes, reflected } from './plan.ts';
import { type ConvShape, convShape, type FilterShape } from './shape.ts';
import { along, step } from './steps.ts';
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
export function canFactor({ groupInC }: FilterShape, { rank, stride, channelsLast, accuracy }: ConvSettings): boolean {
  return rank === 2 && groupInC === 1 && accuracy !== 'exact' && (channelsLast || stride[1] === 1);
}

/** The factors of every kernel, or undefined when one is not of rank 1. */
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

/** Bytes of the line between the steps: see assembly/depthwise-factored.ts. */
function lineBytes({ outSize, kernel, dilation }: ConvShape): number {
  return (outSize[2] + (kernel[2] - 1) * dilation[2]) * 4;
}

export function factoredProgram(op: string, filter: FilterShape, settings: ConvSettings, { column, row }: Factors): Program {
  const { outC, kernel } = filter;
  const [, kH, kW] = kernel;
  const reason =
    settings.algorithm === 'factored'
      ? 'asked for'
      : `every kernel is a column times a row: ${kH} + ${kW} products in place of ${kH} · ${kW}`;
  const text = { algorithm: 'factored', variant: 'down, then along', reason } as const;
  const oihw = { ...settings, filterLayout: 'oihw' };
  if (settings.channelsLast) {
    const first = {
      ...along(0, oihw),
      bias: undefined,
      shuffle: 1,
      activation: { name: 'clamp', low: -Infinity, high: Infinity } as const,
    };
    const columns = step(op, 'weight', { data: column, shape: [outC, 1, kH, 1] }, { ...first, groups: 1 }, 'depthwise');
    const rows = step(op, 'weight', { data: row, shape: [outC, 1, 1, kW] }, { ...along(1, oihw), groups: 1 }, 'depthwise');
    // The first step spreads the channels, so that each of the second has one of its own.
    return chainProgram(op, [columns, rows], true, () => text);
  }
  const pack: PackPlan = {
    algorithm: 'factored',
    kind: 'factored',
    reason,
    channelsLast: false,
    weightStride: kH + kW,
    weightFloats: outC * (kH + kW),
    biasStride: outC,
    biasGroups: 1,
    clamped: settings.activation.name === 'clamp',
    packShuffle: settings.shuffle,
    kernelShuffle: settings.shuffle,
    phase: NO_PHASES,
  };
  const kept: ConvSettings = { ...settings, bias: undefined };
  // Each column with its row behind it, as one kernel of kH + kW cells.
  const both = new Float32Array(outC * (kH + kW));
  for (let c = 0; c < outC; c++) {
    both.set(column.subarray(c * kH, (c + 1) * kH), c * (kH + kW));
    both.set(row.subarray(c * kW, (c + 1) * kW), c * (kH + kW) + kH);
  }
  const line: FilterShape = { ...filter, kernel: [1, 1, kH + kW], strideO: kH + kW, strideI: kH + kW, strideTap: 1 };
  return {
    op,
    recordBytes: RECORD_BYTES,
    packedBytes: packedBytes(pack),
    packings: packings({ data: both, shape: [outC, kH + kW] }, line, settings, pack, outC),
    plan: (inputShape) => {
      const shape = convShape(op, inputShape, filter, kept);
      const plan = behindBorder(
        shape,
        reflected(shape),
        (seen): ConvPlan => ({
          shape: seen,
          pack,
          kind: 'factored',
          ...text,
          border: undefined,
          band: NO_BAND,
          innerBand: 0,
          sides: false,
          inPlace: false,
          paddedBytes: 0,
          workBytes: lineBytes(seen),
        }),
      );
      return convCall(plan, shape, kept, inputShape, shape.outputShape);
    },
  };
}
