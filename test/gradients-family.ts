/** Both gradients of one forward call against the plain loops. */
import type { Op } from './any-call.ts';
import { check, filled, laidOut, layoutTag, type Options, prepareOf, type Shape } from './family.ts';

/** 'direct' sums go by phases of the stride, 'gemm' tap by tap. */
const ways = [{ accuracy: 'exact' }, { algorithm: 'direct' }, { algorithm: 'gemm' }];

/**
 * @param image  of the forward call, with channels first
 * @param weight of the forward call, in the order of its filter layout
 */
export function bothGradients(
  forward: 'conv' | 'convTranspose',
  rank: 1 | 2 | 3,
  last: boolean,
  image: Shape,
  weight: Shape,
  given: Options = {},
): void {
  const options = { inputLayout: layoutTag(rank, last), ...given };
  const input = laidOut(image, last);
  const layer = prepareOf(`${forward}${rank}d` as Op)(filled(weight), options);
  const { outputShape } = layer.plan(input);
  layer.dispose();
  // The input gradient of a transposed convolution is a convolution: its algorithm is the planner's choice.
  check(`${forward}${rank}dInputGrad` as Op, [outputShape, weight], options, { rest: [input], ways: forward === 'conv' ? ways : [{}] });
  check(`${forward}${rank}dWeightGrad` as Op, [input, outputShape], options, {
    rest: [weight],
    ways: [{ accuracy: 'fast' }, { algorithm: 'gemm' }],
  });
}
