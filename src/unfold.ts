/** `unfold` and `fold`: the columns of a convolution, and back. */
import { type Context, checkOpen, checkOut, emptyResult, invoke } from './call.ts';
import { type Columns, foldColumns, unfoldColumns } from './columns.ts';
import { align } from './memory.ts';
import { noActivation } from './options.ts';
import { CONV_PARAMS_BYTES, writeConvParams } from './params.ts';
import { AS_IT_IS, NO_PHASES } from './plan.ts';
import { apart, foldTasks, unfoldTasks } from './tasks.ts';
import type { Cost } from './team.ts';
import { elements } from './tensor.ts';
import type { Operations, Tensor, UnfoldOptions } from './types.ts';
import { takenBy, whereSooner } from './unshared.ts';

function move(op: 'unfold' | 'fold', context: Context, columns: Columns, result: readonly number[], out: unknown): Tensor {
  const { given, shape } = columns;
  const cost: Cost = { flops: 0, floats: 2 * Math.max(elements(result), elements(given.shape)) };
  const tasks = op === 'unfold' ? unfoldTasks(shape) : foldTasks(shape);
  checkOut(op, context.heap, out, result, [given]);
  if (elements(result) === 0) return emptyResult(result, out);
  const workBytes = align(CONV_PARAMS_BYTES);
  return whereSooner(
    context,
    () => takenBy(cost, [given.shape, result], workBytes),
    [given],
    out,
    (place) => {
      const { heap, team } = place;
      return invoke(op, place, [given], result, out, workBytes, ([from], output, work) => {
        const pack = { kernelShuffle: 1, weightStride: 0, phase: NO_PHASES };
        writeConvParams(heap.f32, work, { ...AS_IT_IS, shape, kind: 'conv', pack }, noActivation);
        team.run(op, apart(tasks, team.crew(cost)), 0, 0, work, from as number, output);
      });
    },
  );
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
