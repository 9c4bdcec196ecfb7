/** A weight and its settings → how it is packed, and the plan of any image: sums over all taps, or tiles of F(m, r) where these are allowed and cost less. */
import { unsupported } from './check.ts';
import type { ConvSettings } from './options.ts';
import { type ConvPlan, convPlan, type PackPlan, packPlan } from './plan.ts';
import { fewChannelsPlan, groupsPlan, packGroups } from './plan-groups.ts';
import { pointwisePlan } from './plan-pointwise.ts';
import { tiledPlan } from './plan-winograd.ts';
import { type ConvShape, type FilterShape, volume } from './shape.ts';
import type { Tensor } from './types.ts';
import { allFinite, NO_TILES, type Points, pointsOf, type Tiles } from './winograd.ts';

/** What is known of a convolution before its image is. */
export interface Planner {
  readonly pack: PackPlan;
  /**
   * @param threads that share the work
   * @param whole   of which `shape` is a part: it is computed by the same algorithm, so that the bits do not tell how the whole was cut
   */
  plan(shape: ConvShape, threads: number, whole?: ConvPlan): ConvPlan;
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
  /** @param whole of which `shape` is a part */
  plan(shape: ConvShape, pack: PackPlan, settings: ConvSettings, tiles: Tiles, threads: number, whole?: ConvPlan): ConvPlan;
}

function pointwiseOrNot(shape: ConvShape, pack: PackPlan, whole: ConvPlan | undefined): ConvPlan | undefined {
  if (whole === undefined) return pointwisePlan(shape, pack);
  return whole.kind === 'pointwise' ? pointwisePlan(shape, pack, true) : undefined;
}

/** From image to result. */
export const forth: Planning = {
  isBack: false,
  summed: 'gemm',
  tilesNeed:
    'square kernels or rows of two to five taps for each step of the stride, the same stride both ways, no dilation beside a stride, ' +
    'several channels to a filter, 16 or more of the result, 16 or more of the image or 8 to 16 in all phases of the stride',
  points: pointsOf,
  pack: (op, filter, settings) => packGroups(filter, settings) ?? packPlan(op, filter, settings),
  plan: (shape, pack, settings, tiles, threads, whole) => {
    if (pack.kind === 'grouped') return groupsPlan(shape, pack, threads);
    return (
      tiledPlan(shape, pack, tiles, threads) ??
      pointwiseOrNot(shape, pack, whole) ??
      fewChannelsPlan(shape, pack, settings, threads, whole) ??
      convPlan(shape, pack, threads)
    );
  },
};

function withReason(plan: ConvPlan, more: string): ConvPlan {
  return { ...plan, reason: `${plan.reason}; ${more}` };
}

function whyNoTiles({ accuracy }: ConvSettings, { points }: Tiles): string {
  if (accuracy === 'exact') return "accuracy 'exact' forbids tiles of F(m, r)";
  return points.length === 0 ? 'no tiles of F(m, r) serve these weights' : 'tiles of F(m, r) would gain too little';
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
    plan: (shape, threads, whole) => {
      if (whole) {
        const same: Tiles = whole.points === 0 ? NO_TILES : { points: [whole.points], asked: true, once: calling };
        return planning.plan(shape, pack, kept, same, threads, whole);
      }
      const plan = planning.plan(shape, pack, kept, tiles, threads);
      if (plan.points !== 0)
        return finite() ? plan : withReason(planning.plan(shape, pack, kept, NO_TILES, threads), 'weights that are not finite are summed');
      const others = settings.algorithm === 'auto' && plan.kind === 'conv' && volume(shape.kernel) > 1;
      return others ? withReason(plan, whyNoTiles(settings, tiles)) : plan;
    },
  };
}
