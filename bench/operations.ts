/** What each operation reads and writes, what it costs, and which convolutions it is made of. Everything here is channels first. */
import type { Axis, LayerShape } from './shapes.ts';

type Dims = readonly number[];

export interface OperandDims {
  /** In the order of the engine's arguments. */
  readonly operands: readonly [first: Dims, second: Dims, ...further: Dims[]];
  readonly result: Dims;
}

const product = (values: Dims): number => values.reduce((a, b) => a * b, 1);
const sum = (values: Dims): number => values.reduce((a, b) => a + b, 0);
const along = (axes: readonly Axis[], size: 'input' | 'output' | 'kernel'): number[] => axes.map((axis) => axis[size]);

export function dimsOf({ operation, batch, groups, inC, outC, axes }: LayerShape): OperandDims {
  const kernel = along(axes, 'kernel');
  const [kH = 1, kW = 1] = kernel;
  const before = [batch, inC, ...along(axes, 'input')];
  const after = [batch, outC, ...along(axes, 'output')];
  const weight = [outC, inC / groups, ...kernel];
  const transposedWeight = [inC, outC / groups, ...kernel];
  switch (operation) {
    case 'conv':
    case 'gaussian':
      return { operands: [before, weight], result: after };
    case 'deconv':
      return { operands: [before, transposedWeight], result: after };
    case 'separable':
      return { operands: [before, [inC, 1, ...kernel], [outC, inC, 1, 1]], result: after };
    case 'spatial':
      return { operands: [before, [outC, inC / groups, kH, 1], [outC, outC / groups, 1, kW]], result: after };
    case 'flattened':
      return { operands: [before, [outC, inC], [outC, kH], [outC, kW]], result: after };
    case 'bwd_d':
      return { operands: [after, weight], result: before };
    case 'bwd_w':
      return { operands: [before, after], result: weight };
    case 'deconv_bwd_d':
      return { operands: [after, transposedWeight], result: before };
    case 'deconv_bwd_w':
      return { operands: [before, after], result: transposedWeight };
  }
}

/** The axis where nothing is left to do: one tap, on every cell of what the steps before have made of it. */
const passed = (size: number): Axis => ({ input: size, output: size, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 });

/** The convolutions that a composed operation runs one after the other; undefined for others. */
export function stepsOf(shape: LayerShape): readonly LayerShape[] | undefined {
  const { operation, inC, outC, axes } = shape;
  const step = (changes: Partial<LayerShape>): LayerShape => ({ ...shape, operation: 'conv', groups: 1, ...changes });
  const [height, width] = axes;
  if (!height || !width) return undefined;
  // Down first: the step along already has the height of the result.
  const [down, alongRows] = [
    [height, passed(width.input)],
    [passed(height.output), width],
  ];
  switch (operation) {
    case 'separable':
      return [step({ outC: inC, groups: inC }), step({ axes: axes.map(({ output }) => passed(output)) })];
    case 'spatial': {
      const { groups } = shape;
      return [step({ groups, axes: down }), step({ groups, inC: outC, axes: alongRows })];
    }
    case 'flattened': {
      const each = { inC: outC, groups: outC };
      return [step({ axes: axes.map(({ input }) => passed(input)) }), step({ ...each, axes: down }), step({ ...each, axes: alongRows })];
    }
    default:
      return undefined;
  }
}

/** 2 × the multiply-adds of the direct sum, padded taps included, whatever the algorithm. A gradient has as many as its convolution. */
export function flopsOf(shape: LayerShape): number {
  const steps = stepsOf(shape);
  if (steps) return sum(steps.map(flopsOf));
  const { operation, batch, groups, inC, outC, axes } = shape;
  const pixels = batch * product(along(axes, operation.startsWith('deconv') ? 'input' : 'output'));
  return (2 * pixels * inC * outC * product(along(axes, 'kernel'))) / groups;
}

/** Of a kernel that scatters: how many of its taps can fall on one cell. */
const tapsOnCell = ({ kernel, stride, dilation }: Axis): number => (dilation === 1 ? Math.ceil(kernel / stride) : kernel);

/** Products summed into one value of the result. */
export function productsOf(shape: LayerShape): number {
  const { operation, batch, groups, inC, outC, axes } = shape;
  switch (operation) {
    case 'conv':
    case 'gaussian':
      return (inC / groups) * product(along(axes, 'kernel'));
    case 'separable':
    case 'spatial':
    case 'flattened':
      return product((stepsOf(shape) ?? []).map(productsOf));
    case 'deconv':
      return (inC / groups) * product(axes.map(tapsOnCell));
    case 'bwd_d':
      return (outC / groups) * product(axes.map(tapsOnCell));
    case 'bwd_w':
      return batch * product(along(axes, 'output'));
    case 'deconv_bwd_d':
      return (outC / groups) * product(along(axes, 'kernel'));
    case 'deconv_bwd_w':
      return batch * product(along(axes, 'input'));
  }
}

/**
 * The gradient of a convolution's input is the transposed convolution of its result's gradient, with the same weights.
 * `padEnd` is negative where the convolution's last window ends before the image does: those cells are 0.
 */
export function asTransposed(shape: LayerShape): LayerShape {
  const turned = (axis: Axis): Axis => {
    const extent = (axis.kernel - 1) * axis.dilation + 1;
    const padEnd = (axis.output - 1) * axis.stride + extent - axis.input - axis.padBegin;
    return { ...axis, input: axis.output, output: axis.input, padEnd };
  };
  return { ...shape, operation: 'deconv', inC: shape.outC, outC: shape.inC, axes: shape.axes.map(turned) };
}

/** The convolution that a transposed one runs backwards: from its result to its input, with the same weights. */
export function asConv(shape: LayerShape): LayerShape {
  const turned = (axis: Axis): Axis => ({ ...axis, input: axis.output, output: axis.input });
  return { ...shape, operation: 'conv', inC: shape.outC, outC: shape.inC, axes: shape.axes.map(turned) };
}
