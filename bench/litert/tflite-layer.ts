/** A layer as the operator of a TensorFlow Lite model, as TensorFlow's converter writes it. */
import { channelsLast, dimsInLayout, type Problem, turned } from '../problem.ts';
import type { Axis, LayerShape } from '../shapes.ts';
import { paddingOf, type TensorFlowPadding } from './tensorflow-padding.ts';
import type { TfliteOperator } from './tflite-model.ts';

const paddingCode = { SAME: 0, VALID: 1 } as const satisfies Record<TensorFlowPadding, number>;

/** Of a fused activation. */
const none = 0;

/** Whether TensorFlow Lite has an operator for it. */
export function isTfliteLayer({ operation, axes, groups }: LayerShape): boolean {
  if (axes.length !== 2) return false;
  return operation === 'conv' || (operation === 'deconv' && groups === 1 && axes.every(({ dilation }) => dilation === 1));
}

/** @param problem of a shape that `isTfliteLayer`, padded as in TensorFlow */
export function operatorOf({ shape, operands, resultDims }: Problem): TfliteOperator {
  const { operation, groups, inC, outC, axes } = shape;
  const [image, weight] = operands;
  const [height, width] = axes as [Axis, Axis];
  const input = { shape: channelsLast(image).shape };
  const outputShape = dimsInLayout(resultDims, 'nhwc');
  const padding = paddingCode[paddingOf(shape)];
  if (operation === 'deconv') {
    const size = { shape: [outputShape.length], data: Int32Array.from(outputShape) };
    const inputs = [size, turned(weight, [1, 2, 3, 0]), input];
    return { operator: 'TRANSPOSE_CONV', version: 1, inputs, outputShape, options: [padding, width.stride, height.stride] };
  }
  // The converter writes zeros where a layer has no bias.
  const bias = { shape: [outC], data: new Float32Array(outC) };
  const dilations = [width.dilation, height.dilation];
  if (groups > 1 && groups === inC) {
    const inputs = [input, turned(weight, [1, 2, 3, 0]), bias];
    const options = [padding, width.stride, height.stride, outC / inC, none, ...dilations];
    return { operator: 'DEPTHWISE_CONV_2D', version: 2, inputs, outputShape, options };
  }
  // Groups are told by filters of fewer channels than the input has.
  const inputs = [input, turned(weight, [0, 2, 3, 1]), bias];
  const options = [padding, width.stride, height.stride, none, ...dilations];
  return { operator: 'CONV_2D', version: groups > 1 ? 6 : 1, inputs, outputShape, options };
}
