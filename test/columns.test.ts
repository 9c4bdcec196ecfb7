/** unfold and fold against the plain loops: every place where a window is cut off, and the columns as a convolution uses them. */
import { describe, expect, it } from 'vitest';
import { expectClose } from './close.ts';
import { check, engine, filled, type Options, type Shape, t } from './family.ts';

function both(image: Shape, kernelSize: number | readonly number[], options: Options = {}): void {
  const columns = check('unfold', [image], options, { rest: [kernelSize] });
  check('fold', [columns.shape], options, { rest: [image.slice(2), kernelSize] });
}

describe('unfold and fold', () => {
  // Cells are copied and added four at a time where the stride is 1.
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33])('%i columns', (columns) => {
    for (const stride of [1, 2, 3, [2, 1], [1, 2]]) {
      both([1, 1, 3, columns], [2, 1], { stride });
      both([2, 3, 2, columns], [1, Math.min(3, columns)], { stride });
      both([1, 2, 3, columns], 3, { stride, padding: 1 });
      both([1, 2, 2, columns + 2], 2, { stride, dilation: [1, 2], padding: [0, 2] });
    }
  });
  it.each([0, 1, 2, 3, 5])('padding %i', (padding) => {
    for (const kernelSize of [1, 2, 3, [1, 3], [3, 2]] as const)
      for (const stride of [1, 2, 4])
        for (const dilation of [1, 2, 3]) {
          const [kH, kW] =
            [kernelSize].flat().length === 2 ? (kernelSize as readonly number[]) : [kernelSize as number, kernelSize as number];
          const fits = (k = 1, size = 1): boolean => (k - 1) * dilation + 1 <= size + 2 * padding;
          if (!fits(kH, 4) || !fits(kW, 5)) continue;
          both([2, 3, 4, 5], kernelSize, { padding, stride, dilation });
          both([1, 1, 4, 5], kernelSize, { padding: [padding, padding], stride: [stride, 1], dilation });
        }
  });
  it('windows that see nothing but border', () => {
    both([1, 2, 2, 3], 2, { padding: 5 });
    both([1, 2, 2, 3], [1, 2], { padding: [0, 7], stride: [1, 3] });
    both([1, 2, 3, 3], 3, { padding: 2 ** 10, dilation: 2 ** 10, stride: 2 ** 10 });
  });
  it('a kernel as large as the image, a single cell, many channels, an empty batch', () => {
    both([2, 3, 4, 5], [4, 5]);
    both([1, 1, 1, 1], 1);
    both([1, 70, 3, 4], 2);
    both([3, 2, 40, 31], 5, { stride: 2, padding: 2 });
    both([0, 3, 4, 5], 2);
  });

  it('columns times a weight are a convolution', () => {
    const [input, weight] = [filled([2, 3, 6, 7], 1), filled([5, 3, 3, 2], 2)];
    const options = { stride: [1, 2], dilation: [2, 1], padding: [1, 2] };
    const columns = engine.unfold(input, [3, 2], options);
    const [, rows = 0, windows = 0] = columns.shape;
    const product = engine.conv1d(columns, { data: weight.data, shape: [5, rows, 1] });
    const want = engine.conv2d(input, weight, options);
    expect(windows).toBe((want.shape[2] as number) * (want.shape[3] as number));
    expectClose({ ...product, shape: want.shape }, want);
  });

  it('fold undoes unfold where windows do not overlap', () => {
    const input = filled([2, 3, 6, 8], 1);
    for (const [kernelSize, stride] of [
      [
        [2, 4],
        [2, 4],
      ],
      [
        [3, 1],
        [3, 1],
      ],
      [1, 1],
    ] as const)
      expectClose(engine.fold(engine.unfold(input, kernelSize, { stride }), [6, 8], kernelSize, { stride }), input);
  });

  it('fold(unfold x) counts how many windows hold a pixel', () => {
    for (const options of [{}, { stride: 2 }, { padding: 2 }, { dilation: 2, padding: 1 }, { stride: [1, 3], padding: [0, 1] }]) {
      const input = filled([2, 3, 7, 8], 1);
      const ones = t(new Array(input.data.length).fill(1), input.shape);
      const count = engine.fold(engine.unfold(ones, [3, 2], options), [7, 8], [3, 2], options);
      const got = engine.fold(engine.unfold(input, [3, 2], options), [7, 8], [3, 2], options);
      expectClose(got, { data: input.data.map((value, i) => value * (count.data[i] as number)), shape: input.shape });
      expect(Math.max(...count.data)).toBeGreaterThan(0);
    }
  });

  it('columns hold what the image holds, NaN and all', () => {
    const input = t([NaN, 1, Infinity, -Infinity], [1, 1, 2, 2]);
    expect([...engine.unfold(input, 1).data]).toEqual([NaN, 1, Infinity, -Infinity]);
    expect([...engine.unfold(input, 1, { padding: [0, 1] }).data]).toEqual([0, NaN, 1, 0, 0, Infinity, -Infinity, 0]);
    expect([...engine.fold(engine.unfold(input, [1, 2]), [2, 2], [1, 2]).data]).toEqual([NaN, 1, Infinity, -Infinity]);
  });
});
