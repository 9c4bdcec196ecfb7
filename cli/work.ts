/** Sets and files that are named → the layers that are measured. */
import { readSet, setNames } from '../bench/sets.ts';
import type { LayerShape } from '../bench/shapes.ts';
import { UsageError } from './usage.ts';

/** A layer, and the set it comes from. */
export interface Work {
  readonly set: string;
  readonly shape: LayerShape;
}

/**
 * @param text that a layer's name or words hold
 * @throws UsageError
 */
export function workOf(names: readonly string[], text: string): Work[] {
  const work = names.flatMap((name) => {
    const read = readSet(name);
    if (!read) throw new UsageError(`'${name}' is neither a set (${setNames.join(', ')}) nor a file that can be read`);
    return read.layers.map((shape) => ({ set: read.set, shape }));
  });
  const chosen = work.filter(({ shape }) => shape.name.includes(text) || shape.words.includes(text));
  if (chosen.length === 0) throw new UsageError(`no layer holds '${text}'`);
  return chosen;
}
