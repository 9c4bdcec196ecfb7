/** F(m, r): which convolutions it serves, how their weights grow, how much memory a block of tiles takes. */
import { MOST_TAPS, MR, NR, PARTS } from '../assembly/blocks.ts';
import { roundUp } from './bands.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { CONV_PARAMS_BYTES } from './params.ts';
import { type ConvShape, type FilterShape, type Spatial, spatial, volume } from './shape.ts';
import type { Tensor } from './types.ts';

/** Points of the transforms: a tile has as many data along an axis, and results for each place of the kernel among them. */
export type Points = 4 | 5 | 6 | 8;

/** The more there are, the less exact. */
const ALL_POINTS: readonly Points[] = [4, 5, 6, 8];

/** Tiles that may be used. */
export interface Tiles {
  readonly points: readonly Points[];
  /** Nothing else may be. */
  readonly asked: boolean;
  /** The factors of the weights are made for one call alone. */
  readonly once: boolean;
}

export const NO_TILES: Tiles = { points: [], asked: false, once: false };

/** A line of the cache. */
const LEAST_CHANNELS = 16;

/**
 * Sums over fewer channels of a group are so exact that the error of the transforms shows. The largest error over that of direct sums in 40 to 60 images of
 * uniform data, median and most: F(6×6, 3×3) over 32 channels 8.5 and 13.2, 64 7.4 and 11.6, 96 6.0 and 8.4, 128 5.3 and 8.2; F(5×5, 4×4) over 32 5.4 and 7.0;
 * F(4×4, 3×3) over 4 3.7 and 4.6, 8 2.6 and 4.2, 10 2.4 and 5.1, 16 2.2 and 3.3; F(3×3, 4×4) over 4 2.3 and 2.9; F(4×4, 2×2) of
 * the four phases of a stride over 3 or 4 up to 5.0. Over 96, one bright corner makes F(6×6, 3×3) 10.1.
 */
function leastChannels(points: Points, results: number): number {
  if (points === 8) return results > 5 ? 128 : 32;
  if (points === 6) return results > 3 ? 16 : 0;
  return points === 5 && results > 2 ? (results > 3 ? 8 : 3) : 0;
}

/** What of a shape, or of a weight and its settings, the tiles depend on. */
export type Taps = Pick<ConvShape, 'kernel' | 'stride' | 'dilation'>;

/** Taps along an axis of the phases of the stride that have most: see assembly/winograd-phases.ts. */
function tapsOf({ kernel, stride }: Taps, axis: 1 | 2): number {
  return Math.ceil(kernel[axis] / stride[axis]);
}

/** How many phases have as many. */
function fullPhases({ kernel, stride }: Taps, axis: 1 | 2): number {
  return kernel[axis] % stride[axis] || stride[axis];
}

/** Whether there is a kernel for these taps: a square of them or a row, with a stride or a dilation. */
export function serves(shape: Taps, points: Points): boolean {
  const { kernel, stride, dilation } = shape;
  const [kD, kH, kW] = kernel;
  const taps = tapsOf(shape, 2);
  const square = kH === kW && stride[1] === stride[2];
  const strided = stride[2] > 1;
  if (strided && (points === 8 || dilation[1] !== 1 || dilation[2] !== 1)) return false;
  return kD === 1 && taps > 1 && taps <= MOST_TAPS && taps < points && (square || (kH === 1 && stride[1] === 1));
}

/**
 * Points for so many taps along an axis, over `channels` of a group. The largest error over that of direct sums, measured: 1 with four points, 2 with five and
 * six, 8 with eight. Two taps have more results to a tile, so more powers of the points: 2 with five, 5 with six, 26 with eight.
 */
export function pointsFor(taps: number, channels: number, { accuracy }: ConvSettings): readonly Points[] {
  if (accuracy === 'exact') return [];
  const exactEnough = (accuracy === 'fast' ? 3 : 2) + (taps > 2 ? 1 : 0);
  return ALL_POINTS.slice(0, exactEnough).filter((points) => points > taps && channels >= leastChannels(points, points - taps + 1));
}

/** Bytes of the record `Block` and of a `Place` in assembly/winograd-block.ts. */
const BLOCK_BYTES = 64;
const PLACE_BYTES = 24;

/** What packWinograd works with, all float64: G, and in eight columns a row of taps, the factors of its rows, and a factor. */
export const FACTOR_WORK_BYTES = (8 * MOST_TAPS + NR * (MOST_TAPS + 8 * MOST_TAPS + 1)) * 8;

/** Bytes of the channels that go together there. */
const CHUNK = 64;

/**
 * Bytes of the factors and products of a block. They are written and read once, and should stay in L2; the factors of the weights are read for each
 * block anew, so where these are many, a block is larger.
 */
