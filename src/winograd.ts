/** F(m, 3): which convolutions it serves, how their weights grow, how much memory a block of tiles takes. */
import { MR, NR, PARTS } from '../assembly/blocks.ts';
import { type Band, bandFloats, forward, gemmWork, roundUp, zeroSides } from './bands.ts';
import { align } from './memory.ts';
import type { ConvSettings } from './options.ts';
import { CONV_PARAMS_BYTES } from './params.ts';
import { AS_IT_IS, type ConvPlan, layoutWork, NO_BAND, type PackPlan } from './plan.ts';
import { type ConvShape, type FilterShape, volume } from './shape.ts';
import type { Accuracy, Tensor } from './types.ts';

/** Results of a tile along an axis. */
export type Tile = 2 | 4 | 6;

/** Tiles that may be used, and whether nothing else may. */
export interface Tiles {
  readonly tiles: readonly Tile[];
  readonly asked: boolean;
}

export const NO_TILES: Tiles = { tiles: [], asked: false };

/** Errors of the tiles over those of direct sums, measured: 1, 2, 8. */
export const tilesOfAccuracy: Record<Accuracy, readonly Tile[]> = { exact: [], normal: [2, 4], fast: [2, 4, 6] };

/** Bytes of the record `Block` and of a `Place` in assembly/winograd-block.ts. */
const BLOCK_BYTES = 56;
const PLACE_BYTES = 24;

/** What packWinograd works with: eight values for each row of three taps, and of three rows, in float64. */
export const FACTOR_WORK_BYTES = 2 * 8 * 3 * 8;

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

/** Factors of the data, and of the weights, for each tile. */
function points(kH: number, tile: Tile): number {
  return (kH === 3 ? tile + 2 : 1) * (tile + 2);
}

/** Whether there is a kernel for it. */
export function canWinograd(
  { outC, groupInC, groups, kernel }: FilterShape,
  { stride, shuffle, channelsLast, rank, accuracy }: ConvSettings,
): boolean {
  const [, kH, kW] = kernel;
  const near = accuracy !== 'exact' && stride.every((n) => n === 1) && rank < 3 && kW === 3 && (kH === 3 || kH === 1);
  const whole = groups === 1 || (outC / groups) % NR === 0;
  return near && whole && groupInC > 1 && groupInC * groups >= 16 && outC >= 16 && (groups === 1 || shuffle === 1 || !channelsLast);
}

/** Weights that are not finite would reach results whose window they do not belong to. */
export function allFinite({ data }: Tensor): boolean {
  return data.every((x) => Number.isFinite(x));
}

/** Floats of the weights' factors. */
export function factorFloats({ groups, groupOutC, groupInC, kernel }: ConvShape, tile: Tile): number {
  return points(kernel[1], tile) * groups * Math.ceil(groupOutC / NR) * groupInC * NR;
}

/** Bytes in whole lines of the cache, an odd number of them. */
function oddLines(bytes: number): number {
  const lines = Math.ceil(bytes / 64);
  return (lines | 1) * 64;
}

/** What a block of `tiles` takes: see assembly/winograd-block.ts. */
function blockBytes(shape: ConvShape, tile: Tile, tiles: number): number {
  const { inC, groups, groupOutC, kernel } = shape;
  const count = points(kernel[1], tile);
  const rows = kernel[1] === 3 ? tile + 2 : 1;
  const lines = rows * ((tiles * tile + 2) | 1) * CHUNK;
  const table = roundUp(tiles, MR) * PARTS * 4;
  const productRow = groups * Math.ceil(groupOutC / NR) * NR * 4;
  const halves = lines + Math.max(lines, tile * (tile + 2) * CHUNK) + tile * CHUNK;
  return (
    align(BLOCK_BYTES) +
    align(CONV_PARAMS_BYTES) +
    NR * 4 +
    tiles * PLACE_BYTES +
    table +
    64 +
    halves +
    count * (oddLines(tiles * inC * 4) + oddLines(tiles * productRow))
  );
}

/** Tiles of an image. */
export function tilesOf({ batch, outSize, kernel, dilation }: ConvShape, tile: Tile): number {
  const along = (axis: 1 | 2, m: number): number => {
    const d = Math.min(dilation[axis], outSize[axis]);
    const [least, more] = [Math.floor(outSize[axis] / d), outSize[axis] % d];
    return more * Math.ceil((least + 1) / m) + (d - more) * Math.ceil(least / m);
  };
  return batch * along(1, kernel[1] === 3 ? tile : 1) * along(2, tile);
}

