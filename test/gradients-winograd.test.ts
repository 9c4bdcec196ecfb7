/** Input gradients by F(m, r): that of a convolution is a transposed convolution, whose phases tiles compute; that of a transposed one is a convolution. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../src/index.ts';
import { fractions, guarded } from './cases.ts';
import { exact, expectClose, sumBound } from './close.ts';
import { elements, engine, filled, laidOut, layoutTag, type Options, operationOf, referenceOf, type Shape } from './family.ts';

const random = (shape: Shape, seed: number): Tensor => filled(shape, seed, fractions);

/** @param channels of the image and of the forward result */
function check(last: boolean, [inC, outC]: readonly [number, number], size: Shape, kernel: Shape, options: Options = {}): void {
  const rank = size.length as 1 | 2;
  const { groups = 1 } = options as { groups?: number };
  const given = { ...options, inputLayout: layoutTag(rank, last) };
  const inputShape = laidOut([2, inC, ...size], last);
  for (const forward of [`conv${rank}d`, `convTranspose${rank}d`] as const) {
    const weight = random([...(forward === `conv${rank}d` ? [outC, inC / groups] : [inC, outC / groups]), ...kernel], 1);
    const gradOutput = random(referenceOf(forward)(random(inputShape, 2), weight, given).shape, 3);
    const want = referenceOf(`${forward}InputGrad`)(gradOutput, weight, inputShape, given);
    const bound = sumBound((outC / groups) * elements(kernel), 2);
    for (const accuracy of ['normal', 'fast'] as const) {
      const title = `${forward} ${accuracy} ${JSON.stringify([inC, outC, size, kernel, options])}`;
      const { out, intact } = guarded(want.data.length);
      const got = operationOf(`${forward}InputGrad`)(gradOutput, weight, inputShape, { ...given, algorithm: 'winograd', accuracy, out });
      expectClose(got, want, bound, title);
      expect(intact(), title).toBe(true);
    }
  }
}

describe.each([
  ['channels first', false],
  ['channels last', true],
] as const)('input gradients by tiles, %s', (_, last) => {
  it('three to five taps, at the sizes around a tile', () => {
    for (const k of [3, 4, 5]) for (const n of [5, 6, 7, 8, 9, 13]) check(last, [16, 17], [n, n + 1], [k, k], { padding: k >> 1 });
  });

  it('groups, dilation, one dimension', () => {
    check(last, [32, 32], [9, 8], [3, 3], { groups: 2, padding: 1 });
    check(last, [16, 20], [11, 12], [3, 3], { dilation: 2, padding: 2 });
    check(last, [16, 16], [40], [3], { padding: 1 });
  });
});

it('a gradient of a stride is tiled where its remainders see several taps', () => {
  const weight = random([24, 16, 4, 4], 1);
  const gradOutput = random([1, 24, 6, 7], 2);
  const rest = [gradOutput, weight, [1, 16, 12, 14]] as const;
  const options = { stride: 2, padding: 1 };
  const got = engine.conv2dInputGrad(...rest, { ...options, algorithm: 'winograd' });
  expectClose(got, referenceOf('conv2dInputGrad')(...rest, options), sumBound(24 * 16, 2), 'conv2dInputGrad');
});

it("is chosen where it costs less, never with 'exact', never for weights that are not finite", () => {
  const shape = [1, 64, 28, 28];
  const weight = filled([64, 64, 3, 3], 1);
  const gradOutput = filled(shape, 2);
  const grad = (given: Tensor, options: Options): Tensor => engine.conv2dInputGrad(gradOutput, given, shape, { padding: 1, ...options });
  const auto = grad(weight, {});
  expect(auto).toEqual(grad(weight, { algorithm: 'winograd' }));
  const want = referenceOf('conv2dInputGrad')(gradOutput, weight, shape, { padding: 1 });
  expectClose(grad(weight, { accuracy: 'exact' }), want, exact, "'exact'");
  expect(auto.data).not.toEqual(want.data);
  const broken: Tensor = { data: weight.data.slice(), shape: weight.shape };
  broken.data[5] = Infinity;
  expect(grad(broken, {})).toEqual(grad(broken, { accuracy: 'exact' }));
});
