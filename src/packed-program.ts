/** The packed weights of a program in a memory, and its calls there. */
import { type Context, type Out, sameShape } from './call.ts';
import { compute, derive } from './compute.ts';
import { releaseWhenForgotten } from './lifetime.ts';
import { align, viewIn } from './memory.ts';
import { publicPlan } from './plan-words.ts';
import type { Call, Derived, Program } from './program.ts';
import { roomIn } from './room.ts';
import { stripsOf } from './strips.ts';
import { costOf } from './tasks.ts';
import type { Plan, Tensor } from './types.ts';
import { type Taken, takenBy } from './unshared.ts';

/** A call: planned for a shape, then, when it is first run, told to the kernel. */
export interface PlannedCall {
  readonly call: Call;
  readonly inputShape: readonly number[];
  readonly taken: Taken;
  derived: number;
}

/** A layer's weights in the second memory: not more than so many bytes, or times what a call copies. They are there twice. */
const FEW_BYTES = 65536;
const FEW_TIMES = 2;

/** The packed weights of a program in one memory. The last call is kept: a layer mostly sees one shape. */
export class PackedProgram {
  readonly context: Context;
  readonly #program: Program;
  readonly #block: number;
  readonly #keep: () => void;
  /** Blocks of what is derived, and who keeps them. */
  readonly #derived = new Map<number, { readonly block: number; readonly keep: () => void }>();
  #last: PlannedCall | undefined;
  /** The one whose records are in the block. */
  #written: PlannedCall | undefined;

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
    viewIn(context.heap, block, bytes / 4).set(viewIn(this.context.heap, this.#block, bytes / 4));
    return new PackedProgram(this.#program, context, block);
  }

  callOf(inputShape: readonly number[]): PlannedCall {
    if (this.#last === undefined || !sameShape(this.#last.inputShape, inputShape)) this.#last = this.#planned([...inputShape]);
    return this.#last;
  }

  #planned(inputShape: readonly number[]): PlannedCall {
    const call = this.#program.plan(inputShape, this.context.team);
    return { call, inputShape, derived: 0, taken: takenBy(costOf(call.shapes), [inputShape, call.outputShape], call.workBytes) };
  }

  /** Whether they are few beside what `call` copies. */
  isSmallFor({ call, taken }: PlannedCall): boolean {
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

  run(made: PlannedCall, input: Tensor, out: Out): Tensor {
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
    const whole = call.describe(publicPlan);
    const made = call.derived === undefined || this.#derived.has(call.derived.key);
    const room = roomIn(heap, made ? 0 : call.derived?.bytes);
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