/** Tiles of a block: as many as LEAST_DATA_BYTES hold, all blocks alike. */
function tilesOfBlock(shape: ConvShape, tile: Tile): number {
  const { inC, outC, kernel } = shape;
  const all = tilesOf(shape, tile);
  const weights = points(kernel[1], tile) * shape.groupInC * outC * 4;
  const bytes = Math.min(MOST_DATA_BYTES, Math.max(LEAST_DATA_BYTES, weights / 2));
  const fitting = Math.max(MR, Math.floor(bytes / (points(kernel[1], tile) * (inC + outC) * 4)));
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
function cost(shape: ConvShape, tile: Tile): number {
  const { inC, outC, groupInC, kernel } = shape;
  const all = tilesOf(shape, tile);
  const block = tilesOfBlock(shape, tile);
  const blocks = Math.ceil(all / block);
  const weights = factorFloats(shape, tile);
  const transforms = (12.5 * inC + 9.5 * outC) * (kernel[1] === 3 ? 1 : 0.6);
  const products = blocks * rowCost(block) * groupInC * outC;
  return points(kernel[1], tile) * (products + all * transforms) + blocks * weights * (weights > NEAR_FLOATS ? 2.5 : 1);
}

/** Factors of the weights that L2 still holds when the next block comes. */
const NEAR_FLOATS = 131072;

/** Of the products of the plain sum: where less is gained, there is no point in less exact results. */
const WORTH_IT = 0.9;

/** Sums over fewer channels are so exact that the error of the transforms shows: 15 times theirs with 16 channels. */
const LEAST_CHANNELS_OF_6 = 32;

/** The tile that costs least, or 0 where sums over all taps cost less. */
export function chooseTile(shape: ConvShape, { tiles, asked }: Tiles): Tile | 0 {
  let best: Tile | 0 = 0;
  const { batch, outC, outSize, groupInC, kernel } = shape;
  let least = asked ? Infinity : WORTH_IT * rowCost(batch * volume(outSize)) * outC * groupInC * volume(kernel);
  for (const tile of tiles) {
    if (tile === 6 && groupInC < LEAST_CHANNELS_OF_6) continue;
    const own = cost(shape, tile);
    if (own < least) [best, least] = [tile, own];
  }
  return best;
}

/** Channels first, what is brought into the other layout at a time: whole rows of tiles, about as many as BAND_BYTES hold, and a block at least. */
function winogradBand(shape: ConvShape, tile: Tile): Band {
  const { batch, inC, outC, outSize, kernel, dilation } = shape;
  const [, outH, outW] = outSize;
  const whole: Band = { images: 1, slices: 1, rows: outH, columns: outW };
  const rowBytes = (inC + outC) * outW * 4;
  const fitting = Math.floor(BAND_BYTES / rowBytes);
  if (fitting >= outH) return { ...whole, images: Math.max(1, Math.min(batch, Math.floor(fitting / outH))) };
  const step = (kernel[1] === 3 ? tile : 1) * dilation[1];
  const block = tilesOfBlock(shape, tile);
  const least = Math.ceil(block / (Math.ceil(outW / tile) * dilation[1])) * step;
  const rows = Math.min(outH, Math.max(least, fitting - (fitting % step)));
  if (rows * rowBytes <= 4 * BAND_BYTES) return { ...whole, rows };
  // Rows so long that a few are too many.
  const wide = tile * dilation[2];
  const columns = Math.max(block * wide, Math.floor(BAND_BYTES / ((inC + outC) * 4 * rows)));
  return { ...whole, rows, columns: Math.min(outW, columns - (columns % wide)) };
}

/** Sums by tiles of `tile` results. */
export function winogradPlan(shape: ConvShape, pack: PackPlan, tile: Tile): ConvPlan {
  const [, kH] = shape.kernel;
  const name = kH === 3 ? `F(${tile}×${tile}, 3×3)` : `F(${tile}, 3)`;
  const band = pack.channelsLast ? NO_BAND : winogradBand(shape, tile);
  const seen: ConvShape = pack.channelsLast ? shape : { ...shape, batch: band.images, outSize: [1, band.rows, band.columns] };
  const tiles = tilesOfBlock(seen, tile);
  const mending = align(CONV_PARAMS_BYTES) + gemmWork(shape, 0);
  const inner = blockBytes(shape, tile, tiles) + mending;
  const direction = forward(shape);
  const rows = kH === 3 ? tile + 2 : 1;
  return {
    ...AS_IT_IS,
    shape,
    pack,
    kind: 'winograd',
    algorithm: 'winograd',
    variant: `${name} in blocks of ${tiles} tiles`,
    reason: `${rows * (tile + 2)} products for ${kH === 3 ? tile * tile : tile} results of ${kH * 3} taps`,
    innerBand: tiles,
    tile,
    ...(pack.channelsLast
      ? { workBytes: inner }
      : { band, sides: zeroSides(shape), workBytes: layoutWork(bandFloats(direction, band)) + inner }),
  };
}
