/** conv, depthwise and transposed convolution: settings → shape → plan → packed weights → kernel → result. */
import type { Context } from './call.ts';
import { unsupported } from './check.ts';
import { convCall, packings, RECORD_BYTES } from './conv-program.ts';
import { canFactor, factoredProgram, factorWeight, worthFactoring } from './factored.ts';
import { operation, type Program } from './layer.ts';
import { type ConvSettings, callFields, convSettings, type GivenOptions, layerFields, type Rank } from './options.ts';
import { type ConvPlan, convPlan, packedBytes, packPlan } from './plan.ts';
import { packTransposed, phases, transposedPlan } from './plan-transposed.ts';
import { tiledPlan } from './plan-winograd.ts';
import { convShape, type FilterRole, type FilterShape, filterShape } from './shape.ts';
import { readTensor } from './tensor.ts';
import { transposedShape } from './transposed-shape.ts';
import type { ConvOperation, ConvTransposeOperation, DepthwiseOperation, Tensor } from './types.ts';
import { allFinite, NO_TILES, pointsOf, type Tiles } from './winograd.ts';
import { pointsOfPhases } from './winograd-phases.ts';

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

/**
 * Whether no weight is NaN or infinite. A layer knows when it is made, and must not keep the tensor; a single call looks when a plan needs it to be so, since
 * looking takes as long as packing.
 */
function finiteness(weight: Tensor, calling: boolean): () => boolean {
  if (calling) return () => allFinite(weight);
  const known = allFinite(weight);
  return () => known;
}

/**
 * Tiles of F(m, r) that may compute.
 *
 *  * @throws RangeError `ERR_UNSUPPORTED` when it was asked for and cannot serve the weight
 */
function tilesFor(op: string, filter: FilterShape, settings: ConvSettings, role: FilterRole, calling: boolean): Tiles {
  const { algorithm } = settings;
  const asked = algorithm === 'winograd';
  if (!asked && algorithm !== 'auto') return NO_TILES;
  const points = role === 'transposed' ? pointsOfPhases(filter, settings, phases(filter, settings)) : pointsOf(filter, settings);
  if (points.length > 0) return { points, asked, once: calling };
  if (!asked) return NO_TILES;
  const taps = 'square kernels or rows of two to five taps, a stride of 1';
  const phased = 'remainders of the stride that see a square or a row of two to five taps';
  const channels = 'several channels to a filter, 16 or more of image and result';
  throw unsupported(
    op,
    `algorithm 'winograd' needs ${role === 'transposed' ? phased : taps}, ${channels}, and an accuracy other than 'exact'`,
  );
}

/** One convolution, depthwise or transposed convolution as a program. */
function convProgram(op: string, role: FilterRole, given: unknown, settings: ConvSettings, calling: boolean): Program {
  const weight = readTensor(op, 'weight', given);
  const filter = filterShape(op, 'weight.shape', weight.shape, settings, role);
  const transposed = role === 'transposed';
  const factored = transposed ? undefined : factoredOrNot(op, weight, filter, settings, calling);
  if (factored) return factored;
  const tiles = tilesFor(op, filter, settings, role, calling);
  const finite = tiles.points.length > 0 ? finiteness(weight, calling) : () => true;
  const summed: ConvSettings = tiles.asked ? { ...settings, algorithm: transposed ? 'direct' : 'gemm' } : settings;
  const pack = transposed ? packTransposed(op, filter, summed) : packPlan(op, filter, summed);
  // What a layer keeps must not keep the tensors that were packed.
  const kept: ConvSettings = { ...settings, bias: undefined };
  return {
    op,
    recordBytes: RECORD_BYTES,
    packedBytes: packedBytes(pack),
    packings: packings(weight, filter, settings, pack, transposed ? filter.groupInC * filter.groups : filter.outC),
    plan: (inputShape) => {
      const shape = (transposed ? transposedShape : convShape)(op, inputShape, filter, kept);
      const planned = (allowed: Tiles): ConvPlan =>
        transposed ? transposedPlan(shape, pack, kept, allowed) : (tiledPlan(shape, pack, allowed) ?? convPlan(shape, pack));
      let plan = planned(tiles);
      if (plan.points !== 0 && !finite()) plan = planned(NO_TILES);
      return convCall(plan, shape, kept, inputShape, transposed ? shape.inputShape : shape.outputShape);
    },
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
