/** Tasks of weight gradients: see tasks.test.ts. */
import { describe, expect, it } from 'vitest';
import { LINE_CHANNELS, MR, NR, WHOLE_ROWS_BELOW } from '../assembly/blocks.ts';
import type { Tensor } from '../src/index.ts';
import type { TaskKernel } from '../src/task-kernels.ts';
import { unpackTasks } from '../src/tasks.ts';
import { fractions } from './cases.ts';
import { engine, filled, laidOut, layoutTag, type Options, type Shape } from './family.ts';
import { expectSame, taskwise } from './tasks.ts';

const random = (shape: Shape, seed: number): Tensor => filled(shape, seed, fractions);

type Problem = [rank: 1 | 2 | 3, image: Shape, gradient: Shape, weight: Shape, options: Options];

const LINE = LINE_CHANNELS;
const FEW = WHOLE_ROWS_BELOW - 1;

/** Sums that are cut by tiles of input channels, by rows of the kernel where they are read whole, by groups. */
const gemms: Problem[] = [
  [2, [2, 2 * MR + 1, 9, 10], [2, 2 * NR + 3, 9, 10], [2 * NR + 3, 2 * MR + 1, 3, 3], { padding: 1 }],
  [2, [1, WHOLE_ROWS_BELOW + 5, 9, 10], [1, NR, 5, 4], [NR, WHOLE_ROWS_BELOW + 5, 2, 3], { stride: [2, 3], padding: [1, 1] }],
  // A cache line too many from pixel to pixel: copied with a gap, whole and in parts.
  [2, [2, 128, 7, 6], [2, 3 * NR, 7, 6], [3 * NR, 128, 1, 1], {}],
  [2, [2, 3, 90, 40], [2, NR, 45, 20], [NR, 3, 5, 5], { stride: 2, padding: 2 }],
  [2, [2, 2, 11, 12], [2, 5, 5, 12], [5, 2, 4, 3], { dilation: [2, 1], padding: [0, 1] }],
  [2, [1, 3, 11, 12], [1, 5, 9, 8], [5, 3, 2, 3], { dilation: 2 }],
  [2, [1, 12, 8, 9], [1, 3 * (NR + 1), 8, 9], [3 * (NR + 1), 4, 3, 3], { groups: 3, padding: 1 }],
  [2, [2, 20, 8, 9], [2, 20, 6, 7], [20, 2, 3, 3], { groups: 10 }],
  [1, [2, 20, 50], [2, 9, 25], [9, 20, 4], { stride: 2, padding: [[1, 2]] }],
  [1, [2, 1, 50], [2, 17, 46], [17, 1, 5], {}],
  [3, [1, 3, 5, 6, 7], [1, 4, 5, 3, 7], [4, 3, 3, 2, 3], { stride: [1, 2, 1], padding: [1, 0, 1] }],
  [3, [2, 17, 3, 4, 5], [2, 9, 3, 4, 5], [9, 17, 3, 3, 1], { padding: [1, 1, 0] }],
];

/** Each channel with filters of its own: cut by lines of channels and by rows of the kernel. */
const depthwise: Problem[] = [
  [2, [2, 2 * LINE + 3, 9, 10], [2, 2 * LINE + 3, 9, 10], [2 * LINE + 3, 1, 3, 3], { groups: 2 * LINE + 3, padding: 1 }],
  [2, [1, LINE, 40, 41], [1, LINE, 20, 15], [LINE, 1, 5, 4], { groups: LINE, stride: [2, 3], padding: [2, 3] }],
  // Filters of one channel in two lines.
  [2, [2, 7, 9, 10], [2, 35, 7, 6], [35, 1, 3, 3], { groups: 7, dilation: [1, 2] }],
  [2, [1, 10, 9, 10], [1, 50, 9, 10], [50, 1, 1, 1], { groups: 10 }],
  [3, [1, 20, 4, 5, 6], [1, 20, 4, 5, 6], [20, 1, 3, 2, 3], { groups: 20, padding: [1, [1, 0], 1] }],
];

