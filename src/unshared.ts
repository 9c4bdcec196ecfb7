/**
 * The second memory of an engine with threads. Copies into and out of memory that threads share are slower, and what one thread does sooner than several
 * needs no such memory: calls on arrays that mostly move data are computed here. Engine tensors lie in the other one, and calls that have some stay there.
 */
import { type Context, hosted, type whereSooner, workspaceBytes } from './call.ts';
import { isOutOfMemory } from './check.ts';
import { roomIn } from './room.ts';
import type { Cost } from './team.ts';
import { HeapTensor } from './tensor.ts';

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

/** The second memory, where a call that costs so much, and copies so many bytes of arrays, takes less time there. */
export type Unshared = (cost: Cost, copied: number) => Context | undefined;

/** The same, if it holds the call whole: where it does not, the first one is as good. */
function place(unshared: Unshared, { cost, copied, bytes }: Taken): Context | undefined {
  const found = unshared(cost, copied);
  return found !== undefined && (found.heap.holds(bytes) || bytes <= roomIn(found.heap)) ? found : undefined;
}

/** Computes there if that is sooner, else, or where the host gives no more memory for it, where threads do. */
export function soonerIn(unshared: Unshared): typeof whereSooner {
  return (context, taken, operands, out, compute) => {
    const isHere = out instanceof HeapTensor || operands.some((operand) => hosted(context.heap, operand));
    const there = isHere ? undefined : place(unshared, taken());
    if (there === undefined) return compute(context);
    try {
      return compute(there);
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      return compute(context);
    }
  };
}
