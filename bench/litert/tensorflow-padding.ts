/**
 * Layers as TensorFlow pads them. It knows no padding in numbers, but `SAME` and `VALID`; of `SAME`, the odd cell stands at the end.
 * PyTorch's networks, whose layers stand in shapes/, pad both ends alike: where their stride is above 1 they read other cells.
 */
import type { Axis, LayerShape } from '../shapes.ts';

export type TensorFlowPadding = 'SAME' | 'VALID';

const isTransposed = ({ operation }: LayerShape): boolean => operation === 'deconv';

/** The axis padded as `SAME` is; undefined where that gives another size. */
function same(axis: Axis, transposed: boolean): Axis | undefined {
  const { input, output, kernel, stride, dilation } = axis;
  const [small, large] = transposed ? [input, output] : [output, input];
  if (small !== Math.ceil(large / stride) || (transposed && large !== small * stride)) return undefined;
  const padding = Math.max(0, (small - 1) * stride + (kernel - 1) * dilation + 1 - large);
  const padBegin = Math.floor(padding / 2);
  return { ...axis, padBegin, padEnd: padding - padBegin };
}

const unpadded = ({ padBegin, padEnd }: Axis): boolean => padBegin === 0 && padEnd === 0;

/** What TensorFlow calls a layer's padding. */
export function paddingOf({ axes }: LayerShape): TensorFlowPadding {
  return axes.every(unpadded) ? 'VALID' : 'SAME';
}

/** A layer of two axes in words; what holds for both is said once. */
function wordsOf({ operation, batch, groups, inC, outC, axes }: LayerShape): string {
  const both = (letter: string, of: (axis: Axis) => number, usual?: number): string => {
    const [height, width] = axes.map(of);
    if (height !== width) return `${letter}h${height}${letter}w${width}`;
    return height === usual ? '' : `${letter}h${height}`;
  };
  return [
    operation === 'conv' ? '' : `${operation} `,
    groups === 1 ? '' : `g${groups}`,
    batch === 1 ? '' : `mb${batch}`,
    `ic${inC}`,
    both('i', ({ input }) => input),
    `oc${outC}`,
    both('o', ({ output }) => output),
    both('k', ({ kernel }) => kernel),
    both('s', ({ stride }) => stride, 1),
    both('d', ({ dilation }) => dilation - 1, 0),
    both('p', ({ padBegin }) => padBegin, 0),
  ].join('');
}

/**
 * A layer of the same sizes, and so of the same flops, padded as in TensorFlow: the layer itself where it is padded so already.
 * @returns undefined where TensorFlow has none
 */
export function asInTensorFlow(shape: LayerShape): LayerShape | undefined {
  const transposed = isTransposed(shape);
  // Gaps between what the kernels write: TensorFlow ends with one, PyTorch does not.
  if (transposed && shape.axes.some(({ kernel, stride }) => kernel < stride)) return undefined;
  if (shape.axes.every(unpadded)) return shape;
  const axes = shape.axes.map((axis) => same(axis, transposed));
  if (!axes.every((axis) => axis !== undefined)) return undefined;
  if (axes.every(({ padBegin }, i) => padBegin === shape.axes[i]?.padBegin)) return shape;
  const padded = { ...shape, axes };
  return { ...padded, words: wordsOf(padded) };
}
