/**
 * Convolution of one tap, channels first, without a change of layout:
 *
 *   output[g·N + n][pixel] = activation(bias[g·N + n] + Σ_ic input[g·groupInC + ic][pixel] · weight[g·N + n][ic])      N = groupOutC
 *
 *   input [batch, inC, pixels] · output [batch, outC, pixels]. Of 8 pixels or more, or, as a strip may have, of fewer, behind which as many can be read as make 8. Nothing overlaps.
 *   rows: [outC][p.weightStride], a row for each result: its bias, groupInC weights, and zeros (`packPointwise`)
 *   work: pointers to ROWS rows, in parts | what a sum begins with | scratch, [ROWS][8] | panels of p.band pixels; sized in src/plan-pointwise.ts
 *   tasks: [image][block][part]
 *
 * A = rows of the weights. B = panels of eight pixels with all channels of a group, [p.weightStride][8]: the first row holds ones, so that the bias
 * is one more product and the first, as channels last; nothing comes of the zeros at the end. A tile then writes eight pixels of five channels where
 * they belong. Sums begin with −0, and what lies beside zeros is −0: adding that changes no bit.
 *
 * Where there are few rows, the first tile of a panel packs it on the way.
 *
 * The last panel of a block ends with it, and computes some pixels again; those that belong to the block before are not written. Panels of a block stay in L2, the rows that go over them too.
 */
import { CLAMP, clamp } from "./activation";
import { MR, NR, PACKING_FROM, PACKING_TO, PARTS, ROWS } from "./blocks";
import { partsOf, shuffledChannel, tileCount } from "./gemm";
import { runTiles } from "./gemm-kernel";
import { ConvParams } from "./params";
import { copyFloats, madd, zeroFloats } from "./simd";
import { channelOf, panelsOf, runTasks } from "./tasks";
import { pixelsToPlanes } from "./transpose";

/** Bytes of the workspace for blocks of `pixels` pixels, in whole vectors. */
export function blockWorkBytes(stride: i32, pixels: i32): usize {
  return <usize>(ROWS * PARTS + NR + ROWS * NR + (pixels + NR - 1) / NR * NR * stride) << 2;
}

/** Panels of weights, [group][panel][groupInC][8], and bias likewise → rows. */
export function packPointwise(groups: i32, groupOutC: i32, groupInC: i32, stride: i32, weights: usize, bias: usize, to: usize): void {
  const rowBytes = <usize>stride << 2;
  for (let g = groups; g != 0; g--) {
    for (let n = 0; n < groupOutC; n += NR) {
      const lanes = min(NR, groupOutC - n);
      pixelsToPlanes(weights, 4 * NR, lanes, groupInC, to + 4, rowBytes, 1);
      for (let lane = 0; lane < lanes; lane++) {
        store<f32>(to, load<f32>(bias + (<usize>lane << 2)));
        zeroFloats(to + (<usize>(1 + groupInC) << 2), stride - 1 - groupInC);
        to += rowBytes;
      }
      weights += <usize>(groupInC * NR) << 2;
      bias += 4 * NR;
    }
  }
}

/** `panels` times eight pixels of every channel, one channel below the other. */
function packPanels(channels: i32, from: usize, planeBytes: usize, panels: i32, to: usize, panelBytes: usize): void {
  for (let c = channels; c != 0; c--) {
    let x = from, cell = to;
    for (let n = panels >> 1; n != 0; n--) {
      const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48);
      const next = cell + panelBytes;
      v128.store(cell, a);
      v128.store(cell, b, 16);
      v128.store(next, c);
      v128.store(next, d, 16);
      x += 8 * NR;
      cell = next + panelBytes;
    }
    if ((panels & 1) != 0) {
      v128.store(cell, v128.load(x));
      v128.store(cell, v128.load(x, 16), 16);
    }
    from += planeBytes;
    to += 4 * NR;
  }
}

/** Likewise four pixels, in the first half of a panel. */
function packHalf(channels: i32, from: usize, planeBytes: usize, to: usize): void {
  for (let c = channels; c != 0; c--) {
    v128.store(to, v128.load(from));
    from += planeBytes;
    to += 4 * NR;
  }
}

