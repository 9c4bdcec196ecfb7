/** What `engine.alloc` gives. */
import { foreignMemory } from './check.ts';
import { disposableClass, releaseWhenForgotten } from './lifetime.ts';
import { type Heap, viewIn } from './memory.ts';
import { elements, HeapTensor, views } from './tensor.ts';
import type { EngineTensor } from './types.ts';

/** Buffers of engines' memories that somebody has seen: a plain view of one would dangle as soon as the memory grows. */
const seen = /* @__PURE__ */ new WeakSet<ArrayBufferLike>();

function checkUnseen(op: string, what: string, buffer: ArrayBufferLike): void {
  if (seen.has(buffer)) throw foreignMemory(op, what);
}

/** Made by a call that bundlers may leave out: a statement behind the class they may not. */
export const AllocatedTensor = /* @__PURE__ */ disposableClass(
  class AllocatedTensor extends HeapTensor implements EngineTensor {
    readonly #length: number;
    readonly #keep: () => void;

    constructor(heap: Heap, pointer: number, shape: readonly number[]) {
      super(heap, pointer);
      this.#length = elements(shape);
      Object.defineProperty(this, 'shape', { value: Object.freeze([...shape]), enumerable: true });
      this.#keep = releaseWhenForgotten(this, heap, pointer);
      views.check = checkUnseen;
    }

    /** A view that is valid until the memory grows. */
    get data(): Float32Array {
      this.checkAlive('EngineTensor', 'data');
      const view = viewIn(this.heap, this.pointer, this.#length);
      seen.add(view.buffer);
      return view;
    }

    dispose(): void {
      if (!this.end()) return;
      this.#keep();
      this.heap.release(this.pointer);
    }

    declare [Symbol.dispose]: () => void;
  },
);
