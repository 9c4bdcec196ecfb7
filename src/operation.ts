/** Forward operations with weights, as they are called: once, or prepared. */
import { type Context, checkOpen, checkOut, type Out } from './call.ts';
import { compute, derive, pack } from './compute.ts';
import { align } from './memory.ts';
import type { Call, Program } from './program.ts';
import { readTensor } from './tensor.ts';
import type { Layer, Tensor } from './types.ts';

/** Packs, computes, and gives the packed weights back. */
function callIn(program: Program, context: Context, call: Call, input: Tensor, out: Out): Tensor {
  const { heap } = context;
  const block = pack(program, context);
  const packed = block + align(program.recordBytes);
  let derived = 0;
  try {
    if (call.derived) derived = derive(program.op, context, call.derived, packed);
    call.write(heap.f32, block, packed, derived);
    return compute(program, context, block, derived, call, input, out);
  } finally {
    if (derived !== 0) heap.release(derived);
    heap.release(block);
  }
}

/** The same where it takes least time. */
export function callOnce(program: Program, context: Context, inputShape: readonly number[], input: Tensor, out: unknown): Tensor {
  const { op, packings } = program;
  const call = program.plan(inputShape, context.team);
  const operands = [input, ...packings.map(({ source, operand }) => operand ?? source)];
  checkOut(op, context.heap, out, call.outputShape, operands);
  const compute = (place: Context): Tensor =>
    callIn(program, place, place === context ? call : program.plan(inputShape, place.team), input, out);
  return context.sooner ? context.sooner.call(program, context, call, operands, out, compute) : compute(context);
}

/**
 * An operation, and its `prepare` where there is more than single calls.
 *
 * @param count   arguments between the input and the options
 * @param program made from these arguments and the options; `calling` says that `out` may be among them
 */
export function operation(
  op: string,
  context: Context,
  count: number,
  program: (weights: readonly unknown[], options: object | undefined, calling: boolean) => Program,
): unknown {
  const { heap, extras } = context;

  function call(given: Tensor, ...rest: readonly unknown[]): Tensor {
    checkOpen(op, heap);
    const options = rest[count] as { out?: unknown } | undefined;
    const made = program(rest.slice(0, count), options, true);
    const input = readTensor(op, 'input', given);
    return callOnce(made, context, input.shape, input, options?.out);
  }

  if (extras === undefined) return call;
  const prepare = (...rest: readonly unknown[]): Layer => {
    checkOpen(op, heap);
    return extras.prepare(program(rest.slice(0, count), rest[count] as object | undefined, false), context);
  };
  return Object.assign(call, { prepare });
}
