/** Every `conv`, `depthwiseConv` and `convTranspose` of the conformance cases: none of them is left out. */
import type { Tensor } from '../src/index.ts';
import {
  activationOf,
  type Case,
  casesOf,
  eachCase,
  expectCase,
  type Implementation,
  operation,
  paddingsOf,
  tensorOf,
  weightOf,
} from './conformance-cases.ts';

/** Options that all of them share. */
function optionsOf({ attrs, bias, weight }: Case) {
  const made = weightOf(weight, attrs.filterLayout);
  const options = {
    bias: bias && tensorOf(bias),
    stride: attrs.strides,
    dilation: attrs.dilations,
    paddingMode: attrs.paddingMode,
    inputLayout: attrs.inputLayout,
    filterLayout: made.filterLayout,
    activation: activationOf(attrs).inside,
  };
  return { weight: made.weight, options };
}

function convolution(given: Case, implementation: Implementation): void {
  const { attrs, expected, tolerance } = given;
  const { weight, options } = optionsOf(given);
  const input = tensorOf(given.input);
  for (const padding of paddingsOf(attrs)) {
    const conv = operation(implementation, `conv${attrs.spatialRank}d`);
    const results = [conv(input, weight, { ...options, padding, groups: attrs.group })];
    if (given.op === 'depthwiseConv') results.push(operation(implementation, 'depthwiseConv2d')(input, weight, { ...options, padding }));
    for (const result of results) expectCase(result, expected, tolerance, activationOf(attrs).after);
  }
}

/** What decides the size of a transposed result: the pads it came to with their output padding, the rule, the size itself. */
function transposed(given: Case, implementation: Implementation): void {
  const { attrs, expected, tolerance } = given;
  const { weight, options } = optionsOf(given);
  const [pairs, ...rules] = paddingsOf(attrs);
  const sizes: Record<string, unknown>[] = [{ padding: pairs, outputPadding: attrs.resolvedOutputPadding }];
  for (const rule of rules) sizes.push({ padding: rule });
  if (attrs.outputShape) sizes.push({ padding: pairs, outputSize: attrs.outputShape });
  for (const size of sizes) {
    const call = operation(implementation, `convTranspose${attrs.spatialRank}d`);
    const result: Tensor = call(tensorOf(given.input), weight, { ...options, groups: attrs.group, ...size });
    expectCase(result, expected, tolerance, activationOf(attrs).after);
  }
}

eachCase('convolution', 180, casesOf('conv', 'depthwiseConv'), convolution);
eachCase('transposed convolution', 89, casesOf('convTranspose'), transposed);
