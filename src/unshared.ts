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
  /** Bytes of the copies of its operands and its result. */
  readonly copied: number;
  /** Bytes of memory in all. */
  readonly bytes: number;
}

/** @param more bytes of memory, besides copies and workspace */
export function takenBy(cost: Cost, shapes: readonly (readonly number[])[], workBytes: number, more = 0): Taken {
  return { cost, copied: workspaceBytes(shapes, 0), bytes: workspaceBytes(shapes, workBytes) + more };
}

/** Where a call on arrays is computed soonest, if that is not in the memory that threads share. */
function place({ unshared }: Context, { cost, copied, bytes }: Taken): Context | undefined {
  const found = unshared?.(cost, copied);
  // It must hold the call whole, or the first one is as good.
  return found !== undefined && (found.heap.holds(bytes) || bytes <= found.heap.room()) ? found : undefined;
}

/** Computes there if that is sooner, else, or where the host gives no more memory for it, where threads do. */
export function whereSooner<Result>(
  context: Context,
  taken: () => Taken,
  operands: readonly (Tensor | undefined)[],
  out: unknown,
  compute: (place: Context) => Result,
): Result {
  const { heap, unshared } = context;
  const isHere = unshared === undefined || out instanceof HeapTensor || operands.some((operand) => hosted(heap, operand));
  const there = isHere ? undefined : place(context, taken());
  if (there === undefined) return compute(context);
  try {
    return compute(there);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    return compute(context);
  }
}
