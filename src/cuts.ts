/** What a call of a convolution is cut into where the memory does not hold it whole. What is derived of the weights for the whole serves its parts. */
import type { ShareBand } from './bands.ts';
import { type ConvPlan, convPlan } from './plan.ts';
import { groupsPlan } from './plan-groups.ts';
import { pointwisePlan } from './plan-pointwise.ts';
import { transposedPlan } from './plan-transposed.ts';
import { tiledPlan } from './plan-winograd.ts';
import type { Call, Parts, Program } from './program.ts';
import type { ConvShape, Spatial } from './shape.ts';
import type { Team } from './team.ts';
import { NO_TILES, resultsOf, type Tiles } from './winograd.ts';

export interface Cut {
  images(batch: number): Call;
  /** Undefined where an image stays whole. */
  readonly image: ImageCut | undefined;
}

export interface ImageCut {
  readonly shape: ConvShape;
  /** Results along each axis of which a part has a multiple, the last one excepted. */
  readonly units: Spatial;
  part(shape: ConvShape): Call;
}

const ONE: Spatial = [1, 1, 1];

/** Where parts sum as the whole does: between tiles of each cell between their taps. */
function seamsOf({ shape, points }: ConvPlan): Spatial {
  if (points === 0) return ONE;
  const [down, along] = resultsOf(shape, points);
  return [1, down * shape.dilation[1], along * shape.dilation[2]];
}

/** The plan of a part by the algorithm of the whole, so that the bits do not tell how it was cut. */
function planLike(whole: ConvPlan, shape: ConvShape, share: ShareBand, parts: Parts): ConvPlan {
  const { kind, pack, points } = whole;
  const tiles: Tiles = points === 0 ? NO_TILES : { points: [points], asked: true, once: false };
  switch (kind) {
    case 'factored':
      return parts.plan(shape, share);
    case 'grouped':
      return groupsPlan(shape, pack, share);
    case 'pointwise':
      return pointwisePlan(shape, pack, true) as ConvPlan;
    case 'conv':
    case 'depthwise':
    case 'winograd':
      return tiledPlan(shape, pack, tiles, share) ?? convPlan(shape, pack, share);
    default:
      return transposedPlan(shape, pack, whole.shape.stride, tiles);
  }
}

/** By the algorithm of the whole. */
export function cutOf(program: Program, inputShape: readonly number[], team: Team): Cut {
  const { parts } = program;
  if (parts === undefined) return { images: (batch) => program.plan([batch, ...inputShape.slice(1)], team), image: undefined };
  const shape = parts.shapeOf(inputShape);
  const whole = parts.plan(shape, team.bands(team.crewOf([shape])));
  const part = (of: ConvShape): Call => parts.call(of, team, (share) => planLike(whole, of, share, parts));
  return {
    images: (batch) => {
      const [input, output] = [shape.inputShape, shape.outputShape].map((sizes) => [batch, ...sizes.slice(1)]);
      return part({ ...shape, batch, inputShape: input as number[], outputShape: output as number[] });
    },
    image: parts.back ? undefined : { shape, units: seamsOf(whole), part },
  };
}
