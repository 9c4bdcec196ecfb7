/** A layer as the nodes of an ONNX model: what onnxruntime computes in WASM (ort.ts) and natively (ort-native.ts). */
import type { Tensor } from '../src/types.ts';
import type { OnnxNode } from './onnx.ts';
import { asConv, asTransposed } from './operations.ts';
import { type Problem, weightedSteps } from './problem.ts';
import type { LayerShape } from './shapes.ts';

/** The parts of both packages' interfaces that are alike. */
export interface OrtTensor {
  readonly data: Float32Array;
}

export interface OrtSession {
  run(feeds: { readonly x: OrtTensor }): Promise<{ readonly y: OrtTensor }>;
  release(): Promise<void>;
}

function nodeOf(shape: LayerShape, weight: Tensor): OnnxNode {
  const { operation, groups, axes } = shape;
  const attributes = {
    kernel_shape: axes.map((axis) => axis.kernel),
    strides: axes.map((axis) => axis.stride),
    dilations: axes.map((axis) => axis.dilation),
    pads: [...axes.map((axis) => axis.padBegin), ...axes.map((axis) => Math.max(0, axis.padEnd))],
    group: groups,
  };
  if (operation !== 'deconv') return { type: 'Conv', weight, attributes };
  return { type: 'ConvTranspose', weight, attributes: { ...attributes, output_padding: axes.map((axis) => Math.max(0, -axis.padEnd)) } };
}

/** The layer as nodes of a model; undefined where its weights would be no constants. */
export function nodesOf(problem: Problem): readonly OnnxNode[] | undefined {
  const { shape, operands } = problem;
  const [, weight] = operands;
  switch (shape.operation) {
    case 'conv':
    case 'deconv':
    case 'gaussian':
      return [nodeOf(shape, weight)];
    case 'bwd_d':
      return [nodeOf(asTransposed(shape), weight)];
    case 'deconv_bwd_d':
      return [nodeOf(asConv(shape), weight)];
    case 'separable':
    case 'spatial':
    case 'flattened':
      return weightedSteps(problem)?.map((step) => nodeOf(step.shape, step.weight));
    case 'bwd_w':
    case 'deconv_bwd_w':
      return undefined;
  }
}
