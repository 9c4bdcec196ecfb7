/** What each operation reads and writes, and what it costs. Everything here is channels first. */
import type { Axis, LayerShape } from './shapes.ts';

type Dims = readonly number[];

export interface OperandDims {
  /** In the order of the engine's arguments. */
  readonly operands: readonly [first: Dims, second: Dims, third?: Dims];
  readonly result: Dims;
}

const product = (values: Dims): number => values.reduce((a, b) => a * b, 1);
const along = (axes: readonly Axis[], size: 'input' | 'output' | 'kernel'): number[] => axes.map((axis) => axis[size]);

export function dimsOf({ operation, batch, groups, inC, outC, axes }: LayerShape): OperandDims {
  const kernel = along(axes, 'kernel');
  const before = [batch, inC, ...along(axes, 'input')];
  const after = [batch, outC, ...along(axes, 'output')];
  const weight = [outC, inC / groups, ...kernel];
  switch (operation) {
    case 'conv':
    case 'gaussian':
      return { operands: [before, weight], result: after };
    case 'deconv':
      return { operands: [before, [inC, outC / groups, ...kernel]], result: after };
    case 'separable':
      return { operands: [before, [inC, 1, ...kernel], [outC, inC, 1, 1]], result: after };
    case 'bwd_d':
      return { operands: [after, weight], result: before };
    case 'bwd_w':
      return { operands: [before, after], result: weight };
  }
}

/** 2 × the multiply-adds of the direct sum, padded taps included, whatever the algorithm. A gradient has as many as its convolution. */
export function flopsOf({ operation, batch, groups, inC, outC, axes }: LayerShape): number {
  const taps = product(along(axes, 'kernel'));
  const pixels = batch * product(along(axes, operation === 'deconv' ? 'input' : 'output'));
  if (operation === 'separable') return 2 * pixels * inC * (taps + outC);
  return (2 * pixels * inC * outC * taps) / groups;
}

/** Of a kernel that scatters: how many of its taps can fall on one cell. */
const tapsOnCell = ({ kernel, stride, dilation }: Axis): number => (dilation === 1 ? Math.ceil(kernel / stride) : kernel);

/** Products summed into one value of the result. */
export function productsOf({ operation, batch, groups, inC, outC, axes }: LayerShape): number {
  switch (operation) {
    case 'conv':
    case 'gaussian':
      return (inC / groups) * product(along(axes, 'kernel'));
    case 'separable':
      return inC * product(along(axes, 'kernel'));
    case 'deconv':
      return (inC / groups) * product(axes.map(tapsOnCell));
    case 'bwd_d':
      return (outC / groups) * product(axes.map(tapsOnCell));
    case 'bwd_w':
      return batch * product(along(axes, 'output'));
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

/** The two steps of a separable convolution. */
export function separableSteps(shape: LayerShape): readonly [depthwise: LayerShape, pointwise: LayerShape] {
  const point = ({ output }: Axis): Axis => ({ input: output, output, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 });
  return [
    { ...shape, operation: 'conv', outC: shape.inC, groups: shape.inC },
    { ...shape, operation: 'conv', groups: 1, axes: shape.axes.map(point) },
  ];
}
