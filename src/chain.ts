/** Several convolutions in one pass, in strips of rows that go from step to step. */
import { HELD_BYTES } from '../assembly/blocks.ts';
import { type Context, workspaceBytes } from './call.ts';
import { unsupported } from './check.ts';
import { biasBytes, packings } from './conv-program.ts';
import { align } from './memory.ts';
import { operation } from './operation.ts';
import { callFields, convFields, layerFields, without } from './options.ts';
import { PAD_PARAMS_BYTES, STEP_BYTES, writeConvParams, writePadParams } from './params.ts';
import { type ConvPlan, kernelPlan, type PackPlan, packedBytes, packPlan } from './plan.ts';
import type { Call, Program } from './program.ts';
import { type ConvShape, type Spatial, volume } from './shape.ts';
import { flattenedSteps, type Step, spatialSteps, stepShapes } from './steps.ts';
import { apart, padTasks, stripTasks } from './tasks.ts';
import { type Team, teamBytes } from './team.ts';
import { elements } from './tensor.ts';
import type { Algorithm, FlattenedOperation, FlattenedWeights, Plan, SpatialSeparableOperation } from './types.ts';

/** What is kept of a step when its weight is packed. */
type KeptStep = Omit<Step, 'weight'>;

/** How a chain is told of in `plan()`. */
export interface ChainText {
  readonly algorithm: Plan['algorithm'];
  readonly variant: string;
  readonly reason: string;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Borders of other things than zeros are copied with the image, for all steps at once: they neither mix nor move what the others do. */
function withBorder(
  shapes: readonly ConvShape[],
  steps: readonly KeptStep[],
): { shapes: readonly ConvShape[]; border: ConvPlan['border'] } {
  const total = (pads: (shape: ConvShape) => Spatial): Spatial => [
    0,
    sum(shapes.map((shape) => pads(shape)[1])),
    sum(shapes.map((shape) => pads(shape)[2])),
  ];
  const [begin, end] = [total(({ padBegin }) => padBegin), total(({ padEnd }) => padEnd)];
  if (shapes[0]?.paddingMode === 'zeros' || [...begin, ...end].every((n) => n === 0)) return { shapes, border: undefined };
  const [, height, width] = (shapes[0] as ConvShape).inSize;
  let size: Spatial = [1, height + begin[1] + end[1], width + begin[2] + end[2]];
  const none: Spatial = [0, 0, 0];
  const seen = shapes.map((shape, i): ConvShape => {
    const [strideH, strideW] = (steps[i] as KeptStep).settings.stride as [number, number];
    // A step leaves the axes of the others alone, with the border that is theirs.
    const result = (axis: 1 | 2, stride: number): number => {
      const untouched = shape.kernel[axis] === 1 && stride === 1 && shape.padBegin[axis] + shape.padEnd[axis] === 0;
      return untouched ? size[axis] : shape.outSize[axis];
    };
    const inSize = size;
    size = [1, result(1, strideH), result(2, strideW)];
    return { ...shape, inSize, outSize: size, padBegin: none, padEnd: none };
  });
  return { shapes: seen, border: { begin, end } };
}

/** Rows of each step's result that `band` rows of the last one need, and of the image. */
function rowsNeeded(shapes: readonly ConvShape[], band: number): { readonly results: readonly number[]; readonly image: number } {
  const results: number[] = [];
  let rows = band;
  for (const { outSize, inSize, stride, kernel, dilation } of [...shapes].reverse()) {
    results.unshift(Math.min(rows, outSize[1]));
    rows = Math.min(inSize[1], (rows - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1);
  }
  return { results, image: rows };
}

interface Strips {
  readonly band: number;
  /** Of each step's result. */
  readonly bytes: readonly number[];
  /** Of the image, where its layout changes. */
  readonly gathered: number;
}

function stripsOf(shapes: readonly ConvShape[], channelsLast: boolean, band: number): Strips {
  const { results, image } = rowsNeeded(shapes, band);
  const first = shapes[0] as ConvShape;
  return {
    band,
    bytes: shapes.map(({ outSize, outC }, i) => align((results[i] as number) * outSize[2] * outC * 4)),
    gathered: channelsLast ? 0 : align(image * first.inSize[2] * first.inC * 4),
  };
}

/** As many rows as HELD_BYTES hold, and no more than leave a strip for each thread, but twice those that neighbouring strips both compute. */
function strips(shapes: readonly ConvShape[], channelsLast: boolean, threads: number): Strips {
  const { batch, outSize } = shapes.at(-1) as ConvShape;
  const outH = outSize[1];
  const share = Math.ceil(outH / Math.ceil(threads / Math.max(1, batch)));
  const seam = Math.max(...shapes.slice(1).map(({ kernel, dilation }) => (kernel[1] - 1) * dilation[1]));
  const bytes = ({ bytes: own, gathered }: Strips): number => sum(channelsLast ? own.slice(0, -1) : own) + gathered;
  const least = Math.min(outH, Math.max(1, 2 * seam));
  let [low, high] = [least, Math.max(least, share)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (bytes(stripsOf(shapes, channelsLast, middle)) <= HELD_BYTES) low = middle;
    else high = middle - 1;
  }
  return stripsOf(shapes, channelsLast, low);
}

/** @param text what to say of it, by what the steps are */
export function chainProgram(
  op: string,
  steps: readonly Step[],
  channelsLast: boolean,
  text: (packs: readonly PackPlan[]) => ChainText,
): Program {
  // Within a strip channels come last.
  const settings = steps.map((step) => ({ ...step.settings, channelsLast: true, algorithm: 'auto' as const }));
  const packs = steps.map(({ filter }, i) => packPlan(op, filter, settings[i] as Step['settings']));
  const starts = packs.map((_, i) => sum(packs.slice(0, i).map(packedBytes)));
  const said = text(packs);
  // What a layer keeps must not keep the tensors that were packed.
  const kept = steps.map(({ name, filter, settings: own }) => ({ name, filter, settings: { ...own, bias: undefined } }));
  return {
    op,
    recordBytes: steps.length * STEP_BYTES + align(PAD_PARAMS_BYTES),
    packedBytes: sum(packs.map(packedBytes)),
    packings: steps.flatMap(({ weight, filter }, i) =>
      packings(weight, filter, settings[i] as Step['settings'], packs[i] as PackPlan, filter.outC, starts[i]),
    ),
    plan: (inputShape, team) => chainCall(op, kept, packs, channelsLast, said, inputShape, team),
  };
}

function chainCall(
  op: string,
  steps: readonly KeptStep[],
  packs: readonly PackPlan[],
  channelsLast: boolean,
  said: ChainText,
  inputShape: readonly number[],
  { crewOf }: Team,
): Call {
  const given = stepShapes(op, inputShape, steps);
  const { shapes, border } = withBorder(given, steps);
  const first = shapes[0] as ConvShape;
  const plans = shapes.map((shape, i) => kernelPlan(shape, packs[i] as PackPlan));
  const threads = crewOf(given);
  const cut = strips(shapes, channelsLast, threads);
  const held = channelsLast ? cut.bytes.slice(0, -1) : cut.bytes;
  const paddedBytes = border ? align(elements([first.batch, first.inC, ...first.inSize]) * 4) : 0;
  const ownBytes = STEP_BYTES + cut.gathered + sum(held) + Math.max(...plans.map((plan) => plan.workBytes));
  const workBytes = paddedBytes + teamBytes(threads, ownBytes);
  const outputShape = (given.at(-1) as ConvShape).outputShape;
  const padRecord = steps.length * STEP_BYTES;
  return {
    outputShape,
    workBytes,
    shapes: given,
    describe: () => ({
      ...said,
      variant: `${said.variant}, in strips of ${cut.band} rows`,
      outputShape: [...outputShape],
      flops: sum(given.map((s) => 2 * elements([s.batch, s.outC, ...s.outSize]) * s.groupInC * volume(s.kernel))),
      workspaceBytes: first.batch === 0 ? 0 : workspaceBytes([inputShape, outputShape], workBytes),
      weightBytes: sum(packs.map(packedBytes)),
    }),
    write: (memory, records) => {
      for (const [i, plan] of plans.entries()) {
        const pack = packs[i] as PackPlan;
        writeConvParams(memory, records + i * STEP_BYTES, plan, (steps[i] as KeptStep).settings.activation, {
          biasBytes: biasBytes(pack),
          packedBytes: packedBytes(pack),
          stripBytes: cut.bytes[i] as number,
          gatheredBytes: cut.gathered,
        });
      }
      writePadParams(memory, records + padRecord, given[0] as ConvShape, { border });
    },
    run: (team, records, packed, input, output, work) => {
      if (border) team.run('padImage', apart(padTasks(given[0] as ConvShape, border), threads), 0, 0, records + padRecord, input, work);
      const image = border ? work : input;
      const tasks = stripTasks(shapes.at(-1) as ConvShape, cut.band);
      const last = channelsLast ? 1 : 0;
      team.run(
        'chain',
        apart(tasks, threads),
        work + paddedBytes,
        ownBytes,
        records,
        STEP_BYTES,
        steps.length,
        cut.band,
        last,
        image,
        packed,
        output,
      );
    },
  };
}

/** What the options say of the algorithm of several steps: they have but one. */
export function textOf(op: string, algorithm: Algorithm, names: string, why: string): (packs: readonly PackPlan[]) => ChainText {
  return (packs) => {
    const used = packs.some(({ kind }) => kind === 'conv') ? 'gemm' : 'direct';
    if (algorithm !== 'auto' && algorithm !== used)
      throw unsupported(op, `algorithm '${algorithm}' cannot serve these weights, '${used}' can`);
    return { algorithm: used, variant: names, reason: why };
  };
}

export const strip = 'what a step gives stays in the cache for the next';

export function spatialSeparableConv2dOperation(context: Context): SpatialSeparableOperation {
  const op = 'spatialSeparableConv2d';
  const fields = { call: callFields(convFields), layer: layerFields(convFields) };
  return operation(op, context, 2, ([column, row], options, calling) => {
    const steps = spatialSteps(op, column, row, options, calling ? fields.call : fields.layer);
    const { channelsLast, algorithm } = (steps[0] as Step).settings;
    return chainProgram(op, steps, channelsLast, textOf(op, algorithm, 'down, then along', strip));
  }) as SpatialSeparableOperation;
}

export function flattenedConv2dOperation(context: Context): FlattenedOperation {
  const op = 'flattenedConv2d';
  const known = without(convFields, 'groups', 'filterLayout');
  const fields = { call: callFields(known), layer: layerFields(known) };
  return operation(op, context, 1, ([weights], options, calling) => {
    const steps = flattenedSteps(op, weights as FlattenedWeights, options, calling ? fields.call : fields.layer);
    const { channelsLast, algorithm } = (steps[0] as Step).settings;
    return chainProgram(op, steps, channelsLast, textOf(op, algorithm, 'across channels, then down, then along', strip));
  }) as FlattenedOperation;
}
