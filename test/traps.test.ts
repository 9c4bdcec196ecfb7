/**
 * Cases that other libraries get wrong, with numbers found by hand or by loops of this file: `same` with a kernel smaller than its stride, transposed
 * convolutions and gradients in three dimensions. relu6 of NaN is in non-finite.test.ts.
 */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../src/index.ts';
import { integers } from './cases.ts';
import { expectClose } from './close.ts';
import { engine, filled, t, values } from './family.ts';

describe('`same` with a kernel smaller than its stride', () => {
  const line = (...data: number[]): Tensor => t(data, [1, 1, data.length]);
  const row = (...data: number[]): Tensor => t(data, [1, 1, 1, data.length]);
  const seven = [1, 2, 3, 4, 5, 6, 7] as const;

  it.each(['same', 'same-lower'] as const)('%s pads nothing where no window reaches beyond the image', (padding) => {
    // ceil(7 / 3) windows at 0, 3, 6: total = max(0, 2 · 3 + 1 − 7) = 0.
    expect(values(engine.conv1d(line(...seven), line(10), { stride: 3, padding }))).toEqual([10, 40, 70]);
    // ceil(7 / 4) windows of two at 0 and 4: a negative total is none.
    expect(values(engine.conv1d(line(...seven), line(1, 10), { stride: 4, padding }))).toEqual([21, 65]);
    expect(values(engine.conv2d(row(...seven), row(1, 10), { stride: 4, padding }))).toEqual([21, 65]);
    expect(values(engine.depthwiseConv2d(row(...seven), row(1, 10), { stride: 4, padding }))).toEqual([21, 65]);
    expect(values(engine.separableConv2d(row(...seven), row(1, 10), t([2], [1, 1, 1, 1]), { stride: 4, padding }))).toEqual([42, 130]);
    expect(
      values(engine.conv3d({ ...row(...seven), shape: [1, 1, 1, 1, 7] }, t([1, 10], [1, 1, 1, 1, 2]), { stride: 4, padding })),
    ).toEqual([21, 65]);
    expect(values(engine.conv1dInputGrad(line(1, 2), line(1, 10), [1, 1, 7], { stride: 4, padding }))).toEqual([1, 10, 0, 0, 2, 20, 0]);
    expect(values(engine.conv1dWeightGrad(line(...seven), line(1, 2), [1, 1, 2], { stride: 4, padding }))).toEqual([1 + 2 * 5, 2 + 2 * 6]);
  });

  it('one cell of padding goes where the rule says', () => {
    // ceil(5 / 3) windows of two: total = 3 + 2 − 5 = 0; of three: 1.
    const five = line(1, 2, 3, 4, 5);
    expect(values(engine.conv1d(five, line(1, 10, 100), { stride: 3, padding: 'same' }))).toEqual([321, 54]);
    expect(values(engine.conv1d(five, line(1, 10, 100), { stride: 3, padding: 'same-lower' }))).toEqual([210, 543]);
  });

  it.each(['same', 'same-lower'] as const)(
    '%s of a transposed convolution gives stride · size cells, those without a tap at the end',
    (padding) => {
      for (const algorithm of ['direct', 'gemm'] as const) {
        const bias = Float32Array.of(5);
        expect(values(engine.convTranspose1d(line(1, 2), line(1, 10), { stride: 4, padding, bias, algorithm }))).toEqual([
          6, 15, 5, 5, 7, 25, 5, 5,
        ]);
        const shape = [1, 1, 1, 2];
        const flat = engine.convTranspose2d({ ...line(1, 2), shape }, { ...line(1, 10), shape }, { stride: [1, 4], padding, algorithm });
        expect(values(flat)).toEqual([1, 10, 0, 0, 2, 20, 0, 0]);
      }
      expect(values(engine.convTranspose1dInputGrad(line(1, 2, 3, 4, 5, 6, 7, 8), line(1, 10), [1, 1, 2], { stride: 4, padding }))).toEqual(
        [21, 65],
      );
    },
  );
});

type Triple = readonly [number, number, number];

/** Cells of a box, in the order of its elements. */
function cells([d, h, w]: Triple): Triple[] {
  return Array.from({ length: d * h * w }, (_, i) => [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w]);
}

function at([d, h, w]: Triple, [, sizeH, sizeW]: Triple): number {
  return (d * sizeH + h) * sizeW + w;
}

interface Box {
  readonly batch: number;
  readonly inC: number;
  readonly outC: number;
  /** Of the convolution: image, kernel, result. */
  readonly image: Triple;
  readonly kernel: Triple;
  readonly result: Triple;
  readonly stride: number;
  readonly pad: number;
}

