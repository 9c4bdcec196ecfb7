/** conv and depthwise convolution: settings → shape → plan → packed weights → kernel → result. */
import type { Context } from './call.ts';
import { unsupported } from './check.ts';
import { convFamily, summedProgram } from './conv-family.ts';
import { canFactor, factoredProgram, factorWeight, worthFactoring } from './factored.ts';
import { type ConvSettings, convFields, convSettings, type Rank, without } from './options.ts';
import { forth } from './planner.ts';
import type { Program } from './program.ts';
import { convShape, type FilterShape, filterShape } from './shape.ts';
import { readTensor } from './tensor.ts';
import type { ConvOperation, ConvOptions, DepthwiseOperation, Tensor } from './types.ts';

/**
 * The program by column and row, where it was asked for, or where a layer gains by it. A single call does not look: it would take as long as it saves.
 *
 * @throws RangeError `ERR_UNSUPPORTED` when it was asked for and the kernels are not of rank 1
 */
function factoredOrNot(op: string, weight: Tensor, filter: FilterShape, settings: ConvSettings, calling: boolean): Program | undefined {
  const asked = settings.algorithm === 'factored';
  const wanted = asked || (settings.algorithm === 'auto' && !calling && worthFactoring(filter));
  if (!wanted) return undefined;
  const factors = canFactor(filter, settings) ? factorWeight(weight, filter) : undefined;
  if (factors) return factoredProgram(op, weight, filter, settings, factors);
  if (asked) {
    const needs = 'two-dimensional kernels of rank 1, each over one input channel, a stride of 1 along rows';
    throw unsupported(op, `algorithm 'factored' needs ${needs}, and an accuracy other than 'exact'`);
  }
  return undefined;
}

function forthOperation(context: Context, op: string, rank: Rank, role: 'conv' | 'depthwise'): unknown {
  const known = role === 'depthwise' ? without(convFields, 'groups') : convFields;
  const settingsOf = (options: ConvOptions | undefined, fields: readonly string[]): ConvSettings => convSettings(op, rank, options, fields);
  return convFamily(context, op, known, settingsOf, (given, settings, calling) => {
    const weight = readTensor(op, 'weight', given);
    const filter = filterShape(op, 'weight.shape', weight.shape, settings, role);
    return factoredOrNot(op, weight, filter, settings, calling) ?? summedProgram(op, forth, convShape, weight, filter, settings, calling);
  });
}

export function convOperation(context: Context, rank: Rank): ConvOperation {
  return forthOperation(context, `conv${rank}d`, rank, 'conv') as ConvOperation;
}

export function depthwiseConv2dOperation(context: Context): DepthwiseOperation {
  return forthOperation(context, 'depthwiseConv2d', 2, 'depthwise') as DepthwiseOperation;
}