/** What stands above and below the channels of a panel. */
function frame(channels: i32, stride: i32, panel: usize): void {
  v128.store(panel, f32x4.splat(1));
  v128.store(panel, f32x4.splat(1), 16);
  for (let i = 1 + channels; i < stride; i++) {
    v128.store(panel + (<usize>(i * NR) << 2), f32x4.splat(-0));
    v128.store(panel + (<usize>(i * NR) << 2), f32x4.splat(-0), 16);
  }
}

/** Pointers to rows of the weights, in tiles; each row in `parts`. */
function pointAtWeights(rows: i32, weights: usize, parts: i32, partBytes: usize, table: usize): void {
  const tiles = tileCount(rows);
  const short = rows / tiles;
  const long = rows - short * tiles;
  for (let t = 0; t < tiles; t++) {
    const high = t < long ? short + 1 : short;
    for (let r = 0; r < high; r++) {
      for (let n = 0; n < parts; n++) {
        store<usize>(table + (<usize>(n * MR + r) << 2), weights);
        weights += partBytes;
      }
    }
    table += <usize>(parts * MR) << 2;
  }
}

/**
 * The first tile of a panel, of 1 … 5 rows of the weights `rowStride` bytes apart: reads eight pixels of every channel where they lie, and packs them
 * on the way, after the sums, since Node 20 spills where the stores come first. For clamps alone. The conditions are fences, as in gemm-kernel.ts.
 */
function packingTile(
  p: ConvParams, rows: i32, weights: usize, rowStride: usize, channels: i32, from: usize, planeBytes: usize, panel: usize, c: usize, rowBytes: usize,
): void {
  let a0 = weights, a1 = a0 + rowStride, a2 = a1 + rowStride, a3 = a2 + rowStride, a4 = a3 + rowStride;
  let acc00 = v128.load32_splat(a0), acc01 = acc00;
  let acc10 = rows > 1 ? v128.load32_splat(a1) : acc00, acc11 = acc10;
  let acc20 = rows > 2 ? v128.load32_splat(a2) : acc00, acc21 = acc20;
  let acc30 = rows > 3 ? v128.load32_splat(a3) : acc00, acc31 = acc30;
  let acc40 = rows > 4 ? v128.load32_splat(a4) : acc00, acc41 = acc40;
  for (; channels != 0; channels -= 2) {
    let b0 = v128.load(from), b1 = v128.load(from, 16);
    from += planeBytes;
    let a = v128.load32_splat(a0, 4);
    acc00 = madd(a, b0, acc00);
    acc01 = madd(a, b1, acc01);
    if (rows > 1) {
      a = v128.load32_splat(a1, 4);
      acc10 = madd(a, b0, acc10);
      acc11 = madd(a, b1, acc11);
    }
    if (rows > 2) {
      a = v128.load32_splat(a2, 4);
      acc20 = madd(a, b0, acc20);
      acc21 = madd(a, b1, acc21);
    }
    if (rows > 3) {
      a = v128.load32_splat(a3, 4);
      acc30 = madd(a, b0, acc30);
      acc31 = madd(a, b1, acc31);
    }
    if (rows > 4) {
      a = v128.load32_splat(a4, 4);
      acc40 = madd(a, b0, acc40);
      acc41 = madd(a, b1, acc41);
    }
    v128.store(panel, b0);
    v128.store(panel, b1, 16);
    if (channels == 1) break;
    b0 = v128.load(from);
    b1 = v128.load(from, 16);
    from += planeBytes;
    a = v128.load32_splat(a0, 8);
    a0 += 8;
    acc00 = madd(a, b0, acc00);
    acc01 = madd(a, b1, acc01);
    if (rows > 1) {
      a = v128.load32_splat(a1, 8);
      a1 += 8;
      acc10 = madd(a, b0, acc10);
      acc11 = madd(a, b1, acc11);
    }
    if (rows > 2) {
      a = v128.load32_splat(a2, 8);
      a2 += 8;
      acc20 = madd(a, b0, acc20);
      acc21 = madd(a, b1, acc21);
    }
    if (rows > 3) {
      a = v128.load32_splat(a3, 8);
      a3 += 8;
      acc30 = madd(a, b0, acc30);
      acc31 = madd(a, b1, acc31);
    }
    if (rows > 4) {
      a = v128.load32_splat(a4, 8);
      a4 += 8;
      acc40 = madd(a, b0, acc40);
      acc41 = madd(a, b1, acc41);
    }
    v128.store(panel, b0, 4 * NR);
    v128.store(panel, b1, 4 * NR + 16);
    panel += 8 * NR;
  }
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  v128.store(c, clamp(acc00, low, high));
  v128.store(c, clamp(acc01, low, high), 16);
  c += rowBytes;
  if (rows > 1) {
    v128.store(c, clamp(acc10, low, high));
    v128.store(c, clamp(acc11, low, high), 16);
    c += rowBytes;
  }
  if (rows > 2) {
    v128.store(c, clamp(acc20, low, high));
    v128.store(c, clamp(acc21, low, high), 16);
    c += rowBytes;
  }
  if (rows > 3) {
    v128.store(c, clamp(acc30, low, high));
    v128.store(c, clamp(acc31, low, high), 16);
    c += rowBytes;
  }
  if (rows > 4) {
    v128.store(c, clamp(acc40, low, high));
    v128.store(c, clamp(acc41, low, high), 16);
  }
}

