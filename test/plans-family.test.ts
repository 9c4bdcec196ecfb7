/** What the plans of the family say: flops by their definition, what a fused pass does not store, which algorithm serves which shape. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../src/index.ts';
import type { Op } from './any-call.ts';
import { elements, filled, following, laidOut, layoutTag, type Options, prepareOf, type Shape } from './family.ts';

function planOf(op: Op, weights: readonly Shape[], image: Shape, options: Options = {}): Plan {
  const tensors = weights.map((shape, i) => filled(shape, i + 1));
  const layer = prepareOf(op)(...following(op, tensors, []), options);
  const plan = layer.plan(image);
  layer.dispose();
  return plan;
}

describe('flops are 2 × the multiply-adds of the direct sum, padded taps included', () => {
  it('transposed: per input pixel, whatever the algorithm', () => {
    for (const options of [{}, { stride: 2 }, { stride: 2, padding: 'same' }, { algorithm: 'gemm' }, { algorithm: 'direct', stride: 3 }])
      expect(planOf('convTranspose2d', [[16, 8, 4, 3]], [2, 16, 5, 6], options).flops).toBe(2 * 2 * 30 * 16 * 8 * 12);
    expect(planOf('convTranspose2d', [[16, 2, 4, 3]], [2, 16, 5, 6], { groups: 4 }).flops).toBe(2 * 2 * 30 * 16 * 2 * 12);
    expect(planOf('convTranspose2d', [[16, 1, 3, 3]], [2, 16, 5, 6], { groups: 16, stride: 2 }).flops).toBe(2 * 2 * 30 * 16 * 9);
    expect(planOf('convTranspose1d', [[3, 5, 4]], [2, 3, 7]).flops).toBe(2 * 2 * 7 * 3 * 5 * 4);
    expect(planOf('convTranspose3d', [[3, 5, 2, 3, 4]], [1, 3, 4, 5, 6], { stride: 2 }).flops).toBe(2 * 120 * 3 * 5 * 24);
  });
  it('of composed operations those of all steps', () => {
    const image = [2, 4, 9, 8];
    const both = { padding: 1, stride: [2, 1] };
    const separable = planOf(
      'separableConv2d',
      [
        [8, 1, 3, 3],
        [6, 8, 1, 1],
      ],
      image,
      both,
    );
    expect(separable.outputShape).toEqual([2, 6, 5, 8]);
    expect(separable.flops).toBe(2 * 2 * 40 * (8 * 9 + 6 * 8));
    // The step down leaves 5 rows of 8, the step along as many.
    const spatial = planOf(
      'spatialSeparableConv2d',
      [
        [3, 4, 3, 1],
        [6, 3, 1, 3],
      ],
      image,
      both,
    );
    expect(spatial.flops).toBe(2 * 2 * (40 * 3 * 4 * 3 + 40 * 6 * 3 * 3));
    const flattened = planOf(
      'flattenedConv2d',
      [
        [6, 4],
        [6, 3],
        [6, 3],
      ],
      image,
      both,
    );
    expect(flattened.flops).toBe(2 * 2 * (72 * 6 * 4 + 40 * 6 * 3 + 40 * 6 * 3));
  });
  it('an empty batch takes nothing', () => {
    for (const [op, weights] of [
      ['convTranspose2d', [[4, 6, 3, 3]]],
      [
        'separableConv2d',
        [
          [4, 1, 3, 3],
          [6, 4, 1, 1],
        ],
      ],
      [
        'flattenedConv2d',
        [
          [6, 4],
          [6, 3],
          [6, 3],
        ],
      ],
    ] as const)
      expect(planOf(op, weights, [0, 4, 9, 9])).toMatchObject({ flops: 0, workspaceBytes: 0 });
  });
});

describe.each([false, true])('workspace of a fused pass, channels last: %s', (last) => {
  const inputLayout = layoutTag(2, last);
  /** Bytes beside the copies of image and result. */
  const beside = (op: Op, weights: readonly Shape[], image: Shape, options: Options = {}): number => {
    const input = laidOut(image, last);
    const { workspaceBytes, outputShape } = planOf(op, weights, input, { inputLayout, ...options });
    return workspaceBytes - 4 * (elements(input) + elements(outputShape));
  };

  it.each([
    [32, 64, 112],
    [128, 128, 56],
    [64, 64, 224],
  ])('separable %i → %i at %i²: without the whole intermediate, and the same for many images', (inC, outC, size) => {
    const weights = [
      [inC, 1, 3, 3],
      [outC, inC, 1, 1],
    ];
    const intermediate = 4 * inC * size * size;
    const one = beside('separableConv2d', weights, [1, inC, size, size], { padding: 1 });
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThan(intermediate / 2);
    expect(beside('separableConv2d', weights, [8, inC, size, size], { padding: 1 })).toBe(one);
    // Twice as high: no more rows at a time than before.
    expect(beside('separableConv2d', weights, [1, inC, 2 * size, size], { padding: 1 })).toBe(one);
  });
  it('spatially separable and flattened: as well', () => {
    const image = [1, 16, 300, 300];
    const intermediate = 4 * 16 * 300 * 300;
    expect(
      beside(
        'spatialSeparableConv2d',
        [
          [16, 16, 5, 1],
          [16, 16, 1, 5],
        ],
        image,
        { padding: 2 },
      ),
    ).toBeLessThan(intermediate / 2);
    expect(
      beside(
        'flattenedConv2d',
        [
          [16, 16],
          [16, 5],
          [16, 5],
        ],
        image,
        { padding: 2 },
      ),
    ).toBeLessThan(intermediate / 2);
  });
  it('transposed: never the columns of the whole image', () => {
    const weights = [[64, 32, 4, 4]];
    const columns = 4 * 56 * 56 * 32 * 16;
    const phases = beside('convTranspose2d', weights, [1, 64, 56, 56], { stride: 2, padding: 1, algorithm: 'direct' });
    const taps = beside('convTranspose2d', weights, [1, 64, 56, 56], { stride: 2, padding: 1, algorithm: 'gemm' });
    expect(phases).toBeLessThan(columns / 8);
    // One tap at a time, beside the image in its other layout.
    expect(taps).toBeLessThan(columns / 2);
  });
});

describe('algorithms of a transposed convolution', () => {
  it('phases where the image is large beside its kernel, taps where it is small', () => {
    expect(planOf('convTranspose2d', [[8, 8, 4, 4]], [1, 8, 32, 32], { stride: 2, padding: 1 }).algorithm).toBe('direct');
    expect(planOf('convTranspose2d', [[8, 8, 4, 4]], [1, 8, 1, 1]).algorithm).toBe('gemm');
    for (const algorithm of ['direct', 'gemm'] as const)
      for (const image of [
        [1, 8, 32, 32],
        [1, 8, 1, 1],
      ])
        expect(planOf('convTranspose2d', [[8, 8, 4, 4]], image, { stride: 2, algorithm })).toMatchObject({
          algorithm,
          reason: 'asked for',
        });
  });
  it('variants count the phases', () => {
    const variant = (stride: number, dilation = 1, k = 4): string =>
      planOf('convTranspose2d', [[8, 8, k, k]], [1, 8, 32, 32], { stride, dilation, algorithm: 'direct' }).variant;
    expect(variant(1)).toBe('1 phase of the stride, each a convolution');
    expect(variant(2)).toBe('4 phases of the stride, each a convolution');
    // The steps of the taps are steps of the stride: one phase is all that is reached.
    expect(variant(2, 2)).toBe('1 phase of the stride, each a convolution');
    expect(variant(3, 1, 2)).toBe('4 phases of the stride, each a convolution');
  });
});
