/**
 * The second memory of an engine with threads. Copies into and out of memory that threads share are slower, and what one thread does sooner than several
 * needs no such memory: calls on arrays that mostly move data are computed here. Engine tensors lie in the other one, and calls that have some stay there.
 */
import { type Context, hosted, workspaceBytes } from './call.ts';
import { isOutOfMemory } from './check.ts';
import type { Cost } from './team.ts';
import { HeapTensor } from './tensor.ts';
import type { Tensor } from './types.ts';

/** What a call takes, wherever it is computed. */
export interface Taken {
  readonly cost: Cost;
  readonly outputShape: readonly number[];
  readonly workBytes: number;
}

/**
 * Where a call is computed soonest, if that is not in the memory that threads share.
 *
 * @param operands that it copies
 * @param more bytes that it takes besides
 */
export function unsharedFor(
  { heap, unshared }: Context,
  { cost, outputShape, workBytes }: Taken,
  operands: readonly (Tensor | undefined)[],
  out: unknown,
  more = 0,
): Context | undefined {
  if (unshared === undefined || out instanceof HeapTensor || operands.some((operand) => hosted(heap, operand))) return undefined;
  const shapes = [...operands.flatMap((operand) => (operand ? [operand.shape] : [])), outputShape];
  const place = unshared(cost, workspaceBytes(shapes, 0));
  const bytes = workspaceBytes(shapes, workBytes) + more;
  // It must hold the call whole, or the first one is as good.
  return place !== undefined && (place.heap.holds(bytes) || bytes <= place.heap.room()) ? place : undefined;
}

/** Computes there if that is sooner, else, or where the host gives no more memory for it, where threads do. */
export function whereSooner<Result>(context: Context, unshared: Context | undefined, compute: (place: Context) => Result): Result {
  if (unshared === undefined) return compute(context);
  try {
    return compute(unshared);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    return compute(context);
  }
}
