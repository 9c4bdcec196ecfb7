/** A weight and its settings → how it is packed, and the plan of any image: sums over all taps, or tiles of F(m, r) where these are allowed and cost less. */
import { unsupported } from './check.ts';
import type { ConvSettings } from './options.ts';
import { type ConvPlan, convPlan, type PackPlan, packPlan } from './plan.ts';
import { groupsPlan, packGroups } from './plan-groups.ts';
import { pointwisePlan } from './plan-pointwise.ts';
import { packTransposed, phases, transposedPlan } from './plan-transposed.ts';
import { tiledPlan } from './plan-winograd.ts';
import type { ConvShape, FilterRole, FilterShape } from './shape.ts';
import type { Tensor } from './types.ts';
import { allFinite, NO_TILES, pointsOf, type Tiles } from './winograd.ts';
import { pointsOfPhases } from './winograd-phases.ts';

/** What is known of a convolution before its image is. */
export interface Planner {
  readonly pack: PackPlan;
  /** @param whole of which `shape` is a part: it is computed by the same algorithm, so that the bits do not tell how the whole was cut */
  plan(shape: ConvShape, whole?: ConvPlan): ConvPlan;
}

/**
 * Whether no weight is NaN or infinite. A layer knows when it is made, and must not keep the tensor; a single call looks when a plan needs it to be so, since
 * looking takes as long as packing.
 */
function finiteness(weight: Tensor, calling: boolean): () => boolean {
  return calling ? () => allFinite(weight) : always(allFinite(weight));
}

/** A function of its own: closures made side by side share what any of them refers to. */
function always(value: boolean): () => boolean {
  return () => value;
}

/**
 * Tiles of F(m, r) that may compute.
 *
 * @throws RangeError `ERR_UNSUPPORTED` when it was asked for and cannot serve the weight
 */
function tilesFor(op: string, filter: FilterShape, settings: ConvSettings, role: FilterRole, calling: boolean): Tiles {
  const { algorithm } = settings;
  const asked = algorithm === 'winograd';
  if (!asked && algorithm !== 'auto') return NO_TILES;
  const points = role === 'transposed' ? pointsOfPhases(filter, settings, phases(filter, settings)) : pointsOf(filter, settings);
  if (points.length > 0) return { points, asked, once: calling };
  if (!asked) return NO_TILES;
  const forward =
    'square kernels or rows of two to five taps for each step of the stride, the same stride both ways, no dilation beside a stride, ' +
    'several channels to a filter, 16 or more of the result, 16 or more of the image or 8 to 16 in all phases of the stride';
  const backward =
    'remainders of the stride that see a square or a row of two to five taps, several channels to a filter, 16 or more of image and result';
  throw unsupported(op, `algorithm 'winograd' needs ${role === 'transposed' ? backward : forward}, and an accuracy other than 'exact'`);
}

/**
 * @param role of the weight in what is computed: the input gradient of a convolution is a transposed convolution
 * @param calling the weight serves one call, not a layer
 * @throws RangeError `ERR_UNSUPPORTED` when the algorithm asked for cannot serve the weight
 */
export function planner(
  op: string,
  role: FilterRole,
  weight: Tensor,
  filter: FilterShape,
  settings: ConvSettings,
  calling: boolean,
): Planner {
  const transposed = role === 'transposed';
  const tiles = tilesFor(op, filter, settings, role, calling);
  const finite = tiles.points.length > 0 ? finiteness(weight, calling) : always(true);
  const summed: ConvSettings = tiles.asked ? { ...settings, algorithm: transposed ? 'direct' : 'gemm' } : settings;
  const pack = transposed ? packTransposed(op, filter, summed) : (packGroups(filter, summed) ?? packPlan(op, filter, summed));
  // A layer keeps the planner, which must not keep the tensors that were packed.
  const kept: ConvSettings = { ...settings, bias: undefined };
  const planned = (shape: ConvShape, allowed: Tiles): ConvPlan => {
    if (transposed) return transposedPlan(shape, pack, kept, allowed);
    if (pack.kind === 'grouped') return groupsPlan(shape, pack);
    return tiledPlan(shape, pack, allowed) ?? pointwisePlan(shape, pack) ?? convPlan(shape, pack);
  };
  const partOf = ({ points, kind }: ConvPlan, shape: ConvShape): ConvPlan => {
    const same: Tiles = points === 0 ? NO_TILES : { points: [points], asked: true, once: calling };
    if (transposed || pack.kind === 'grouped') return planned(shape, same);
    return tiledPlan(shape, pack, same) ?? (kind === 'pointwise' ? pointwisePlan(shape, pack, true) : undefined) ?? convPlan(shape, pack);
  };
  return {
    pack,
    plan: (shape, whole) => {
      if (whole) return partOf(whole, shape);
      const plan = planned(shape, tiles);
      return plan.points !== 0 && !finite() ? planned(shape, NO_TILES) : plan;
    },
  };
}
