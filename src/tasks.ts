/**
 * Tasks of a kernel: parts of its result that are computed in any order, at the same time, by whoever comes first. Each is computed as if it were alone, so that
 * no sum depends on how many threads there are. The head of a kernel's file says what its tasks are; a kernel checks that it is not asked for more.
 */
import type { ConvPlan } from './plan.ts';
import { groupsTogether } from './plan-groups.ts';
import type { ConvShape } from './shape.ts';

/** assembly/pad.ts: the rows of the copy. */
export function padTasks({ batch, inC, inSize, channelsLast }: ConvShape, border: ConvPlan['border']): number {
  if (border === undefined) return 0;
  const { begin, end } = border;
  return (channelsLast ? batch : batch * inC) * (inSize[0] + begin[0] + end[0]) * (inSize[1] + begin[1] + end[1]);
}

/** assembly/depthwise-channels-first.ts and depthwise-channels-last.ts. */
function depthwiseTasks({ shape, band, inPlace, pack: { channelsLast } }: ConvPlan): number {
  const { batch, inC, outC, outSize } = shape;
  const bands = Math.ceil(outSize[1] / band.rows);
  if (channelsLast) return batch * bands;
  return inPlace ? batch * outC * (Math.floor((outSize[1] - 2) / band.rows) + 1) : batch * inC * bands;
}

/** assembly/depthwise-factored.ts: bands of each plane, or of each image. */
function factoredTasks({ shape: { batch, outC, outSize }, band, pack: { channelsLast } }: ConvPlan): number {
  return (channelsLast ? batch : batch * outC) * Math.ceil(outSize[1] / band.rows);
}

/** assembly/groups.ts: bands of groups. */
function groupsTasks({ shape, band, pack }: ConvPlan): number {
  const { batch, groups, outSize } = shape;
  return batch * Math.ceil(outSize[1] / band.rows) * Math.ceil(groups / groupsTogether(shape, pack));
}

/** The kernel that computes a plan: see src/conv-program.ts. */
export function convTasks(plan: ConvPlan): number {
  switch (plan.kind) {
    case 'depthwise':
      return depthwiseTasks(plan);
    case 'factored':
      return factoredTasks(plan);
    case 'grouped':
      return groupsTasks(plan);
    default:
      return 1;
  }
}

/** assembly/chain.ts and separable-channels-first.ts: strips of `rows` rows of the last step's result. */
export function stripTasks({ batch, outSize }: ConvShape, rows: number): number {
  return batch * Math.ceil(outSize[1] / rows);
}
