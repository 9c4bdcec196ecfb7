/** Gradients with respect to the weight: sums over batch and pixels, as panels, then in the filter layout. */
import { HELD_BYTES, LINE_CHANNELS, MR, NR, SKEW, WHOLE_ROWS_BELOW } from '../assembly/blocks.ts';
import { roundUp } from './bands.ts';
import { type Context, checkOpen, checkOut, invoke, type Out } from './call.ts';
import { unsupported } from './check.ts';
import { type Forward, gradientCallFields, gradientName } from './gradients.ts';
import { align } from './memory.ts';
import { weightGradOperands } from './operands.ts';
import type { ConvSettings, Rank } from './options.ts';
import { CONV_PARAMS_BYTES, type TaskParams, type WrittenPlan, writeConvParams, writePackParams } from './params.ts';
import { AS_IT_IS, NO_BAND, type PackPlan, packBasics } from './plan.ts';
import { type ConvShape, type FilterShape, volume } from './shape.ts';
import { apart, shapeCost, unpackTasks, weightGradTasks } from './tasks.ts';
import { teamBytes } from './team.ts';
import type { GivenOptions } from './transposed-options.ts';
import type { Tensor, WeightGradOperation } from './types.ts';
import { type Taken, takenBy, whereSooner } from './unshared.ts';

/** Bytes of the record `Part` of assembly/weight-grad.ts. */
const PART_BYTES = 32;

/**
 * Products that take as long as a float that is copied or packed. What tasks for 8 threads take on one, against a single task: 3 to 4 with 5×5, 1-8 channels, and
 * 1×1, 256-64 channels, channels first; 8 with the latter channels last (28×28, Node 20).
 */
const MOVE = 5;

/** @throws RangeError `ERR_UNSUPPORTED` for an algorithm that is none of a sum over pixels */
function sumsPlan(op: string, { outC, groupInC, groups, kernel }: FilterShape, settings: ConvSettings): PackPlan {
  const { algorithm } = settings;
  const own = groupInC === 1 && groups > 1 && algorithm !== 'gemm';
  if (algorithm === 'winograd' || algorithm === 'factored' || (algorithm === 'direct' && !own))
    throw unsupported(op, `algorithm '${algorithm}' does not sum over pixels`);
  const panels = Math.ceil(outC / groups / NR);
  const weightStride = own ? roundUp(outC, 4) : volume(kernel) * groupInC * NR;
  return {
    ...packBasics(settings),
    algorithm: own ? 'direct' : 'gemm',
    kind: own ? 'depthwise' : 'conv',
    weightStride,
    weightFloats: own ? volume(kernel) * weightStride : groups * panels * weightStride,
    biasStride: 0,
    biasGroups: 0,
  };
}

/** Whether a row of the kernel is seen as one: more channels hide the cost of a run for each tap. */
function wholeRows({ inC, groups, dilation, kernel }: ConvShape, depthwise: boolean): boolean {
  return !depthwise && groups === 1 && dilation[2] === 1 && inC < WHOLE_ROWS_BELOW && kernel[2] > 1;
}

/** Floats of a pixel of the copied image, and of one of the gradient as it is packed. See assembly/weight-grad.ts. */
interface PixelFloats {
  readonly image: number;
  readonly gradient: number;
}

/** Bytes of the copied rows and of the packed gradient of a band of one row, and of each row more. */
function rowBytes(shape: ConvShape, whole: boolean, pixel: PixelFloats): { readonly first: number; readonly more: number } {
  const { kernel, stride, dilation, inSize, outSize } = shape;
  const width = whole ? (outSize[2] - 1) * stride[2] + kernel[2] : inSize[2];
  const gradient = outSize[2] * pixel.gradient;
  const reach = (kernel[1] - 1) * dilation[1] + 1;
  const image = (rows: number): number => Math.min(inSize[1], rows) * width * pixel.image;
  return { first: (image(reach) + gradient) * 4, more: (image(stride[1]) + gradient) * 4 };
}

