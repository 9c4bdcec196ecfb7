/** Transposed convolutions and their gradients: those of a convolution, from the other side. */
import { forwardOperands, inputGradOperands, weightGradOperands } from '../operands.ts';
import type { Rank } from '../options.ts';
import { transposedFields, transposedGradientFields } from '../transposed-options.ts';
import type { ConvTransposeSemantics, GradSemantics, Tensor } from '../types.ts';
import { finish, rounded } from './finish.ts';
import { imageSums, resultSums, weightSums } from './sums.ts';

function transposed(rank: Rank, givenInput: Tensor, givenWeight: Tensor, options?: ConvTransposeSemantics): Tensor {
  const op = `convTranspose${rank}d`;
  const operands = forwardOperands(op, rank, 'transposed', givenInput, givenWeight, options, transposedFields);
  const { input, weight, settings, filter, shape } = operands;
  const sums = imageSums(input.data, weight.data, shape, filter);
  return rounded(finish(sums, shape.inputShape, settings), shape.inputShape);
}

function inputGrad(rank: Rank, given: Tensor, givenWeight: Tensor, inputShape: readonly number[], options?: GradSemantics): Tensor {
  const op = `convTranspose${rank}dInputGrad`;
  const operands = inputGradOperands(op, rank, 'transposed', given, givenWeight, inputShape, options, transposedGradientFields);
  const { gradOutput, weight, shape, filter } = operands;
  return rounded(resultSums(gradOutput.data, weight.data, shape, filter), shape.outputShape);
}

function weightGrad(rank: Rank, givenInput: Tensor, given: Tensor, givenShape: readonly number[], options?: GradSemantics): Tensor {
  const op = `convTranspose${rank}dWeightGrad`;
  const operands = weightGradOperands(op, rank, 'transposed', givenInput, given, givenShape, options, transposedGradientFields);
  const { input, gradOutput, weightShape, shape, filter } = operands;
  return rounded(weightSums(gradOutput.data, input.data, shape, filter), weightShape);
}

/**
 * 2-D transposed convolution with sums in float64.
 *
 * @param input  `[batch, inC, H, W]`, or `[batch, H, W, inC]` with `inputLayout: 'nhwc'`
 * @param weight `[inC, outC / groups, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outH, outW]` in the input's layout
 * @throws TypeError for the wrong kind of thing, RangeError for the wrong value
 */
export function convTranspose2d(input: Tensor, weight: Tensor, options?: ConvTransposeSemantics): Tensor {
  return transposed(2, input, weight, options);
}

/** As `convTranspose2d` in one dimension. */
export function convTranspose1d(input: Tensor, weight: Tensor, options?: ConvTransposeSemantics): Tensor {
  return transposed(1, input, weight, options);
}

/** As `convTranspose2d` in three dimensions. */
export function convTranspose3d(input: Tensor, weight: Tensor, options?: ConvTransposeSemantics): Tensor {
  return transposed(3, input, weight, options);
}

/** As `conv2dInputGrad`, of `convTranspose2d`. */
export function convTranspose2dInputGrad(
  gradOutput: Tensor,
  weight: Tensor,
  inputShape: readonly number[],
  options?: GradSemantics,
): Tensor {
  return inputGrad(2, gradOutput, weight, inputShape, options);
}

/** As `conv1dInputGrad`, of `convTranspose1d`. */
export function convTranspose1dInputGrad(
  gradOutput: Tensor,
  weight: Tensor,
  inputShape: readonly number[],
  options?: GradSemantics,
): Tensor {
  return inputGrad(1, gradOutput, weight, inputShape, options);
}

/** As `conv3dInputGrad`, of `convTranspose3d`. */
export function convTranspose3dInputGrad(
  gradOutput: Tensor,
  weight: Tensor,
  inputShape: readonly number[],
  options?: GradSemantics,
): Tensor {
  return inputGrad(3, gradOutput, weight, inputShape, options);
}

/** As `conv2dWeightGrad`, of `convTranspose2d`. */
export function convTranspose2dWeightGrad(
  input: Tensor,
  gradOutput: Tensor,
  weightShape: readonly number[],
  options?: GradSemantics,
): Tensor {
  return weightGrad(2, input, gradOutput, weightShape, options);
}

/** As `conv1dWeightGrad`, of `convTranspose1d`. */
export function convTranspose1dWeightGrad(
  input: Tensor,
  gradOutput: Tensor,
  weightShape: readonly number[],
  options?: GradSemantics,
): Tensor {
  return weightGrad(1, input, gradOutput, weightShape, options);
}

/** As `conv3dWeightGrad`, of `convTranspose3d`. */
export function convTranspose3dWeightGrad(
  input: Tensor,
  gradOutput: Tensor,
  weightShape: readonly number[],
  options?: GradSemantics,
): Tensor {
  return weightGrad(3, input, gradOutput, weightShape, options);
}
