/** Plans → the records of assembly/params.ts and assembly/pad.ts. test/params.test.ts compares both sides field by field. */
import type { ActivationSetting } from './options.ts';
import type { ConvPlan } from './plan.ts';
import type { ConvShape } from './shape.ts';
import type { PaddingMode } from './types.ts';

/** Fields of `ConvParams`, in order; the last two are f32, the others i32. */
export const convFields = [
  'batch',
  'inC',
  'inD',
  'inH',
  'inW',
  'outC',
  'outD',
  'outH',
  'outW',
  'kD',
  'kH',
  'kW',
  'strideD',
  'strideH',
  'strideW',
  'dilationD',
  'dilationH',
  'dilationW',
  'padD',
  'padH',
  'padW',
  'groups',
  'groupInC',
  'groupOutC',
  'shuffle',
  'weightStride',
  'band',
  'bandImages',
  'bandSlices',
  'bandColumns',
  'sides',
  'inPlace',
  'activation',
  'low',
  'high',
] as const;

/** Fields of `PadParams`, in order, all i32. */
export const padFields = ['outer', 'inner', 'inD', 'inH', 'inW', 'beginD', 'beginH', 'beginW', 'endD', 'endH', 'endW', 'mode'] as const;

/** Numbers of assembly/activation.ts. */
export const activationKinds: readonly ActivationSetting['name'][] = ['clamp', 'leakyRelu', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish'];

/** Numbers of assembly/pad.ts. */
export const borderModes: readonly PaddingMode[] = ['reflect', 'replicate', 'circular', 'zeros'];

export const CONV_PARAMS_BYTES = convFields.length * 4;
export const PAD_PARAMS_BYTES = padFields.length * 4;

export function writeConvParams(memory: Float32Array, pointer: number, plan: ConvPlan, activation: ActivationSetting): void {
  const { shape, pack } = plan;
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
    plan.band,
    plan.bandImages,
    plan.bandSlices,
    plan.bandColumns,
    plan.sides ? 1 : 0,
    plan.inPlace ? 1 : 0,
    activationKinds.indexOf(activation.name),
  ];
  new Int32Array(memory.buffer, pointer, integers.length).set(integers);
  const at = pointer / 4 + integers.length;
  memory[at] = activation.low;
  memory[at + 1] = activation.high;
}

/** `shape` is that of the image before it gets its border. */
export function writePadParams(memory: Float32Array, pointer: number, shape: ConvShape, { border }: ConvPlan): void {
  if (border === undefined) return;
  const { batch, inC, channelsLast } = shape;
  const [outer, inner] = channelsLast ? [batch, inC] : [batch * inC, 1];
  const fields = [outer, inner, ...shape.inSize, ...border.begin, ...border.end, borderModes.indexOf(shape.paddingMode)];
  new Int32Array(memory.buffer, pointer, fields.length).set(fields);
}
