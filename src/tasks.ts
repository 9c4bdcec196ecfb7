/**
 * Tasks of a kernel: parts of its result that are computed in any order, at the same time, by whoever comes first. Each is computed as if it were alone, so that
 * no sum depends on how many threads there are. The head of a kernel's file says what its tasks are; a kernel checks that it is not asked for more.
 */
import { LINE_CHANNELS, NR, SHUFFLED_PIXELS } from '../assembly/blocks.ts';
import type { TaskParams } from './params.ts';
import type { ConvPlan } from './plan.ts';
import { type ConvShape, type FilterShape, volume } from './shape.ts';

/** assembly/pad.ts: the rows of the copy. */
export function padTasks({ batch, inC, inSize, channelsLast }: ConvShape, border: ConvPlan['border']): number {
  if (border === undefined) return 0;
  const { begin, end } = border;
  return (channelsLast ? batch : batch * inC) * (inSize[0] + begin[0] + end[0]) * (inSize[1] + begin[1] + end[1]);
}

/** assembly/columns.ts: rows of the matrix of columns. */
export function unfoldTasks({ batch, inC, kernel }: ConvShape): number {
  return batch * inC * volume(kernel);
}

/** assembly/columns.ts: planes of the image. */
export function foldTasks({ batch, inC }: ConvShape): number {
  return batch * inC;
}

/** assembly/channels.ts: planes, or pixels where a plane has one. */
export function shuffleTasks(outer: number, channels: number, inner: number): number {
  return inner === 1 ? Math.ceil(outer / SHUFFLED_PIXELS) : outer * channels;
}

/** assembly/channels.ts: channels, or lines of them where a plane has one pixel. */
export function sumTasks(channels: number, inner: number): number {
  return inner === 1 ? Math.ceil(channels / LINE_CHANNELS) : channels;
}

/** assembly/pack.ts: panels of all groups, or lines of channels. The same of assembly/weight-grad.ts. */
export function unpackTasks({ outC, groups }: Pick<FilterShape, 'outC' | 'groups'>, depthwise: boolean): number {
  return depthwise ? Math.ceil(outC / LINE_CHANNELS) : groups * Math.ceil(outC / groups / NR);
}

/** assembly/weight-grad.ts: parts of the sums. */
export function weightGradTasks(shape: ConvShape, depthwise: boolean, { taskPanels, taskRows, taskChannels }: TaskParams): number {
  const rows = shape.kernel[0] * shape.kernel[1];
  return Math.ceil(rows / taskRows) * Math.ceil(shape.groupInC / taskChannels) * Math.ceil(unpackTasks(shape, depthwise) / taskPanels);
}
