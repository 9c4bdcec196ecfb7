/** Transposed convolutions of the oracle against numbers found by hand: out[i · stride + k · dilation − begin] += x[i] · w[k]. */
import { describe, expect, it } from 'vitest';
import type { ConvTransposeOptions, FilterLayout } from '../src/index.ts';
import { convTranspose1d, convTranspose2d, convTranspose3d } from '../src/reference/index.ts';
import { t, values } from './family.ts';

const line = (...data: number[]) => t(data, [1, 1, data.length]);
const pixel = (...data: number[]) => t(data, [1, data.length, 1, 1]);
const x = line(1, 2, 3);
const pair = line(1, 10);
const triple = line(1, 10, 100);

describe('reference, transposed: geometry', () => {
  it.each<[ConvTransposeOptions, number[]]>([
    [{}, [1, 10 + 2, 20 + 3, 30]],
    [{ stride: 2 }, [1, 10, 2, 20, 3, 30]],
    [{ stride: 3 }, [1, 10, 0, 2, 20, 0, 3, 30]],
    [{ dilation: 2 }, [1, 2, 3 + 10, 20, 30]],
    [{ stride: 2, dilation: 3 }, [1, 0, 2, 10, 3, 20, 0, 30]],
    [{ stride: 3, bias: Float32Array.of(5) }, [6, 15, 5, 7, 25, 5, 8, 35]],
    // Smaller than the dilation is enough.
    [{ dilation: 2, outputPadding: 1 }, [1, 2, 13, 20, 30, 0]],
    [{ stride: 2, outputPadding: 1, bias: Float32Array.of(5) }, [6, 15, 7, 25, 8, 35, 5]],
    [{ stride: 2, outputSize: [7] }, [1, 10, 2, 20, 3, 30, 0]],
    [{ stride: 2, outputSize: [6] }, [1, 10, 2, 20, 3, 30]],
  ])('[1, 2, 3] through [1, 10]: %j', (options, want) => {
    const got = convTranspose1d(x, pair, options);
    expect(got.shape).toEqual([1, 1, want.length]);
    expect(values(got)).toEqual(want);
  });

  // Before padding is cut: 1 10 102 20 203 30 300.
  it.each<[ConvTransposeOptions, number[]]>([
    [{}, [1, 10, 102, 20, 203, 30, 300]],
    [{ padding: 1 }, [10, 102, 20, 203, 30]],
    [{ padding: [[2, 1]] }, [102, 20, 203, 30]],
    [{ padding: [[0, 3]] }, [1, 10, 102, 20]],
    // Padding beyond the extent crops on.
    [{ padding: 3 }, [20]],
    [{ padding: [[6, 0]] }, [300]],
    // What output padding adds is a real sum where a tap reaches it.
    [{ padding: 1, outputPadding: 1 }, [10, 102, 20, 203, 30, 300]],
    [{ padding: 1, outputSize: [6] }, [10, 102, 20, 203, 30, 300]],
    [{ padding: 1, outputSize: [5] }, [10, 102, 20, 203, 30]],
    [{ outputPadding: 1 }, [1, 10, 102, 20, 203, 30, 300, 0]],
    [{ padding: 'valid' }, [1, 10, 102, 20, 203, 30, 300]],
    // The odd cell is cut at the end, or at the beginning.
    [{ padding: 'same' }, [1, 10, 102, 20, 203, 30]],
    [{ padding: 'same-lower' }, [10, 102, 20, 203, 30, 300]],
    [{ padding: 'same', outputSize: [5] }, [10, 102, 20, 203, 30]],
    [{ padding: 'same-lower', outputSize: [5] }, [10, 102, 20, 203, 30]],
  ])('[1, 2, 3] through [1, 10, 100], stride 2: %j', (options, want) => {
    expect(values(convTranspose1d(x, triple, { stride: 2, ...options }))).toEqual(want);
  });

  it.each(['same', 'same-lower'] as const)('%s of a kernel smaller than its stride: the cells too many are at the end', (padding) => {
    const bias = Float32Array.of(5);
    expect(values(convTranspose1d(x, line(1), { stride: 3, padding, bias }))).toEqual([6, 5, 5, 7, 5, 5, 8, 5, 5]);
    expect(values(convTranspose1d(x, pair, { stride: 4, padding, bias }))).toEqual([6, 15, 5, 5, 7, 25, 5, 5, 8, 35, 5, 5]);
    expect(values(convTranspose1d(x, line(1), { stride: 3, padding, outputSize: [8] }))).toEqual([1, 0, 0, 2, 0, 0, 3, 0]);
  });

  it('two dimensions do not flip the kernel', () => {
    const square = t([1, 2, 3, 4], [1, 1, 2, 2]);
    expect(values(convTranspose2d(square, square))).toEqual([1, 4, 4, 6, 20, 16, 9, 24, 16]);
    const apart = convTranspose2d(square, square, { stride: 2 });
    expect(values(apart)).toEqual([1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16]);
    expect(values(convTranspose2d(t([1, 2], [1, 1, 2, 1]), t([1, 10], [1, 1, 1, 2]), { stride: [3, 1] }))).toEqual([
      1, 10, 0, 0, 0, 0, 2, 20,
    ]);
    expect(convTranspose2d(square, square, { stride: [2, 1], outputPadding: [1, 0] }).shape).toEqual([1, 1, 5, 3]);
  });

  it('three dimensions, at stride 1 and 2', () => {
    const two = t([1, 2], [1, 1, 1, 1, 2]);
    const cells = t([1, 10, 100, 1000], [1, 1, 2, 1, 2]);
    const near = convTranspose3d(two, cells);
    expect(near.shape).toEqual([1, 1, 2, 1, 3]);
    expect(values(near)).toEqual([1, 12, 20, 100, 1200, 2000]);
    const apart = convTranspose3d(two, cells, { stride: 2 });
    expect(apart.shape).toEqual([1, 1, 2, 1, 4]);
    expect(values(apart)).toEqual([1, 10, 2, 20, 100, 1000, 200, 2000]);
    expect(values(convTranspose3d(two, cells, { stride: 2, padding: [[1, 0], 0, [0, 1]] }))).toEqual([100, 1000, 200]);
  });
});