const LEAST_DATA_BYTES = 786432;
const MOST_DATA_BYTES = 9437184;

/** Channels first, bytes of a band's input and output. */
export const BAND_BYTES = 1572864;

/** Results of a tile along the rows, and down. */
export function resultsOf(shape: Taps, points: Points): readonly [down: number, along: number] {
  const along = points - tapsOf(shape, 2) + 1;
  return [shape.kernel[1] > 1 ? along : 1, along];
}

/** Rows of the data of a tile. */
function rowsOf({ kernel }: Taps, points: Points): number {
  return kernel[1] > 1 ? points : 1;
}

/** Phases of the stride. */
export function phaseCount({ stride }: Taps): number {
  return stride[1] * stride[2];
}

/** Few channels, of which a tile has all phases as one run. */
export function isGathered({ inC }: Pick<ConvShape, 'inC'>): boolean {
  return inC < LEAST_CHANNELS;
}

/** Products of a tile, of one channel in and one out: all phases at each point, but only the full ones at infinity, unless they are gathered. */
export function productsOf(shape: Taps & Pick<ConvShape, 'inC'>, points: Points): number {
  if (isGathered(shape)) return rowsOf(shape, points) * points * phaseCount(shape);
  const along = (points - 1) * shape.stride[2] + fullPhases(shape, 2);
  return along * (shape.kernel[1] > 1 ? (points - 1) * shape.stride[1] + fullPhases(shape, 1) : 1);
}

/** Channels of a convolution, each group's and all. */
type Channels = Pick<ConvShape, 'inC' | 'outC' | 'groups' | 'groupInC' | 'groupOutC'>;

/** Whether there are enough channels for its kernel, in an order that it can write; few of them with so many phases of the stride that these are gathered. */
export function servesChannels(
  { inC, outC, groups, groupInC, groupOutC }: Channels,
  { shuffle, channelsLast }: ConvSettings,
  phases = 1,
): boolean {
  const ordered = groups === 1 || (groupOutC % NR === 0 && (shuffle === 1 || !channelsLast));
  const gathered = groups === 1 && phases > 1 && 2 * inC * phases >= LEAST_CHANNELS && inC * phases <= LEAST_CHANNELS;
  return groupInC > 1 && (inC >= LEAST_CHANNELS || gathered) && outC >= LEAST_CHANNELS && ordered;
}

/** Tiles that may compute a convolution of this weight. */
export function pointsOf({ outC, groupInC, groups, kernel }: FilterShape, settings: ConvSettings): readonly Points[] {
  const { rank } = settings;
  const channels = { inC: groupInC * groups, outC, groups, groupInC, groupOutC: outC / groups };
  const taps: Taps = { kernel, stride: spatial(settings.stride, 1), dilation: spatial(settings.dilation, 1) };
  if (rank === 3 || !servesChannels(channels, settings, phaseCount(taps))) return [];
  return pointsFor(tapsOf(taps, 2), groupInC, settings).filter((points) => serves(taps, points));
}

/** Weights that are not finite would reach results whose window they do not belong to. */
export function allFinite({ data }: Tensor): boolean {
  // x − x is 0 for finite numbers, NaN for others; a call for each of them would take longer than packing them.
  let sum = 0;
  for (let i = 0; i < data.length; i++) {
    const x = data[i] as number;
    sum += x - x;
  }
  return sum === 0;
}

/** Floats of one tap of the packed weights. */
export function panelFloats({ groups, groupOutC, groupInC }: ConvShape): number {
  return groups * Math.ceil(groupOutC / NR) * groupInC * NR;
}

/** Floats of the weights' factors. */
export function factorFloats(shape: ConvShape, points: Points): number {
  return productsOf(shape, points) * panelFloats(shape);
}

/** Weights that become factors: all there are, or those of one phase of a transposed convolution. Floats from the beginning of either. */
export interface FactorPart {
  readonly kernel: Spatial;
  readonly stride: Spatial;
  readonly from: number;
  readonly to: number;
  readonly floats: number;
}

/** Bytes of all of them. */
export function factorBytes(parts: readonly FactorPart[]): number {
  return parts.reduce((sum, { floats }) => sum + floats * 4, 0);
}

/** Bytes in whole lines of the cache, an odd number of them. */
function oddLines(bytes: number): number {
  const lines = Math.ceil(bytes / 64);
  return (lines | 1) * 64;
}

