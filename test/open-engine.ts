/** An engine whose heap can be looked into, and what keeps count of what it holds. */
import { readFileSync } from 'node:fs';
import { extras } from '../src/extras.ts';
import { instantiate, type Kernels } from '../src/kernels.ts';
import { Heap } from '../src/memory.ts';
import { operationsOf } from '../src/operations.ts';
import { soloTeam } from '../src/team.ts';
import type { Operations } from '../src/types.ts';
import { moduleSync } from '../src/wasm-source.ts';
import { build } from './engines.ts';

export interface OpenEngine {
  readonly operations: Operations;
  readonly heap: Heap;
}

/**
 * @param maximum bytes of its memory
 * @param change  of its kernels, for what a right kernel never does
 */
export function openEngine(
  maximum = 2 ** 31,
  change: (kernels: Kernels) => Kernels = (kernels) => kernels,
  debug = build === 'debug',
): OpenEngine {
  const wasm = debug ? readFileSync(new URL('../build/kernels-debug.wasm', import.meta.url)) : undefined;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const kernels = change(instantiate('test', moduleSync('test', wasm, build === 'relaxed'), memory));
  const heap = new Heap(memory, Number(kernels.heapBase.value), maximum);
  return { operations: operationsOf({ heap, kernels, team: soloTeam(kernels), extras }), heap };
}
