/** Depthwise and pointwise convolution in one pass. */
import { NR } from '../assembly/blocks.ts';
import { bandRowBytes, directWork, roundUp } from './bands.ts';
import { type Context, workspaceBytes } from './call.ts';
import { type ChainText, chainProgram, strip, textOf } from './chain.ts';
import { biasBytes, packings } from './conv-program.ts';
import { align } from './memory.ts';
import { operation } from './operation.ts';
import { callFields, layerFields, without } from './options.ts';
import { PAD_PARAMS_BYTES, STEP_BYTES, writeConvParams, writePackParams, writePadParams } from './params.ts';
import { behindBorder, type ConvPlan, kernelPlan, NO_BAND, type PackPlan, packedBytes, packPlan, reflected } from './plan.ts';
import { blockPixels, blockWork, rowFloats } from './plan-pointwise.ts';
import type { Call, Program } from './program.ts';
import { type ConvShape, volume } from './shape.ts';
import { type Step, separableFields, separableSteps, stepShapes } from './steps.ts';
import { apart, padTasks, stripTasks } from './tasks.ts';
import { type Team, teamBytes } from './team.ts';
import { elements } from './tensor.ts';
import type { SeparableOperation } from './types.ts';

/** What lies between the steps for one strip: with the input of a strip and weights, it should stay in L2: half of what a chain holds. */
const STRIP_BYTES = 131072;

type Steps = readonly [depthwise: Step, pointwise: Step];
type KeptSteps = readonly [depthwise: Omit<Step, 'weight'>, pointwise: Omit<Step, 'weight'>];

/** Rows of the pointwise weights: one for each result, its bias before its products. */
function rowsPlan({ filter, settings }: Omit<Step, 'weight'>): PackPlan {
  const { outC, groupInC } = filter;
  const depth = rowFloats(groupInC);
  return {
    ...packPlan('', filter, { ...settings, channelsLast: false, algorithm: 'gemm' }),
    weightStride: depth,
    weightFloats: outC * depth,
    biasStride: depth,
    biasGroups: outC,
  };
}

function pointwisePackings({ weight, filter, settings }: Step, pack: PackPlan, at: number): Program['packings'] {
  const { outC } = filter;
  return [
    {
      source: settings.bias,
      pack: ({ kernels }, _, packed, from) => kernels.packBias(packed + at, from, outC, outC, pack.weightStride, settings.shuffle),
    },
    {
      source: weight,
      pack: ({ heap, kernels }, records, packed, from) => {
        writePackParams(heap.f32, records, filter, pack);
        kernels.packRows(records, from, packed + at + 4);
      },
    },
  ];
}

interface Strips {
  readonly band: number;
  /** Of a channel's rows in a strip; off the powers of two. */
  readonly bytes: number;
  /** Of the kernel that fills a strip, a channel at a time. */
  readonly workBytes: number;
  /** Of that kernel: rows of its bands, and whether it reads the image where it lies. */
  readonly rows: number;
  readonly inPlace: boolean;
}

/** @param whole the depthwise step in one piece: rows outside the image are few enough for a strip if they are for all of it */
function stripsOf({ shape, pack, inPlace: able }: ConvPlan): Strips {
  const [, outH, outW] = shape.outSize;
  const fitting = Math.floor(STRIP_BYTES / (shape.outC * outW * 4));
  const band = Math.min(outH, Math.max(2, fitting & ~1));
  const bytes = (roundUp(band * outW, 16) + NR) * 4;
  const one: ConvShape = { ...shape, batch: 1, inC: 1, outC: 1, groups: 1, groupOutC: 1 };
  // In place two rows of each phase of the dilation are computed together. The last strip may have fewer, which are copied.
  const together = 2 * shape.dilation[1];
  if (able && band >= together) {
    const last: ConvShape = { ...one, outSize: [1, together - 1, outW] };
    const copied = directWork(last, false, together - 1, bandRowBytes(last, false, pack.weightStride), false, 0);
    return { band, bytes, rows: band, inPlace: true, workBytes: Math.max(directWork(one, false, band, 0, true, 0), copied) };
  }
  const { band: own, workBytes } = kernelPlan({ ...one, outSize: [1, band, outW] }, { ...pack, clamped: false });
  return { band, bytes, rows: own.rows, inPlace: false, workBytes };
}