/**
 * Rows of the weights times panels, whose results lie side by side. Where there are planes `from`, the first tile reads these and packs the panels; 0
 * where they are packed.
 */
function runPanels(
  p: ConvParams, rows: i32, weights: usize, from: usize, fromBytes: usize, table: usize, parts: i32, run: i32, columns: i32, panels: i32, panel: usize,
  panelBytes: usize, to: usize, rowBytes: usize, begin: usize,
): void {
  const tiles = tileCount(rows);
  const short = rows / tiles;
  const long = rows - short * tiles;
  // Tiles and rows that are done when a panel is packed.
  const done = from != 0 ? 1 : 0;
  const first = from == 0 ? 0 : long > 0 ? short + 1 : short;
  const longLeft = max(0, long - done);
  const shortLeft = tiles - done - longLeft;
  const slotBytes = <usize>(parts * MR) << 2;
  const longTable = table + <usize>done * slotBytes;
  const shortTable = longTable + <usize>longLeft * slotBytes;
  const longAt = <usize>first * rowBytes;
  const shortAt = longAt + <usize>(longLeft * (short + 1)) * rowBytes;
  const channels = p.groupInC;
  const stride = <usize>p.weightStride << 2;
  for (; panels != 0; panels--) {
    if (from != 0) {
      packingTile(p, first, weights, stride, channels, from, fromBytes, panel + 4 * NR, to, rowBytes);
      from += 4 * NR;
    }
    if (longLeft > 0) runTiles(short + 1, columns, longLeft, longTable, 0, parts, run, panel, to + longAt, rowBytes, begin, p);
    if (shortLeft > 0) runTiles(short, columns, shortLeft, shortTable, 0, parts, run, panel, to + shortAt, rowBytes, begin, p);
    panel += panelBytes;
    to += 4 * NR;
  }
}

/**
 * Results [firstChannel, lastChannel) of pixels [first, first + count) of planes `fromBytes` apart, to planes `toBytes` apart; `from` and `to` are pixel 0 of the first plane. Where there are
 * fewer than 8 pixels before the end, as many can be read.
 */
