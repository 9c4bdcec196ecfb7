/** Convolutions in groups of few channels, as sums over planes: see assembly/groups.ts. */
import { BAND_BYTES, FOUR, LINE_CHANNELS } from '../assembly/blocks.ts';
import { bandRowBytes, bandRows } from './bands.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { AS_IT_IS, behindBorder, type ConvPlan, NO_BAND, type PackPlan, packBasics, reflected } from './plan.ts';
import { type ConvShape, type FilterShape, volume } from './shape.ts';

/** Bytes of the record `Line` of assembly/groups-tile.ts. */
const LINE_BYTES = 56;

/**
 * How the weight is packed, or undefined where it is not for this kernel.
 *
 * Groups that give four channels fill half a tile of the GEMM: 3×3 over 4 to 64 channels a group, 7² to 112² pixels, both layouts, take 1.2 to 2.2 times as long
 * there. Eight channels fill it, and are as fast or faster. Under a kernel of one tap there is less to gain than a copy costs.
 */
export function packGroups({ outC, groupInC, groups, kernel }: FilterShape, settings: ConvSettings): PackPlan | undefined {
  const { algorithm, rank } = settings;
  const groupOutC = outC / groups;
  const asked = algorithm === 'direct';
  const able = groups > 1 && groupInC > 1 && groupOutC % FOUR === 0 && rank < 3;
  const better = algorithm === 'auto' && groupOutC === FOUR && volume(kernel) > 1;
  if (!able || !(asked || better)) return undefined;
  const steps = groupInC * volume(kernel);
  return {
    ...packBasics(settings),
    algorithm: 'direct',
    kind: 'grouped',
    weightStride: steps * FOUR,
    weightFloats: outC * steps,
    biasStride: outC,
  };
}

/** Groups that are computed one after the other out of the same copy: those of a cache line, channels-last. */
export function groupsTogether({ groups, groupInC }: ConvShape, { channelsLast }: PackPlan): number {
  return channelsLast ? Math.min(groups, Math.max(1, Math.floor(LINE_CHANNELS / groupInC))) : 1;
}

export function groupsPlan(shape: ConvShape, pack: PackPlan): ConvPlan {
  return behindBorder(shape, reflected(shape), (seen) => {
    const { groupInC, kernel, stride, dilation } = seen;
    const together = groupsTogether(seen, pack);
    const rowBytes = together * groupInC * bandRowBytes(seen, false, pack.weightStride);
    // A group is read many times from L1, those beside it wait in L2.
    const rows = bandRows(seen, rowBytes, together > 1 ? 2 * BAND_BYTES : BAND_BYTES);
    const copied = (rows - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1;
    return {
      ...AS_IT_IS,
      shape: seen,
      pack,
      kind: 'grouped',
      algorithm: 'direct',
      band: { ...NO_BAND, rows },
      workBytes: align(LINE_BYTES) + groupInC * volume(kernel) * 4 + copied * rowBytes,
    };
  });
}
