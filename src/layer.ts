/** Forward operations with weights: called once, or packed for many calls. What they compute is a program, made in conv.ts and its neighbours. */
import { type Context, checkOut, emptyResult, invoke, type Out, sameShape, withCopy } from './call.ts';
import { checkFields, disposed } from './check.ts';
import { align, type Heap } from './memory.ts';
import { elements, makeDisposable, readTensor, releaseWhenForgotten } from './tensor.ts';
import type { EngineTensor, Layer, Plan, Tensor } from './types.ts';
import type { Kernels } from './wasm.ts';

/** One tensor among the weights of a program, and how it is packed. */
export interface Packing {
  /** Undefined for a bias that was not given: its place is filled with zeros. */
  readonly source: Tensor | undefined;
  /** The operand it was made of, where that is not the source itself. */
  readonly operand?: Tensor | undefined;
  /** Writes it to its place behind `packed`. `records` may be used, `from` is 0 where there is no source. */
  pack(context: Context, records: number, packed: number, from: number): void;
}

/** An operation with its settings and the shapes of its weights. */
export interface Program {
  readonly op: string;
  /** Bytes of the records of a call. */
  readonly recordBytes: number;
  /** Bytes of packed weights and bias. */
  readonly packedBytes: number;
  readonly packings: readonly Packing[];
  /** @throws RangeError for an image that does not fit */
  plan(inputShape: readonly number[]): Call;
}

/** A program and the shape of its image: everything but data. */
export interface Call {
  readonly outputShape: readonly number[];
  /** Bytes of workspace beside the copies of input and result. */
  readonly workBytes: number;
  describe(): Plan;
  /** Writes the records. */
  write(memory: Float32Array, records: number): void;
  run(kernels: Kernels, records: number, packed: number, input: number, output: number, work: number): void;
}

/** Packs the weights of a program, behind room for its records: one block of the heap. */
function pack(program: Program, context: Context): number {
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

function compute(program: Program, context: Context, block: number, call: Call, input: Tensor, out: Out): Tensor {
  const { op, recordBytes } = program;
  if (elements(call.outputShape) === 0) return emptyResult(call.outputShape, out);
  return invoke(op, context, [input], call.outputShape, out, call.workBytes, ([image], output, work) => {
    call.run(context.kernels, block, block + align(recordBytes), image as number, output, work);
  });
}

/** A program whose weights are packed. The last call is kept: a layer mostly sees one shape. */
class ProgramLayer implements Layer {
  readonly #program: Program;
  readonly #context: Context;
  readonly #block: number;
  readonly #keep: () => void;
  #last: { call: Call; inputShape: readonly number[] } | undefined;
  #alive = true;

  constructor(program: Program, context: Context) {
    this.#block = pack(program, context);
    // Weights are packed: what is kept must not keep the tensors they came from.
    this.#program = { ...program, packings: [] };
    this.#context = context;
    this.#keep = releaseWhenForgotten(this, context.heap, this.#block);
  }

  #checkAlive(): void {
    if (!this.#alive) throw disposed(this.#program.op, 'the layer');
    if (this.#context.heap.closed) throw disposed(this.#program.op, 'the engine');
  }

  run(input: Tensor, options: { out: EngineTensor }): EngineTensor;
  run(input: Tensor, options?: { out?: Float32Array | undefined }): Tensor;
  run(input: Tensor, options?: { out?: Float32Array | EngineTensor | undefined }): Tensor;
  run(given: Tensor, options?: { out?: Float32Array | EngineTensor | undefined }): Tensor {
    this.#checkAlive();
    const { op } = this.#program;
    const { heap } = this.#context;
    checkFields(op, options, ['out']);
    const out = options?.out;
    const input = readTensor(op, 'input', given);
    let last = this.#last;
    if (last === undefined || !sameShape(last.inputShape, input.shape)) {
      last = { call: this.#program.plan(input.shape), inputShape: [...input.shape] };
    }
    checkOut(op, heap, out, last.call.outputShape, [input]);
    // What was asked for its fields may have disposed of anything.
    this.#checkAlive();
    if (last !== this.#last) {
      last.call.write(heap.f32, this.#block);
      this.#last = last;
    }
    return compute(this.#program, this.#context, this.#block, last.call, input, out);
  }

  plan(inputShape: readonly number[]): Plan {
    this.#checkAlive();
    return this.#program.plan(inputShape).describe();
  }

  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#keep();
    this.#context.heap.release(this.#block);
  }

  declare [Symbol.dispose]: () => void;
}

makeDisposable(ProgramLayer.prototype);

/** Packs, computes, and gives the packed weights back. */
export function callOnce(program: Program, context: Context, call: Call, input: Tensor, out: unknown): Tensor {
  const { heap } = context;
  checkOut(program.op, heap, out, call.outputShape, [input, ...program.packings.map(({ source, operand }) => operand ?? source)]);
  const block = pack(program, context);
  try {
    call.write(heap.f32, block);
    return compute(program, context, block, call, input, out);
  } finally {
    heap.release(block);
  }
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
    return callOnce(made, context, made.plan(input.shape), input, options?.out);
  }

  function prepare(...rest: readonly unknown[]): Layer {
    checkOpen(op, heap);
    return new ProgramLayer(program(rest.slice(0, count), rest[count] as object | undefined, false), context);
  }

  return Object.assign(call, { prepare });
}
