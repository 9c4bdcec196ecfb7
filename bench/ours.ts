/** The engine as a contestant, in each of the ways a user calls it. */
import type { Accuracy, Algorithm, Engine, EngineTensor, InputLayout, Layer, Tensor } from '../src/types.ts';
import type { ContestantName, SyncContestant } from './contestant.ts';
import { dimsInLayout, inLayout, type Layout, makeProblem, type Problem, pointwiseOf, toChannelsFirst } from './problem.ts';
import type { LayerShape } from './shapes.ts';

interface Method {
  readonly algorithm?: Algorithm;
  readonly accuracy?: Accuracy;
}

/** A call with its operands at hand. */
interface Prepared {
  run(): Tensor;
  dispose(): void;
}

/** How the engine is asked for a problem. */
interface Calls {
  /**
   * With the weights packed, where the operation can do that.
   * @param hold says where an operand lies that is given to each call
   * @param out where the result goes; a fresh array when there is none
   */
  prepared(hold: (operand: Tensor) => Tensor, out?: EngineTensor): Prepared;
  /** From arrays, with nothing packed; undefined where `prepared` packs nothing either. */
  readonly oneShot?: () => Tensor;
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
  };
}

/** Gradients have no weights to pack. */
function gradientCalls(
  first: Tensor,
  second: Tensor,
  gradient: (first: Tensor, second: Tensor, out: EngineTensor | undefined) => Tensor,
): Calls {
  return {
    prepared: (hold, out) => {
      const [a, b] = [hold(first), hold(second)];
      return { run: () => gradient(a, b, out), dispose: () => {} };
    },
  };
}

function callsOf(engine: Engine, problem: Problem, layout: Layout, method: Method = {}): Calls {
  const { shape, operands, resultDims } = problem;
  const [first, second] = operands;
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
      const pointwise = pointwiseOf(problem);
      const prepare = () => separableConv2d.prepare(second, pointwise, plain);
      return layerCalls(input, prepare, () => separableConv2d(input, second, pointwise, plain));
    }
    case 'bwd_d': {
      const grad = ofRank(shape, [engine.conv1dInputGrad, engine.conv2dInputGrad, engine.conv3dInputGrad]);
      const inputShape = dimsInLayout(resultDims, layout);
      return gradientCalls(input, second, (gradOutput, weight, out) => grad(gradOutput, weight, inputShape, { ...grouped, out }));
    }
    case 'bwd_w': {
      const grad = ofRank(shape, [engine.conv1dWeightGrad, engine.conv2dWeightGrad, engine.conv3dWeightGrad]);
      return gradientCalls(input, inLayout(second, layout), (x, gradOutput, out) => grad(x, gradOutput, resultDims, { ...grouped, out }));
    }
  }
}

/** Depthwise, then pointwise: what a separable convolution is without the fused operation. The result of the first stays in the engine. */
function twoCalls(engine: Engine, problem: Problem, layout: Layout): Calls {
  const { shape, operands } = problem;
  const [first, depthwise] = operands;
  const geometry = geometryOf(shape, layout);
  return {
    prepared: (hold, out) => {
      const input = hold(inLayout(first, layout));
      const one = engine.depthwiseConv2d.prepare(depthwise, geometry);
      const two = engine.conv2d.prepare(pointwiseOf(problem), { inputLayout: geometry.inputLayout });
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

/** A result as the engine gives it → channels first. Weights have no channels that could stand elsewhere. */
function fromLayout({ shape, resultDims }: Problem, data: Float32Array, layout: Layout): Float32Array {
  return toChannelsFirst(data, resultDims, shape.operation === 'bwd_w' ? 'nchw' : layout);
}

/** Prepared; nothing is copied. */
function onTensors(engine: Engine, name: ContestantName, problem: Problem, layout: Layout, calls: Calls): SyncContestant {
  const held: EngineTensor[] = [];
  const alloc = (dims: readonly number[]): EngineTensor => {
    const tensor = engine.alloc(dims);
    held.push(tensor);
    return tensor;
  };
  const hold = ({ data, shape }: Tensor): Tensor => {
    const tensor = alloc(shape);
    tensor.data.set(data);
    return tensor;
  };
  const out = alloc(problem.shape.operation === 'bwd_w' ? problem.resultDims : dimsInLayout(problem.resultDims, layout));
  const call = calls.prepared(hold, out);
  return {
    name,
    computes: problem,
    run: () => {
      call.run();
    },
    result: () => fromLayout(problem, out.data.slice(), layout),
    dispose: () => {
      for (const each of [call, ...held]) each.dispose();
    },
  };
}

/** Into a fresh array. */
function onArrays(name: ContestantName, problem: Problem, layout: Layout, call: Prepared): SyncContestant {
  let last: Tensor | undefined;
  return {
    name,
    run: () => {
      last = call.run();
    },
    result: () => fromLayout(problem, last?.data ?? new Float32Array(), layout),
    dispose: call.dispose,
  };
}

export function ourContestants(engine: Engine, problem: Problem, layouts: readonly Layout[]): SyncContestant[] {
  const { operation } = problem.shape;
  const isGradient = operation === 'bwd_d' || operation === 'bwd_w';
  // One problem for both layouts: its oracle need not compute twice.
  const forward = isGradient ? makeProblem({ ...problem.shape, operation: 'conv' }) : undefined;
  return layouts.flatMap((layout) => {
    const calls = callsOf(engine, problem, layout);
    const { oneShot } = calls;
    const contestants = [
      onTensors(engine, `${layout} tensors`, problem, layout, calls),
      onArrays(
        `${layout} arrays`,
        problem,
        layout,
        calls.prepared((operand) => operand),
      ),
    ];
    if (oneShot) contestants.push(onArrays(`${layout} one-shot`, problem, layout, { run: oneShot, dispose: () => {} }));
    if (operation === 'separable')
      contestants.push(onTensors(engine, `${layout} two calls`, problem, layout, twoCalls(engine, problem, layout)));
    if (operation === 'gaussian')
      contestants.push(onTensors(engine, `${layout} unfactored`, problem, layout, callsOf(engine, problem, layout, { accuracy: 'exact' })));
    if (forward)
      contestants.push(onTensors(engine, `${layout} forward`, forward, layout, callsOf(engine, forward, layout, { algorithm: 'gemm' })));
    return contestants;
  });
}
