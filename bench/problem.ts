/** The numbers of a layer: input and weights, the layout changes a contestant may ask for, and the comparison of results. */
import type { FilterLayout, InputLayout, Tensor } from '../src/types.ts';
import { type LayerShape, productsOf } from './shapes.ts';

export interface Problem {
  readonly shape: LayerShape;
  /** `[batch, inC, inH, inW]` */
  readonly input: Float32Array;
  /** `[outC, inC / groups, kH, kW]` */
  readonly weight: Float32Array;
}

/** Uniform in [−1, 1), the same for the same seed (mulberry32). No zeros in rows, no denormals: nothing a contestant could skip or trip over. */
function uniform(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

export function makeProblem(shape: LayerShape): Problem {
  const { batch, inC, outC, height, width } = shape;
  return { shape, input: uniform(batch * inC * height.input * width.input, 1), weight: uniform(outC * productsOf(shape), 2) };
}

/** Dimensions of a row-major array in another order: `order[i]` is the old place of the new dimension `i`. */
export function permute(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
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

/** The input as a tensor of the layout. */
export function inputTensor({ shape, input }: Problem, layout: InputLayout): Tensor {
  const { batch, inC, height, width } = shape;
  const dims = [batch, inC, height.input, width.input];
  if (layout === 'nchw') return { data: input, shape: dims };
  return { data: permute(input, dims, [0, 2, 3, 1]), shape: [batch, height.input, width.input, inC] };
}

/** The weights as a tensor whose dimensions stand in the order of the layout's letters. */
export function weightTensor({ shape, weight }: Problem, layout: FilterLayout): Tensor {
  const dims = [shape.outC, shape.inC / shape.groups, shape.height.kernel, shape.width.kernel];
  const order = [...layout].map((letter) => 'oihw'.indexOf(letter));
  return { data: permute(weight, dims, order), shape: order.map((i) => dims[i] as number) };
}

/** A result as it stands in memory → channels first. */
export function toChannelsFirst({ batch, outC, height, width }: LayerShape, result: Float32Array, layout: InputLayout): Float32Array {
  return layout === 'nchw' ? result : permute(result, [batch, height.output, width.output, outC], [0, 3, 1, 2]);
}

/**
 * How far two float32 sums of the same K products may lie apart. With factors in [−1, 1) partial sums stay near √(K/9), each
 * of K additions rounds by up to 2⁻²⁴ of that, and such errors add up like a random walk: some 2⁻²⁴·K/3, three to four times
 * as much for the worst of many thousand values. Measured on the layers of shapes/ against the naive loops: 0.9 to 1.3 of 2⁻²⁴·K,
 * for our kernels and for tfjs alike. A wrong tap or place is off by about 0.1 and more.
 */
export function toleranceOf(shape: LayerShape): number {
  return 2 ** -23 * Math.max(16, productsOf(shape));
}

/** What is wrong with a result, in words, or undefined. Both are channels first. */
export function difference(shape: LayerShape, got: Float32Array, want: Float32Array): string | undefined {
  if (got.length !== want.length) return `${got.length} values, expected ${want.length}`;
  const tolerance = toleranceOf(shape);
  // Written so that NaN counts as wrong.
  const at = want.findIndex((value, i) => !(Math.abs((got[i] as number) - value) <= tolerance));
  if (at < 0) return undefined;
  const [outH, outW] = [shape.height.output, shape.width.output];
  const [x, y, channel] = [at % outW, Math.floor(at / outW) % outH, Math.floor(at / (outW * outH)) % shape.outC];
  const place = [Math.floor(at / (outW * outH * shape.outC)), channel, y, x];
  return `at [${place.join(', ')}] got ${got[at]}, expected ${want[at]} ± ${tolerance.toExponential(1)}`;
}