function channelsFirstCall(
  op: string,
  steps: KeptSteps,
  [pack, rows]: readonly [PackPlan, PackPlan],
  weightBytes: number,
  said: ChainText,
  inputShape: readonly number[],
  { crewOf }: Team,
): Call {
  const [given, pointwise] = stepShapes(op, inputShape, steps) as [ConvShape, ConvShape];
  const depthwise = behindBorder(given, reflected(given), (seen) => kernelPlan(seen, pack));
  const cut = stripsOf(depthwise);
  const { inC, outC, outputShape } = pointwise;
  const paddedBytes = depthwise.paddedBytes > 0 ? align(depthwise.paddedBytes) : 0;
  const block = blockPixels(rows.weightStride, cut.band * pointwise.outSize[2]);
  const ownBytes = STEP_BYTES + align(blockWork(rows.weightStride, block)) + inC * cut.bytes + cut.workBytes;
  const threads = crewOf([given, pointwise]);
  const workBytes = paddedBytes + teamBytes(threads, ownBytes);
  const padRecord = 2 * STEP_BYTES;
  return {
    outputShape,
    workBytes,
    shapes: [given, pointwise],
    describe: () => ({
      ...said,
      variant: `${said.variant}, in strips of ${cut.band} rows`,
      outputShape: [...outputShape],
      flops: 2 * elements([given.batch, inC, ...given.outSize]) * (volume(given.kernel) + outC),
      workspaceBytes: given.batch === 0 ? 0 : workspaceBytes([inputShape, outputShape], workBytes),
      weightBytes,
    }),
    write: (memory, records) => {
      const own = { ...depthwise, band: { ...NO_BAND, rows: cut.rows }, inPlace: cut.inPlace };
      const bytes = { biasBytes: biasBytes(pack), packedBytes: packedBytes(pack), stripBytes: cut.bytes, gatheredBytes: 0 };
      writeConvParams(memory, records, own, steps[0].settings.activation, bytes);
      const after = { ...own, shape: pointwise, pack: rows, band: { ...NO_BAND, rows: block } };
      writeConvParams(memory, records + STEP_BYTES, after, steps[1].settings.activation);
      writePadParams(memory, records + padRecord, given, depthwise);
    },
    run: (team, records, packed, input, output, work) => {
      if (depthwise.border) team.run('padImage', apart(padTasks(given, depthwise.border), threads), 0, 0, records + padRecord, input, work);
      const image = depthwise.border ? work : input;
      const tasks = stripTasks(pointwise, cut.band);
      team.run(
        'separableChannelsFirst',
        apart(tasks, threads),
        work + paddedBytes,
        ownBytes,
        records,
        STEP_BYTES,
        cut.band,
        image,
        packed,
        output,
      );
    },
  };
}

function channelsFirstProgram(op: string, steps: Steps, text: (packs: readonly PackPlan[]) => ChainText): Program {
  const [depthwise, pointwise] = steps;
  const { filter, settings } = depthwise;
  const pack = packPlan(op, filter, { ...settings, algorithm: 'auto' });
  const rows = rowsPlan(pointwise);
  const at = packedBytes(pack);
  const weightBytes = at + align(rows.weightFloats * 4);
  const said = text([pack, rows]);
  // What a layer keeps must not keep the tensors that were packed.
  const kept = steps.map((step) => ({ name: step.name, filter: step.filter, settings: { ...step.settings, bias: undefined } }));
  return {
    op,
    recordBytes: 2 * STEP_BYTES + align(PAD_PARAMS_BYTES),
    packedBytes: weightBytes,
    packings: [...packings(depthwise.weight, filter, settings, pack, filter.outC), ...pointwisePackings(pointwise, rows, at)],
    plan: (inputShape, team) => channelsFirstCall(op, kept as unknown as KeptSteps, [pack, rows], weightBytes, said, inputShape, team),
  };
}

export function separableConv2dOperation(context: Context): SeparableOperation {
  const op = 'separableConv2d';
  const known = without(separableFields, 'groups');
  const fields = { call: callFields(known), layer: layerFields(known) };
  return operation(op, context, 2, ([depthwise, pointwise], options, calling) => {
    const steps = separableSteps(op, depthwise, pointwise, options, calling ? fields.call : fields.layer) as unknown as Steps;
    const { channelsLast, algorithm } = steps[0].settings;
    const text = textOf(op, algorithm, 'depthwise, then pointwise', strip);
    return channelsLast ? chainProgram(op, steps, true, text) : channelsFirstProgram(op, steps, text);
  }) as SeparableOperation;
}