export function pointwiseBlock(
  p: ConvParams, first: i32, count: i32, from: usize, fromBytes: usize, rows: usize, to: usize, toBytes: usize, work: usize, firstChannel: i32,
  lastChannel: i32, prepared: bool,
): void {
  const packing = p.groupOutC >= PACKING_FROM && p.groupOutC <= PACKING_TO && p.activation == CLAMP;
  const inC = p.groupInC, N = p.groupOutC, outC = p.outC, stride = p.weightStride, shuffle = p.shuffle;
  const size = outC / shuffle;
  const parts = partsOf(stride);
  const run = stride / parts;
  const table = work;
  const begin = table + 4 * ROWS * PARTS;
  const scratch = begin + 4 * NR;
  const panels = scratch + 4 * NR * ROWS;
  const panelBytes = <usize>(stride * NR) << 2;
  const whole = count / NR;
  const rest = count - whole * NR;
  const wide = rest > 4;
  const end = first + count;
  const last = max(0, end - (wide ? NR : 4));
  const direct = end >= (wide ? NR : 4) && last >= first;
  const lastPanel = panels + <usize>whole * panelBytes;
  // There is room for the panels of one group.
  const packed = prepared && p.groups == 1;
  v128.store(begin, f32x4.splat(-0));
  v128.store(begin, f32x4.splat(-0), 16);
  for (let panel = panels; panel <= lastPanel; panel += panelBytes) {
    if (panel < lastPanel || rest > 0) frame(inC, stride, panel);
  }
  for (let g = firstChannel / N; g * N < lastChannel; g++) {
    const firstRow = max(firstChannel, g * N), behind = min(lastChannel, (g + 1) * N);
    const planes = from + <usize>(g * inC) * fromBytes;
    const cells = 4 * NR;
    const source = planes + (<usize>first << 2);
    if (!packing && !packed) packPanels(inC, source, fromBytes, whole, panels + cells, panelBytes);
    if (rest > 0 && !packed) {
      if (wide) packPanels(inC, planes + (<usize>last << 2), fromBytes, 1, lastPanel + cells, 0);
      else packHalf(inC, planes + (<usize>last << 2), fromBytes, lastPanel + cells);
    }
    for (let c = firstRow; c < behind;) {
      // Rows whose results are equally far apart.
      const n = min(min(c + ROWS, behind), (c / size + 1) * size) - c;
      const rowBytes = <usize>shuffle * toBytes;
      const results = to + <usize>shuffledChannel(c, outC, shuffle) * toBytes;
      const weights = rows + (<usize>(c * stride) << 2);
      pointAtWeights(n, weights, parts, <usize>run << 2, table);
      const unpacked = packing && !packed && c == firstRow ? source : 0;
      const place = results + (<usize>first << 2);
      runPanels(p, n, weights, unpacked, fromBytes, table, parts, run, NR, whole, panels, panelBytes, place, rowBytes, begin);
      if (rest > 0) {
        if (direct) {
          runPanels(p, n, weights, 0, 0, table, parts, run, wide ? 8 : 4, 1, lastPanel, 0, results + (<usize>last << 2), rowBytes, begin);
        } else {
          runPanels(p, n, weights, 0, 0, table, parts, run, wide ? 8 : 4, 1, lastPanel, 0, scratch, 4 * NR, begin);
          for (let i = 0; i < n; i++) copyFloats(place + <usize>i * rowBytes, scratch + (<usize>(i * NR + first - last) << 2), rest);
        }
      }
      c += n;
    }
  }
}

/** Blocks of p.band pixels of a plane. */
function blocksOf(p: ConvParams): i32 {
  return (p.outD * p.outH * p.outW + p.band - 1) / p.band;
}

/** Blocks [firstBlock, lastBlock) of all images, results of panels [firstPanel, lastPanel) of all groups. */
function computeBlocks(
  p: ConvParams, input: usize, weights: usize, _bias: usize, output: usize, work: usize, firstBlock: i32, lastBlock: i32, firstPanel: i32, lastPanel: i32,
  prepared: bool,
): void {
  const pixels = p.outD * p.outH * p.outW;
  const planeBytes = <usize>pixels << 2;
  const rows = weights + <usize>p.factors;
  const blocks = blocksOf(p);
  const firstChannel = channelOf(firstPanel, p.groupOutC), lastChannel = channelOf(lastPanel, p.groupOutC);
  for (let n = firstBlock; n < lastBlock; n++) {
    const b = n / blocks;
    const first = (n - b * blocks) * p.band;
    const from = input + <usize>(b * p.inC) * planeBytes;
    const to = output + <usize>(b * p.outC) * planeBytes;
    pointwiseBlock(p, first, min(p.band, pixels - first), from, planeBytes, rows, to, planeBytes, work, firstChannel, lastChannel, prepared);
  }
}

export function pointwiseChannelsFirst(
  first: i32, last: i32, before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize,
): void {
  if (!ASC_NO_ASSERT) assert(p.band >= 1, "pointwise: an empty block");
  runTasks(computeBlocks, p.batch * blocksOf(p), panelsOf(p.groups, p.groupOutC), first, last, before, work, p, input, weights, bias, output);
}
