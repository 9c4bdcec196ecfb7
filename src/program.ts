/** What is computed, before there is a memory to compute it in: made in conv.ts and its neighbours, run by layer.ts and packed-program.ts. */
import type { ShareBand } from './bands.ts';
import type { Context } from './call.ts';
import type { Kernels } from './kernels.ts';
import type { ConvPlan } from './plan.ts';
import type { publicPlan } from './plan-words.ts';
import type { ConvShape } from './shape.ts';
import type { Team } from './team.ts';
import type { Plan, Tensor } from './types.ts';

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
  /** Of one convolution, by which a call of it is cut where the memory does not hold it whole: see cuts.ts. Any other is cut into images alone. */
  readonly parts?: Parts;
}

/** The calls of one convolution, and of parts of it. */
export interface Parts {
  /** The operand is the convolution's result, what is computed its image. */
  readonly back: boolean;
  shapeOf(inputShape: readonly number[]): ConvShape;
  plan(shape: ConvShape, share: ShareBand): ConvPlan;
  /** @param plan as `plan` makes it, or as a part's of the same algorithm */
  call(shape: ConvShape, team: Team, plan: (share: ShareBand) => ConvPlan): Call;
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
  /** The convolutions that it computes, by which its threads were counted. */
  readonly shapes: readonly ConvShape[];
  /** @param say what a plan of one convolution says */
  describe(say: typeof publicPlan): Plan;
  /** Weights in yet another form, for this shape and others like it: made of the packed ones when they are first needed. */
  readonly derived?: Derived | undefined;
  /** Writes the records. `packed` and `derived` are where the weights are, `derived` 0 where there is none. */
  write(memory: Float32Array, records: number, packed: number, derived: number): void;
  run(team: Team, records: number, packed: number, input: number, output: number, work: number): void;
}
