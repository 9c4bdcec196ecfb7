/** The numbers of a layer: its operands, the layout changes a contestant may ask for, and the comparison of results. */
import type { Tensor } from '../src/types.ts';
import { dimsOf, productsOf, stepsOf } from './operations.ts';
import type { LayerShape } from './shapes.ts';

/** Where the channels stand, whatever the rank. */
export type Layout = 'nchw' | 'nhwc';

export interface Problem {
  readonly shape: LayerShape;
  /** In the order of the engine's arguments, channels first. */
  readonly operands: readonly [first: Tensor, second: Tensor, ...further: Tensor[]];
  readonly resultDims: readonly number[];
}

export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

/** Uniform in [−1, 1), the same for the same seed (mulberry32). No zeros in rows, no denormals: nothing a contestant could skip or trip over. */
function uniform(dims: readonly number[], seed: number): Tensor {
  let state = seed;
  const data = Float32Array.from({ length: elementsOf(dims) }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
  return { data, shape: dims };
}

/** A Gaussian's weights along one axis, with sum 1. Its width grows with their number as in OpenCV's getGaussianKernel. */
export function gaussianTaps(count: number): number[] {
  const sigma = 0.3 * ((count - 1) * 0.5 - 1) + 0.8;
  const taps = Array.from({ length: count }, (_, i) => Math.exp(-((i - (count - 1) / 2) ** 2) / (2 * sigma * sigma)));
  const sum = taps.reduce((a, b) => a + b, 0);
  return taps.map((tap) => tap / sum);
}

/** The same kernel for every channel: a column times a row. */
function gaussianKernels(dims: readonly number[]): Tensor {
  const [channels = 0, , kH = 0, kW = 0] = dims;
  const [column, row] = [gaussianTaps(kH), gaussianTaps(kW)];
  const kernel = column.flatMap((y) => row.map((x) => y * x));
  return { data: Float32Array.from(Array.from({ length: channels }, () => kernel).flat()), shape: dims };
}

export function makeProblem(shape: LayerShape): Problem {
  const { operands, result } = dimsOf(shape);
  const [first, second, ...further] = operands;
  const weight = shape.operation === 'gaussian' ? gaussianKernels(second) : uniform(second, 2);
  return {
    shape,
    operands: [uniform(first, 1), weight, ...further.map((dims, i) => uniform(dims, 3 + i))],
    resultDims: result,
  };
}

/** A convolution and its weights, `[outC, inC / groups, …kernel]`. */
export interface Step {
  readonly shape: LayerShape;
  readonly weight: Tensor;
}

/** What a composed operation is made of; undefined for others. */
export function weightedSteps({ shape, operands }: Problem): readonly Step[] | undefined {
  const weights = operands.slice(1);
  return stepsOf(shape)?.map((step, i) => {
    const weight = weights[i];
    if (!weight) throw new RangeError(`${shape.operation} has ${weights.length} weights`);
    // A flattened convolution's weights have no axes of one cell: the same numbers.
    return { shape: step, weight: { data: weight.data, shape: dimsOf(step).operands[1] } };
  });
}

/** Whether the result is weights: they have no channels that could stand elsewhere. */
export function findsWeights({ shape: { operation } }: Problem): boolean {
  return operation === 'bwd_w' || operation === 'deconv_bwd_w';
}

/** Dimensions of a row-major array in another order: `order[i]` is the old place of the new dimension `i`. */
export function permute(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, i) => elementsOf(shape.slice(i + 1)));
  const result = new Float32Array(data.length);
  let at = 0;
  const walk = (depth: number, from: number): void => {
    const dimension = order[depth];
    if (dimension === undefined) {
      result[at++] = data[from] as number;
      return;
    }
    for (let i = 0; i < (shape[dimension] as number); i++) walk(depth + 1, from + i * (strides[dimension] as number));
  };
  walk(0, 0);
  return result;
}

export function turned({ data, shape }: Tensor, order: readonly number[]): Tensor {
  return { data: permute(data, shape, order), shape: order.map((i) => shape[i] as number) };
}

/** `[batch, channels, …space]` → `[batch, …space, channels]` */
export function channelsLast(tensor: Tensor): Tensor {
  return turned(tensor, [0, ...tensor.shape.slice(2).map((_, i) => i + 2), 1]);
}

/** An image of the problem as a tensor of the layout. */
export function inLayout(image: Tensor, layout: Layout): Tensor {
  return layout === 'nchw' ? image : channelsLast(image);
}

/** The sizes of an image, given channels first, as they stand in the layout. */
export function dimsInLayout([batch = 0, channels = 0, ...space]: readonly number[], layout: Layout): number[] {
  return layout === 'nchw' ? [batch, channels, ...space] : [batch, ...space, channels];
}

/** An image as it stands in memory → channels first. @param dims channels first */
export function toChannelsFirst(data: Float32Array, dims: readonly number[], layout: Layout): Float32Array {
  if (layout === 'nchw') return data;
  const standing = dimsInLayout(dims, layout);
  return permute(data, standing, [0, standing.length - 1, ...dims.slice(2).map((_, i) => i + 1)]);
}

/**
 * How far two float32 sums of the same K products may lie apart. With factors in [−1, 1) partial sums stay near √(K/9), each
 * of K additions rounds by up to 2⁻²⁴ of that, and such errors add up like a random walk: some 2⁻²⁴·K/3, three to four times
 * as much for the worst of many thousand values. Measured on the layers of shapes/ against the naive loops: 0.9 to 1.3 of 2⁻²⁴·K,
 * for our kernels and for tfjs alike. A wrong tap or place is off by about 0.1 and more; of a Gaussian, whose weights and sums are
 * smaller, by 10⁻⁴ and more.
 */
export function toleranceOf(shape: LayerShape, times = 1): number {
  return times * 2 ** -23 * Math.max(16, productsOf(shape));
}

/**
 * What is wrong with a result, in words, or undefined. Both are channels first.
 *
 * @param times the error of direct sums that is granted
 */
export function difference({ shape, resultDims }: Problem, got: Float32Array, want: Float32Array, times = 1): string | undefined {
  if (got.length !== want.length) return `${got.length} values, expected ${want.length}`;
  const tolerance = toleranceOf(shape, times);
  // Written so that NaN counts as wrong.
  const at = want.findIndex((value, i) => !(Math.abs((got[i] as number) - value) <= tolerance));
  if (at < 0) return undefined;
  const place = resultDims.map((size, i) => Math.floor(at / elementsOf(resultDims.slice(i + 1))) % size);
  return `at [${place.join(', ')}] got ${got[at]}, expected ${want[at]} ± ${tolerance.toExponential(1)}`;
}