/** Calls `visit` for every product of a 3-D convolution [batch, inC, image] → [batch, outC, result], with the places of its elements. */
function eachProduct(
  { batch, inC, outC, image, kernel, result, stride, pad }: Box,
  visit: (x: number, w: number, y: number) => void,
): void {
  const volume = (size: Triple): number => size[0] * size[1] * size[2];
  for (let b = 0; b < batch; b++)
    for (let oc = 0; oc < outC; oc++)
      for (let ic = 0; ic < inC; ic++)
        for (const out of cells(result))
          for (const tap of cells(kernel)) {
            const cell = out.map((o, axis) => o * stride + (tap[axis] as number) - pad) as unknown as Triple;
            if (cell.some((c, axis) => c < 0 || c >= (image[axis] as number))) continue;
            const x = (b * inC + ic) * volume(image) + at(cell, image);
            const w = (oc * inC + ic) * volume(kernel) + at(tap, kernel);
            visit(x, w, (b * outC + oc) * volume(result) + at(out, result));
          }
}

/** Σ of products into as many cells as `shape` has. */
function sums(shape: readonly number[], box: Box, term: (x: number, w: number, y: number) => readonly [to: number, value: number]): Tensor {
  const totals = new Float64Array(shape.reduce((a, b) => a * b, 1));
  eachProduct(box, (x, w, y) => {
    const [to, value] = term(x, w, y);
    totals[to] = (totals[to] as number) + value;
  });
  return { data: Float32Array.from(totals), shape };
}

describe.each([1, 2, 3])('three dimensions at stride %i, channels in both layouts', (stride) => {
  const image: Triple = [5, 6, 7];
  const kernel: Triple = [2, 3, 3];
  const pad = 1;
  const result = image.map((size, i) => Math.floor((size + 2 * pad - (kernel[i] as number)) / stride) + 1) as unknown as Triple;
  const box: Box = { batch: 2, inC: 3, outC: 5, image, kernel, result, stride, pad };
  const [x, w, g] = [filled([2, 3, ...image], 1), filled([5, 3, ...kernel], 2), filled([2, 5, ...result], 3)];
  const of = (value: Tensor, i: number): number => value.data[i] as number;
  const back = sums(x.shape, box, (xi, wi, yi) => [xi, of(w, wi) * of(g, yi)]);
  const options = { stride, padding: pad };

  /** [batch, C, D, H, W] → [batch, D, H, W, C] */
  const turned = ({ data, shape }: Tensor): Tensor => {
    const [batch = 1, channels = 1, ...size] = shape;
    const pixels = data.length / batch / channels;
    const moved = Float32Array.from(data, (_value, i) => {
      const [b, p, c] = [Math.floor(i / (pixels * channels)), Math.floor(i / channels) % pixels, i % channels];
      return data[(b * channels + c) * pixels + p] as number;
    });
    return { data: moved, shape: [batch, ...size, channels] };
  };

  it('forward', () => {
    const want = sums(g.shape, box, (xi, wi, yi) => [yi, of(x, xi) * of(w, wi)]);
    expectClose(engine.conv3d(x, w, options), want);
    expectClose(engine.conv3d(turned(x), w, { ...options, inputLayout: 'ndhwc' }), turned(want));
  });
  it('transposed', () => {
    // [outC, inC, …] of the convolution is what a transposed one takes.
    const bias = integers(3, 7);
    const want = { ...back, data: back.data.map((value, i) => value + (bias[Math.floor(i / 210) % 3] as number)) };
    for (const algorithm of ['direct', 'gemm'] as const) {
      const given = { ...options, bias, outputSize: image, algorithm };
      expectClose(engine.convTranspose3d(g, w, given), want);
      expectClose(engine.convTranspose3d(turned(g), w, { ...given, inputLayout: 'ndhwc' }), turned(want));
    }
  });
  it('gradients', () => {
    expectClose(engine.conv3dInputGrad(g, w, x.shape, options), back);
    expectClose(engine.conv3dInputGrad(turned(g), w, turned(x).shape, { ...options, inputLayout: 'ndhwc' }), turned(back));
    const want = sums(w.shape, box, (xi, wi, yi) => [wi, of(x, xi) * of(g, yi)]);
    expectClose(engine.conv3dWeightGrad(x, g, w.shape, options), want);
    expectClose(engine.conv3dWeightGrad(turned(x), turned(g), w.shape, { ...options, inputLayout: 'ndhwc' }), want);
    // Of the transposed convolution g → x.
    expectClose(engine.convTranspose3dWeightGrad(g, x, w.shape, { ...options, outputSize: image }), want);
  });
});
