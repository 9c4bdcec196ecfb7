/** Convolutions in groups of few channels, or of few channels in all, as sums over planes: see assembly/groups.ts. */
import { BAND_BYTES, FOUR, LINE_CHANNELS, NR } from '../assembly/blocks.ts';
import { bandRowBytes, bandRows, forward, roundUp, type ShareBand } from './bands.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { AS_IT_IS, behindBorder, type ConvPlan, NO_BAND, type PackPlan, packBasics, reflected } from './plan.ts';
import { type ConvShape, type FilterShape, spatial, volume } from './shape.ts';

/** Bytes of the record `Line` of assembly/groups-tile.ts. */
const LINE_BYTES = 100;

/** Under fewer products than nine taps of sixteen filters of one channel, channels first, the depthwise kernel is as fast or faster, by up to a tenth. */
const LEAST_PRODUCTS = 9 * 16;

/** A GEMM pads filters by so much that they are faster here: an eighth of its panels is empty. */
const PADDED = 1.14;

/** Channels · filters of a group beyond which a GEMM is faster all the same, which reads its weights less often: 2 groups of 64→28 28² 0.92, 256→20 56² 0.71. */
const MOST_WEIGHTS = 600;

/** Below so many products of channels² · steps of the stride · filters · taps a GEMM pays more for each tap of each pixel than it saves. */
const FEW_PRODUCTS = 8000;
const FEW_PRODUCTS_LAST = 3300;

/**
 * How the weight is packed, or undefined where it is not for this kernel alone.
 *
 * Groups whose filters leave an eighth or more of a GEMM's panels empty: 16 groups of 2 to 16 channels, 28², 1 to 4 filters take 1.5 to 9 times as long there, 5 to 20 filters 1.05 to 3.7 times, 28 filters 0.9 to 1.2. Of 36 filters,
 * or 60 and 100, short rows are slower here by a tenth. Of one tap channels first a GEMM has the filters as rows, and leaves none empty; channels last, unless they are whole fours, 1.3 to 5.6.
 *
 * Whole eights of filters over few channels: the GEMM pays for each tap of each pixel. Channels first, 28² and 56², 2 to 8 channels 1.05 to 1.8; 8→8 of 7² 0.94. Channels last, 2 to 5 channels 1.03 to 1.4, 7² 0.9. At stride 2 the
 * copy takes longer, channels last too long. Beyond the limits, which also leave tiles of F(m, r) what they gain from, 0.7 to 1.1.
 *
 * Of an image of one channel all filters read the same copy: 4 to 64 filters of 3×3 to 7×7, strides 1 and 2, 7² to 112² pixels, take 0.95 to 2.6 times as long, at the median
 * 1.3, by the depthwise kernel or the GEMM; channels last any number of filters 1.1 to 2.9 (Node 24, AMD EPYC).
 */
export function packGroups(filter: FilterShape, settings: ConvSettings): PackPlan | undefined {
  const { outC, groupInC, groups, kernel, depthwise } = filter;
  const { channelsLast, algorithm, rank, stride } = settings;
  const taps = volume(kernel);
  const groupOutC = outC / groups;
  const padded = roundUp(groupOutC, NR) >= PADDED * groupOutC && groupInC * groupOutC <= MOST_WEIGHTS;
  const single = groups === 1 && groupInC === 1 && rank === 2 && !depthwise && (channelsLast || outC % FOUR === 0);
  const asked = algorithm === 'direct' && (groupInC > 1 || single);
  const gains = single
    ? taps >= 9 && (channelsLast || taps * outC >= LEAST_PRODUCTS)
    : groups > 1 &&
      groupInC > 1 &&
      (taps > 1
        ? padded || groupInC ** 2 * volume(spatial(stride, 1)) * groupOutC * taps < (channelsLast ? FEW_PRODUCTS_LAST : FEW_PRODUCTS)
        : padded && channelsLast && groupOutC % FOUR > 0);
  const better = algorithm === 'auto' && gains;
  if (rank === 3 || !(asked || better)) return undefined;
  const steps = groupInC * taps;
  return {
    ...packBasics(settings),
    algorithm: 'direct',
    kind: 'grouped',
    weightStride: steps * groupOutC,
    weightFloats: outC * steps,
    biasStride: outC,
  };
}

/** Groups that are computed one after the other out of the same copy: those of a cache line, channels-last. */
export function groupsTogether({ groups, groupInC }: ConvShape, { channelsLast }: PackPlan): number {
  return channelsLast ? Math.min(groups, Math.max(1, Math.floor(LINE_CHANNELS / groupInC))) : 1;
}

