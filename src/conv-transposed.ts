/** Transposed convolution: settings → shape → plan → packed weights → kernel → result. */
import type { Context } from './call.ts';
import { convFamily, summedProgram } from './conv-family.ts';
import type { ConvSettings, Rank } from './options.ts';
import { back } from './plan-transposed.ts';
import { filterShape } from './shape.ts';
import { readTensor } from './tensor.ts';
import { type GivenOptions, transposedFields, transposedSettings } from './transposed-options.ts';
import { transposedShape } from './transposed-shape.ts';
import type { ConvTransposeOperation } from './types.ts';

export function convTransposeOperation(context: Context, rank: Rank): ConvTransposeOperation {
  const op = `convTranspose${rank}d`;
  const settingsOf = (options: GivenOptions | undefined, fields: readonly string[]): ConvSettings =>
    transposedSettings(op, rank, options, fields);
  const made = convFamily(context, op, transposedFields, settingsOf, (given, settings, calling) => {
    const weight = readTensor(op, 'weight', given);
    const filter = filterShape(op, 'weight.shape', weight.shape, settings, 'transposed');
    return summedProgram(op, back, transposedShape, weight, filter, settings, calling);
  });
  return made as ConvTransposeOperation;
}
