/**
 * The gradients of a convolution, each a convolution itself, so that the library's own kernels train the network.
 *
 *   input   gradOutput with stride − 1 zeros between its cells, convolved with the turned weights
 *   weight  the input convolved with gradOutput, batch and channels exchanged, the stride taken as dilation
 */
import { type Engine, tensor } from '../../src/index.ts';
import type { ConvSpec } from './network.ts';

/** [a, b, n] → [b, a, n] */
function exchange(data: Float32Array, a: number, b: number, n: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let i = 0; i < a; i++) for (let j = 0; j < b; j++) result.set(data.subarray((i * b + j) * n, (i * b + j + 1) * n), (j * a + i) * n);
  return result;
}

/** Rows and columns at the end of the image that no window reaches. */
function unreached({ inSize, kernel, stride, padding }: ConvSpec): number {
  return (inSize + 2 * padding - kernel) % stride;
}

/** [outC, inC, k, k] → [inC, outC, k, k], each kernel turned by half a turn. */
function turned(weight: Float32Array, { outC, inC, kernel }: ConvSpec): Float32Array {
  const taps = kernel * kernel;
  const result = exchange(weight, outC, inC, taps);
  for (let i = 0; i < result.length; i += taps) result.subarray(i, i + taps).reverse();
  return result;
}

/** [planes, size, size] → [planes, (size − 1)·stride + 1, …], zeros between. */
function spread(data: Float32Array, planes: number, size: number, stride: number): Float32Array {
  if (stride === 1) return data;
  const wide = (size - 1) * stride + 1;
  const result = new Float32Array(planes * wide * wide);
  for (let p = 0; p < planes; p++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) result[(p * wide + y * stride) * wide + x * stride] = data[(p * size + y) * size + x] as number;
    }
  }
  return result;
}

/** Gradient with respect to the input [batch, inC, inSize, inSize]. */
export function inputGradient(engine: Engine, spec: ConvSpec, batch: number, gradOutput: Float32Array, weight: Float32Array): Float32Array {
  const { inC, outC, kernel, stride, outSize } = spec;
  const wide = (outSize - 1) * stride + 1;
  const begin = kernel - 1 - spec.padding;
  const pair = [begin, begin + unreached(spec)] as const;
  const image = tensor(spread(gradOutput, batch * outC, outSize, stride), [batch, outC, wide, wide]);
  return engine.conv2d(image, tensor(turned(weight, spec), [inC, outC, kernel, kernel]), { padding: [pair, pair] }).data;
}

/** Gradient with respect to the weight [outC, inC, kernel, kernel]. */
export function weightGradient(engine: Engine, spec: ConvSpec, batch: number, input: Float32Array, gradOutput: Float32Array): Float32Array {
  const { inC, outC, kernel, stride, padding, inSize, outSize } = spec;
  const image = tensor(exchange(input, batch, inC, inSize * inSize), [inC, batch, inSize, inSize]);
  const window = tensor(gradOutput, [batch, outC, outSize, outSize]);
  const found = engine.conv2d(image, window, { filterLayout: 'iohw', padding, dilation: stride });
  // Cells that the forward pass did not reach come out as taps beyond the kernel: [inC, outC, kernel + unreached, …].
  const wide = kernel + unreached(spec);
  const taps = new Float32Array(inC * outC * kernel * kernel);
  for (let p = 0; p < inC * outC; p++) {
    for (let y = 0; y < kernel; y++)
      taps.set(found.data.subarray((p * wide + y) * wide, (p * wide + y) * wide + kernel), (p * kernel + y) * kernel);
  }
  return exchange(taps, inC, outC, kernel * kernel);
}

/** Gradient with respect to the bias [outC]. */
export function biasGradient({ outC, outSize }: ConvSpec, batch: number, gradOutput: Float32Array): Float32Array {
  const result = new Float32Array(outC);
  const pixels = outSize * outSize;
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < outC; c++) {
      let sum = 0;
      for (let i = (b * outC + c) * pixels; i < (b * outC + c + 1) * pixels; i++) sum += gradOutput[i] as number;
      result[c] = (result[c] as number) + sum;
    }
  }
  return result;
}
