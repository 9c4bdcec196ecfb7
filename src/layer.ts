/** What `prepare` gives: a program whose weights are packed for many calls. */
import { type Context, checkOut } from './call.ts';
import { checkFields, disposed } from './check.ts';
import { pack } from './compute.ts';
import { disposableClass } from './lifetime.ts';
import { PackedProgram } from './packed-program.ts';
import type { Program } from './program.ts';
import { readTensor } from './tensor.ts';
import type { EngineTensor, Layer, Plan, Tensor } from './types.ts';
import { type Taken, whereSooner } from './unshared.ts';

export const ProgramLayer = /* @__PURE__ */ disposableClass(
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
      if (context.sooner === undefined || !packed.isSmallFor(made)) return packed.run(made, input, out);
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
  },
);