const transposed: Problem[] = [
  [2, [2, 9, 5, 6], [2, 11, 10, 12], [9, 11, 4, 4], { stride: 2, padding: 1 }],
  [2, [2, 40, 5, 6], [2, 40, 11, 13], [40, 1, 3, 3], { groups: 40, stride: 2 }],
  [1, [2, 20, 9], [2, FEW, 11], [20, FEW, 3], {}],
];

describe.each([false, true])('channels last: %s', (last) => {
  const kernel = last ? 'weightGradChannelsLast' : 'weightGradChannelsFirst';
  const shaped = ([rank, image, gradient, , options]: Problem): readonly [Shape, Shape, Options] => [
    laidOut(image, last),
    laidOut(gradient, last),
    { inputLayout: layoutTag(rank, last), ...options },
  ];
  const tasksOf = (forward: 'conv' | 'convTranspose', problem: Problem): Map<TaskKernel, number> => {
    const [image, gradient, options] = shaped(problem);
    return expectSame(`${forward}${problem[0]}dWeightGrad`, random(image, 1), random(gradient, 2), problem[3], options);
  };

  it.each(gemms)('conv%id %j, gradient %j, weight %j %j', (...problem) => {
    const most = tasksOf('conv', problem);
    expect(most.get(kernel)).toBeGreaterThan(1);
    expect(most.get('unpackPanels')).toBe(unpackTasks({ outC: problem[3][0] as number, groups: Number(problem[4].groups ?? 1) }, false));
  });

  it.each(depthwise)('depthwise conv%id %j, gradient %j, weight %j %j', (...problem) => {
    const most = tasksOf('conv', problem);
    expect(most.get(kernel)).toBeGreaterThan(1);
    expect(most.get('unpackTaps')).toBe(Math.ceil((problem[3][0] as number) / LINE));
  });

  it.each(transposed)('convTranspose%id %j, gradient %j, weight %j %j', (...problem) => {
    expect(tasksOf('convTranspose', problem).get(kernel)).toBeGreaterThan(1);
  });

  // Which NaN it is depends on how a host compiles a sum, so that bits say too much.
  it('where not all is finite', () => {
    for (const problem of [...gemms, ...depthwise]) {
      const [image, gradient, options] = shaped(problem);
      const op = `conv${problem[0]}dWeightGrad` as const;
      for (const value of [NaN, Infinity, -Infinity])
        for (const struck of [0, 1]) {
          const tensors = [random(image, 1), random(gradient, 2)] as const;
          const { data } = tensors[struck] as Tensor;
          // At a corner, and inside.
          data[0] = value;
          data[Math.floor(data.length / 2) + 1] = value;
          const want = engine[op](...tensors, problem[3], options).data;
          expect(want.some((x) => !Number.isFinite(x))).toBe(true);
          for (const [threads, atOnce] of [
            [2, 1],
            [8, 1],
            [8, 4],
          ] as const) {
            const got = taskwise(threads, atOnce).operations[op](...tensors, problem[3], options).data;
            const at = want.findIndex((x, i) => !Object.is(x, got[i]));
            if (at >= 0) expect.fail(`${op} ${image} for ${threads} threads: float ${at} is ${got[at]}, not ${want[at]}`);
          }
        }
    }
  });
});

describe('parts of the sums', () => {
  it('are one for one thread', () => {
    const { operations, runs } = taskwise(1);
    for (const [rank, image, gradient, weight, options] of [...gemms, ...depthwise])
      operations[`conv${rank}dWeightGrad`](random(image, 1), random(gradient, 2), weight, options);
    expect(runs.filter(([kernel]) => kernel === 'weightGradChannelsFirst').map(([, tasks]) => tasks)).toEqual(
      [...gemms, ...depthwise].map(() => 1),
    );
  });
});
