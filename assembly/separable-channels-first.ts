/**
 * Depthwise, then pointwise, channels first, in strips of rows: no layout changes, and what lies between is never written out whole.
 *
 *   records  two ConvParams `recordBytes` apart: the depthwise step as for one call of it, and the pointwise one
 *   packed   what the depthwise step packs | weights of the pointwise step, a row of p.weightStride floats for each of its results: inC products,
 *            its bias, and zeros
 *   input [batch, inC, inH, inW] · output [batch, outC, outH, outW]. Nothing overlaps.
 *   work: record of a plane | a pointer for each row of weights | zeros for a vector of sums | scratch, [outC][8] | a panel |
 *   a strip, [inC][p.stripBytes of the depthwise step] | work of the depthwise kernel; sized in src/separable.ts
 *
 * Here the rows of the GEMM are those of the weights, and a panel is eight pixels of the strip with all channels, [p.weightStride][8]: row inC holds
 * ones, so that the bias is one more product, and zeros follow. A tile then writes eight pixels of five channels where they belong.
 */
import { MR, NR } from "./blocks";
import { depthwiseChannelsFirst } from "./depthwise-channels-first";
import { partsOf, tileCount } from "./gemm";
import { runTiles } from "./gemm-kernel";
import { ConvParams } from "./params";
import { copyFloats, zeroFloats } from "./simd";

/** Rows [top, bottom) of the depthwise step of image `b`, each plane `stripBytes` behind the last. */
function depthwiseRows(p: ConvParams, input: usize, b: i32, top: i32, bottom: i32, packed: usize, strip: usize, record: usize, rest: usize): void {
  const inH = p.inH, inW = p.inW, outC = p.outC, strideH = p.strideH, padH = p.padH;
  const multiplier = outC / p.inC;
  const first = top * strideH - padH;
  const inTop = min(inH, max(0, first));
  const inBottom = min(inH, max(inTop, (bottom - 1) * strideH - padH + (p.kH - 1) * p.dilationH + 1));
  const planeBytes = <usize>(inH * inW) << 2;
  const sub = changetype<ConvParams>(record);
  memory.copy(record, changetype<usize>(p), offsetof<ConvParams>());
  sub.batch = 1;
  sub.inC = 1;
  sub.outC = 1;
  sub.inH = inBottom - inTop;
  sub.padH = inTop - first;
  sub.outH = bottom - top;
  // In place takes two rows at least.
  if (bottom - top < 2) sub.inPlace = 0;
  const weights = packed + p.biasBytes;
  const image = input + <usize>(b * p.inC) * planeBytes + (<usize>(inTop * inW) << 2);
  for (let c = 0; c < outC; c++) {
    const from = image + <usize>(c / multiplier) * planeBytes;
    depthwiseChannelsFirst(sub, from, weights + (<usize>(c * p.weightStride) << 2), packed + (<usize>c << 2), strip, rest);
    strip += <usize>p.stripBytes;
  }
}

/** Eight pixels of every channel, one below the other. */
function packPanel(channels: i32, from: usize, fromBytes: usize, panel: usize): void {
  for (let c = channels; c != 0; c--) {
    v128.store(panel, v128.load(from));
    v128.store(panel, v128.load(from, 16), 16);
    from += fromBytes;
    panel += 4 * NR;
  }
}

/** Pointers to the rows of the weights, in tiles; each row in `parts`. */
function pointAtWeights(outC: i32, weights: usize, parts: i32, partBytes: usize, table: usize): void {
  const tiles = tileCount(outC);
  const short = outC / tiles;
  const long = outC - short * tiles;
  for (let t = 0; t < tiles; t++) {
    const rows = t < long ? short + 1 : short;
    for (let r = 0; r < rows; r++) {
      for (let n = 0; n < parts; n++) {
        store<usize>(table + (<usize>(n * MR + r) << 2), weights);
        weights += partBytes;
      }
    }
    table += <usize>(parts * MR) << 2;
  }
}

export function separableChannelsFirst(records: usize, recordBytes: i32, band: i32, input: usize, packed: usize, output: usize, work: usize): void {
  assert(band >= 1, "separable: an empty strip");
  const p = changetype<ConvParams>(records);
  const q = changetype<ConvParams>(records + <usize>recordBytes);
  const inC = q.inC, outC = q.outC, depth = q.weightStride, outH = p.outH, outW = p.outW;
  const tiles = tileCount(outC);
  const short = outC / tiles;
  const long = outC - short * tiles;
  const planeBytes = <usize>(outH * outW) << 2;
  const stripBytes = <usize>p.stripBytes;
  const table = work + ((offsetof<ConvParams>() + 15) & ~15);
  const parts = partsOf(depth);
  const run = depth / parts;
  const zeros = table + (<usize>(tiles * parts * MR) << 2);
  const scratch = zeros + 4 * NR;
  const panel = scratch + (<usize>(outC * NR) << 2);
  const strip = panel + (<usize>(depth * NR) << 2);
  const rest = strip + <usize>inC * stripBytes;
  pointAtWeights(outC, packed + p.packedBytes, parts, <usize>run << 2, table);
  zeroFloats(zeros, NR);
  const ones = panel + (<usize>(inC * NR) << 2);
  v128.store(ones, f32x4.splat(1));
  v128.store(ones, f32x4.splat(1), 16);
  zeroFloats(ones + 4 * NR, (depth - inC - 1) * NR);
  for (let b = 0; b < p.batch; b++) {
    for (let oh = 0; oh < outH; oh += band) {
      const end = min(outH, oh + band);
      const pixels = (end - oh) * outW;
      depthwiseRows(p, input, b, oh, end, packed, strip, work, rest);
      let place = output + <usize>(b * outC) * planeBytes + (<usize>(oh * outW) << 2);
      for (let px = 0; px < pixels; px += NR) {
        const width = min(NR, pixels - px);
        const direct = (width & 3) == 0;
        packPanel(inC, strip + (<usize>px << 2), stripBytes, panel);
        let target = direct ? place : scratch;
        const rowBytes = direct ? planeBytes : 4 * NR;
        let slot = table;
        if (long > 0) {
          runTiles(short + 1, width > 4, long, slot, 0, parts, run, panel, target, rowBytes, zeros, q);
          slot += <usize>(long * parts * MR) << 2;
          target += <usize>(long * (short + 1)) * rowBytes;
        }
        runTiles(short, width > 4, tiles - long, slot, 0, parts, run, panel, target, rowBytes, zeros, q);
        if (!direct) {
          for (let c = 0; c < outC; c++) copyFloats(place + <usize>c * planeBytes, scratch + (<usize>(c * NR) << 2), width);
        }
        place += 4 * NR;
      }
    }
  }
}
