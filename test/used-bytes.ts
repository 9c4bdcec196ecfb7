import type { Heap } from '../src/memory.ts';

export function usedBytes({ blocks }: Heap): number {
  return [...blocks.values()].reduce((sum, bytes) => sum + bytes, 0);
}
