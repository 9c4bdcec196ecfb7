/** Exports of assembly/index.ts that compute a part of what they are asked for. Their places in this list name them to other threads. */
export const taskKernels = [
  'chain',
  'channelShuffle',
  'channelSums',
  'convChannelsFirst',
  'convChannelsLast',
  'convScattered',
  'convTransposed',
  'convWinograd',
  'depthwiseChannelsFirst',
  'depthwiseChannelsLast',
  'factoredChannelsFirst',
  'factoredChannelsLast',
  'fold',
  'groupsChannelsFirst',
  'groupsChannelsLast',
  'padImage',
  'pointwiseChannelsFirst',
  'separableChannelsFirst',
  'unfold',
  'unpackPanels',
  'unpackTaps',
  'weightGradChannelsFirst',
  'weightGradChannelsLast',
] as const;

export type TaskKernel = (typeof taskKernels)[number];

/**
 * Computes tasks [first, last), with `work` to itself: see tasks.ts. `before` is the task of the same run that was computed last in this workspace, −1 where there was
 * none: what was prepared for it may serve again. Kernels of one convolution, and its border, take −1 as `last` for all tasks there are. What the pointers are is said at the head of the kernel's file.
 */
export type Tasks = (first: number, last: number, before: number, work: number, ...pointers: readonly number[]) => void;

export type TaskKernels = Readonly<Record<TaskKernel, Tasks>>;
