/** conv, depthwise and transposed convolution: settings → shape → plan → packed weights → kernel → result. */
import type { Context } from './call.ts';
import { unsupported } from './check.ts';
import { convCalls, packings, RECORD_BYTES } from './conv-program.ts';
import { canFactor, factoredProgram, factorWeight, worthFactoring } from './factored.ts';
import { operation, type Program } from './layer.ts';
import { type ConvSettings, callFields, convSettings, type GivenOptions, layerFields, type Rank } from './options.ts';
import { packedBytes } from './plan.ts';
import { planner } from './planner.ts';
import { convShape, type FilterRole, type FilterShape, filterShape } from './shape.ts';
import { readTensor } from './tensor.ts';
import { transposedShape } from './transposed-shape.ts';
import type { ConvOperation, ConvTransposeOperation, DepthwiseOperation, Tensor } from './types.ts';

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

/** One convolution, depthwise or transposed convolution as a program. */
function convProgram(op: string, role: FilterRole, given: unknown, settings: ConvSettings, calling: boolean): Program {
  const weight = readTensor(op, 'weight', given);
  const filter = filterShape(op, 'weight.shape', weight.shape, settings, role);
  const transposed = role === 'transposed';
  const factored = transposed ? undefined : factoredOrNot(op, weight, filter, settings, calling);
  if (factored) return factored;
  const { pack, plan } = planner(op, role, weight, filter, settings, calling);
  // What a layer keeps must not keep the tensors that were packed.
  const kept: ConvSettings = { ...settings, bias: undefined };
  return {
    op,
    recordBytes: RECORD_BYTES,
    packedBytes: packedBytes(pack),
    packings: packings(weight, filter, settings, pack, transposed ? filter.groupInC * filter.groups : filter.outC),
    ...convCalls((inputShape) => (transposed ? transposedShape : convShape)(op, inputShape, filter, kept), plan, kept, transposed),
  };
}

function convFamily(context: Context, op: string, rank: Rank, role: FilterRole): unknown {
  const transposed = role === 'transposed';
  const kind = transposed ? 'transposed' : 'conv';
  const without = role === 'depthwise' ? ['groups'] : [];
  const fields = { call: callFields(kind, without), layer: layerFields(kind, without) };
  return operation(op, context, 1, ([weight], options, calling) => {
    const settings = convSettings(op, rank, options as GivenOptions | undefined, calling ? fields.call : fields.layer, transposed);
    return convProgram(op, role, weight, settings, calling);
  });
}

export function convOperation(context: Context, rank: Rank): ConvOperation {
  return convFamily(context, `conv${rank}d`, rank, 'conv') as ConvOperation;
}

export function convTransposeOperation(context: Context, rank: Rank): ConvTransposeOperation {
  return convFamily(context, `convTranspose${rank}d`, rank, 'transposed') as ConvTransposeOperation;
}

export function depthwiseConv2dOperation(context: Context): DepthwiseOperation {
  return convFamily(context, 'depthwiseConv2d', 2, 'depthwise') as DepthwiseOperation;
}
