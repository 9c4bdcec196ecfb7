/** What a call on arrays takes longer than the same on engine tensors: its operands are copied in, its result out. */
import { dimsOf } from './operations.ts';
import { elementsOf, type Layout } from './problem.ts';
import type { LayerShape } from './shapes.ts';
import { median, quantile } from './stats.ts';

export interface Copies {
  readonly layout: Layout;
  /** What is given to each call, and its result, each counted once. */
  readonly bytes: number;
  /** Arrays' time less tensors' of the same round, median over the rounds: below 0 where it is less than rounds differ by. */
  readonly milliseconds: number;
  /** Bytes over that time. Absent where arrays were not the slower ones in three of four rounds at least. */
  readonly gigabytesPerSecond?: number;
}

/** A gradient packs nothing before: it is given all its operands. */
export function copiedBytes(shape: LayerShape): number {
  const { operands, result } = dimsOf(shape);
  const given = shape.operation.includes('bwd') ? operands : operands.slice(0, 1);
  return 4 * [...given, result].reduce((sum, dims) => sum + elementsOf(dims), 0);
}

/** @param times round by round, those of `<layout> tensors` and `<layout> arrays` among them */
export function copiesOf(shape: LayerShape, times: readonly { readonly name: string; readonly rounds: readonly number[] }[]): Copies[] {
  const roundsOf = (name: string): readonly number[] | undefined => times.find((entry) => entry.name === name)?.rounds;
  return (['nchw', 'nhwc'] as const satisfies readonly Layout[]).flatMap((layout): Copies[] => {
    const [arrays, tensors] = [roundsOf(`${layout} arrays`), roundsOf(`${layout} tensors`)];
    if (!arrays || !tensors || arrays.length !== tensors.length) return [];
    const more = arrays.map((time, i) => time - (tensors[i] as number));
    const [bytes, milliseconds] = [copiedBytes(shape), median(more)];
    const told = quantile(more, 0.25) > 0;
    return [{ layout, bytes, milliseconds, ...(told ? { gigabytesPerSecond: bytes / milliseconds / 1e6 } : {}) }];
  });
}