/** All channels. */
function allFloats({ inC, outC, groups, groupOutC }: ConvShape, depthwise: boolean, whole: boolean): PixelFloats {
  const channels = depthwise ? outC : inC;
  return {
    image: !whole && channels % 64 === 0 ? channels + SKEW : channels,
    gradient: depthwise ? outC : groups * Math.ceil(groupOutC / NR) * NR,
  };
}

/** At most, those of a task. */
function taskFloats({ outC, groups, groupInC, groupOutC }: ConvShape, depthwise: boolean, task: TaskParams): PixelFloats {
  const lines = Math.min(outC, task.taskPanels * LINE_CHANNELS);
  const panels = Math.ceil(groupOutC / NR);
  // Panels may begin with the last of a group.
  const seen = Math.min(groups, Math.floor((task.taskPanels + panels - 2) / panels) + 1);
  const channels = depthwise ? lines : (seen - 1) * groupInC + task.taskChannels;
  return { image: channels < 64 ? channels : channels + SKEW, gradient: depthwise ? lines : task.taskPanels * NR };
}

/**
 * How the sums are cut, so that the busiest of `threads` threads is done first. A task multiplies for its own sums alone, but it also packs its channels of
 * the gradient and copies those of the image that it sees, as others do who see them too: a cut along both axes shares that best. Whole rows, and
 * channels of one tile, are cut by rows of the kernel, others by tiles of input channels.
 */
function cutSums(shape: ConvShape, depthwise: boolean, whole: boolean, threads: number): TaskParams {
  const { inC, outC, groups, groupInC, kernel, inSize, outSize, channelsLast } = shape;
  const panels = unpackTasks(shape, depthwise);
  const byRows = whole || groupInC <= MR;
  const rows = kernel[0] * kernel[1];
  if (threads === 1) return { taskPanels: panels, taskRows: rows, taskChannels: groupInC };
  const steps = byRows ? rows : Math.ceil(groupInC / MR);
  // For a pixel of the result.
  const products = volume(kernel) * groupInC * panels * (depthwise ? LINE_CHANNELS : NR);
  const floats = allFloats(shape, depthwise, whole);
  const copied = !channelsLast || whole || (depthwise ? inC < outC : inC % 64 === 0);
  const image = copied ? (floats.image * volume(inSize)) / volume(outSize) : 0;
  const gradient = channelsLast && depthwise ? 0 : floats.gradient;

  let best = { time: Infinity, panels, steps };
  const most = 2 * threads;
  for (let across = 1; across <= Math.min(most, panels); across++) {
    for (let down = 1; down <= Math.min(most, steps); down++) {
      const taskPanels = Math.ceil(panels / across);
      const taskSteps = Math.ceil(steps / down);
      const ofPanels = taskPanels / panels;
      const ofSteps = taskSteps / steps;
      const ofImage = (depthwise ? ofPanels : Math.max(ofPanels, 1 / groups)) * (byRows ? 1 : ofSteps);
      const rounds = Math.ceil((Math.ceil(panels / taskPanels) * Math.ceil(steps / taskSteps)) / threads);
      const time = rounds * (products * ofPanels * ofSteps + MOVE * (image * ofImage + gradient * ofPanels));
      if (time < best.time) best = { time, panels: taskPanels, steps: taskSteps };
    }
  }
  return {
    taskPanels: best.panels,
    taskRows: byRows ? best.steps : rows,
    taskChannels: byRows ? groupInC : Math.min(groupInC, best.steps * MR),
  };
}

interface WeightGradPlan extends WrittenPlan {
  readonly task: TaskParams;
  /** Of each thread. */
  readonly workBytes: number;
}