/** What a block of `tiles` takes: see assembly/winograd-block.ts. */
export function blockBytes(shape: ConvShape, points: Points, tiles: number): number {
  const { inC, groups, groupOutC } = shape;
  const rows = rowsOf(shape, points);
  const [, along] = resultsOf(shape, points);
  const lines = rows * (((tiles - 1) * along + points) | 1) * CHUNK;
  const gathered = isGathered(shape);
  const phases = gathered ? 1 : phaseCount(shape);
  const table = roundUp(tiles, MR) * PARTS * phases * (phases > 1 ? 4 : 1) * 4;
  const productRow = groups * Math.ceil(groupOutC / NR) * NR * 4;
  const halves = lines + Math.max(lines, along * points * CHUNK);
  return (
    align(BLOCK_BYTES) +
    align(CONV_PARAMS_BYTES) +
    tiles * PLACE_BYTES +
    table +
    64 +
    halves +
    rows * points * (phases * oddLines(tiles * (gathered ? CHUNK : inC * 4)) + oddLines(tiles * productRow))
  );
}

/** Tiles of an image. */
export function tilesOf(shape: ConvShape, points: Points): number {
  const { batch, outSize, dilation } = shape;
  const [down, along] = resultsOf(shape, points);
  const count = (axis: 1 | 2, m: number): number => {
    const d = Math.min(dilation[axis], outSize[axis]);
    const [least, more] = [Math.floor(outSize[axis] / d), outSize[axis] % d];
    return more * Math.ceil((least + 1) / m) + (d - more) * Math.ceil(least / m);
  };
  return batch * count(1, down) * count(2, along);
}

/** Channels of a datum of a tile, with all its phases. */
function dataChannels(shape: ConvShape): number {
  return isGathered(shape) ? LEAST_CHANNELS : phaseCount(shape) * shape.inC;
}

/** Tiles of a block: as many as LEAST_DATA_BYTES hold, all blocks alike. */
export function tilesOfBlock(shape: ConvShape, points: Points): number {
  const { outC } = shape;
  const all = tilesOf(shape, points);
  const each = rowsOf(shape, points) * points;
  const weights = productsOf(shape, points) * shape.groupInC * outC * 4;
  const bytes = Math.min(MOST_DATA_BYTES, Math.max(LEAST_DATA_BYTES, weights / 2));
  const fitting = Math.max(MR, Math.floor(bytes / (each * (dataChannels(shape) + outC) * 4)));
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
export function cost(shape: ConvShape, points: Points): number {
  const { inC, outC, groupInC, kernel } = shape;
  const all = tilesOf(shape, points);
  const block = tilesOfBlock(shape, points);
  const blocks = Math.ceil(all / block);
  const weights = factorFloats(shape, points);
  const transforms = (12.5 * dataChannels(shape) + 9.5 * outC) * (kernel[1] > 1 ? 1 : 0.6);
  // A sum so short costs as much as five steps more.
  const short = isGathered(shape) ? 1 + 5 / (phaseCount(shape) * inC) : 1;
  const products = blocks * rowCost(block) * groupInC * outC * short;
  // Sums in parts, and twice the values that live at once.
  const slower = points === 8 ? 1.1 : 1;
  const reading = READING.find(([most]) => weights <= most)?.[1] ?? 0;
  const values = rowsOf(shape, points) * points;
  return slower * (productsOf(shape, points) * products + values * all * transforms) + blocks * weights * reading;
}

/** What making the factors of the weights costs, in products: as much for few of them as for many. */
export function makingCost(shape: ConvShape): number {
  return 110 * panelFloats(shape) * volume(shape.kernel);
}

/** The same for sums over all taps. */
export function directCost({ batch, outC, outSize, groupInC, kernel }: ConvShape): number {
  return rowCost(batch * volume(outSize)) * outC * groupInC * volume(kernel);
}

/**
 * Products in whose time a factor of the weights is read, for at most so many of them: those that L2 still holds when the next block comes, those that come
 * from L3, from its far parts or the memory. An Intel Xeon read 38 MB of them at a third of the speed of an AMD EPYC when other layers had been there since: what is right for
 * the one loses 15 % on the other, and gains 75 %.
 */
const READING: readonly (readonly [most: number, products: number])[] = [
  [131072, 1],
  [1048576, 2],
  [Infinity, 4],
];

/** Of the products of the plain sum: where less is gained, there is no point in less exact results. */
export const WORTH_IT = 0.9;

/** Points of the tile that costs least, or 0 where sums over all taps cost less. */
export function chooseTile(shape: ConvShape, { points, asked, once }: Tiles): Points | 0 {
  let best: Points | 0 = 0;
  let least = asked ? Infinity : WORTH_IT * directCost(shape);
  for (const each of points) {
    // Of a result one cell high or wide the shape does not keep the stride.
    if (!serves(shape, each) || (isGathered(shape) && phaseCount(shape) === 1)) continue;
    const own = cost(shape, each) + (once ? makingCost(shape) : 0);
    if (own < least) [best, least] = [each, own];
  }
  return best;
}
