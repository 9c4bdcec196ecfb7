/** The three sums of a convolution by their definition, in float64: what it gives, and its gradients. A transposed convolution is made of the same three. */
import { type ConvShape, type FilterShape, type Spatial, volume } from '../shape.ts';
import type { PaddingMode } from '../types.ts';

/** The cell of an image of `size` cells that stands at `i`, which may lie outside; −1 where a zero stands. */
function sourceCell(i: number, size: number, mode: PaddingMode): number {
  if (i >= 0 && i < size) return i;
  if (mode === 'reflect') return i < 0 ? -i : 2 * (size - 1) - i;
  if (mode === 'circular') return (i + size) % size;
  if (mode === 'replicate') return i < 0 ? 0 : size - 1;
  return -1;
}

/** Position of an element in a tensor of `channels` and a [d, h, w] image. */
function offset(b: number, c: number, [d, h, w]: Spatial, channels: number, size: Spatial, channelsLast: boolean): number {
  const pixel = (d * size[1] + h) * size[2] + w;
  return channelsLast ? (b * volume(size) + pixel) * channels + c : (b * channels + c) * volume(size) + pixel;
}

function eachCell([sizeD, sizeH, sizeW]: Spatial, visit: (cell: Spatial) => void): void {
  for (let d = 0; d < sizeD; d++) {
    for (let h = 0; h < sizeH; h++) {
      for (let w = 0; w < sizeW; w++) visit([d, h, w]);
    }
  }
}

/** Calls `visit` for each product of a convolution, with the places of its three elements: of the image, of the weight, of the result. */
function eachProduct(shape: ConvShape, filter: FilterShape, visit: (x: number, w: number, y: number) => void): void {
  const { batch, inC, outC, groupInC, groupOutC, inSize, outSize, kernel, stride, dilation, padBegin, paddingMode, channelsLast } = shape;
  const source = (axis: 0 | 1 | 2, at: Spatial, tap: Spatial): number =>
    sourceCell(at[axis] * stride[axis] + tap[axis] * dilation[axis] - padBegin[axis], inSize[axis], paddingMode);
  for (let b = 0; b < batch; b++) {
    eachCell(outSize, (at) => {
      eachCell(kernel, (tap) => {
        const cell: Spatial = [source(0, at, tap), source(1, at, tap), source(2, at, tap)];
        if (Math.min(...cell) < 0) return;
        const tapAt = ((tap[0] * kernel[1] + tap[1]) * kernel[2] + tap[2]) * filter.strideTap;
        for (let oc = 0; oc < outC; oc++) {
          const firstChannel = Math.floor(oc / groupOutC) * groupInC;
          const y = offset(b, oc, at, outC, outSize, channelsLast);
          for (let i = 0; i < groupInC; i++) {
            const x = offset(b, firstChannel + i, cell, inC, inSize, channelsLast);
            visit(x, oc * filter.strideO + i * filter.strideI + tapAt, y);
          }
        }
      });
    });
  }
}

type Values = Float32Array | Float64Array;

/** What the convolution gives. */
export function resultSums(image: Values, weight: Values, shape: ConvShape, filter: FilterShape): Float64Array {
  const sums = new Float64Array(shape.batch * shape.outC * volume(shape.outSize));
  eachProduct(shape, filter, (x, w, y) => {
    sums[y] = (sums[y] as number) + (image[x] as number) * (weight[w] as number);
  });
  return sums;
}

/** The gradient with respect to its image. */
export function imageSums(result: Values, weight: Values, shape: ConvShape, filter: FilterShape): Float64Array {
  const sums = new Float64Array(shape.batch * shape.inC * volume(shape.inSize));
  eachProduct(shape, filter, (x, w, y) => {
    sums[x] = (sums[x] as number) + (result[y] as number) * (weight[w] as number);
  });
  return sums;
}

/** The gradient with respect to its weight. */
export function weightSums(image: Values, result: Values, shape: ConvShape, filter: FilterShape): Float64Array {
  const sums = new Float64Array(filter.outC * filter.groupInC * volume(filter.kernel));
  eachProduct(shape, filter, (x, w, y) => {
    sums[w] = (sums[w] as number) + (image[x] as number) * (result[y] as number);
  });
  return sums;
}
