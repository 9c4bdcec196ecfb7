/**
 * The second memory of an engine with threads. Copies into and out of memory that threads share are slower, and what one thread does sooner than several
 * needs no such memory: calls on arrays that mostly move data are computed here. Engine tensors lie in the other one, and calls that have some stay there.
 */
import { type Context, hosted } from './call.ts';
import { isOutOfMemory } from './check.ts';
import type { Cost } from './team.ts';
import { elements, HeapTensor } from './tensor.ts';
import type { Tensor } from './types.ts';

/** Where a call is computed soonest, if that is not in the memory that threads share. */
export function unsharedFor(
  { heap, unshared }: Context,
  cost: Cost,
  operands: readonly (Tensor | undefined)[],
  outputShape: readonly number[],
  out: unknown,
): Context | undefined {
  if (unshared === undefined || out instanceof HeapTensor || operands.some((operand) => hosted(heap, operand))) return undefined;
  const floats = operands.reduce((sum, operand) => sum + (operand ? elements(operand.shape) : 0), elements(outputShape));
  return unshared(cost, 4 * floats);
}

/** Computes there if that is sooner and it has room, else where threads do. */
export function whereSooner<Result>(context: Context, unshared: Context | undefined, compute: (place: Context) => Result): Result {
  if (unshared === undefined) return compute(context);
  try {
    return compute(unshared);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    return compute(context);
  }
}
