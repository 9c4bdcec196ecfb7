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

/** How far apart the images, channels and cells of a tensor lie. */
interface Steps {
  readonly image: number;
  readonly channel: number;
  readonly cell: number;
}

function stepsOf(channels: number, size: Spatial, channelsLast: boolean): Steps {
  const cells = volume(size);
  return channelsLast ? { image: cells * channels, channel: 1, cell: channels } : { image: channels * cells, channel: cells, cell: 1 };
}

/**
 * A weight `w`, and the row of results that begins at `y`: result i, `step` elements apart from its neighbours, takes it times the cell of the image `cells[i]` elements behind
 * `x`; or times nothing, where that is negative.
 */
type Visit = (x: number, w: number, y: number, cells: Int32Array, step: number) => void;

/** Calls `visit` for each product of a convolution, a row of them at a time: a call for each takes three to six times as long. */
function eachRow(shape: ConvShape, filter: FilterShape, visit: Visit): void {
  const { batch, inC, outC, groupInC, groupOutC, inSize, outSize, kernel, stride, dilation, padBegin, paddingMode, channelsLast } = shape;
  const source = (axis: 0 | 1 | 2, at: number, tap: number): number =>
    sourceCell(at * stride[axis] + tap * dilation[axis] - padBegin[axis], inSize[axis], paddingMode);
  const from = stepsOf(inC, inSize, channelsLast);
  const to = stepsOf(outC, outSize, channelsLast);
  const columns = Array.from({ length: kernel[2] }, (_, tap) =>
    Int32Array.from({ length: outSize[2] }, (_, at) => source(2, at, tap) * from.cell),
  );
  for (let b = 0; b < batch; b++) {
    for (let oc = 0; oc < outC; oc++) {
      const image = b * from.image + Math.floor(oc / groupOutC) * groupInC * from.channel;
      for (let d = 0; d < outSize[0]; d++) {
        for (let h = 0; h < outSize[1]; h++) {
          const y = b * to.image + oc * to.channel + (d * outSize[1] + h) * outSize[2] * to.cell;
          for (let kd = 0; kd < kernel[0]; kd++) {
            const slice = source(0, d, kd);
            for (let kh = 0; kh < kernel[1]; kh++) {
              const row = source(1, h, kh);
              if (slice < 0 || row < 0) continue;
              const x = image + (slice * inSize[1] + row) * inSize[2] * from.cell;
              for (let kw = 0; kw < kernel[2]; kw++) {
                const w = oc * filter.strideO + ((kd * kernel[1] + kh) * kernel[2] + kw) * filter.strideTap;
                const cells = columns[kw] as Int32Array;
                for (let i = 0; i < groupInC; i++) visit(x + i * from.channel, w + i * filter.strideI, y, cells, to.cell);
              }
            }
          }
        }
      }
    }
  }
}

type Values = Float32Array | Float64Array;

/** What the convolution gives. */
export function resultSums(image: Values, weight: Values, shape: ConvShape, filter: FilterShape): Float64Array {
  const sums = new Float64Array(shape.batch * shape.outC * volume(shape.outSize));
  eachRow(shape, filter, (x, w, y, cells, step) => {
    const factor = weight[w] as number;
    for (let i = 0; i < cells.length; i++, y += step) {
      const cell = cells[i] as number;
      if (cell >= 0) sums[y] = (sums[y] as number) + (image[x + cell] as number) * factor;
    }
  });
  return sums;
}

/** The gradient with respect to its image. */
export function imageSums(result: Values, weight: Values, shape: ConvShape, filter: FilterShape): Float64Array {
  const sums = new Float64Array(shape.batch * shape.inC * volume(shape.inSize));
  eachRow(shape, filter, (x, w, y, cells, step) => {
    const factor = weight[w] as number;
    for (let i = 0; i < cells.length; i++, y += step) {
      const cell = cells[i] as number;
      if (cell >= 0) sums[x + cell] = (sums[x + cell] as number) + (result[y] as number) * factor;
    }
  });
  return sums;
}

/** The gradient with respect to its weight. */
export function weightSums(image: Values, result: Values, shape: ConvShape, filter: FilterShape): Float64Array {
  const sums = new Float64Array(filter.outC * filter.groupInC * volume(filter.kernel));
  eachRow(shape, filter, (x, w, y, cells, step) => {
    let sum = sums[w] as number;
    for (let i = 0; i < cells.length; i++, y += step) {
      const cell = cells[i] as number;
      if (cell >= 0) sum += (image[x + cell] as number) * (result[y] as number);
    }
    sums[w] = sum;
  });
  return sums;
}
