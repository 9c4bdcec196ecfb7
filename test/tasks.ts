/** Operations whose kernels compute their tasks a few at a time, last first, each in a workspace that holds NaN before, as if many threads took turns. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { instantiate } from '../src/kernels.ts';
import { align, Heap, viewIn } from '../src/memory.ts';
import { operationsOf } from '../src/operations.ts';
import type { TaskKernel } from '../src/task-kernels.ts';
import { sharedBand, shareOf } from '../src/tasks.ts';
import type { Team } from '../src/team.ts';
import type { Operations, Tensor } from '../src/types.ts';
import { moduleSync } from '../src/wasm-source.ts';
import type { Op } from './any-call.ts';
import { build, testEngine } from './engines.ts';

export interface Taskwise {
  readonly operations: Operations;
  /** Kernels that ran, and the tasks of each run. */
  readonly runs: [kernel: TaskKernel, tasks: number][];
}

/**
 * @param threads that the plans are made for
 * @param atOnce  tasks of a call: consecutive ones may share what they prepare
 * @param keeps   what a thread prepared for its last task may serve the next; else its workspace holds NaN again
 */
export function taskwise(threads: number, atOnce = 1, keeps = false): Taskwise {
  const wasm = build === 'debug' ? readFileSync(new URL('../build/kernels-debug.wasm', import.meta.url)) : undefined;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const kernels = instantiate('test', moduleSync('test', wasm, build === 'relaxed'), memory);
  const heap = new Heap(memory, Number(kernels.heapBase.value), 2 ** 31);
  const runs: Taskwise['runs'] = [];
  const team: Team = {
    crew: () => threads,
    crewOf: () => threads,
    bands: sharedBand,
    share: shareOf,
    run: (kernel, { count, threads: among }, work, workBytes, ...pointers) => {
      runs.push([kernel, count]);
      // The task that each thread computed last; some threads begin anew each time.
      const before = new Map<number, number>();
      for (let last = count; last > 0; last -= atOnce) {
        const first = Math.max(0, last - atOnce);
        const thread = first % among;
        const own = work + thread * align(workBytes);
        const known = (keeps ? before.get(thread) : undefined) ?? -1;
        if (known < 0 && workBytes > 0) viewIn(heap, own, Math.ceil(workBytes / 4)).fill(NaN);
        kernels[kernel](first, last, known, own, ...pointers);
        before.set(thread, last - 1);
      }
    },
  };
  return { operations: operationsOf({ heap, kernels, team }), runs };
}

const engine = testEngine();
type Anything = (...given: readonly unknown[]) => Tensor;

/** The same call on an engine and by tasks, one by one and several at once, cut for 1, 2, 3 and 8 threads. @returns the kernels that ran, and how many tasks they had at most */
export function expectSame(op: Op, ...given: readonly unknown[]): Map<TaskKernel, number> {
  const most = new Map<TaskKernel, number>();
  const want = (engine[op] as unknown as Anything)(...given);
  for (const [threads, atOnce, keeps] of [
    [1, 1, false],
    [2, 1, true],
    [3, 1, false],
    [8, 1, false],
    [8, 3, true],
    [8, Infinity, false],
  ] as const) {
    const { operations, runs } = taskwise(threads, atOnce, keeps);
    const got = (operations[op] as unknown as Anything)(...given);
    const [a, b] = [new Uint32Array(got.data.slice().buffer), new Uint32Array(want.data.slice().buffer)];
    const at = a.findIndex((x, i) => x !== b[i]);
    if (at >= 0)
      expect.fail(`${op} for ${threads} threads, ${atOnce} at once: float ${at} of ${b.length} is ${got.data[at]}, not ${want.data[at]}`);
    for (const [kernel, tasks] of runs) most.set(kernel, Math.max(most.get(kernel) ?? 0, tasks));
  }
  return most;
}