describe('reference, transposed: channels', () => {
  it('sums over all of them, and a batch item does not see another', () => {
    const input = t([1, 2, 3, 4], [2, 2, 1, 1]);
    const weight = t([1, 2, 3, 10, 20, 30], [2, 3, 1, 1]);
    expect(values(convTranspose2d(input, weight))).toEqual([21, 42, 63, 43, 86, 129]);
  });

  it('groups are blocks of neighbours', () => {
    const weight = t([1, 10, 100, 1000], [4, 1, 1, 1]);
    expect(values(convTranspose2d(pixel(1, 2, 3, 4), weight, { groups: 2 }))).toEqual([21, 4300]);
    expect(values(convTranspose2d(pixel(1, 2, 3, 4), weight, { groups: 4 }))).toEqual([1, 20, 300, 4000]);
    expect(values(convTranspose2d(pixel(1, 2), t([1, 10, 100, 1000], [2, 2, 1, 1]), { groups: 2 }))).toEqual([1, 10, 200, 2000]);
  });

  it('shuffle moves what bias and activation have made', () => {
    const weight = t([0, 1, 2, 3, 4, 5], [1, 6, 1, 1]);
    expect(values(convTranspose2d(pixel(1), weight, { shuffle: 2 }))).toEqual([0, 3, 1, 4, 2, 5]);
    const bias = Float32Array.of(0, 10, 20, 30, 40, 50);
    expect(values(convTranspose2d(pixel(1), weight, { shuffle: 3, bias, activation: { clamp: [1, 50] } }))).toEqual([
      1, 22, 44, 11, 33, 50,
    ]);
  });

  it('channels last, in and out', () => {
    const input = t([1, 100, 2, 200], [1, 1, 2, 2]);
    const weight = t([1, 10, 2, 20], [2, 2, 1, 1]);
    expect(values(convTranspose2d(input, weight, { inputLayout: 'nhwc' }))).toEqual([201, 2010, 402, 4020]);
  });

  // Every cell of the weight has a digit of its own: i·1000 + o·100 + h·10 + w.
  it.each<FilterLayout>(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'])('filter layout %s: i counts what goes in', (filterLayout) => {
    const sizes = { i: 2, o: 3, h: 2, w: 2 };
    const digits = { i: 1000, o: 100, h: 10, w: 1 };
    let cells = [0];
    for (const letter of filterLayout as Iterable<keyof typeof sizes>)
      cells = cells.flatMap((cell) => Array.from({ length: sizes[letter] }, (_, n) => cell + n * digits[letter]));
    const weight = t(
      cells,
      [...filterLayout].map((letter) => sizes[letter as keyof typeof sizes]),
    );
    // One pixel in channel i gives that channel's kernels.
    for (const i of [0, 1]) {
      const input = pixel(i === 0 ? 1 : 0, i);
      const kernels = [0, 100, 200].flatMap((o) => [0, 1, 10, 11].map((cell) => i * 1000 + o + cell));
      expect(values(convTranspose2d(input, weight, { filterLayout }))).toEqual(kernels);
    }
  });

  it('sums in float64 and rounds once', () => {
    expect(values(convTranspose2d(pixel(1e8, 1, -1e8), t([1, 1, 1], [3, 1, 1, 1])))).toEqual([1]);
  });

  it('an empty batch gives an empty result', () => {
    expect(convTranspose1d(t([], [0, 1, 3]), pair, { stride: 2 })).toEqual(t([], [0, 1, 6]));
  });
});
