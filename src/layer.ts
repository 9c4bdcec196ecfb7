/** Forward operations with weights: called once, or packed for many calls. */
import { type Context, checkOut, type Out } from './call.ts';
import { checkFields, disposed } from './check.ts';
import { align, type Heap } from './memory.ts';
import { compute, derive, PackedProgram, pack } from './packed-program.ts';
import type { Call, Program } from './program.ts';
import { makeDisposable, readTensor } from './tensor.ts';
import type { EngineTensor, Layer, Plan, Tensor } from './types.ts';
import { type Taken, takenBy, whereSooner } from './unshared.ts';

/** A program whose weights are packed. */
class ProgramLayer implements Layer {
  readonly #op: string;
  readonly #packed: PackedProgram;
  /** For calls that are sooner done where no threads are. */
  #unshared: PackedProgram | undefined;
  #alive = true;

  constructor(program: Program, context: Context) {
    this.#op = program.op;
    // Weights are packed: what is kept must not keep the tensors they came from.
    const block = pack(program, context);
    this.#packed = new PackedProgram({ ...program, packings: [] }, context, block);
  }

  #checkAlive(): void {
    if (!this.#alive) throw disposed(this.#op, 'the layer');
    if (this.#packed.context.heap.closed) throw disposed(this.#op, 'the engine');
  }

  run(input: Tensor, options: { out: EngineTensor }): EngineTensor;
  run(input: Tensor, options?: { out?: Float32Array | undefined }): Tensor;
  run(input: Tensor, options?: { out?: Float32Array | EngineTensor | undefined }): Tensor;
  run(given: Tensor, options?: { out?: Float32Array | EngineTensor | undefined }): Tensor {
    this.#checkAlive();
    const op = this.#op;
    const packed = this.#packed;
    const { context } = packed;
    checkFields(op, options, ['out']);
    const out = options?.out;
    const input = readTensor(op, 'input', given);
    const made = packed.callOf(input.shape);
    const { outputShape } = made.call;
    checkOut(op, context.heap, out, outputShape, [input]);
    // What was asked for its fields may have disposed of anything.
    this.#checkAlive();
    if (context.unshared === undefined || !packed.isSmallFor(made)) return packed.run(made, input, out);
    const taken = (): Taken => made.taken;
    return whereSooner(context, taken, [input], out, (place) => {
      if (place === context) return packed.run(made, input, out);
      const own = this.#in(place);
      return own.run(own.callOf(input.shape), input, out);
    });
  }

  /** The weights in the second memory, which is another one when the first needed its room meanwhile. */
  #in(place: Context): PackedProgram {
    if (this.#unshared?.context !== place) {
      this.#unshared?.release();
      this.#unshared = this.#packed.copiedTo(place);
    }
    return this.#unshared;
  }

  plan(inputShape: readonly number[]): Plan {
    this.#checkAlive();
    return this.#packed.plan(inputShape);
  }

  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#packed.release();
    this.#unshared?.release();
  }

  declare [Symbol.dispose]: () => void;
}

makeDisposable(ProgramLayer.prototype);

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
  const { recordBytes, packedBytes } = program;
  const taken = (): Taken => {
    const { cost, outputShape, workBytes, derived } = call;
    const shapes = [...operands.flatMap((operand) => (operand ? [operand.shape] : [])), outputShape];
    return takenBy(cost, shapes, workBytes, align(recordBytes) + packedBytes + (derived ? derived.bytes + derived.workBytes : 0));
  };
  return whereSooner(context, taken, operands, out, (place) =>
    callIn(program, place, place === context ? call : program.plan(inputShape, place.team), input, out),
  );
}

export function checkOpen(op: string, heap: Heap): void {
  if (heap.closed) throw disposed(op, 'the engine');
}

/**
 * An operation and its `prepare`.
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
  const { heap } = context;

  function call(given: Tensor, ...rest: readonly unknown[]): Tensor {
    checkOpen(op, heap);
    const options = rest[count] as { out?: unknown } | undefined;
    const made = program(rest.slice(0, count), options, true);
    const input = readTensor(op, 'input', given);
    return callOnce(made, context, input.shape, input, options?.out);
  }

  function prepare(...rest: readonly unknown[]): Layer {
    checkOpen(op, heap);
    return new ProgramLayer(program(rest.slice(0, count), rest[count] as object | undefined, false), context);
  }

  return Object.assign(call, { prepare });
}
