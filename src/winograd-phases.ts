/** F(m, r) inside a transposed convolution, each of whose phases is a convolution of stride 1: see assembly/conv-transposed.ts. */
import type { Band } from './bands.ts';
import type { ConvSettings } from './options.ts';
import { NO_BAND } from './plan.ts';
import { type ConvShape, type FilterShape, type Spatial, volume } from './shape.ts';
import {
  blockBytes,
  cost,
  directCost,
  type FactorPart,
  factorFloats,
  makingCost,
  type Points,
  panelFloats,
  pointsFor,
  serves,
  servesChannels,
  type Tiles,
  tilesOfBlock,
  WORTH_IT,
} from './winograd.ts';

/** Taps of the phase that begins with tap `first`. */
function taps(kernel: number, phase: number, first: number): number {
  return Math.ceil((kernel - first) / phase);
}

/** The phases as convolutions, in the order of their packed weights; the largest result where they differ by one. */
function phasesOf(shape: ConvShape, phase: Spatial, { images, rows, columns }: Band): ConvShape[] {
  const { kernel, stride, dilation, groups, inC, outC, groupInC, groupOutC, inSize } = shape;
  const size = (axis: 1 | 2, cells: number): number => Math.ceil(Math.min(cells, inSize[axis]) / stride[axis]);
  const seen: ConvShape = {
    ...shape,
    batch: images,
    inC: outC,
    outC: inC,
    groupInC: groupOutC,
    groupOutC: groupInC,
    groups,
    stride: [1, 1, 1],
    dilation: [1, dilation[1] / (stride[1] / phase[1]), dilation[2] / (stride[2] / phase[2])],
    outSize: [1, size(1, rows), size(2, columns)],
  };
  const found: ConvShape[] = [];
  for (let h = 0; h < Math.min(kernel[1], phase[1]); h++)
    for (let w = 0; w < Math.min(kernel[2], phase[2]); w++)
      found.push({ ...seen, kernel: [1, taps(kernel[1], phase[1], h), taps(kernel[2], phase[2], w)] });
  return found;
}

/**
 * Points with which the phases cost least, or 0 where their sums over all taps do. Phases that these points do not serve are summed, and have no say in
 * whether the others gain enough.
 *
 * @param needed part of the phases' products that another algorithm, which multiplies no zeros beyond the border, would have to make
 */
export function choosePhases(shape: ConvShape, phase: Spatial, band: Band, { points, asked, once }: Tiles, needed = 1): Points | 0 {
  const phases = phasesOf(shape, phase, band);
  let best: Points | 0 = 0;
  let most = 0;
  for (const each of points) {
    const served = phases.filter((seen) => serves(seen, each));
    if (served.length === 0) continue;
    const direct = served.reduce((total, seen) => total + directCost(seen), 0);
    const tiled = served.reduce((total, seen) => total + cost(seen, each) + (once ? makingCost(seen) : 0), 0);
    const gain = direct - tiled;
    if (best !== 0 ? gain > most : asked || tiled < WORTH_IT * needed * direct) [best, most] = [each, gain];
  }
  return best;
}

/** Tiles of a block, and its bytes, which serve every phase. */
export function phaseBlocks(
  shape: ConvShape,
  phase: Spatial,
  band: Band,
  points: Points,
): { readonly tiles: number; readonly bytes: number } {
  const served = phasesOf(shape, phase, band).filter((seen) => serves(seen, points));
  const tiles = Math.max(...served.map((seen) => tilesOfBlock(seen, points)));
  return { tiles, bytes: Math.max(...served.map((seen) => blockBytes(seen, points, tiles))) };
}

/** The factors of all phases that have some, in their order. */
export function phaseFactors(shape: ConvShape, phase: Spatial, points: Points): readonly FactorPart[] {
  const parts: FactorPart[] = [];
  let [from, to] = [0, 0];
  for (const seen of phasesOf(shape, phase, NO_BAND)) {
    if (serves(seen, points)) {
      const floats = factorFloats(seen, points);
      parts.push({ kernel: seen.kernel, stride: seen.stride, from, to, floats });
      to += floats;
    }
    from += panelFloats(seen) * volume(seen.kernel);
  }
  return parts;
}

/** Points that serve every phase of a transposed convolution of this weight; the weight's results are what it reads. */
export function pointsOfPhases({ outC, groupInC, groups, kernel }: FilterShape, settings: ConvSettings, phase: Spatial): readonly Points[] {
  const channels = { inC: outC, outC: groupInC * groups, groups, groupInC: outC / groups, groupOutC: groupInC };
  if (settings.rank === 3 || !servesChannels(channels, settings)) return [];
  const counts = Array.from({ length: Math.min(kernel[2], phase[2]) }, (_, first) => taps(kernel[2], phase[2], first));
  const sets = [...new Set(counts)].filter((count) => count > 1).map((count) => pointsFor(count, channels.groupInC, settings));
  const [first = [], ...others] = sets;
  return first.filter((points) => others.every((set) => set.includes(points)));
}
