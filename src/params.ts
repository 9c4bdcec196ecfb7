/** Plans → the records of assembly/params.ts and assembly/pad.ts. test/params.test.ts compares both sides field by field. */
import { align } from './memory.ts';
import type { ActivationSetting } from './options.ts';
import type { ConvPlan, Kind, PackPlan } from './plan.ts';
import type { ConvShape, FilterShape } from './shape.ts';
import type { PaddingMode } from './types.ts';

/** Numbers of assembly/activation.ts. */
export const activationKinds: readonly ActivationSetting['name'][] = ['clamp', 'leakyRelu', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish'];

/** Numbers of assembly/kinds.ts. */
export const kinds: readonly Kind[] = [
  'conv',
  'depthwise',
  'transposed',
  'transposedDepthwise',
  'scattered',
  'factored',
  'winograd',
  'grouped',
  'pointwise',
];

/** Numbers of assembly/pad.ts. */
export const borderModes: readonly PaddingMode[] = ['reflect', 'replicate', 'circular', 'zeros'];

/** 53 fields of `ConvParams`, the last two f32, the others i32; 12 of `PadParams`, all i32. */
export const CONV_PARAMS_BYTES = 212;
export const PAD_PARAMS_BYTES = 48;

/** From the record of one step of several to that of the next. */
export const STEP_BYTES: number = /* @__PURE__ */ align(CONV_PARAMS_BYTES);

/** What a convolution is told that is one step of several: see assembly/chain.ts. All in bytes. */
interface StepParams {
  readonly biasBytes: number;
  readonly packedBytes: number;
  readonly stripBytes: number;
  readonly gatheredBytes: number;
  /** From the weights to their factors: see assembly/winograd.ts. */
  readonly factors: number;
}

const alone: StepParams = { biasBytes: 0, packedBytes: 0, stripBytes: 0, gatheredBytes: 0, factors: 0 };

/** What of a result is one task. */
export interface TaskParams {
  /** Panels of results, 0 for all: see assembly/tasks.ts. */
  readonly taskPanels: number;
  /** Of a weight gradient: see assembly/weight-grad.ts. */
  readonly taskRows: number;
  readonly taskChannels: number;
}

/** What of a plan a kernel is told. */
export type WrittenPlan = Pick<ConvPlan, 'shape' | 'kind' | 'band' | 'innerBand' | 'sides' | 'inPlace' | 'points'> & {
  readonly pack: Pick<PackPlan, 'kernelShuffle' | 'weightStride' | 'phase'>;
  readonly task?: Partial<TaskParams>;
};

export function writeConvParams(
  memory: Float32Array,
  pointer: number,
  plan: WrittenPlan,
  activation: ActivationSetting,
  told: Partial<StepParams> = {},
): void {
  const step = { ...alone, ...told };
  const { shape, pack } = plan;
  const [outD, outH, outW] = shape.outSize;
  const integers = [
    shape.batch,
    shape.inC,
    ...shape.inSize,
    shape.outC,
    ...shape.outSize,
    ...shape.kernel,
    ...shape.stride,
    ...shape.dilation,
    ...shape.padBegin,
    shape.groups,
    shape.groupInC,
    shape.groupOutC,
    pack.kernelShuffle,
    pack.weightStride,
    plan.band.rows,
    plan.band.images,
    plan.band.slices,
    plan.band.columns,
    plan.sides ? 1 : 0,
    plan.inPlace ? 1 : 0,
    // Results lie side by side.
    1,
    outW,
    outH * outW,
    outD * outH * outW,
    ...pack.phase,
    plan.innerBand,
    plan.points,
    step.factors,
    kinds.indexOf(plan.kind),
    step.biasBytes,
    step.packedBytes,
    step.stripBytes,
    step.gatheredBytes,
    plan.task?.taskPanels ?? 0,
    plan.task?.taskRows ?? 0,
    plan.task?.taskChannels ?? 0,
    activationKinds.indexOf(activation.name),
  ];
  new Int32Array(memory.buffer, pointer, integers.length).set(integers);
  const at = pointer / 4 + integers.length;
  memory[at] = activation.low;
  memory[at + 1] = activation.high;
}

/** Where the weights of a convolution, or of the way back through it, lie. */
export function writePackParams(memory: Float32Array, pointer: number, filter: FilterShape, pack: PackPlan): void {
  const { outC, groupInC, groups, kernel, strideO, strideI, strideTap } = filter;
  const groupOutC = outC / groups;
  const { kind } = pack;
  const back = kind === 'transposed';
  const single = kind === 'depthwise' || kind === 'transposedDepthwise';
  const reversed = back || kind === 'transposedDepthwise' ? 1 : 0;
  const channels = single ? [1, outC, 1] : [groups, ...(back ? [groupInC, groupOutC] : [groupOutC, groupInC])];
  const strides = [groupOutC * strideO, ...(back ? [strideI, strideO] : [strideO, strideI]), strideTap];
  const fields = [...channels, ...kernel, ...strides, ...pack.phase, reversed, pack.weightStride, pack.packShuffle];
  new Int32Array(memory.buffer, pointer, fields.length).set(fields);
}

/** `shape` is that of the image before it gets its border. */
export function writePadParams(memory: Float32Array, pointer: number, shape: ConvShape, { border }: Pick<ConvPlan, 'border'>): void {
  if (border === undefined) return;
  const { batch, inC, channelsLast } = shape;
  const [outer, inner] = channelsLast ? [batch, inC] : [batch * inC, 1];
  const fields = [outer, inner, ...shape.inSize, ...border.begin, ...border.end, borderModes.indexOf(shape.paddingMode)];
  new Int32Array(memory.buffer, pointer, fields.length).set(fields);
}
