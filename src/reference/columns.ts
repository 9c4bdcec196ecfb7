/** `unfold` and `fold` by their definition (PyTorch's order). */
import { type Columns, foldColumns, unfoldColumns } from '../columns.ts';
import { elements } from '../tensor.ts';
import type { Tensor, UnfoldOptions } from '../types.ts';

/** Calls `visit` with the place of each element of the columns, and of the pixel it stands for; −1 in the border. */
function eachElement(
  { shape, columnsShape }: Pick<Columns, 'shape' | 'columnsShape'>,
  visit: (column: number, pixel: number) => void,
): void {
  const { inC, inSize, outSize, kernel, stride, dilation, padBegin } = shape;
  const [, outH, outW] = outSize;
  const [, kH, kW] = kernel;
  const [, height, width] = inSize;
  for (let at = 0; at < elements(columnsShape); at++) {
    const window = at % (outH * outW);
    const row = Math.floor(at / (outH * outW));
    const tap = row % (kH * kW);
    // Batch and channel count on in both.
    const plane = Math.floor(row / (kH * kW));
    const h = Math.floor(window / outW) * stride[1] + Math.floor(tap / kW) * dilation[1] - padBegin[1];
    const w = (window % outW) * stride[2] + (tap % kW) * dilation[2] - padBegin[2];
    const inside = plane < shape.batch * inC && h >= 0 && h < height && w >= 0 && w < width;
    visit(at, inside ? (plane * height + h) * width + w : -1);
  }
}

/**
 * Every window of an image as a column.
 *
 * @param input `[batch, C, H, W]`
 * @returns `[batch, C · kH · kW, L]`
 */
export function unfold(input: Tensor, kernelSize: number | readonly number[], options?: Omit<UnfoldOptions, 'out'>): Tensor {
  const columns = unfoldColumns('unfold', input, kernelSize, options, false);
  const data = new Float32Array(elements(columns.columnsShape));
  eachElement(columns, (at, pixel) => {
    if (pixel >= 0) data[at] = columns.given.data[pixel] as number;
  });
  return { data, shape: [...columns.columnsShape] };
}

/**
 * Columns back into an image: the sum of all that stand for a pixel.
 *
 * @param given `[batch, C · kH · kW, L]`
 * @returns `[batch, C, H, W]`
 */
export function fold(
  given: Tensor,
  outputSize: readonly number[],
  kernelSize: number | readonly number[],
  options?: Omit<UnfoldOptions, 'out'>,
): Tensor {
  const columns = foldColumns('fold', given, outputSize, kernelSize, options, false);
  const { inputShape } = columns.shape;
  const sums = new Float64Array(elements(inputShape));
  eachElement(columns, (at, pixel) => {
    if (pixel >= 0) sums[pixel] = (sums[pixel] as number) + (columns.given.data[at] as number);
  });
  return { data: Float32Array.from(sums), shape: [...inputShape] };
}
