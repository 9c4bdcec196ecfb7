/** What `layer.plan()` says of a convolution, in words and figures: made of the plan when it is asked for, so that whoever only computes carries none of it. */
import { DOT_STEPS, DOTS, MR, NR } from '../assembly/blocks.ts';
import { workspaceBytes } from './call.ts';
import { align } from './memory.ts';
import { type ConvPlan, packedBytes, workBytes } from './plan.ts';
import { waste } from './plan-transposed.ts';
import { volume } from './shape.ts';
import { elements } from './tensor.ts';
import type { Plan } from './types.ts';
import { phaseCount, productsOf, resultsOf } from './winograd.ts';

/** F(m, r) of a plan that has tiles. */
function tileName({ shape }: ConvPlan, points: Exclude<ConvPlan['points'], 0>): string {
  const [down, along] = resultsOf(shape, points);
  const taps = points - along + 1;
  const tile = shape.kernel[1] > 1 ? `F(${down}×${along}, ${taps}×${taps})` : `F(${along}, ${taps})`;
  const phases = phaseCount(shape);
  return phases > 1 ? `${tile} of ${phases} phases of the stride` : tile;
}

function phasesVariant({ shape: { kernel }, pack: { phase }, kind, points }: ConvPlan): string {
  const count = kernel.reduce((product, taps, axis) => product * Math.min(taps, phase[axis] as number), 1);
  const each = kind === 'transposedDepthwise' ? 'depthwise convolution' : 'convolution';
  const tiles = points === 0 ? '' : `, those of several taps by F(m, r) of ${points} points`;
  return `${count} ${count === 1 ? 'phase' : 'phases'} of the stride, each a ${each}${tiles}`;
}

/** As `servedByDots` of assembly/gemm-dots.ts. */
function byDots({ kind, shape: { groupInC, groupOutC, kernel } }: ConvPlan): boolean {
  const few = groupOutC < DOTS || (groupOutC === DOTS && groupInC * volume(kernel) >= DOT_STEPS);
  return kind === 'conv' && few && groupInC % 4 === 0;
}

/** What computes, and how it cuts its work. */
function variantOf(plan: ConvPlan): string {
  const { kind, shape, band, points, pack } = plan;
  const { groups, groupInC, groupOutC, kernel } = shape;
  switch (kind) {
    case 'depthwise':
      return `depthwise, ${plan.inPlace ? 'in place' : `copied in bands of ${band.rows} rows`}`;
    case 'factored':
      return 'down, then along';
    case 'grouped':
      return `${groups > 1 ? `groups of ${groupInC}→${groupOutC} channels` : 'all channels'}, copied in bands of ${band.rows} rows`;
    case 'pointwise':
      return `pointwise, panels of pixels, tiles of ${MR}×${NR}`;
    case 'scattered':
      return 'products of each tap, added where they fall';
    case 'transposed':
    case 'transposedDepthwise':
      return phasesVariant(plan);
    case 'winograd':
      return points === 0 ? '' : `${tileName(plan, points)} in blocks of ${plan.innerBand} tiles`;
    case 'conv': {
      const tiles = `${volume(kernel) === 1 ? 'pointwise' : 'indirect'}, ${byDots(plan) ? `dot products of ${MR} pixels` : `tiles of ${MR}×${NR}`}`;
      return pack.channelsLast ? tiles : `${tiles}, layout changed in bands of ${band.rows}×${band.columns} pixels`;
    }
  }
}

/** Why phases of the stride, or products that are added. */
function phasesReason({ kind, points, shape }: ConvPlan): string {
  const whole = 'no zeros between the cells, no sum is stored twice';
  if (points !== 0) return `${whole}; tiles save products of phases of several taps`;
  const products = `phases multiply ${waste(shape).toFixed(2)} times as often as needed, zeros beyond the border included`;
  return kind === 'scattered' ? products : `${whole}; ${products}`;
}

/** Why it was chosen. */
function choiceOf(plan: ConvPlan): string {
  const { kind, shape, points, pack } = plan;
  const [, kH, kW] = shape.kernel;
  if (kind === 'winograd' && points !== 0) {
    const [down, along] = resultsOf(shape, points);
    const results = down * along;
    return `${results} results take ${productsOf(shape, points)} products, where sums take ${results * kH * kW}`;
  }
  if (kind === 'transposedDepthwise') return 'every channel has filters of its own';
  if (pack.asked) return 'asked for';
  if (kind === 'depthwise') return 'one input channel per filter: a GEMM would have nothing to reuse';
  if (kind === 'factored') return `every kernel is a column times a row: ${kH} + ${kW} products in place of ${kH} · ${kW}`;
  if (kind === 'grouped')
    return shape.groups > 1
      ? 'groups of so few channels or filters: a GEMM would pad them, or take up a few products at a time'
      : 'few channels or filters: copied as planes, all taps of all channels are one run of a sum';
  if (kind === 'transposed' || kind === 'scattered') return phasesReason(plan);
  if (byDots(plan)) return 'so few filters are dot products, four channels to a vector: tiles would compute columns that nobody wants';
  return `sums over ${shape.groupInC * volume(shape.kernel)} products reuse every loaded vector ${MR} times`;
}

/** Why sums take the place of tiles of F(m, r), where that is worth saying. */
function whyUntiled({ kind, shape, pack, tiles, infinite }: ConvPlan): string | undefined {
  if (infinite) return 'weights that are not finite are summed';
  if (tiles === undefined || kind !== 'conv' || pack.asked || volume(shape.kernel) === 1) return undefined;
  if (pack.accuracy === 'exact') return "accuracy 'exact' forbids tiles of F(m, r)";
  return tiles.points.length === 0 ? 'no tiles of F(m, r) serve these weights' : 'tiles of F(m, r) would gain too little';
}

function reasonOf(plan: ConvPlan): string {
  const { kind, shape } = plan;
  const choice = choiceOf(plan);
  const untiled = whyUntiled(plan);
  if (kind === 'pointwise') return `${choice}, and planes of ${shape.inSize[2]} pixels fill panels of ${NR}: no layout changes`;
  return untiled === undefined ? choice : `${choice}; ${untiled}`;
}

/**
 * @param given the shape of the plan's operand, `result` that of its result
 * @param derivedBytes of what is made of the packed weights for this shape
 */
export function publicPlan(
  plan: ConvPlan,
  given: readonly number[],
  result: readonly number[],
  derivedBytes: number,
  threads: number,
): Plan {
  const { shape } = plan;
  return {
    algorithm: plan.algorithm,
    variant: variantOf(plan),
    outputShape: [...result],
    // Of a transposed convolution the convolution's output is what is read: as many products for each of its pixels.
    flops: 2 * elements([shape.batch, shape.outC, ...shape.outSize]) * shape.groupInC * volume(shape.kernel),
    workspaceBytes: shape.batch === 0 ? 0 : workspaceBytes([given, result], workBytes(plan, threads)),
    weightBytes: packedBytes(plan.pack) + align(derivedBytes),
    reason: reasonOf(plan),
  };
}
