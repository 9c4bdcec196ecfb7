/** Tasks of what is done channel by channel, and of columns: see tasks.test.ts. */
import { describe, expect, it } from 'vitest';
import { LINE_CHANNELS, SHUFFLED_PIXELS } from '../assembly/blocks.ts';
import { fractions } from './cases.ts';
import { engine, filled, laidOut, layoutTag, type Options, type Shape } from './family.ts';
import { expectSame } from './tasks.ts';

const random = (shape: Shape): ReturnType<typeof filled> => filled(shape, 1, fractions);

describe.each([false, true])('channels last: %s', (last) => {
  const inputLayout = layoutTag(2, last);

  it('channelShuffle', () => {
    for (const [shape, groups] of [
      [[3, 6, 20, 21], 2],
      [[2, 12, 17, 31], 3],
      [[SHUFFLED_PIXELS + 1, 10, 1, 1], 5],
      [[1, 7, SHUFFLED_PIXELS, 2], 7],
    ] as const) {
      const most = expectSame('channelShuffle', random(laidOut(shape, last)), groups, { inputLayout });
      expect(most.get('channelShuffle'), String(shape)).toBeGreaterThan(1);
    }
  });

  it('biasGrad', () => {
    for (const shape of [
      [3, LINE_CHANNELS + 3, 9, 11],
      [1, 2 * LINE_CHANNELS, 40, 41],
      [70, 3 * LINE_CHANNELS - 1, 1, 1],
    ]) {
      const most = expectSame('biasGrad', random(laidOut(shape, last)), { inputLayout });
      expect(most.get('channelSums'), String(shape)).toBeGreaterThan(1);
    }
  });
});

it.each<[Shape, Shape, Options]>([
  [[2, 3, 9, 10], [3, 2], {}],
  [[1, 2, 8, 9], [2, 3], { stride: 2, padding: [1, 2] }],
  [[2, 2, 11, 7], [3, 3], { stride: [1, 2], dilation: [2, 1], padding: 3 }],
  [[3, 5, 4, 4], [1, 1], {}],
])('columns of %j, windows %j %j', (image, kernel, options) => {
  expect(expectSame('unfold', random(image), kernel, options).get('unfold')).toBeGreaterThan(1);
  const { shape } = engine.unfold(random(image), [...kernel], options);
  expect(expectSame('fold', random(shape), image.slice(2), kernel, options).get('fold')).toBeGreaterThan(1);
});
