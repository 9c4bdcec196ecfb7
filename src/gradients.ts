/** Gradients of convolutions and transposed convolutions with respect to their input: each is the other, on the same plans and kernels. */
import { type Context, checkOpen } from './call.ts';
import { convCalls, packings, RECORD_BYTES } from './conv-program.ts';
import { inputGradOperands } from './operands.ts';
import { callOnce } from './operation.ts';
import { callFields, gradientFields, type Rank } from './options.ts';
import { packedBytes } from './plan.ts';
import { back } from './plan-transposed.ts';
import { forth, planner } from './planner.ts';
import type { Program } from './program.ts';
import { type GivenOptions, transposedGradientFields } from './transposed-options.ts';
import type { InputGradOperation, Tensor } from './types.ts';

/** Whose gradient it is. */
export type Forward = 'conv' | 'transposed';

const names = { conv: 'conv', transposed: 'convTranspose' } as const;
const fields = { conv: gradientFields, transposed: transposedGradientFields } as const;

export function gradientName(forward: Forward, rank: Rank, what: 'Input' | 'Weight'): string {
  return `${names[forward]}${rank}d${what}Grad`;
}

/** Options of either. */
export function gradientCallFields(forward: Forward): readonly string[] {
  return callFields(fields[forward]);
}

/** The gradient of a convolution is a transposed convolution, that of a transposed convolution a convolution. */
export function inputGradOperation(context: Context, rank: Rank, forward: Forward): InputGradOperation {
  const op = gradientName(forward, rank, 'Input');
  const planning = forward === 'conv' ? back : forth;
  const { isBack } = planning;
  const known = gradientCallFields(forward);

  function call(givenGrad: Tensor, givenWeight: Tensor, givenShape: readonly number[], options?: GivenOptions): Tensor {
    checkOpen(op, context.heap);
    const found = inputGradOperands(op, rank, forward, givenGrad, givenWeight, givenShape, options, known);
    const { gradOutput, weight, settings, filter, shape } = found;
    const { pack, plan } = planner(op, planning, weight, filter, settings, true);
    const program: Program = {
      op,
      recordBytes: RECORD_BYTES,
      packedBytes: packedBytes(pack),
      packings: packings(weight, filter, settings, pack, isBack ? shape.inC : shape.outC),
      ...convCalls(() => shape, plan, settings, isBack),
    };
    return callOnce(program, context, gradOutput.shape, gradOutput, options?.out);
  }

  return call as InputGradOperation;
}
