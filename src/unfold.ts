/** `unfold` and `fold`: the columns of a convolution, and back. */
import { type Context, checkOut, emptyResult, invoke } from './call.ts';
import { type Columns, foldColumns, unfoldColumns } from './columns.ts';
import { checkOpen } from './layer.ts';
import { align } from './memory.ts';
import { noActivation } from './options.ts';
import { CONV_PARAMS_BYTES, writeConvParams } from './params.ts';
import { type ConvPlan, NO_BAND, NO_PHASES } from './plan.ts';
import { elements } from './tensor.ts';
import type { Operations, Tensor, UnfoldOptions } from './types.ts';

/** The record of a geometry without weights. */
function record({ shape }: Columns): ConvPlan {
  const pack = {
    algorithm: 'direct',
    kind: 'conv',
    reason: '',
    channelsLast: false,
    weightStride: 0,
    weightFloats: 0,
    biasStride: 0,
    biasGroups: 0,
    clamped: true,
    packShuffle: 1,
    kernelShuffle: 1,
    phase: NO_PHASES,
  } as const;
  return {
    shape,
    pack,
    kind: 'conv',
    algorithm: 'direct',
    variant: '',
    reason: '',
    border: undefined,
    band: NO_BAND,
    innerBand: 0,
    sides: false,
    inPlace: false,
    paddedBytes: 0,
    workBytes: 0,
  };
}

function move(op: 'unfold' | 'fold', { heap, kernels }: Context, columns: Columns, result: readonly number[], out: unknown): Tensor {
  const { given } = columns;
  checkOut(op, heap, out, result, [given]);
  if (elements(result) === 0) return emptyResult(result, out);
  return invoke(op, { heap, kernels }, [given], result, out, align(CONV_PARAMS_BYTES), ([from], output, work) => {
    writeConvParams(heap.f32, work, record(columns), noActivation);
    kernels[op](work, from as number, output);
  });
}

export function unfoldOperation(context: Context): Operations['unfold'] {
  const call = (input: Tensor, kernelSize: number | readonly number[], options?: UnfoldOptions): Tensor => {
    checkOpen('unfold', context.heap);
    const columns = unfoldColumns('unfold', input, kernelSize, options, true);
    return move('unfold', context, columns, columns.columnsShape, options?.out);
  };
  return call as Operations['unfold'];
}

export function foldOperation(context: Context): Operations['fold'] {
  const call = (given: Tensor, outputSize: readonly number[], kernelSize: number | readonly number[], options?: UnfoldOptions): Tensor => {
    checkOpen('fold', context.heap);
    const columns = foldColumns('fold', given, outputSize, kernelSize, options, true);
    return move('fold', context, columns, columns.shape.inputShape, options?.out);
  };
  return call as Operations['fold'];
}
