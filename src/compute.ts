/** A program in a memory: its weights are packed, then a call is computed. */
import { type Context, emptyResult, invoke, type Out, takenBytes, withCopy } from './call.ts';
import { align } from './memory.ts';
import type { Call, Derived, Program } from './program.ts';
import { elements } from './tensor.ts';
import type { Tensor } from './types.ts';

/** Packs the weights of a program, behind room for its records: one block of the heap. */
export function pack(program: Program, context: Context): number {
  const { heap } = context;
  const { op, recordBytes, packedBytes, packings } = program;
  const block = heap.take(op, align(recordBytes) + packedBytes);
  try {
    for (const packing of packings) {
      withCopy(op, heap, packing.source, (from) => packing.pack(context, block, block + align(recordBytes), from));
    }
  } catch (error) {
    heap.release(block);
    throw error;
  }
  return block;
}

/** Makes what is derived of the packed weights: a block of its own. */
export function derive(op: string, { heap, kernels }: Context, derived: Derived, packed: number): number {
  const block = heap.take(op, derived.bytes);
  try {
    const work = derived.workBytes > 0 ? heap.take(op, derived.workBytes) : 0;
    try {
      derived.derive(kernels, packed, block, work);
    } finally {
      heap.release(work);
    }
  } catch (error) {
    heap.release(block);
    throw error;
  }
  return block;
}

/** Computes a call whose records are written. @throws RangeError `ERR_MEMORY` where the memory does not hold it */
export function computeWhole({ op, recordBytes }: Program, context: Context, block: number, call: Call, input: Tensor, out: Out): Tensor {
  const { team } = context;
  return invoke(op, context, [input], call.outputShape, out, call.workBytes, ([image], output, work) => {
    call.run(team, block, block + align(recordBytes), image as number, output, work);
  });
}

/**
 * The same, where the memory holds it or the host gives what is missing, else in strips, if whoever computes has them.
 *
 * @throws RangeError `ERR_MEMORY` where no strip is small enough
 */
export function compute(program: Program, context: Context, block: number, derived: number, call: Call, input: Tensor, out: Out): Tensor {
  const { heap, extras } = context;
  const { outputShape, workBytes } = call;
  if (elements(outputShape) === 0) return emptyResult(outputShape, out);
  if (extras === undefined || heap.holds(takenBytes(heap, [input], outputShape, out, workBytes)))
    return computeWhole(program, context, block, call, input, out);
  return extras.computeCut(program, context, block, derived, call, input, out);
}
