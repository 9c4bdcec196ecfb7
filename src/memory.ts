/** The heap over an engine's linear memory: blocks of any lifetime, first fit. Kernels never allocate; this is the only place that does. */
import { disposed, memoryRefused, outOfMemory } from './check.ts';

/** A cache line, and more than any load asks for. */
const ALIGNMENT = 64;

export const PAGE_BYTES = 65536;

/** Bytes rounded up to whole cache lines, at least one: blocks stay aligned, and no two of them share a line. */
export function align(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
}

interface Gap {
  start: number;
  bytes: number;
}

/** Who may keep blocks that were given back from being given to anybody else: see holds.ts. */
export interface Keeper {
  /** Called for a block in use that is given back. */
  keeps(pointer: number): boolean;
  /** Gives back what need not be kept any longer. */
  letGo(): void;
}

/** Memory of the same engine that counts too. */
export interface Elsewhere {
  /** That this one must leave alone. */
  reserved(): number;
  /** This one needs so many bytes in all: what can be given up for that is. */
  makeRoom(bytes: number): void;
}

export class Heap {
  readonly maximum: number;
  #memory: WebAssembly.Memory | undefined;
  #f32: Float32Array;
  #elsewhere: Elsewhere | undefined;
  /** Free ranges in order of address; no two touch. */
  #gaps: Gap[];
  /** Size of every block in use. */
  readonly #used = new Map<number, number>();
  keeper: Keeper | undefined;

  /**
   * @param memory  grows on demand; everything from `base` on belongs to the heap
   * @param maximum bytes that the memory may reach, with those that count elsewhere
   */
  constructor(memory: WebAssembly.Memory, base: number, maximum: number, elsewhere?: Elsewhere) {
    this.#memory = memory;
    this.maximum = maximum;
    this.#elsewhere = elsewhere;
    const start = align(base);
    this.#gaps = [{ start, bytes: memory.buffer.byteLength - start }];
    this.#f32 = new Float32Array(memory.buffer);
  }

  /** The engine was disposed. */
  get closed(): boolean {
    return this.#memory === undefined;
  }

  /** Present size of the linear memory. */
  get bytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  /** All of the memory. Renewed when it grows: ask again after each `take`. */
  get f32(): Float32Array {
    return this.#f32;
  }

  /**
   * A block of at least `bytes` bytes; what it holds is left over from before.
   * @throws RangeError `ERR_MEMORY` when the memory would pass its maximum, or the host gives no more
   */
  take(op: string, bytes: number): number {
    if (this.closed) throw disposed(op, 'the engine');
    this.keeper?.letGo();
    const size = align(bytes);
    let index = this.#gaps.findIndex((gap) => gap.bytes >= size);
    if (index < 0) index = this.#grow(op, size);
    const gap = this.#gaps[index] as Gap;
    const pointer = gap.start;
    gap.start += size;
    gap.bytes -= size;
    if (gap.bytes === 0) this.#gaps.splice(index, 1);
    this.#used.set(pointer, size);
    return pointer;
  }

  /** Free ranges in order of address. */
  get gaps(): readonly Readonly<Gap>[] {
    return this.#gaps;
  }

  /** Bytes that the memory may reach now. */
  get most(): number {
    return this.maximum - (this.#elsewhere?.reserved() ?? 0);
  }

  /** Blocks in use, and the bytes of each. */
  get blocks(): ReadonlyMap<number, number> {
    return this.#used;
  }

  /** Whether `take` finds so many bytes without growing. */
  holds(bytes: number): boolean {
    const size = align(bytes);
    for (const gap of this.#gaps) if (gap.bytes >= size) return true;
    return false;
  }

  /** Gives a block back. One that is not in use is ignored. */
  release(pointer: number): void {
    const bytes = this.#used.get(pointer);
    if (bytes === undefined || this.keeper?.keeps(pointer)) return;
    this.#used.delete(pointer);
    let index = this.#gaps.findIndex((gap) => gap.start > pointer);
    if (index < 0) index = this.#gaps.length;
    const before = this.#gaps[index - 1];
    const after = this.#gaps[index];
    const touchesBefore = before !== undefined && before.start + before.bytes === pointer;
    const touchesAfter = after !== undefined && pointer + bytes === after.start;
    if (touchesBefore) {
      before.bytes += bytes + (touchesAfter ? after.bytes : 0);
      if (touchesAfter) this.#gaps.splice(index, 1);
    } else if (touchesAfter) {
      after.start = pointer;
      after.bytes += bytes;
    } else {
      this.#gaps.splice(index, 0, { start: pointer, bytes });
    }
  }

  close(): void {
    this.#memory = undefined;
    this.#elsewhere = undefined;
    this.#f32 = new Float32Array(0);
    this.#gaps = [];
    this.keeper = undefined;
    this.#used.clear();
  }

  /** Makes a gap of at least `size` bytes at the end of the memory, as few pages as will do, and returns its index. */
  #grow(op: string, size: number): number {
    const memory = this.#memory as WebAssembly.Memory;
    const end = memory.buffer.byteLength;
    const last = this.#gaps.at(-1);
    const atEnd = last !== undefined && last.start + last.bytes === end ? last : undefined;
    const missing = size - (atEnd?.bytes ?? 0);
    const pages = Math.ceil(missing / PAGE_BYTES);
    const bytes = end + pages * PAGE_BYTES;
    this.#elsewhere?.makeRoom(bytes);
    if (bytes > this.most) throw outOfMemory(op, size, this.maximum);
    try {
      memory.grow(pages);
    } catch {
      throw memoryRefused(op, size, end, this.maximum);
    }
    this.#f32 = new Float32Array(memory.buffer);
    if (atEnd) atEnd.bytes += pages * PAGE_BYTES;
    else this.#gaps.push({ start: end, bytes: pages * PAGE_BYTES });
    return this.#gaps.length - 1;
  }
}

/** Floats of a heap's memory. */
export function viewIn({ f32 }: Heap, pointer: number, length: number): Float32Array {
  return new Float32Array(f32.buffer, pointer, length);
}
