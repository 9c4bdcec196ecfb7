/** Arguments of convolutions, transposed convolutions and their gradients → tensors that were read once, settings, shapes. */
import { wrongValue } from './check.ts';
import { type ConvSettings, convSettings, type Rank } from './options.ts';
import { type ConvShape, convShape, type FilterRole, type FilterShape, filterShape } from './shape.ts';
import { checkShape, copiedShape, readTensor } from './tensor.ts';
import { type GivenOptions, transposedSettings } from './transposed-options.ts';
import { transposedShape } from './transposed-shape.ts';
import type { Tensor } from './types.ts';

export interface Operands {
  readonly settings: ConvSettings;
  readonly filter: FilterShape;
  readonly shape: ConvShape;
}

function settingsFor(role: FilterRole): typeof transposedSettings {
  return role === 'transposed' ? transposedSettings : convSettings;
}

/** Shape of a result and an operand of it, by what is computed. */
function shapeFor(role: FilterRole): typeof convShape {
  return role === 'transposed' ? transposedShape : convShape;
}

/** @throws TypeError, RangeError unless `input` and `weight` fit each other and the options */
export function forwardOperands(
  op: string,
  rank: Rank,
  role: FilterRole,
  givenInput: unknown,
  givenWeight: unknown,
  options: GivenOptions | undefined,
  fields: readonly string[],
): Operands & { readonly input: Tensor; readonly weight: Tensor } {
  const settings = settingsFor(role)(op, rank, options, fields);
  const input = readTensor(op, 'input', givenInput);
  const weight = readTensor(op, 'weight', givenWeight);
  const filter = filterShape(op, 'weight.shape', weight.shape, settings, role);
  return { input, weight, settings, filter, shape: shapeFor(role)(op, input.shape, filter, settings) };
}

/** The gradient that comes in has the shape of the result of the forward call. */
function checkGradOutput(op: string, gradOutput: Tensor, shape: ConvShape, role: FilterRole): void {
  const forward = role === 'transposed' ? shape.inputShape : shape.outputShape;
  const same = gradOutput.shape.length === forward.length && forward.every((size, i) => size === gradOutput.shape[i]);
  if (!same) throw wrongValue(op, 'gradOutput.shape', `that of the forward result, [${forward.join(', ')}]`, gradOutput.shape);
}

/** A shape that is given as such, read once. */
function readShape(op: string, what: string, given: unknown): readonly number[] {
  const shape = copiedShape(given);
  checkShape(op, what, shape);
  return shape;
}

/** Operands of a gradient with respect to the input, which has the shape `inputShape`. */
export function inputGradOperands(
  op: string,
  rank: Rank,
  role: FilterRole,
  givenGradOutput: unknown,
  givenWeight: unknown,
  givenShape: unknown,
  options: GivenOptions | undefined,
  fields: readonly string[],
): Operands & { readonly gradOutput: Tensor; readonly weight: Tensor } {
  const settings = settingsFor(role)(op, rank, options, fields);
  const gradOutput = readTensor(op, 'gradOutput', givenGradOutput);
  const weight = readTensor(op, 'weight', givenWeight);
  const inputShape = readShape(op, 'inputShape', givenShape);
  const filter = filterShape(op, 'weight.shape', weight.shape, settings, role);
  const shape = shapeFor(role)(op, inputShape, filter, settings, ['inputShape', 'weight.shape']);
  checkGradOutput(op, gradOutput, shape, role);
  return { gradOutput, weight, settings, filter, shape };
}

/** Operands of a gradient with respect to the weight, which has the shape `weightShape`. */
export function weightGradOperands(
  op: string,
  rank: Rank,
  role: FilterRole,
  givenInput: unknown,
  givenGradOutput: unknown,
  givenShape: unknown,
  options: GivenOptions | undefined,
  fields: readonly string[],
): Operands & { readonly input: Tensor; readonly gradOutput: Tensor; readonly weightShape: readonly number[] } {
  const settings = settingsFor(role)(op, rank, options, fields);
  const input = readTensor(op, 'input', givenInput);
  const gradOutput = readTensor(op, 'gradOutput', givenGradOutput);
  const weightShape = readShape(op, 'weightShape', givenShape);
  const filter = filterShape(op, 'weightShape', weightShape, settings, role);
  const shape = shapeFor(role)(op, input.shape, filter, settings, ['input.shape', 'weightShape']);
  checkGradOutput(op, gradOutput, shape, role);
  return { input, gradOutput, weightShape, settings, filter, shape };
}