function weightGradPlan(shape: ConvShape, pack: PackPlan, threads: number): WeightGradPlan {
  const depthwise = pack.kind === 'depthwise';
  const whole = wholeRows(shape, depthwise);
  // Sums are added up band by band: how many rows these have decides on bits, and must not depend on how many threads there are.
  const { first, more } = rowBytes(shape, whole, allFloats(shape, depthwise, whole));
  const rows = Math.min(shape.outSize[1], Math.max(1, Math.floor((HELD_BYTES - first) / more) + 1));
  const task = cutSums(shape, depthwise, whole, threads);
  const floats = taskFloats(shape, depthwise, task);
  const cut = rowBytes(shape, whole, floats);
  // Where the gradient is not finite, taps are read one by one.
  const careful = rowBytes(shape, false, floats);
  return {
    ...AS_IT_IS,
    shape,
    pack,
    kind: pack.kind,
    band: { ...NO_BAND, rows },
    sides: whole,
    task,
    workBytes: PART_BYTES + Math.max(cut.first + (rows - 1) * cut.more, careful.first + (rows - 1) * careful.more),
  };
}

/** What is summed up. */
interface Sums {
  readonly shape: ConvShape;
  readonly filter: FilterShape;
  readonly pack: PackPlan;
  readonly settings: ConvSettings;
  /** Image and gradient. */
  readonly operands: readonly Tensor[];
  readonly weightShape: readonly number[];
}

/** How they are cut, and the bytes of the workspace: a record, the sums as panels, and what each thread takes. */
function sumsWork({ shape, pack }: Sums, threads: number) {
  const plan = weightGradPlan(shape, pack, threads);
  const recordBytes = align(CONV_PARAMS_BYTES);
  const sumBytes = align(pack.weightFloats * 4);
  return { plan, recordBytes, sumBytes, workBytes: recordBytes + sumBytes + teamBytes(threads, plan.workBytes) };
}

function sumUp(op: string, context: Context, threads: number, sums: Sums, out: Out): Tensor {
  const { shape, filter, pack, settings, operands, weightShape } = sums;
  const { heap, team } = context;
  const { plan, recordBytes, sumBytes, workBytes } = sumsWork(sums, threads);
  const depthwise = pack.kind === 'depthwise';
  const kernel = settings.channelsLast ? 'weightGradChannelsLast' : 'weightGradChannelsFirst';
  return invoke(op, context, operands, weightShape, out, workBytes, ([image, gradient], output, work) => {
    const panels = work + recordBytes;
    writeConvParams(heap.f32, work, plan, settings.activation);
    const tasks = weightGradTasks(shape, depthwise, plan.task);
    team.run(kernel, apart(tasks, threads), panels + sumBytes, plan.workBytes, work, image as number, gradient as number, panels);
    writePackParams(heap.f32, work, filter, pack);
    team.run(depthwise ? 'unpackTaps' : 'unpackPanels', apart(unpackTasks(filter, depthwise), threads), 0, 0, work, panels, output);
  });
}

/** Image and gradient of the convolution are those of the other side when its transposed form was called. */
export function weightGradOperation(context: Context, rank: Rank, forward: Forward): WeightGradOperation {
  const { heap } = context;
  const op = gradientName(forward, rank, 'Weight');
  const known = gradientCallFields(forward);

  function call(givenInput: Tensor, givenGrad: Tensor, givenShape: readonly number[], options?: GivenOptions): Tensor {
    checkOpen(op, heap);
    const found = weightGradOperands(op, rank, forward, givenInput, givenGrad, givenShape, options, known);
    const { input, gradOutput, weightShape, settings, filter, shape } = found;
    const out: unknown = options?.out;
    checkOut(op, heap, out, weightShape, [input, gradOutput]);
    const pack = sumsPlan(op, filter, settings);
    const cost = shapeCost(shape);
    const operands = forward === 'conv' ? [input, gradOutput] : [gradOutput, input];
    const sums: Sums = { shape, filter, pack, settings, operands, weightShape };
    const taken = (): Taken => takenBy(cost, [input.shape, gradOutput.shape, weightShape], sumsWork(sums, 1).workBytes);
    return whereSooner(context, taken, operands, out, (place) => sumUp(op, place, place.team.crew(cost), sums, out));
  }

  return call as WeightGradOperation;
}
