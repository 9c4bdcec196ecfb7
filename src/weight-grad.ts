/** Gradients with respect to the weight: sums over batch and pixels, as panels, then in the filter layout. */
import { LAYOUT_BYTES, NR, SKEW, WHOLE_ROWS_BELOW } from '../assembly/blocks.ts';
import { roundUp } from './bands.ts';
import { type Context, checkOut, invoke } from './call.ts';
import { unsupported } from './check.ts';
import { type Forward, gradientFields, gradientName } from './gradients.ts';
import { checkOpen } from './layer.ts';
import { align } from './memory.ts';
import { weightGradOperands } from './operands.ts';
import type { ConvSettings, GivenOptions, Rank } from './options.ts';
import { CONV_PARAMS_BYTES, type WrittenPlan, writeConvParams, writePackParams } from './params.ts';
import { AS_IT_IS, NO_BAND, NO_PHASES, type PackPlan } from './plan.ts';
import { type ConvShape, type FilterShape, volume } from './shape.ts';
import type { Tensor, WeightGradOperation } from './types.ts';

/** @throws RangeError `ERR_UNSUPPORTED` for an algorithm that is none of a sum over pixels */
function sumsPlan(op: string, { outC, groupInC, groups, kernel }: FilterShape, settings: ConvSettings): PackPlan {
  const { algorithm } = settings;
  const own = groupInC === 1 && groups > 1 && algorithm !== 'gemm';
  if (algorithm === 'winograd' || algorithm === 'factored' || (algorithm === 'direct' && !own))
    throw unsupported(op, `algorithm '${algorithm}' does not sum over pixels`);
  const panels = Math.ceil(outC / groups / NR);
  const weightStride = own ? roundUp(outC, 4) : volume(kernel) * groupInC * NR;
  return {
    algorithm: own ? 'direct' : 'gemm',
    kind: own ? 'depthwise' : 'conv',
    reason: '',
    channelsLast: settings.channelsLast,
    weightStride,
    weightFloats: own ? volume(kernel) * weightStride : groups * panels * weightStride,
    biasStride: 0,
    biasGroups: 0,
    clamped: true,
    packShuffle: 1,
    kernelShuffle: 1,
    phase: NO_PHASES,
  };
}

/** Whether a row of the kernel is seen as one: more channels hide the cost of a run for each tap. */
function wholeRows({ inC, groups, dilation, kernel }: ConvShape, depthwise: boolean): boolean {
  return !depthwise && groups === 1 && dilation[2] === 1 && inC < WHOLE_ROWS_BELOW && kernel[2] > 1;
}

/** Bytes of the copied rows and of the packed gradient of a band of one row, and of each row more. See assembly/weight-grad.ts. */
function rowBytes(shape: ConvShape, depthwise: boolean, whole: boolean): { readonly first: number; readonly more: number } {
  const { inC, outC, groups, groupOutC, kernel, stride, dilation, inSize, outSize } = shape;
  const channels = depthwise ? outC : inC;
  const pixel = !whole && channels % 64 === 0 ? channels + SKEW : channels;
  const width = whole ? (outSize[2] - 1) * stride[2] + kernel[2] : inSize[2];
  const gradient = outSize[2] * (depthwise ? outC : groups * Math.ceil(groupOutC / NR) * NR);
  const reach = (kernel[1] - 1) * dilation[1] + 1;
  const image = (rows: number): number => Math.min(inSize[1], rows) * width * pixel;
  return { first: (image(reach) + gradient) * 4, more: (image(stride[1]) + gradient) * 4 };
}

function weightGradPlan(shape: ConvShape, pack: PackPlan): WrittenPlan & { readonly workBytes: number } {
  const depthwise = pack.kind === 'depthwise';
  const whole = wholeRows(shape, depthwise);
  const { first, more } = rowBytes(shape, depthwise, whole);
  // Where the gradient is not finite, taps are read one by one.
  const careful = rowBytes(shape, depthwise, false);
  const rows = Math.min(shape.outSize[1], Math.max(1, Math.floor((LAYOUT_BYTES - first) / more) + 1));
  return {
    ...AS_IT_IS,
    shape,
    pack,
    kind: pack.kind,
    band: { ...NO_BAND, rows },
    sides: whole,
    workBytes: Math.max(first + (rows - 1) * more, careful.first + (rows - 1) * careful.more),
  };
}

/** Image and gradient of the convolution are those of the other side when its transposed form was called. */
export function weightGradOperation(context: Context, rank: Rank, forward: Forward): WeightGradOperation {
  const { heap, kernels } = context;
  const op = gradientName(forward, rank, 'Weight');

  function call(givenInput: Tensor, givenGrad: Tensor, givenShape: readonly number[], options?: GivenOptions): Tensor {
    checkOpen(op, heap);
    const found = weightGradOperands(op, rank, forward, givenInput, givenGrad, givenShape, options, gradientFields(forward));
    const { input, gradOutput, weightShape, settings, filter, shape } = found;
    const out: unknown = options?.out;
    checkOut(op, heap, out, weightShape, [input, gradOutput]);
    const pack = sumsPlan(op, filter, settings);
    const plan = weightGradPlan(shape, pack);
    const recordBytes = align(CONV_PARAMS_BYTES);
    const sumBytes = align(pack.weightFloats * 4);
    const operands = forward === 'conv' ? [input, gradOutput] : [gradOutput, input];
    const sum = settings.channelsLast ? kernels.weightGradChannelsLast : kernels.weightGradChannelsFirst;
    const unpack = pack.kind === 'depthwise' ? kernels.unpackTaps : kernels.unpackPanels;
    return invoke(op, context, operands, weightShape, out, recordBytes + sumBytes + plan.workBytes, ([image, gradient], output, work) => {
      const sums = work + recordBytes;
      writeConvParams(heap.f32, work, plan, settings.activation);
      sum(work, image as number, gradient as number, sums, sums + sumBytes);
      writePackParams(heap.f32, work, filter, pack);
      unpack(work, sums, output);
    });
  }

  return call as WeightGradOperation;
}
