/** One call of a kernel: tensors are brought into the memory, the result out of it. */
import { conflict, disposed, wrongType, wrongValue } from './check.ts';
import type { Kernels } from './kernels.ts';
import { align, type Heap } from './memory.ts';
import type { Call, Program } from './program.ts';
import type { Team } from './team.ts';
import { checkData, elements, fixedView, freshFloats, HeapTensor, isFloat32Array, lengthOf } from './tensor.ts';
import type { EngineTensor, Layer, Tensor } from './types.ts';
import type { Sooner } from './unshared.ts';

/** What an operation needs of its engine. */
export interface Context {
  readonly heap: Heap;
  readonly kernels: Kernels;
  readonly team: Team;
  /** Of an engine with threads: computes where a call takes least time, of two memories. See unshared.ts. */
  readonly sooner?: Sooner | undefined;
  /** Of an engine. The functions of the module have none: a page that imports one carries nothing of it. */
  readonly extras?: Extras | undefined;
}

/** What is more than single calls that the memory holds. */
export interface Extras {
  prepare(program: Program, context: Context): Layer;
  /** See cut-call.ts. */
  computeCut(program: Program, context: Context, block: number, derived: number, call: Call, input: Tensor, out: Out): Tensor;
}

export function checkOpen(op: string, heap: Heap): void {
  if (heap.closed) throw disposed(op, 'the engine');
}

/** As the language made it, so that no `set` of an array's own sees a view of the memory. */
const setFloats = Float32Array.prototype.set;

/** Where a result may be written. */
export type Out = Float32Array | EngineTensor | undefined;

export function hosted(heap: Heap, value: unknown): value is HeapTensor {
  return value instanceof HeapTensor && value.heap === heap;
}

/** Throws when an operand that was read has gone since: what was asked for its fields may have disposed of it, sent its buffer away or cut it. */
export function checkThere(op: string, value: Tensor | undefined): void {
  if (value === undefined) return;
  if (value instanceof HeapTensor) {
    value.checkAlive(op, 'an operand');
    return;
  }
  const [length, there] = [elements(value.shape), lengthOf(value.data)];
  if (there === length) return;
  checkData(op, 'an operand', value.data);
  throw wrongValue(op, 'the length of an operand', `${length} until the call is done`, there);
}

/** Brings an operand to its place. */
function copyIn(heap: Heap, { data, shape }: Tensor, pointer: number): void {
  heap.f32.set(fixedView(data, elements(shape)), pointer / 4);
}

/** Runs `use` with `values` in the memory: where they lie, or as a copy that is given back afterwards. 0 stands for none. */
export function withCopy(op: string, heap: Heap, value: Tensor | undefined, use: (pointer: number) => void): void {
  checkThere(op, value);
  if (value === undefined || hosted(heap, value)) {
    use(value?.pointer ?? 0);
    return;
  }
  const pointer = heap.take(op, elements(value.shape) * 4);
  try {
    copyIn(heap, value, pointer);
    use(pointer);
  } finally {
    heap.release(pointer);
  }
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Throws unless the result may be written to `out`. */
export function checkOut(
  op: string,
  heap: Heap,
  out: unknown,
  shape: readonly number[],
  inputs: readonly (Tensor | undefined)[],
): asserts out is Out {
  if (out === undefined) return;
  if (out instanceof HeapTensor) {
    out.checkAlive(op, 'out');
    if (out.heap !== heap) throw conflict(op, 'out must not be a tensor of another engine');
    if (inputs.some((input) => input === out)) throw conflict(op, 'out must not be an input as well');
    if (!sameShape(out.shape, shape)) throw wrongValue(op, 'out.shape', `[${shape.join(', ')}]`, out.shape);
    return;
  }
  if (!isFloat32Array(out)) throw wrongType(op, 'out', 'a Float32Array or an EngineTensor', out);
  checkData(op, 'out', out);
  const length = elements(shape);
  if (lengthOf(out) !== length) throw wrongValue(op, 'out.length', `${length}, the size of [${shape.join(', ')}]`, lengthOf(out));
}

/** Bytes of a block of the workspace. One that is not needed takes none. */
function blockBytes(bytes: number): number {
  return bytes > 0 ? align(bytes) : 0;
}

/** Bytes that a call takes when neither its inputs nor its result are engine tensors. */
export function workspaceBytes(shapes: readonly (readonly number[])[], workBytes: number): number {
  return shapes.reduce((sum, shape) => sum + blockBytes(elements(shape) * 4), blockBytes(workBytes));
}

/** Bytes that a call takes: its copies of what is not in the memory, and its workspace. */
export function takenBytes(heap: Heap, inputs: readonly Tensor[], outputShape: readonly number[], out: Out, workBytes: number): number {
  let bytes = blockBytes(workBytes) + (out instanceof HeapTensor ? 0 : blockBytes(elements(outputShape) * 4));
  for (const input of inputs) if (!hosted(heap, input)) bytes += blockBytes(elements(input.shape) * 4);
  return bytes;
}

/**
 * Calls `run` with pointers to the inputs, to the result and to `workBytes` bytes of workspace. Whoever calls has checked `out`.
 *
 * @returns the result: `out`, or a fresh array
 */
export function invoke(
  op: string,
  { heap }: Context,
  inputs: readonly Tensor[],
  outputShape: readonly number[],
  out: Out,
  workBytes: number,
  run: (inputs: readonly number[], output: number, work: number) => void,
): Tensor {
  const into = out instanceof HeapTensor ? out : undefined;
  for (const input of inputs) checkThere(op, input);
  checkThere(op, into);
  const length = elements(outputShape);
  const workspace = heap.take(op, takenBytes(heap, inputs, outputShape, out, workBytes));
  try {
    let at = workspace;
    const pointers = inputs.map((input) => {
      if (hosted(heap, input)) return input.pointer;
      const pointer = at;
      copyIn(heap, input, pointer);
      at += blockBytes(elements(input.shape) * 4);
      return pointer;
    });
    const output = into?.pointer ?? at + blockBytes(workBytes);
    run(pointers, output, at);
    if (into) return into;
    const first = output / 4;
    const shape = [...outputShape];
    const result = heap.f32.subarray(first, first + length);
    if (out === undefined) return { data: freshFloats(op, result), shape };
    const data = out as Float32Array;
    setFloats.call(data, result);
    return { data, shape };
  } finally {
    heap.release(workspace);
  }
}

/** The result of a batch of 0. */
export function emptyResult(outputShape: readonly number[], out: Out): Tensor {
  return out instanceof HeapTensor ? out : { data: (out as Float32Array | undefined) ?? new Float32Array(0), shape: [...outputShape] };
}