export function groupsPlan(shape: ConvShape, pack: PackPlan, share: ShareBand): ConvPlan {
  return behindBorder(shape, reflected(shape), (seen) => {
    const { groups, groupInC, kernel, stride, dilation } = seen;
    const together = groupsTogether(seen, pack);
    const rowBytes = together * groupInC * bandRowBytes(seen, false, pack.weightStride);
    // A group is read many times from L1, those beside it wait in L2.
    const fitting = bandRows(seen, rowBytes, together > 1 ? 2 * BAND_BYTES : BAND_BYTES);
    const band = { ...NO_BAND, rows: fitting };
    const { rows } = groups > 1 ? band : share(forward(seen), { ...band, slices: 1, columns: seen.outSize[2] });
    const copied = (rows - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1;
    return {
      ...AS_IT_IS,
      shape: seen,
      pack,
      kind: 'grouped',
      algorithm: 'direct',
      band: { ...NO_BAND, rows },
      workBytes: align(LINE_BYTES) + groupInC * volume(kernel) * 4 + copied * rowBytes + together * groupInC * 128,
    };
  });
}

/** Channels-last, results beyond which lines of them leave the caches before they are whole. 3×3 over 3 channels of 224², GEMM over planes: 48 filters 1.08, 64 0.95, 96 and 128 0.86. */
const MOST_RESULTS = 3e6;

/** Floats of the image rows under a row of results above which they are no longer read from the first caches; 16 times as many under one to four filters, which gain more. */
const MOST_ROW_FLOATS = 65536;

/** Channels · columns of a step of the stride above which up to three filters are dot products sooner, see assembly/gemm-dots.ts. 3×3 and 5×5, 7² to 112², both layouts, Node 24 and 20, that ÷ this: 64 channels 0.75–1.2, 96 channels 0.96–1.6, 128 1.1–1.9; at stride 2 32 channels 0.9–2.1, 48 channels 1.02–2.4. */
const MOST_CHANNELS = 64;

/**
 * Whether an image has so few channels that its planes are copied sooner than a GEMM finds the taps of each pixel, one run for each row of the kernel. By how much the GEMM takes longer (both layouts, strides 1
 * and 2, Node 24, AMD EPYC): four filters of 2 to 8 channels 1.1–3.9. 8 to 64 filters of 3×3: 2 channels 1.01–2.3, 3 channels 0.96–1.9, 4 channels 0.94–1.7, 6 channels 0.88–1.45. 5×5: 2 channels
 * 0.97–1.65, 3 channels 0.91–1.4, 4 channels 0.89–1.3. Below 1 are rows of 7 and 14 results, which leave lanes of their vectors empty; without these 4 channels of 5×5 are at 0.98 at least.
 *
 * One to four filters, against tiles of a GEMM, any number of channels, two taps or more, both layouts and builds, 14² to 512²: 1.0–8.5, rows of 50 results 0.86–1.5; 512 channels of 56² under 2×2, channels last, 0.92. Rows of more floats than are allowed: 0.5–1.6.
 *
 * Of one tap, channels first, against panels of pixels (and, at stride 2, changed layouts; both builds, Node 20 to 24): rows of 56 results and more of 4 channels 1.1–1.5, 8 channels 1.04–1.3,
 * 16 channels 1.02–1.14, where a row ends with part of a vector from 0.93; stride 2 1.08–1.9. Rows of 28: 4 channels 0.96–1.06, 16 channels 0.95. 20 channels 0.93–1.13. One and two filters of up to 32 channels 0.96–3.4, three and four of 4
 * channels 0.98–1.4, of 16 0.81–1.15. Channels last, one to four filters, rows of 28 and more, against tiles too: 8 channels 1.5–5.3, 32 channels 1.1–2.0 (dot products 1.3–2.4), 100 channels 0.98–1.24; rows of 7 0.8–1.15.
 */
function fewChannels({ batch, inC, outC, kernel, stride, inSize, outSize, channelsLast }: ConvShape): boolean {
  const steps = inC * volume(kernel);
  const outW = outSize[2];
  const few = outC <= FOUR;
  if (!few && outC % FOUR > 0) return false;
  if (steps === inC) return channelsLast ? few && inC <= 32 && outW > 27 : inC <= (outC < 3 ? 32 : few ? 4 : 16) && outW > 55;
  if (steps * inSize[2] > (few ? 16 : 1) * MOST_ROW_FLOATS * kernel[2]) return false;
  if (few) return outC === FOUR || inC % 4 > 0 || inC * stride[2] <= MOST_CHANNELS;
  if (channelsLast && batch * outC * volume(outSize) > MOST_RESULTS) return false;
  return inC <= 4 && steps <= (outW / roundUp(outW, 4) > 0.9 ? 100 : 27);
}

/** The plan of an image of few channels, or undefined where a GEMM is faster. Weights are packed for the GEMM, and for tiles of F(m, r). */
export function fewChannelsPlan(
  shape: ConvShape,
  pack: PackPlan,
  { algorithm, rank }: ConvSettings,
  share: ShareBand,
): ConvPlan | undefined {
  const able = pack.kind === 'conv' && shape.groups === 1 && rank < 3 && algorithm === 'auto';
  return able && fewChannels(shape) ? groupsPlan(shape, pack, share) : undefined;
}
