/**
 * Convolution of one tap, channels first, without a change of layout:
 *
 *   output[g·N + n][pixel] = activation(bias[g·N + n] + Σ_ic input[g·groupInC + ic][pixel] · weight[g·N + n][ic])      N = groupOutC
 *
 *   input [batch, inC, pixels] · output [batch, outC, pixels], of 8 pixels or more. Nothing overlaps.
 *   rows: [outC][p.weightStride], a row for each result: its bias, groupInC weights, and zeros (`packPointwise`)
 *   work: pointers to ROWS rows, in parts | what a sum begins with | scratch, [ROWS][8] | panels of p.band pixels; sized in src/plan-pointwise.ts
 *
 * A = rows of the weights. B = panels of eight pixels with all channels of a group, [p.weightStride][8]: the first row holds ones, so that the bias
 * is one more product and the first, as channels last; nothing comes of the zeros at the end. A tile then writes eight pixels of five channels where
 * they belong. Sums begin with −0, and what lies beside zeros is −0: adding that changes no bit.
 *
 * The last panel of a plane ends with it, and computes some pixels again. Panels of a block stay in L2, the rows that go over them too.
 */
import { MR, NR, PARTS, ROWS } from "./blocks";
import { partsOf, shuffledChannel, tileCount } from "./gemm";
import { runTiles } from "./gemm-kernel";
import { ConvParams } from "./params";
import { copyFloats, zeroFloats } from "./simd";
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

/** Rows of the weights times panels, whose results lie side by side. */
function runPanels(
  p: ConvParams, rows: i32, table: usize, parts: i32, run: i32, wide: bool, panels: i32, panel: usize, panelBytes: usize, to: usize, rowBytes: usize,
  begin: usize,
): void {
  const tiles = tileCount(rows);
  const short = rows / tiles;
  const long = rows - short * tiles;
  const shortTable = table + (<usize>(long * parts * MR) << 2);
  const below = <usize>(long * (short + 1)) * rowBytes;
  for (; panels != 0; panels--) {
    if (long > 0) runTiles(short + 1, wide, long, table, 0, parts, run, panel, to, rowBytes, begin, p);
    runTiles(short, wide, tiles - long, shortTable, 0, parts, run, panel, to + below, rowBytes, begin, p);
    panel += panelBytes;
    to += 4 * NR;
  }
}

/**
 * Pixels [first, first + count) of planes `fromBytes` apart, to planes `toBytes` apart; `from` and `to` are pixel 0 of the first plane. Where there are
 * fewer than 8 pixels before the end, as many can be read.
 */
export function pointwiseBlock(
  p: ConvParams, first: i32, count: i32, from: usize, fromBytes: usize, rows: usize, to: usize, toBytes: usize, work: usize,
): void {
  const groups = p.groups, inC = p.groupInC, N = p.groupOutC, outC = p.outC, stride = p.weightStride, shuffle = p.shuffle;
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
  const direct = end >= (wide ? NR : 4);
  const lastPanel = panels + <usize>whole * panelBytes;
  v128.store(begin, f32x4.splat(-0));
  v128.store(begin, f32x4.splat(-0), 16);
  for (let panel = panels; panel <= lastPanel; panel += panelBytes) {
    if (panel < lastPanel || rest > 0) frame(inC, stride, panel);
  }
  for (let g = 0; g < groups; g++) {
    const planes = from + <usize>(g * inC) * fromBytes;
    const cells = 4 * NR;
    packPanels(inC, planes + (<usize>first << 2), fromBytes, whole, panels + cells, panelBytes);
    if (rest > 0) {
      if (wide) packPanels(inC, planes + (<usize>last << 2), fromBytes, 1, lastPanel + cells, 0);
      else packHalf(inC, planes + (<usize>last << 2), fromBytes, lastPanel + cells);
    }
    for (let c = g * N; c < (g + 1) * N;) {
      // Rows whose results are equally far apart.
      const n = min(min(c + ROWS, (g + 1) * N), (c / size + 1) * size) - c;
      const rowBytes = <usize>shuffle * toBytes;
      const results = to + <usize>shuffledChannel(c, outC, shuffle) * toBytes;
      pointAtWeights(n, rows + (<usize>(c * stride) << 2), parts, <usize>run << 2, table);
      runPanels(p, n, table, parts, run, true, whole, panels, panelBytes, results + (<usize>first << 2), rowBytes, begin);
      if (rest > 0) {
        if (direct) {
          runPanels(p, n, table, parts, run, wide, 1, lastPanel, 0, results + (<usize>last << 2), rowBytes, begin);
        } else {
          runPanels(p, n, table, parts, run, wide, 1, lastPanel, 0, scratch, 4 * NR, begin);
          for (let i = 0; i < n; i++) copyFloats(results + <usize>i * rowBytes, scratch + (<usize>(i * NR) << 2), end);
        }
      }
      c += n;
    }
  }
}

export function pointwiseChannelsFirst(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  const pixels = p.outD * p.outH * p.outW;
  assert(p.band >= 1 && pixels >= NR, "pointwise: an empty block, or a plane that is none of panels");
  const planeBytes = <usize>pixels << 2;
  const rows = weights + <usize>p.factors;
  for (let b = 0; b < p.batch; b++) {
    const from = input + <usize>(b * p.inC) * planeBytes;
    const to = output + <usize>(b * p.outC) * planeBytes;
    for (let first = 0; first < pixels; first += p.band) {
      pointwiseBlock(p, first, min(p.band, pixels - first), from, planeBytes, rows, to, planeBytes, work);
    }
  }
}
