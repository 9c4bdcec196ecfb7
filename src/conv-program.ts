/** One convolution of any kind as a program: how its weights are packed, which kernel computes, what it is told. */
import { NR } from '../assembly/blocks.ts';
import type { ShareBand } from './bands.ts';
import type { Kernels } from './kernels.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { CONV_PARAMS_BYTES, PAD_PARAMS_BYTES, writeConvParams, writePackParams, writePadParams } from './params.ts';
import { type ConvPlan, type PackPlan, workBytes } from './plan.ts';
import { rowBytes } from './plan-pointwise.ts';
import type { Call, Parts, Program } from './program.ts';
import type { ConvShape, FilterShape } from './shape.ts';
import type { TaskKernel } from './task-kernels.ts';
import type { Share, Team } from './team.ts';
import type { Tensor } from './types.ts';
import { FACTOR_WORK_BYTES, factorBytes, isGathered } from './winograd.ts';

/** Bytes of the records of one convolution. */
export const RECORD_BYTES = align(CONV_PARAMS_BYTES) + align(PAD_PARAMS_BYTES);

/** Bytes of its bias, which comes before its weights. */
export function biasBytes({ biasGroups, biasStride }: PackPlan): number {
  return align(biasGroups * biasStride * 4);
}

/** Which export of the module packs its weights. */
function packingOf({ kind, channelsLast }: PackPlan): keyof Pick<Kernels, 'packPanels' | 'packRows' | 'packTaps'> {
  if (kind === 'transposedDepthwise') return 'packTaps';
  if (kind === 'depthwise') return channelsLast ? 'packTaps' : 'packRows';
  return 'packPanels';
}

/** How weight and bias of one convolution are packed, `at` bytes behind the place of all that is packed. */
export function packings(
  weight: Tensor,
  filter: FilterShape,
  settings: ConvSettings,
  pack: PackPlan,
  results: number,
  at = 0,
): Program['packings'] {
  return [
    {
      source: weight,
      pack: ({ heap, kernels }, records, packed, from) => {
        writePackParams(heap.f32, records, filter, pack);
        kernels[packingOf(pack)](records, from, packed + at + biasBytes(pack));
      },
    },
    {
      source: settings.bias,
      pack: ({ kernels }, _, packed, from) =>
        kernels.packBias(packed + at, from, results, pack.biasGroups, pack.biasStride, pack.packShuffle),
    },
  ];
}

/** The weights of a plan once more, as rows made of the packed ones. */
function rowsOf(plan: ConvPlan): Call['derived'] {
  const { groups, groupOutC, groupInC } = plan.shape;
  const { weightStride } = plan.pack;
  return {
    key: 0,
    bytes: rowBytes(plan),
    workBytes: 0,
    derive: (kernels, packed, rows) =>
      kernels.packPointwise(groups, groupOutC, groupInC, weightStride, packed + biasBytes(plan.pack), packed, rows),
  };
}

/** The weights of a plan once more, as factors made of the packed ones. */
function derivedOf(plan: ConvPlan): Call['derived'] {
  const { points, factors: parts, pack, shape, kind } = plan;
  if (kind === 'pointwise') return rowsOf(plan);
  if (points === 0) return undefined;
  const { groups, groupOutC, groupInC } = shape;
  const [results, channels] = kind === 'transposed' ? [groupInC, groupOutC] : [groupOutC, groupInC];
  const panels = groups * Math.ceil(results / NR);
  return {
    // A stride that leads nowhere is not in the shape, and changes the factors.
    key: points + 16 * shape.stride[2],
    bytes: factorBytes(parts),
    workBytes: FACTOR_WORK_BYTES,
    derive: (kernels, packed, factors, work) => {
      const weights = packed + biasBytes(pack);
      for (const { kernel, stride, from, to } of parts) {
        const taps = [kernel[1], kernel[2], stride[1], stride[2]] as const;
        kernels.packWinograd(
          points,
          ...taps,
          isGathered(shape) && kind === 'winograd',
          panels,
          channels,
          weights + from * 4,
          factors + to * 4,
          work,
        );
      }
    },
  };
}

/** Which export of the module computes a plan. */
function kernelOf({ kind, pack: { channelsLast } }: ConvPlan): TaskKernel {
  const layout = channelsLast ? 'ChannelsLast' : 'ChannelsFirst';
  if (kind === 'factored' || kind === 'depthwise') return `${kind}${layout}`;
  if (kind === 'grouped') return `groups${layout}`;
  if (kind === 'pointwise') return 'pointwiseChannelsFirst';
  if (!channelsLast) return 'convChannelsFirst';
  if (kind === 'conv') return 'convChannelsLast';
  if (kind === 'winograd') return 'convWinograd';
  return kind === 'scattered' ? 'convScattered' : 'convTransposed';
}

/** The kernel of a plan: its records are written, its weights packed. */
function runConv(
  team: Team,
  plan: ConvPlan,
  { tasks, padding }: Share,
  records: number,
  packed: number,
  input: number,
  output: number,
  work: number,
): void {
  let [image, rest] = [input, work];
  if (plan.paddedBytes > 0) {
    team.run('padImage', padding, 0, 0, records + align(CONV_PARAMS_BYTES), image, rest);
    image = rest;
    rest += align(plan.paddedBytes);
  }
  const weights = packed + biasBytes(plan.pack);
  team.run(kernelOf(plan), tasks, rest, plan.workBytes, records, image, weights, packed, output);
}

/**
 * The calls of a convolution, whole or in parts.
 *
 * @param back the operand is the convolution's output, the result its image
 */
export function convCalls(
  shapeOf: (inputShape: readonly number[]) => ConvShape,
  plan: (shape: ConvShape, share: ShareBand) => ConvPlan,
  settings: ConvSettings,
  back = false,
): Pick<Program, 'plan' | 'parts'> {
  const call: Parts['call'] = (shape, team, planned) => {
    const { inputShape, outputShape } = shape;
    const [given, result] = back ? [outputShape, inputShape] : [inputShape, outputShape];
    const threads = team.crewOf([shape]);
    const made = planned(team.bands(threads));
    return convCall(made, shape, team.share(made, shape, threads), settings, given, result, threads);
  };
  return {
    plan: (inputShape, team) => {
      const shape = shapeOf(inputShape);
      return call(shape, team, (share) => plan(shape, share));
    },
    parts: { back, shapeOf, plan, call },
  };
}

/** A plan as a call of `given`, with the result `result`. */
function convCall(
  plan: ConvPlan,
  shape: ConvShape,
  share: Share,
  settings: ConvSettings,
  given: readonly number[],
  result: readonly number[],
  threads: number,
): Call {
  const derived = derivedOf(plan);
  return {
    outputShape: result,
    workBytes: workBytes(plan, threads),
    shapes: [shape],
    describe: (say) => say(plan, given, result, derived?.bytes ?? 0, threads),
    derived,
    write: (memory, records, packed, derived) => {
      const told = { factors: derived - packed - biasBytes(plan.pack) };
      writeConvParams(memory, records, { ...plan, task: { taskPanels: share.panels } }, settings.activation, told);
      // `shape` is that of the image as it was given.
      writePadParams(memory, records + align(CONV_PARAMS_BYTES), shape, plan);
    },
    run: (team, records, packed, input, output, work) => runConv(team, plan, share, records, packed, input, output, work),
  };
}
