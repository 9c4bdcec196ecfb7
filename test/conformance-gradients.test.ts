/**
 * Gradients of the conformance cases: TensorFlow's two operators, and the three gradients beside PyTorch's forward cases. The library has none through a
 * padding mode other than zeros: of those five cases the bias gradient is compared, and that the two others are refused.
 */
import { expect, it } from 'vitest';
import {
  type Case,
  cases,
  casesOf,
  eachCase,
  expectCase,
  type Implementation,
  type Operand,
  operation,
  paddingsOf,
  present,
  tensorOf,
  weightOf,
} from './conformance-cases.ts';

function optionsOf({ attrs, weight, op }: Case, padding: unknown) {
  return {
    stride: attrs.strides,
    dilation: attrs.dilations,
    padding,
    groups: attrs.group,
    inputLayout: attrs.inputLayout,
    filterLayout: weight === undefined ? attrs.filterLayout : weightOf(weight, attrs.filterLayout).filterLayout,
    ...(op === 'convTranspose' ? { outputPadding: attrs.resolvedOutputPadding } : {}),
  };
}

eachCase('input gradient', 3, casesOf('convGradInput'), (given, implementation) => {
  const { attrs, expected, tolerance, weight } = given;
  const gradOutput = tensorOf(given.gradOutput as Operand);
  for (const padding of paddingsOf(attrs)) {
    const call = operation(implementation, `conv${attrs.spatialRank}dInputGrad`);
    expectCase(call(gradOutput, tensorOf(weight), attrs.inputShape, optionsOf(given, padding)), expected, tolerance);
  }
});

eachCase('weight gradient', 4, casesOf('convGradWeight'), (given, implementation) => {
  const { attrs, expected, tolerance, input } = given;
  const gradOutput = tensorOf(given.gradOutput as Operand);
  for (const padding of paddingsOf(attrs)) {
    const call = operation(implementation, `conv${attrs.spatialRank}dWeightGrad`);
    expectCase(call(tensorOf(input), gradOutput, attrs.weightShape, optionsOf(given, padding)), expected, tolerance);
  }
});

function allThree(given: Case, implementation: Implementation): void {
  const { attrs, tolerance } = given;
  const grads = given.grads as NonNullable<Case['grads']>;
  const { weight } = weightOf(given.weight, attrs.filterLayout);
  const [input, gradOutput] = [tensorOf(given.input), tensorOf(grads.gradOutput)];
  const prefix = `${given.op === 'convTranspose' ? 'convTranspose' : 'conv'}${attrs.spatialRank}d` as const;
  const [inputGrad, weightGrad] = [operation(implementation, `${prefix}InputGrad`), operation(implementation, `${prefix}WeightGrad`)];
  const within = (what: 'input' | 'weight' | 'bias') => ({ metric: 'atol', atol: tolerance.gradAtol?.[what] as number });
  expect(attrs.activation).toBeNull();
  for (const padding of paddingsOf(attrs)) {
    const options = { ...optionsOf(given, padding), paddingMode: attrs.paddingMode };
    if (options.paddingMode !== undefined && options.paddingMode !== 'zeros') {
      const refused = expect.objectContaining({ code: 'ERR_UNSUPPORTED' });
      expect(() => inputGrad(gradOutput, weight, input.shape, options)).toThrow(refused);
      expect(() => weightGrad(input, gradOutput, weight.shape, options)).toThrow(refused);
      continue;
    }
    expectCase(inputGrad(gradOutput, weight, input.shape, options), grads.input, within('input'));
    expectCase(weightGrad(input, gradOutput, weight.shape, options), grads.weight, within('weight'));
  }
  if (!grads.bias) return;
  expectCase(operation(implementation, 'biasGrad')(gradOutput, { inputLayout: attrs.inputLayout }), grads.bias, within('bias'));
}

const complete = cases.filter(({ grads }) => grads);
eachCase('all gradients', 33, complete, allThree);

it('five of them have a border that is not of zeros', () => {
  expect(complete.filter(({ attrs }) => (attrs.paddingMode ?? 'zeros') !== 'zeros')).toHaveLength(present ? 5 : 0);
});
