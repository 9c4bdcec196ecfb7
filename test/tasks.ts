/** Operations whose kernels compute their tasks one by one, last first, each in a workspace that holds NaN before, as if many threads took turns. */
import { readFileSync } from 'node:fs';
import { align, Heap } from '../src/memory.ts';
import { operationsOf } from '../src/operations.ts';
import type { Team } from '../src/team.ts';
import type { Operations } from '../src/types.ts';
import { instantiate, moduleSync, type TaskKernel } from '../src/wasm.ts';
import { build } from './engines.ts';

export interface Taskwise {
  readonly operations: Operations;
  /** Kernels that ran, and the tasks of each run. */
  readonly runs: [kernel: TaskKernel, tasks: number][];
}

/** @param threads that the plans are made for */
export function taskwise(threads: number): Taskwise {
  const wasm = build === 'debug' ? readFileSync(new URL('../build/kernels-debug.wasm', import.meta.url)) : undefined;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const kernels = instantiate('test', moduleSync('test', wasm, build === 'relaxed' ? 'relaxed' : 'plain'), memory);
  const heap = new Heap(memory, Number(kernels.heapBase.value), 2 ** 31);
  const runs: Taskwise['runs'] = [];
  const team: Team = {
    kernels,
    size: threads,
    run: (kernel, tasks, work, workBytes, ...pointers) => {
      runs.push([kernel, tasks]);
      for (let task = tasks - 1; task >= 0; task--) {
        const own = work + (task % threads) * align(workBytes);
        if (workBytes > 0) heap.view(own, Math.ceil(workBytes / 4)).fill(NaN);
        kernels[kernel](task, task + 1, own, ...pointers);
      }
    },
  };
  return { operations: operationsOf({ heap, kernels, team }), runs };
}
