/** What `engine.alloc` gives. */
import { disposableClass, releaseWhenForgotten } from './lifetime.ts';
import type { Heap } from './memory.ts';
import { elements, HeapTensor } from './tensor.ts';
import type { EngineTensor } from './types.ts';

/** Made by a call that bundlers may leave out: a statement behind the class they may not. */
export const AllocatedTensor = /* @__PURE__ */ disposableClass(
  class AllocatedTensor extends HeapTensor implements EngineTensor {
    readonly #keep: () => void;

    constructor(heap: Heap, pointer: number, shape: readonly number[]) {
      super(heap, pointer, elements(shape));
      Object.defineProperty(this, 'shape', { value: Object.freeze([...shape]), enumerable: true });
      this.#keep = releaseWhenForgotten(this, heap, pointer);
    }

    dispose(): void {
      if (!this.end()) return;
      this.#keep();
      this.heap.release(this.pointer);
    }

    declare [Symbol.dispose]: () => void;
  },
);
