/** How blocks of the memory end: when their owner is disposed of, or collected. */
import type { Heap } from './memory.ts';

/** Gives the block of a forgotten owner back. */
const forgotten = /* @__PURE__ */ new FinalizationRegistry<{ heap: Heap; pointer: number }>(({ heap, pointer }) => heap.release(pointer));

/** Has `heap` release `pointer` when `owner` is collected; returns what ends that promise. */
export function releaseWhenForgotten(owner: object, heap: Heap, pointer: number): () => void {
  const token = {};
  forgotten.register(owner, { heap, pointer }, token);
  return () => {
    forgotten.unregister(token);
  };
}

/** The same class, or engine, whose `dispose()` `using` calls, where the host has the symbol. */
export function disposableClass<Class extends { readonly prototype: { dispose(): void } }>(made: Class): Class {
  makeDisposable(made.prototype);
  return made;
}

export function makeDisposable(owner: { dispose(): void }): void {
  const symbol: symbol | undefined = Symbol.dispose;
  if (symbol)
    Object.defineProperty(owner, symbol, {
      value: function (this: { dispose(): void }) {
        this.dispose();
      },
    });
}
