/** F(m, r): which convolutions it serves, how their weights grow, how much memory a block of tiles takes. */
import { MR, NR, PARTS } from '../assembly/blocks.ts';
import { type Band, bandFloats, forward, gemmWork, roundUp, zeroSides } from './bands.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { CONV_PARAMS_BYTES } from './params.ts';
import { AS_IT_IS, type ConvPlan, layoutWork, NO_BAND, type PackPlan } from './plan.ts';
import { type ConvShape, type FilterShape, volume } from './shape.ts';
import type { Tensor } from './types.ts';

/** Points of the transforms: a tile has as many data along an axis, and results for each place of the kernel among them. */
export type Points = 4 | 6 | 8;

/** Tiles that may be used, and whether nothing else may. */
export interface Tiles {
  readonly points: readonly Points[];
  readonly asked: boolean;
}

export const NO_TILES: Tiles = { points: [], asked: false };

/** Taps of the largest kernel. */
const MOST_TAPS = 5;

/** Sums over fewer channels are so exact that the error of the transforms shows: F(6, 3) over 16 has 15 times theirs. */
const LEAST_CHANNELS_OF_8 = 32;

/**
 * The largest error over that of direct sums, measured: 1 with four points, 2 with six, 8 with eight. Two taps have more results to a tile, so more powers of
 * the points: 5 with six, 26 with eight.
 */
export function pointsOf({ groupInC, kernel }: FilterShape, { accuracy }: ConvSettings): readonly Points[] {
  const taps = kernel[2];
  const fit = (points: Points): boolean => points > taps && (taps > 2 || points < 8) && (points < 8 || groupInC >= LEAST_CHANNELS_OF_8);
  const normal: Points[] = taps > 2 ? [4, 6] : [4];
  return (accuracy === 'fast' ? ([4, 6, 8] as const) : normal).filter(fit);
}

/** Bytes of the record `Block` and of a `Place` in assembly/winograd-block.ts. */
const BLOCK_BYTES = 56;
const PLACE_BYTES = 24;

/** What packWinograd works with: G, a row of taps, and factors of each, in float64. */
export const FACTOR_WORK_BYTES = (8 + 1 + 8) * MOST_TAPS * 8;

/** Bytes of the channels that go together there. */
const CHUNK = 64;

/**
 * Bytes of the factors and products of a block. They are written and read once, and should stay in L2; the factors of the weights are read for each
 * block anew, so where these are many, a block is larger.
 */
const LEAST_DATA_BYTES = 786432;
const MOST_DATA_BYTES = 2359296;

/** Channels first, bytes of a band's input and output. */
const BAND_BYTES = 1572864;

/** Results of a tile along the rows, and down. */
function resultsOf({ kernel }: Pick<ConvShape, 'kernel'>, points: Points): readonly [down: number, along: number] {
  const along = points - kernel[2] + 1;
  return [kernel[1] > 1 ? along : 1, along];
}

/** Rows of the data of a tile. */
function rowsOf({ kernel }: Pick<ConvShape, 'kernel'>, points: Points): number {
  return kernel[1] > 1 ? points : 1;
}

/** Whether there is a kernel for it. */
export function canWinograd(
  { outC, groupInC, groups, kernel }: FilterShape,
  { stride, shuffle, channelsLast, rank, accuracy }: ConvSettings,
): boolean {
  const [, kH, kW] = kernel;
  const near = accuracy !== 'exact' && stride.every((n) => n === 1) && rank < 3 && kW > 1 && kW <= MOST_TAPS && (kH === kW || kH === 1);
  const whole = groups === 1 || (outC / groups) % NR === 0;
  return near && whole && groupInC > 1 && groupInC * groups >= 16 && outC >= 16 && (groups === 1 || shuffle === 1 || !channelsLast);
}

/** Weights that are not finite would reach results whose window they do not belong to. */
export function allFinite({ data }: Tensor): boolean {
  return data.every((x) => Number.isFinite(x));
}

/** Floats of the weights' factors. */
export function factorFloats({ groups, groupOutC, groupInC, kernel }: ConvShape, points: Points): number {
  return rowsOf({ kernel }, points) * points * groups * Math.ceil(groupOutC / NR) * groupInC * NR;
}

/** Bytes in whole lines of the cache, an odd number of them. */
function oddLines(bytes: number): number {
  const lines = Math.ceil(bytes / 64);
  return (lines | 1) * 64;
}

/** What a block of `tiles` takes: see assembly/winograd-block.ts. */
function blockBytes(shape: ConvShape, points: Points, tiles: number): number {
  const { inC, groups, groupOutC } = shape;
  const rows = rowsOf(shape, points);
  const [, along] = resultsOf(shape, points);
  const lines = rows * (((tiles - 1) * along + points) | 1) * CHUNK;
  const table = roundUp(tiles, MR) * PARTS * 4;
  const productRow = groups * Math.ceil(groupOutC / NR) * NR * 4;
  const halves = lines + Math.max(lines, along * points * CHUNK) + along * CHUNK;
  return (
    align(BLOCK_BYTES) +
    align(CONV_PARAMS_BYTES) +
    NR * 4 +
    tiles * PLACE_BYTES +
    table +
    64 +
    halves +
    rows * points * (oddLines(tiles * inC * 4) + oddLines(tiles * productRow))
  );
}

