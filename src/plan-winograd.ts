/** Convolutions of stride 1 by tiles of F(m, r), where that costs less: see assembly/winograd.ts. */
import { type Band, bandFloats, forward, gemmWork, type ShareBand, zeroSides } from './bands.ts';
import { align } from './memory.ts';
import { CONV_PARAMS_BYTES } from './params.ts';
import { AS_IT_IS, behindBorder, type ConvPlan, layoutWork, NO_BAND, type PackPlan, reflected } from './plan.ts';
import type { ConvShape } from './shape.ts';
import {
  BAND_BYTES,
  blockBytes,
  chooseTile,
  factorFloats,
  type Points,
  phaseCount,
  resultsOf,
  type Tiles,
  tilesOfBlock,
} from './winograd.ts';

/** Channels first, what is brought into the other layout at a time: whole rows of tiles, about as many as BAND_BYTES hold, and a block at least. */
function winogradBand(shape: ConvShape, points: Points): Band {
  const { batch, inC, outC, outSize, dilation } = shape;
  const [, outH, outW] = outSize;
  const whole: Band = { images: 1, slices: 1, rows: outH, columns: outW };
  const cells = inC * phaseCount(shape) + outC;
  const rowBytes = cells * outW * 4;
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
  const columns = Math.max(block * wide, Math.floor(BAND_BYTES / (cells * 4 * rows)));
  return { ...whole, rows, columns: Math.min(outW, columns - (columns % wide)) };
}

/** Sums by tiles of so many points. */
function winogradPlan(shape: ConvShape, pack: PackPlan, points: Points, share: ShareBand): ConvPlan {
  const [down] = resultsOf(shape, points);
  const direction = forward(shape);
  const step = down * shape.dilation[1];
  const band = pack.channelsLast ? NO_BAND : share(direction, winogradBand(shape, points), step);
  const seen: ConvShape = pack.channelsLast ? shape : { ...shape, batch: band.images, outSize: [1, band.rows, band.columns] };
  const tiles = tilesOfBlock(seen, points);
  const mending = align(CONV_PARAMS_BYTES) + gemmWork(shape, 0);
  const inner = blockBytes(shape, points, tiles) + mending;
  return {
    ...AS_IT_IS,
    shape,
    pack,
    kind: 'winograd',
    algorithm: 'winograd',
    innerBand: tiles,
    points,
    factors: [{ kernel: shape.kernel, stride: shape.stride, from: 0, to: 0, floats: factorFloats(shape, points) }],
    ...(pack.channelsLast
      ? { workBytes: inner }
      : { band, sides: zeroSides(shape), workBytes: layoutWork(bandFloats(direction, band)) + inner }),
  };
}

/** The plan by tiles, or undefined where sums over all taps cost less. */
export function tiledPlan(shape: ConvShape, pack: PackPlan, tiles: Tiles, share: ShareBand): ConvPlan | undefined {
  const points = chooseTile(shape, tiles);
  return points === 0 ? undefined : behindBorder(shape, reflected(shape), (seen) => winogradPlan(seen, pack, points, share));
}
