/** The memory of an engine with threads that these do not see: made when a call first wants it. unshared.ts says which calls do. */
import type { Context } from './call.ts';
import { contextOf, ownInstance } from './core.ts';
import type { Heap } from './memory.ts';
import { PAGE_BYTES } from './memory.ts';
import type { Pool } from './pool.ts';
import { type Cost, soloTeam } from './team.ts';

/** Of all the memory that the engine may have, so much stays for the first one: what threads are for is large. */
const FIRST_SHARE = 3 / 4;

export class SecondMemory {
  readonly #module: () => WebAssembly.Module;
  readonly #maximumPages: number;
  readonly #pool: Pool;
  #context: Context | undefined;
  #closed = false;
  /** The first one, which is made after this one. */
  first: Heap | undefined;

  /** @param module the build for a memory that is not shared */
  constructor(pool: Pool, module: () => WebAssembly.Module, maximumPages: number) {
    this.#pool = pool;
    this.#module = module;
    this.#maximumPages = maximumPages;
  }

  get bytes(): number {
    return this.#context?.heap.bytes ?? 0;
  }

  readonly contextFor = (cost: Cost, copied: number): Context | undefined => {
    if (this.#closed || !this.#pool.isAloneSooner(cost, copied)) return undefined;
    this.#context ??= this.#make();
    return this.#context;
  };

  /** A host that gives no more memory gives none: this is not asked for twice. */
  #make(): Context | undefined {
    try {
      const instance = ownInstance('createEngine', this.#module(), this.#maximumPages);
      const most = this.#maximumPages * PAGE_BYTES;
      return contextOf(instance, soloTeam(instance.kernels), () => Math.max(this.first?.bytes ?? 0, most * FIRST_SHARE));
    } catch {
      this.#closed = true;
      return undefined;
    }
  }

  close(): void {
    this.#closed = true;
    this.#context?.heap.close();
  }
}
