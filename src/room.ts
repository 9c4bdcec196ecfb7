/** How much a heap could still give. */
import { align, type Heap } from './memory.ts';

/**
 * Bytes of the largest block that `take` could give now, growth up to the maximum included: the host may refuse that.
 *
 * @param before bytes of a block that is taken first
 */
export function roomIn(heap: Heap, before = 0): number {
  const gaps = heap.gaps.map(({ start, bytes }) => ({ start, bytes }));
  const last = gaps.at(-1);
  const more = Math.max(0, heap.most - heap.bytes);
  if (last !== undefined && last.start + last.bytes === heap.bytes) last.bytes += more;
  else gaps.push({ start: heap.bytes, bytes: more });
  const size = before > 0 ? align(before) : 0;
  const first = gaps.find((gap) => gap.bytes >= size);
  if (first === undefined) return 0;
  first.bytes -= size;
  return Math.max(...gaps.map(({ bytes }) => bytes));
}
