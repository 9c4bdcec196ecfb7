/** An instance of the module on a memory, and the threads that compute on it: what the operations are bound to. */
import type { Context } from './call.ts';
import { instantiate, type Kernels } from './kernels.ts';
import { type Elsewhere, Heap, PAGE_BYTES } from './memory.ts';
import { hasRelaxed, ownModuleLater } from './own-module.ts';
import { soloTeam, type Team } from './team.ts';

/** All that a 32-bit address reaches. */
export const MOST_PAGES = 65536;

/** An instance and its memory, of its own or shared with threads. */
export interface Instance {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  readonly maximumPages: number;
}

export function ownInstance(op: string, module: WebAssembly.Module, maximumPages: number): Instance {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages });
  return { module, memory, kernels: instantiate(op, module, memory), maximumPages };
}

export function contextOf({ memory, kernels, maximumPages }: Instance, team: Team, elsewhere?: Elsewhere): Context {
  return { heap: new Heap(memory, Number(kernels.heapBase.value), maximumPages * PAGE_BYTES, elsewhere), kernels, team };
}

let shared: Context | undefined;

/**
 * What all functions of the module, and the default engine, compute on: made by the first call, never disposed.
 *
 * @throws Error `ERR_HOST` where the host has no 128-bit SIMD or refuses to compile. It may not later: the next call tries again
 */
export async function sharedContext(op: string): Promise<Context> {
  if (shared === undefined) {
    const module = await ownModuleLater(op, hasRelaxed());
    // Whoever asked meanwhile may have made it.
    if (shared === undefined) {
      const instance = ownInstance(op, module, MOST_PAGES);
      shared = contextOf(instance, soloTeam(instance.kernels));
    }
  }
  return shared;
}
