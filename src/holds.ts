/** Blocks that a thread may still write to that was given up: none of them is given to anybody else before it is gone. */
import type { Heap, Keeper } from './memory.ts';

interface Hold {
  readonly isGone: () => boolean;
  readonly blocks: ReadonlySet<number>;
  /** Those that were given back meanwhile. */
  readonly waiting: Set<number>;
}

export class Holds implements Keeper {
  readonly #heap: Heap;
  #holds: Hold[] = [];

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Keeps all that is in use now, even when it is given back, until `isGone` says so. */
  hold(isGone: () => boolean): void {
    this.#holds.push({ isGone, blocks: new Set(this.#heap.blocks.keys()), waiting: new Set() });
  }

  keeps(pointer: number): boolean {
    const held = this.#holds.find(({ blocks }) => blocks.has(pointer));
    held?.waiting.add(pointer);
    return held !== undefined;
  }

  letGo(): void {
    if (this.#holds.length === 0) return;
    const gone = this.#holds.filter(({ isGone }) => isGone());
    this.#holds = this.#holds.filter((hold) => !gone.includes(hold));
    for (const { waiting } of gone) for (const pointer of waiting) this.#heap.release(pointer);
  }
}