/** Tiles of an image. */
function tilesOf({ batch, outSize, kernel, dilation }: ConvShape, points: Points): number {
  const [down, along] = resultsOf({ kernel }, points);
  const count = (axis: 1 | 2, m: number): number => {
    const d = Math.min(dilation[axis], outSize[axis]);
    const [least, more] = [Math.floor(outSize[axis] / d), outSize[axis] % d];
    return more * Math.ceil((least + 1) / m) + (d - more) * Math.ceil(least / m);
  };
  return batch * count(1, down) * count(2, along);
}

/** Tiles of a block: as many as LEAST_DATA_BYTES hold, all blocks alike. */
function tilesOfBlock(shape: ConvShape, points: Points): number {
  const { inC, outC } = shape;
  const all = tilesOf(shape, points);
  const each = rowsOf(shape, points) * points;
  const weights = each * shape.groupInC * outC * 4;
  const bytes = Math.min(MOST_DATA_BYTES, Math.max(LEAST_DATA_BYTES, weights / 2));
  const fitting = Math.max(MR, Math.floor(bytes / (each * (inC + outC) * 4)));
  return Math.max(1, Math.ceil(all / Math.ceil(all / fitting)));
}

/** Rows of a GEMM, and what entering its tiles costs. */
function rowCost(rows: number): number {
  return rows + 0.6 * Math.ceil(rows / MR);
}

/**
 * What it takes, in products of the GEMM: its own, each float of factors once in, each float of products once out, each factor of the weights once for
 * every block. Fitted to the layers of bench/EXPERIMENTS.md.
 */
function cost(shape: ConvShape, points: Points): number {
  const { inC, outC, groupInC, kernel } = shape;
  const all = tilesOf(shape, points);
  const block = tilesOfBlock(shape, points);
  const blocks = Math.ceil(all / block);
  const weights = factorFloats(shape, points);
  const transforms = (12.5 * inC + 9.5 * outC) * (kernel[1] > 1 ? 1 : 0.6);
  const products = blocks * rowCost(block) * groupInC * outC;
  // Sums in parts, and twice the values that live at once.
  const slower = points === 8 ? 1.1 : 1;
  return slower * rowsOf(shape, points) * points * (products + all * transforms) + blocks * weights * (weights > NEAR_FLOATS ? 2.5 : 1);
}

/** Factors of the weights that L2 still holds when the next block comes. */
const NEAR_FLOATS = 131072;

/** Of the products of the plain sum: where less is gained, there is no point in less exact results. */
const WORTH_IT = 0.9;

/** Points of the tile that costs least, or 0 where sums over all taps cost less. */
export function chooseTile(shape: ConvShape, { points, asked }: Tiles): Points | 0 {
  let best: Points | 0 = 0;
  const { batch, outC, outSize, groupInC, kernel } = shape;
  let least = asked ? Infinity : WORTH_IT * rowCost(batch * volume(outSize)) * outC * groupInC * volume(kernel);
  for (const each of points) {
    const own = cost(shape, each);
    if (own < least) [best, least] = [each, own];
  }
  return best;
}

/** Channels first, what is brought into the other layout at a time: whole rows of tiles, about as many as BAND_BYTES hold, and a block at least. */
function winogradBand(shape: ConvShape, points: Points): Band {
  const { batch, inC, outC, outSize, dilation } = shape;
  const [, outH, outW] = outSize;
  const whole: Band = { images: 1, slices: 1, rows: outH, columns: outW };
  const rowBytes = (inC + outC) * outW * 4;
  const fitting = Math.floor(BAND_BYTES / rowBytes);
  if (fitting >= outH) return { ...whole, images: Math.max(1, Math.min(batch, Math.floor(fitting / outH))) };
  const [down, along] = resultsOf(shape, points);
  const step = down * dilation[1];
  const block = tilesOfBlock(shape, points);
  const least = Math.ceil(block / (Math.ceil(outW / along) * dilation[1])) * step;
  const rows = Math.min(outH, Math.max(least, fitting - (fitting % step)));
  if (rows * rowBytes <= 4 * BAND_BYTES) return { ...whole, rows };
  // Rows so long that a few are too many.
  const wide = along * dilation[2];
  const columns = Math.max(block * wide, Math.floor(BAND_BYTES / ((inC + outC) * 4 * rows)));
  return { ...whole, rows, columns: Math.min(outW, columns - (columns % wide)) };
}

/** Sums by tiles of so many points. */
export function winogradPlan(shape: ConvShape, pack: PackPlan, points: Points): ConvPlan {
  const [, kH, kW] = shape.kernel;
  const [down, along] = resultsOf(shape, points);
  const name = kH > 1 ? `F(${down}×${along}, ${kH}×${kW})` : `F(${along}, ${kW})`;
  const band = pack.channelsLast ? NO_BAND : winogradBand(shape, points);
  const seen: ConvShape = pack.channelsLast ? shape : { ...shape, batch: band.images, outSize: [1, band.rows, band.columns] };
  const tiles = tilesOfBlock(seen, points);
  const mending = align(CONV_PARAMS_BYTES) + gemmWork(shape, 0);
  const inner = blockBytes(shape, points, tiles) + mending;
  const direction = forward(shape);
  return {
    ...AS_IT_IS,
    shape,
    pack,
    kind: 'winograd',
    algorithm: 'winograd',
    variant: `${name} in blocks of ${tiles} tiles`,
    reason: `${rowsOf(shape, points) * points} products for ${down * along} results of ${kH * kW} taps`,
    innerBand: tiles,
    points,
    ...(pack.channelsLast
      ? { workBytes: inner }
      : { band, sides: zeroSides(shape), workBytes: layoutWork(bandFloats(direction, band)) + inner }),
  };
}
