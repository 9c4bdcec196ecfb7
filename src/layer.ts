/** Forward operations with weights: called once, or packed for many calls. What they compute is a program, made in conv.ts and its neighbours. */
import { type Context, checkOut, emptyResult, invoke, type Out, sameShape, takenBytes, withCopy } from './call.ts';
import { checkFields, disposed, isOutOfMemory } from './check.ts';
import { align, type Heap } from './memory.ts';
import type { ConvShape, Spatial } from './shape.ts';
import { runStrips, stripsOf } from './strips.ts';
import type { Cost, Team } from './team.ts';
import { elements, makeDisposable, readTensor, releaseWhenForgotten } from './tensor.ts';
import type { EngineTensor, Layer, Plan, Tensor } from './types.ts';
import { type Taken, takenBy, whereSooner } from './unshared.ts';
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
  /**
   * @param team that will compute
   * @throws RangeError for an image that does not fit
   */
  plan(inputShape: readonly number[], team: Team): Call;
  /** The same in parts, by the algorithm of the whole. One that has none is cut into images alone. */
  cut?(inputShape: readonly number[], team: Team): Cut;
}

/** What a call is cut into where the memory does not hold it whole. What is derived of the weights for the whole serves its parts. */
export interface Cut {
  images(batch: number): Call;
  /** Undefined where an image stays whole. */
  readonly image: ImageCut | undefined;
}

export interface ImageCut {
  readonly shape: ConvShape;
  /** Results along each axis of which a part has a multiple, the last one excepted. */
  readonly units: Spatial;
  /** Results along each axis that a part has at least, where the whole does; no more than a unit. */
  readonly least: Spatial;
  part(shape: ConvShape): Call;
}

export interface Derived {
  /** Of all that are made of the same weights. */
  readonly key: number;
  readonly bytes: number;
  readonly workBytes: number;
  derive(kernels: Kernels, packed: number, to: number, work: number): void;
}

/** A program and the shape of its image: everything but data. */
export interface Call {
  readonly outputShape: readonly number[];
  /** Bytes of workspace of all threads, beside the copies of input and result. */
  readonly workBytes: number;
  /** By which the threads were counted. */
  readonly cost: Cost;
  describe(): Plan;
  /** Weights in yet another form, for this shape and others like it: made of the packed ones when they are first needed. */
  readonly derived?: Derived | undefined;
  /** Writes the records. `packed` and `derived` are where the weights are, `derived` 0 where there is none. */
  write(memory: Float32Array, records: number, packed: number, derived: number): void;
  run(team: Team, records: number, packed: number, input: number, output: number, work: number): void;
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

/** Makes what is derived of the packed weights: a block of its own. */
function derive(op: string, { heap, kernels }: Context, derived: Derived, packed: number): number {
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

function computeWhole({ op, recordBytes }: Program, context: Context, block: number, call: Call, input: Tensor, out: Out): Tensor {
  const { team } = context;
  return invoke(op, context, [input], call.outputShape, out, call.workBytes, ([image], output, work) => {
    call.run(team, block, block + align(recordBytes), image as number, output, work);
  });
}

/**
 * Computes a call whose records are written: whole where the memory holds it, else in strips. Where the host refuses what the memory may have, in smaller ones.
 *
 * @throws RangeError `ERR_MEMORY` where no strip is small enough
 */
function compute(program: Program, context: Context, block: number, derived: number, call: Call, input: Tensor, out: Out): Tensor {
  const { op, recordBytes } = program;
  const { heap, team } = context;
  const { outputShape, workBytes } = call;
  if (elements(outputShape) === 0) return emptyResult(outputShape, out);
  const packed = block + align(recordBytes);
  const bytes = takenBytes(heap, [input], outputShape, out, workBytes);
  if (heap.holds(bytes)) return computeWhole(program, context, block, call, input, out);
  let refusal: unknown;
  for (let room = heap.room(); ; ) {
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

/** A call of a layer: planned for a shape, then, when it is first run, told to the kernel. */
interface LayerCall {
  readonly call: Call;
  readonly inputShape: readonly number[];
  readonly taken: Taken;
  derived: number;
}

/** A layer's weights in the second memory: not more than so many bytes, or times what a call copies. They are there twice. */
const FEW_BYTES = 65536;
const FEW_TIMES = 2;

/** The packed weights of a program in one memory. The last call is kept: a layer mostly sees one shape. */
class PackedProgram {
  readonly context: Context;
  readonly #program: Program;
  readonly #block: number;
  readonly #keep: () => void;
  /** Blocks of what is derived, and who keeps them. */
  readonly #derived = new Map<number, { readonly block: number; readonly keep: () => void }>();
  #last: LayerCall | undefined;
  /** The one whose records are in the block. */
  #written: LayerCall | undefined;

  /** @param block of the packed weights, behind room for records */
  constructor(program: Program, context: Context, block: number) {
    this.#program = program;
    this.context = context;
    this.#block = block;
    this.#keep = releaseWhenForgotten(this, context.heap, block);
  }

  /** The same in another memory: nothing that is packed knows where it lies. */
  copiedTo(context: Context): PackedProgram {
    const { op, recordBytes, packedBytes } = this.#program;
    const bytes = align(recordBytes) + packedBytes;
    const block = context.heap.take(op, bytes);
    context.heap.view(block, bytes / 4).set(this.context.heap.view(this.#block, bytes / 4));
    return new PackedProgram(this.#program, context, block);
  }

  callOf(inputShape: readonly number[]): LayerCall {
    if (this.#last === undefined || !sameShape(this.#last.inputShape, inputShape)) this.#last = this.#planned([...inputShape]);
    return this.#last;
  }

  #planned(inputShape: readonly number[]): LayerCall {
    const call = this.#program.plan(inputShape, this.context.team);
    return { call, inputShape, derived: 0, taken: takenBy(call.cost, [inputShape, call.outputShape], call.workBytes) };
  }

  /** Whether they are few beside what `call` copies. */
  isSmallFor({ call, taken }: LayerCall): boolean {
    return this.#program.packedBytes + (call.derived?.bytes ?? 0) <= Math.max(FEW_BYTES, FEW_TIMES * taken.copied);
  }

  #blockOf(derived: Derived): number {
    const found = this.#derived.get(derived.key);
    if (found) return found.block;
    const { op, recordBytes } = this.#program;
    const block = derive(op, this.context, derived, this.#block + align(recordBytes));
    this.#derived.set(derived.key, { block, keep: releaseWhenForgotten(this, this.context.heap, block) });
    return block;
  }

  run(made: LayerCall, input: Tensor, out: Out): Tensor {
    const { heap } = this.context;
    if (made !== this.#written) {
      const { call } = made;
      if (call.derived) made.derived = this.#blockOf(call.derived);
      call.write(heap.f32, this.#block, this.#block + align(this.#program.recordBytes), made.derived);
      this.#written = made;
    }
    return compute(this.#program, this.context, this.#block, made.derived, made.call, input, out);
  }

  plan(inputShape: readonly number[]): Plan {
    const { heap, team } = this.context;
    const call = this.#program.plan(inputShape, team);
    const whole = call.describe();
    const made = call.derived === undefined || this.#derived.has(call.derived.key);
    const room = heap.room(made ? 0 : call.derived?.bytes);
    const strips = whole.workspaceBytes > room ? stripsOf(this.#program, inputShape, call, team, room) : undefined;
    return strips?.describe(whole) ?? whole;
  }

  release(): void {
    this.#keep();
    this.context.heap.release(this.#block);
    for (const { block, keep } of this.#derived.values()) {
      keep();
      this.context.heap.release(block);
    }
  }
}

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
