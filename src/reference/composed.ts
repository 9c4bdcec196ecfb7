/** Operations of several convolutions. What lies between them is not rounded. */
import { convFields, without } from '../options.ts';
import { flattenedSteps, type Step, separableFields, separableSteps, spatialSteps, stepShapes } from '../steps.ts';
import { readTensor } from '../tensor.ts';
import type { ConvSemantics, FlattenedWeights, SeparableSemantics, Tensor } from '../types.ts';
import { finish, rounded } from './finish.ts';
import { resultSums } from './sums.ts';

function composed(op: string, given: Tensor, steps: readonly Step[]): Tensor {
  const input = readTensor(op, 'input', given);
  const shapes = stepShapes(op, input.shape, steps);
  let values: Float32Array | Float64Array = input.data;
  let result: Tensor | undefined;
  for (const [i, { weight, filter, settings }] of steps.entries()) {
    const shape = shapes[i] as (typeof shapes)[number];
    const finished = finish(resultSums(values, weight.data, shape, filter), shape.outputShape, settings);
    values = finished;
    result = i === steps.length - 1 ? rounded(finished, shape.outputShape) : undefined;
  }
  return result as Tensor;
}

/**
 * Depthwise, then 1×1 convolution.
 *
 * @param depthwise `[inC · m, 1, kH, kW]`
 * @param pointwise `[outC, inC · m, 1, 1]`
 */
export function separableConv2d(input: Tensor, depthwise: Tensor, pointwise: Tensor, options?: SeparableSemantics): Tensor {
  const op = 'separableConv2d';
  const fields = without(separableFields, 'groups');
  return composed(op, input, separableSteps(op, depthwise, pointwise, options, fields));
}

/**
 * Down, then along.
 *
 * @param column `[midC, inC / groups, kH, 1]`
 * @param row    `[outC, midC / groups, 1, kW]`
 */
export function spatialSeparableConv2d(input: Tensor, column: Tensor, row: Tensor, options?: ConvSemantics): Tensor {
  const op = 'spatialSeparableConv2d';
  return composed(op, input, spatialSteps(op, column, row, options, convFields));
}

/**
 * Across channels, then down, then along.
 *
 * @see https://arxiv.org/abs/1412.5474
 */
export function flattenedConv2d(
  input: Tensor,
  weights: FlattenedWeights,
  options?: Omit<ConvSemantics, 'groups' | 'filterLayout'>,
): Tensor {
  const op = 'flattenedConv2d';
  const fields = without(convFields, 'groups', 'filterLayout');
  return composed(op, input, flattenedSteps(op, weights, options, fields));
}
