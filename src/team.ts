/** Who computes the tasks of a kernel: the calling thread alone. */
import { align } from './memory.ts';
import type { Kernels, TaskKernel } from './wasm.ts';

/** The threads of an engine. */
export interface Team {
  readonly kernels: Kernels;
  /** The calling one included. */
  readonly size: number;
  /**
   * Computes all of a kernel's tasks, and returns when they are done.
   *
   * @param tasks    how many there are
   * @param work     `teamBytes` of workspace, of which each thread takes its own part
   * @param pointers what the kernel takes behind its workspace
   */
  run(kernel: TaskKernel, tasks: number, work: number, workBytes: number, ...pointers: readonly number[]): void;
}

/** Bytes of workspace where each of `threads` threads takes `workBytes`. */
export function teamBytes(threads: number, workBytes: number): number {
  return workBytes > 0 ? (threads - 1) * align(workBytes) + workBytes : 0;
}

export function soloTeam(kernels: Kernels): Team {
  return {
    kernels,
    size: 1,
    run: (kernel, tasks, work, _workBytes, ...pointers) => kernels[kernel](0, tasks, work, ...pointers),
  };
}
