/**
 * The second memory of an engine with threads. Copies into and out of memory that threads share are slower, and what one thread does sooner than several
 * needs no such memory: calls on arrays that mostly move data are computed here. Engine tensors lie in the other one, and calls that have some stay there.
 */
import { type Context, hosted, workspaceBytes } from './call.ts';
import { isOutOfMemory } from './check.ts';
import { align } from './memory.ts';
import type { Call, Program } from './program.ts';
import { roomIn } from './room.ts';
import { costOf } from './tasks.ts';
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

type Operands = readonly (Tensor | undefined)[];

/** Where a call takes least time, of an engine that has two memories. */
export interface Sooner {
  compute<Result>(context: Context, taken: () => Taken, operands: Operands, out: unknown, compute: (place: Context) => Result): Result;
  /** A call whose weights are packed for it alone. */
  call(program: Program, context: Context, call: Call, operands: Operands, out: unknown, compute: (place: Context) => Tensor): Tensor;
}

/** Computes there, or in the only memory. */
export function whereSooner<Result>(
  context: Context,
  taken: () => Taken,
  operands: Operands,
  out: unknown,
  compute: (place: Context) => Result,
): Result {
  return context.sooner ? context.sooner.compute(context, taken, operands, out, compute) : compute(context);
}

/** The second memory, where a call that costs so much, and copies so many bytes of arrays, takes less time there. */
type Unshared = (cost: Cost, copied: number) => Context | undefined;

/** The same, if it holds the call whole: where it does not, the first one is as good. */
function place(unshared: Unshared, { cost, copied, bytes }: Taken): Context | undefined {
  const found = unshared(cost, copied);
  return found !== undefined && (found.heap.holds(bytes) || bytes <= roomIn(found.heap)) ? found : undefined;
}

function takenOnce(
  { recordBytes, packedBytes }: Program,
  { shapes: computed, outputShape, workBytes, derived }: Call,
  operands: Operands,
): Taken {
  const shapes = [...operands.flatMap((operand) => (operand ? [operand.shape] : [])), outputShape];
  return takenBy(costOf(computed), shapes, workBytes, align(recordBytes) + packedBytes + (derived ? derived.bytes + derived.workBytes : 0));
}

/** In the second memory if that is sooner, else, or where the host gives no more memory for it, where threads do. */
export function soonerIn(unshared: Unshared): Sooner {
  const compute: Sooner['compute'] = (context, taken, operands, out, run) => {
    const isHere = out instanceof HeapTensor || operands.some((operand) => hosted(context.heap, operand));
    const there = isHere ? undefined : place(unshared, taken());
    if (there === undefined) return run(context);
    try {
      return run(there);
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      return run(context);
    }
  };
  return {
    compute,
    call: (program, context, call, operands, out, run) => compute(context, () => takenOnce(program, call, operands), operands, out, run),
  };
}
