/** Convolutions and their gradients, in up to three dimensions. */
import { forwardOperands, inputGradOperands, weightGradOperands } from '../operands.ts';
import { convFields, gradientFields, type Rank, without } from '../options.ts';
import type { FilterRole } from '../shape.ts';
import type { ConvGradSemantics, ConvSemantics, Tensor } from '../types.ts';
import { finish, rounded } from './finish.ts';
import { imageSums, resultSums, weightSums } from './sums.ts';

function convolution(op: string, rank: Rank, role: FilterRole, givenInput: Tensor, givenWeight: Tensor, options?: ConvSemantics): Tensor {
  const fields = role === 'depthwise' ? without(convFields, 'groups') : convFields;
  const { input, weight, settings, filter, shape } = forwardOperands(op, rank, role, givenInput, givenWeight, options, fields);
  const sums = resultSums(input.data, weight.data, shape, filter);
  return rounded(finish(sums, shape.outputShape, settings), shape.outputShape);
}

function inputGrad(rank: Rank, given: Tensor, givenWeight: Tensor, inputShape: readonly number[], options?: ConvGradSemantics): Tensor {
  const op = `conv${rank}dInputGrad`;
  const operands = inputGradOperands(op, rank, 'conv', given, givenWeight, inputShape, options, gradientFields);
  const { gradOutput, weight, shape, filter } = operands;
  return rounded(imageSums(gradOutput.data, weight.data, shape, filter), shape.inputShape);
}

function weightGrad(rank: Rank, givenInput: Tensor, given: Tensor, givenShape: readonly number[], options?: ConvGradSemantics): Tensor {
  const op = `conv${rank}dWeightGrad`;
  const operands = weightGradOperands(op, rank, 'conv', givenInput, given, givenShape, options, gradientFields);
  const { input, gradOutput, weightShape, shape, filter } = operands;
  return rounded(weightSums(input.data, gradOutput.data, shape, filter), weightShape);
}

/**
 * 2-D convolution (cross-correlation: the kernel is not flipped) with sums in float64.
 *
 * @param input  `[batch, inC, H, W]`, or `[batch, H, W, inC]` with `inputLayout: 'nhwc'`
 * @param weight `[outC, inC / groups, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outH, outW]` in the input's layout
 * @throws TypeError for the wrong kind of thing, RangeError for the wrong value
 */
export function conv2d(input: Tensor, weight: Tensor, options?: ConvSemantics): Tensor {
  return convolution('conv2d', 2, 'conv', input, weight, options);
}

/** As `conv2d` in one dimension: input `[batch, inC, W]`, weight `[outC, inC / groups, kW]`. */
export function conv1d(input: Tensor, weight: Tensor, options?: ConvSemantics): Tensor {
  return convolution('conv1d', 1, 'conv', input, weight, options);
}

/** As `conv2d` in three dimensions: input `[batch, inC, D, H, W]`, weight `[outC, inC / groups, kD, kH, kW]`. */
export function conv3d(input: Tensor, weight: Tensor, options?: ConvSemantics): Tensor {
  return convolution('conv3d', 3, 'conv', input, weight, options);
}

/** As `conv2d` with a group for each input channel; weight `[inC · multiplier, 1, kH, kW]`. */
export function depthwiseConv2d(input: Tensor, weight: Tensor, options?: Omit<ConvSemantics, 'groups'>): Tensor {
  return convolution('depthwiseConv2d', 2, 'depthwise', input, weight, options);
}

/**
 * Gradient of `conv2d` with respect to its input.
 *
 * @param gradOutput of the shape of the forward result
 * @param inputShape the whole shape of the forward input, in `inputLayout`
 * @param options    those of the forward call that change its geometry
 * @returns a tensor of `inputShape`
 */
export function conv2dInputGrad(gradOutput: Tensor, weight: Tensor, inputShape: readonly number[], options?: ConvGradSemantics): Tensor {
  return inputGrad(2, gradOutput, weight, inputShape, options);
}

/** As `conv2dInputGrad` in one dimension. */
export function conv1dInputGrad(gradOutput: Tensor, weight: Tensor, inputShape: readonly number[], options?: ConvGradSemantics): Tensor {
  return inputGrad(1, gradOutput, weight, inputShape, options);
}

/** As `conv2dInputGrad` in three dimensions. */
export function conv3dInputGrad(gradOutput: Tensor, weight: Tensor, inputShape: readonly number[], options?: ConvGradSemantics): Tensor {
  return inputGrad(3, gradOutput, weight, inputShape, options);
}

/**
 * Gradient of `conv2d` with respect to its weight: a sum over the batch and all pixels.
 *
 * @param weightShape the whole shape of the weight, in `filterLayout`
 * @returns a tensor of `weightShape`
 */
export function conv2dWeightGrad(input: Tensor, gradOutput: Tensor, weightShape: readonly number[], options?: ConvGradSemantics): Tensor {
  return weightGrad(2, input, gradOutput, weightShape, options);
}

/** As `conv2dWeightGrad` in one dimension. */
export function conv1dWeightGrad(input: Tensor, gradOutput: Tensor, weightShape: readonly number[], options?: ConvGradSemantics): Tensor {
  return weightGrad(1, input, gradOutput, weightShape, options);
}

/** As `conv2dWeightGrad` in three dimensions. */
export function conv3dWeightGrad(input: Tensor, gradOutput: Tensor, weightShape: readonly number[], options?: ConvGradSemantics): Tensor {
  return weightGrad(3, input, gradOutput, weightShape, options);
}
