/** A call that the memory has no room for as it is: whole where it grows so far, else in strips. Where the host refuses what the memory may have, in smaller ones. */
import { type Context, type Out, takenBytes } from './call.ts';
import { isOutOfMemory } from './check.ts';
import { computeWhole } from './compute.ts';
import { align } from './memory.ts';
import type { Call, Program } from './program.ts';
import { roomIn } from './room.ts';
import { runStrips, stripsOf } from './strips.ts';
import type { Tensor } from './types.ts';

/** @throws RangeError `ERR_MEMORY` where no strip is small enough */
export function computeCut(
  program: Program,
  context: Context,
  block: number,
  derived: number,
  call: Call,
  input: Tensor,
  out: Out,
): Tensor {
  const { op, recordBytes } = program;
  const { heap, team } = context;
  const { outputShape, workBytes } = call;
  const packed = block + align(recordBytes);
  const bytes = takenBytes(heap, [input], outputShape, out, workBytes);
  let refusal: unknown;
  for (let room = roomIn(heap); ; ) {
    const strips = bytes > room ? stripsOf(program, input.shape, call, team, room) : undefined;
    if (bytes > room && strips === undefined) break;
    try {
      return strips
        ? runStrips(op, context, strips, outputShape, block, packed, derived, input, out)
        : computeWhole(program, context, block, call, input, out);
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      refusal = error;
      room = Math.floor((strips?.bytes ?? bytes) / 2);
    } finally {
      if (strips) call.write(heap.f32, block, packed, derived);
    }
  }
  if (refusal) throw refusal;
  return computeWhole(program, context, block, call, input, out);
}
