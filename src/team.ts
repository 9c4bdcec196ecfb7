/** Who computes the tasks of a kernel: the calling thread alone, or with others (pool.ts). */

import { type ShareBand, wholeBand } from './bands.ts';
import type { Kernels } from './kernels.ts';
import { align } from './memory.ts';
import type { ConvPlan } from './plan.ts';
import type { ConvShape } from './shape.ts';
import type { TaskKernel } from './task-kernels.ts';

/** What a call takes: multiplications and additions, and floats read and written. */
export interface Cost {
  readonly flops: number;
  readonly floats: number;
}

/** Tasks of a kernel, and who may compute them. */
export interface TaskCount {
  readonly count: number;
  /** As many as there is workspace for. */
  readonly threads: number;
  /** So many, one after the other, share what is prepared for them: they are best computed by one thread. */
  readonly together: number;
}

/** How the work of one convolution is cut. */
export interface Share {
  /** Panels of a part of the result: see assembly/tasks.ts. */
  readonly panels: number;
  readonly tasks: TaskCount;
  /** Of the copy with a border, where one is made. */
  readonly padding: TaskCount;
}

/** The threads of an engine. */
export interface Team {
  /** How many of them, the calling one included, are worth waking for a call that costs so much. */
  crew(cost: Cost): number;
  /** The same for a call that computes these. */
  crewOf(shapes: readonly ConvShape[]): number;
  /** How `threads` of them share bands. */
  bands(threads: number): ShareBand;
  /** @param shape of the image before it gets its border */
  share(plan: ConvPlan, shape: ConvShape, threads: number): Share;
  /**
   * Computes all of a kernel's tasks, and returns when they are done.
   *
   * @param work     `teamBytes` of workspace, of which each thread takes its own part
   * @param pointers what the kernel takes behind its workspace
   */
  run(kernel: TaskKernel, tasks: TaskCount, work: number, workBytes: number, ...pointers: readonly number[]): void;
}

/** Bytes of workspace where each of `threads` threads takes `workBytes`. */
export function teamBytes(threads: number, workBytes: number): number {
  return workBytes > 0 ? (threads - 1) * align(workBytes) + workBytes : 0;
}

/** All tasks there are: a kernel counts them. */
const ALL: TaskCount = { count: -1, threads: 1, together: 1 };
const ALONE: Share = { panels: 0, tasks: ALL, padding: ALL };

export function soloTeam(kernels: Kernels): Team {
  return {
    crew: () => 1,
    crewOf: () => 1,
    bands: () => wholeBand,
    share: () => ALONE,
    run: (kernel, { count }, work, _workBytes, ...pointers) => kernels[kernel](0, count, -1, work, ...pointers),
  };
}
