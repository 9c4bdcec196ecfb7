/** How the engine is asked for each operation. */
import type {
  Accuracy,
  Algorithm,
  Engine,
  EngineTensor,
  InputGradOperation,
  InputLayout,
  Layer,
  Plan,
  Tensor,
  WeightGradOperation,
} from '../src/types.ts';
import { dimsInLayout, inLayout, type Layout, type Problem, weightedSteps } from './problem.ts';
import type { LayerShape } from './shapes.ts';

/** Where a caller may have the result written. */
export type Out = EngineTensor | Float32Array;

/** What a caller may ask for beside the problem. */
export interface Method {
  readonly algorithm?: Algorithm;
  readonly accuracy?: Accuracy;
}

/** A call with its operands at hand. */
export interface Prepared {
  run(): Tensor;
  dispose(): void;
}

/** How the engine is asked for a problem. */
export interface Calls {
  /**
   * With the weights packed, where the operation can do that.
   * @param hold says where an operand lies that is given to each call
   * @param out where the result goes; a fresh array when there is none
   */
  prepared(hold: (operand: Tensor) => Tensor, out?: Out): Prepared;
  /** From arrays, with nothing packed; undefined where `prepared` packs nothing either. */
  readonly oneShot?: () => Tensor;
  /** How the prepared call would be computed; undefined where `prepared` packs nothing. */
  readonly plan?: () => Plan;
}

const tags = { nchw: ['ncw', 'nchw', 'ncdhw'], nhwc: ['nwc', 'nhwc', 'ndhwc'] } as const satisfies Record<Layout, readonly InputLayout[]>;

/** What belongs to the rank of the layer, of things for one, two and three dimensions. */
function ofRank<T>({ axes }: LayerShape, [one, two, three]: readonly [T, T, T]): T {
  return axes.length === 1 ? one : axes.length === 2 ? two : three;
}

function geometryOf(shape: LayerShape, layout: Layout) {
  return {
    stride: shape.axes.map((axis) => axis.stride),
    dilation: shape.axes.map((axis) => axis.dilation),
    padding: shape.axes.map(({ padBegin, padEnd }) => [padBegin, padEnd] as const),
    inputLayout: ofRank(shape, tags[layout]),
  };
}

function layerCalls(input: Tensor, prepare: () => Layer, oneShot: () => Tensor): Calls {
  return {
    prepared: (hold, out) => {
      const [layer, held] = [prepare(), hold(input)];
      return { run: out ? () => layer.run(held, { out }) : () => layer.run(held), dispose: () => layer.dispose() };
    },
    oneShot,
    plan: () => {
      const layer = prepare();
      try {
        return layer.plan(input.shape);
      } finally {
        layer.dispose();
      }
    },
  };
}

/** Gradients have no weights to pack. */
function gradientCalls(first: Tensor, second: Tensor, gradient: (first: Tensor, second: Tensor, out: Out | undefined) => Tensor): Calls {
  return {
    prepared: (hold, out) => {
      const [a, b] = [hold(first), hold(second)];
      return { run: () => gradient(a, b, out), dispose: () => {} };
    },
  };
}

export function callsOf(engine: Engine, problem: Problem, layout: Layout, method: Method = {}): Calls {
  const { shape, operands, resultDims } = problem;
  // What an operation has not, its case does not read.
  const [first, second, third = second, fourth = second] = operands;
  const input = inLayout(first, layout);
  const plain = { ...geometryOf(shape, layout), ...method };
  const grouped = { ...plain, groups: shape.groups };
  switch (shape.operation) {
    case 'conv': {
      const conv = ofRank(shape, [engine.conv1d, engine.conv2d, engine.conv3d]);
      return layerCalls(
        input,
        () => conv.prepare(second, grouped),
        () => conv(input, second, grouped),
      );
    }
    case 'deconv': {
      const conv = ofRank(shape, [engine.convTranspose1d, engine.convTranspose2d, engine.convTranspose3d]);
      return layerCalls(
        input,
        () => conv.prepare(second, grouped),
        () => conv(input, second, grouped),
      );
    }
    case 'gaussian': {
      const { depthwiseConv2d } = engine;
      return layerCalls(
        input,
        () => depthwiseConv2d.prepare(second, plain),
        () => depthwiseConv2d(input, second, plain),
      );
    }
    case 'separable': {
      const { separableConv2d } = engine;
      return layerCalls(
        input,
        () => separableConv2d.prepare(second, third, plain),
        () => separableConv2d(input, second, third, plain),
      );
    }
    case 'spatial': {
      const { spatialSeparableConv2d } = engine;
      return layerCalls(
        input,
        () => spatialSeparableConv2d.prepare(second, third, grouped),
        () => spatialSeparableConv2d(input, second, third, grouped),
      );
    }
    case 'flattened': {
      const { flattenedConv2d } = engine;
      const weights = { channel: second, vertical: third, horizontal: fourth };
      return layerCalls(
        input,
        () => flattenedConv2d.prepare(weights, plain),
        () => flattenedConv2d(input, weights, plain),
      );
    }
    case 'bwd_d':
    case 'deconv_bwd_d': {
      const grad = ofRank<InputGradOperation>(
        shape,
        shape.operation === 'bwd_d'
          ? [engine.conv1dInputGrad, engine.conv2dInputGrad, engine.conv3dInputGrad]
          : [engine.convTranspose1dInputGrad, engine.convTranspose2dInputGrad, engine.convTranspose3dInputGrad],
      );
      const inputShape = dimsInLayout(resultDims, layout);
      return gradientCalls(input, second, (gradOutput, weight, out) => grad(gradOutput, weight, inputShape, { ...grouped, out }));
    }
    case 'bwd_w':
    case 'deconv_bwd_w': {
      const grad = ofRank<WeightGradOperation>(
        shape,
        shape.operation === 'bwd_w'
          ? [engine.conv1dWeightGrad, engine.conv2dWeightGrad, engine.conv3dWeightGrad]
          : [engine.convTranspose1dWeightGrad, engine.convTranspose2dWeightGrad, engine.convTranspose3dWeightGrad],
      );
      return gradientCalls(input, inLayout(second, layout), (x, gradOutput, out) => grad(x, gradOutput, resultDims, { ...grouped, out }));
    }
  }
}

/** Depthwise, then pointwise: what a separable convolution is without the fused operation. The result of the first stays in the engine. */
export function twoCalls(engine: Engine, problem: Problem, layout: Layout): Calls {
  const { shape, operands } = problem;
  const [first] = operands;
  const [depthwise, pointwise] = (weightedSteps(problem) ?? []).map(({ weight }) => weight);
  if (!depthwise || !pointwise) throw new RangeError(`${shape.operation} is not made of two calls`);
  const geometry = geometryOf(shape, layout);
  return {
    prepared: (hold, out) => {
      const input = hold(inLayout(first, layout));
      const one = engine.depthwiseConv2d.prepare(depthwise, geometry);
      const two = engine.conv2d.prepare(pointwise, { inputLayout: geometry.inputLayout });
      const between = engine.alloc(one.plan(input.shape).outputShape);
      return {
        run: () => {
          one.run(input, { out: between });
          return out ? two.run(between, { out }) : two.run(between);
        },
        dispose: () => {
          for (const held of [between, two, one]) held.dispose();
        },
      };
    },
  };
}
