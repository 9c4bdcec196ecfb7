/** The memory of an engine with threads that these do not see: made when a call first wants it, given up when the first one needs its room. unshared.ts says which calls do. */
import type { Context } from './call.ts';
import { contextOf, ownInstance } from './core.ts';
import { type Elsewhere, type Heap, PAGE_BYTES } from './memory.ts';
import type { Pool } from './pool.ts';
import { type Cost, soloTeam } from './team.ts';

/** Of all the memory that the engine may have, so much at most. */
const SHARE = 0.25;

export class SecondMemory implements Elsewhere {
  readonly #module: () => WebAssembly.Module;
  readonly #maximum: number;
  #pool: Pool | undefined;
  #first: Heap | undefined;
  #context: Context | undefined;

  /**
   * @param module  the build for a memory that is not shared
   * @param maximum bytes of both memories
   */
  constructor(pool: Pool, module: () => WebAssembly.Module, maximum: number) {
    this.#pool = pool;
    this.#module = module;
    this.#maximum = maximum;
  }

  /** Tells it which is the other one. */
  beside(first: Heap): void {
    this.#first = first;
  }

  get bytes(): number {
    return this.#context?.heap.bytes ?? 0;
  }

  readonly contextFor = (cost: Cost, copied: number): Context | undefined => {
    if (this.#pool?.isAloneSooner(cost, copied) !== true) return undefined;
    this.#context ??= this.#make();
    return this.#context;
  };

  /** Where the host, or the first memory, leaves no room there is none. */
  #make(): Context | undefined {
    const first = this.#first?.bytes ?? 0;
    if (first + PAGE_BYTES > this.#maximum) return undefined;
    try {
      const instance = ownInstance('createEngine', this.#module(), this.#maximum / PAGE_BYTES);
      // From here the first one is what counts elsewhere.
      const reserved = (): number => Math.max(this.#first?.bytes ?? 0, this.#maximum * (1 - SHARE));
      return contextOf(instance, soloTeam(instance.kernels), { reserved, makeRoom: () => {} });
    } catch {
      return undefined;
    }
  }

  /** Nothing: what is here can be given up. */
  reserved(): number {
    return 0;
  }

  makeRoom(bytes: number): void {
    if (bytes + this.bytes > this.#maximum) this.#drop();
  }

  #drop(): void {
    this.#context?.heap.close();
    this.#context = undefined;
  }

  close(): void {
    this.#pool = undefined;
    this.#first = undefined;
    this.#drop();
  }
}
