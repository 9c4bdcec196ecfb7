/** A weight and its settings → how it is packed, and the plan of any image: sums over all taps, or tiles of F(m, r) where these are allowed and cost less. */
import type { ShareBand } from './bands.ts';
import { unsupported } from './check.ts';
import type { ConvSettings } from './options.ts';
import { type ConvPlan, convPlan, type PackPlan, packPlan } from './plan.ts';
import { fewChannelsPlan, groupsPlan, packGroups } from './plan-groups.ts';
import { pointwisePlan } from './plan-pointwise.ts';
import { tiledPlan } from './plan-winograd.ts';
import type { ConvShape, FilterShape } from './shape.ts';
import type { Tensor } from './types.ts';
import { allFinite, NO_TILES, type Points, pointsOf, type Tiles } from './winograd.ts';

/** What is known of a convolution before its image is. */
export interface Planner {
  readonly pack: PackPlan;
  /** @param share bands among those that compute */
  plan(shape: ConvShape, share: ShareBand): ConvPlan;
}

/** How what goes one way is planned: a convolution, or the way back through it. */
export interface Planning {
  /** The operand is the convolution's result, what is computed its image. */
  readonly isBack: boolean;
  /** The algorithm whose sums take the place of tiles where these do not serve. */
  readonly summed: 'gemm' | 'direct';
  /** What tiles of F(m, r) need of a weight, in words. */
  readonly tilesNeed: string;
  /** Tiles that serve a weight. */
  points(filter: FilterShape, settings: ConvSettings): readonly Points[];
  pack(op: string, filter: FilterShape, settings: ConvSettings): PackPlan;
  plan(shape: ConvShape, pack: PackPlan, settings: ConvSettings, tiles: Tiles, share: ShareBand): ConvPlan;
}

/** From image to result. */
export const forth: Planning = {
  isBack: false,
  summed: 'gemm',
  tilesNeed:
    'square kernels or rows of two to five taps for each step of one stride, no dilation beside it, several channels to a filter, ' +
    '16 or more of image and result (8 of the image in all phases of the stride)',
  points: pointsOf,
  pack: (op, filter, settings) => packGroups(filter, settings) ?? packPlan(op, filter, settings),
  plan: (shape, pack, settings, tiles, share) => {
    if (pack.kind === 'grouped') return groupsPlan(shape, pack, share);
    return (
      tiledPlan(shape, pack, tiles, share) ??
      fewChannelsPlan(shape, pack, settings, share) ??
      pointwisePlan(shape, pack) ??
      convPlan(shape, pack, share)
    );
  },
};

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
function tilesFor(op: string, planning: Planning, filter: FilterShape, settings: ConvSettings, calling: boolean): Tiles {
  const { algorithm } = settings;
  const asked = algorithm === 'winograd';
  if (!asked && algorithm !== 'auto') return NO_TILES;
  const points = planning.points(filter, settings);
  if (points.length > 0) return { points, asked, once: calling };
  if (!asked) return NO_TILES;
  throw unsupported(op, `algorithm 'winograd' needs ${planning.tilesNeed}, and an accuracy other than 'exact'`);
}

/**
 * @param planning by which way it goes: the input gradient of a convolution goes back
 * @param calling the weight serves one call, not a layer
 * @throws RangeError `ERR_UNSUPPORTED` when the algorithm asked for cannot serve the weight
 */
export function planner(
  op: string,
  planning: Planning,
  weight: Tensor,
  filter: FilterShape,
  settings: ConvSettings,
  calling: boolean,
): Planner {
  const tiles = tilesFor(op, planning, filter, settings, calling);
  const finite = tiles.points.length > 0 ? finiteness(weight, calling) : always(true);
  const pack = planning.pack(op, filter, tiles.asked ? { ...settings, algorithm: planning.summed } : settings);
  // A layer keeps the planner, which must not keep the tensors that were packed.
  const kept: ConvSettings = { ...settings, bias: undefined };
  return {
    pack,
    plan: (shape, share) => {
      const plan = planning.plan(shape, pack, kept, tiles, share);
      if (plan.points !== 0 && !finite()) return { ...planning.plan(shape, pack, kept, NO_TILES, share), infinite: true };
      return { ...plan, tiles };
    },
  };
}
