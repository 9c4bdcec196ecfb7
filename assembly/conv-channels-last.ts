/**
 * Convolution as GEMM, channels-last:
 *
 *   output[pixel][g·N + n] = activation(bias[g·N + n] + Σ_tap Σ_ic input[pixel moved by tap][g·groupInC + ic] · weight[g·N + n][ic][tap])      N = groupOutC
 *
 *   input [batch, inD, inH, inW, inC] · output [batch, outD, outH, outW, outC] · weights from packPanels · bias in groups of whole panels
 *   A = pixels, read where they lie through a table of pointers, one per pixel and tap; a tap outside the image points at zeros.
 *   B = weight panels. Nothing overlaps.
 *   work: zeros for a run | scratch of PIXELS rows | their places | a pointer for each row of the kernel | table of PIXELS pointers for each run
 *   of it | where channels are shuffled, PIXELS results; sized in src/bands.ts.
 *
 * Results lie side by side, or with others between them (p.stepW and so on). Tiles write them where they belong; where a panel is not whole, or rows of results
 * with others between them are short, a panel's rows come from the tile into the scratch, and from there to their places. Shuffled channels of PIXELS pixels are first collected in their own order.
 *
 * Where no window is cut off at the left or right, a whole row of the kernel is one run, or a few equal parts; src/plan.ts has images copied with
 * their zeros for that, since a run of its own costs the tile about five loads and five adds, and a long one a branch that was not foreseen.
 */
import { AHEAD, ALONG, FAR_BYTES, MR, NR, PIXELS } from "./blocks";
import { partsOf, tileCount } from "./gemm";
import { servedByDots } from "./gemm-dots";
import { runTiles } from "./gemm-kernel";
import { PANELS, runRow } from "./gemm-row";
import { touchLines } from "./lines";
import { ConvParams } from "./params";
import { copyFloats, zeroFloats } from "./simd";
import { panelsOf, runTasks } from "./tasks";
import { shufflePixels } from "./transpose";

/** lines[kd][kh] = column 0 of the image row under that row of the kernel, 0 for a row outside. */
function pointAtLines(p: ConvParams, input: usize, b: i32, od: i32, oh: i32, lines: usize): void {
  const inD = p.inD, inH = p.inH, kD = p.kD, kH = p.kH, dilationD = p.dilationD, dilationH = p.dilationH;
  const lineBytes = <usize>(p.inW * p.inC) << 2;
  const id0 = od * p.strideD - p.padD, ih0 = oh * p.strideH - p.padH;
  for (let kd = 0; kd < kD; kd++) {
    const id = id0 + kd * dilationD;
    let ih = ih0;
    for (let kh = 0; kh < kH; kh++) {
      const inside = <u32>id < <u32>inD && <u32>ih < <u32>inH;
      store<usize>(lines, inside ? input + <usize>((b * inD + id) * inH + ih) * lineBytes : 0);
      lines += 4;
      ih += dilationH;
    }
  }
}

/**
 * Table entries of pixels [pixel0, pixel0 + count), channel 0; `runs` runs to a row of the kernel, `runBytes` apart: its taps, or the parts of a
 * row that is `whole`. `lines` has room for kD · kH pointers.
 */
function pointAtRuns(
  p: ConvParams, input: usize, zeros: usize, pixel0: i32, count: i32, whole: bool, runs: i32, runBytes: usize, lines: usize, table: usize,
): void {
  // Fields are read once: a store to the table might be to the record, for all the compiler knows.
  const inW = p.inW, outD = p.outD, outH = p.outH, outW = p.outW, strideW = p.strideW, padW = p.padW, dilationW = p.dilationW;
  const behindLines = lines + (<usize>(p.kD * p.kH) << 2);
  const tiles = tileCount(count);
  const short = count / tiles;
  const long = count - short * tiles;
  const pixelBytes = <usize>p.inC << 2;
  const tileBytes = <usize>(p.kD * p.kH * runs * MR) << 2;
  const row = pixel0 / outW;
  let ow = pixel0 - row * outW;
  const slice = row / outH;
  let oh = row - slice * outH;
  let b = slice / outD;
  let od = slice - b * outD;
  pointAtLines(p, input, b, od, oh, lines);
  for (let t = 0; t < tiles; t++) {
    const rows = t < long ? short + 1 : short;
    for (let r = 0; r < rows; r++) {
      const iw = ow * strideW - padW;
      const x = <usize>iw * pixelBytes;
      let slot = table + (<usize>r << 2);
      if (whole || (iw >= 0 && iw + (runs - 1) * dilationW < inW)) {
        for (let line = lines; line != behindLines; line += 4) {
          const start = load<usize>(line);
          let cell = start != 0 ? start + x : zeros;
          const step = start != 0 ? runBytes : 0;
          for (let n = runs; n != 0; n--) {
            store<usize>(slot, cell);
            slot += 4 * MR;
            cell += step;
          }
        }
      } else {
        for (let line = lines; line != behindLines; line += 4) {
          const start = load<usize>(line);
          let cell = start + x;
          let column = iw;
          for (let n = runs; n != 0; n--) {
            store<usize>(slot, start != 0 && <u32>column < <u32>inW ? cell : zeros);
            slot += 4 * MR;
            column += dilationW;
            cell += runBytes;
          }
        }
      }
      if (++ow == outW) {
        ow = 0;
        if (++oh == outH) {
          oh = 0;
          if (++od == outD) {
            od = 0;
            b++;
          }
        }
        if (t < tiles - 1 || r < rows - 1) pointAtLines(p, input, b, od, oh, lines);
      }
    }
    table += tileBytes;
  }
}

/** places[i] = channel 0 of the result of pixel `pixel0` + i. */
function pointAtPlaces(p: ConvParams, output: usize, pixel0: i32, count: i32, places: usize): void {
  const outD = p.outD, outH = p.outH, outW = p.outW;
  const pixelBytes = <usize>p.outC << 2;
  const columnBytes = <usize>p.stepW * pixelBytes;
  const row = pixel0 / outW;
  let ow = pixel0 - row * outW;
  const slice = row / outH;
  let oh = row - slice * outH;
  let b = slice / outD;
  let od = slice - b * outD;
  while (count > 0) {
    let place = output + <usize>(b * p.stepB + od * p.stepD + oh * p.stepH + ow * p.stepW) * pixelBytes;
    const columns = min(count, outW - ow);
    for (let n = columns; n != 0; n--) {
      store<usize>(places, place);
      places += 4;
      place += columnBytes;
    }
    count -= columns;
    ow = 0;
    if (++oh == outH) {
      oh = 0;
      if (++od == outD) {
        od = 0;
        b++;
      }
    }
  }
}

/** places[i] = row i of those at `from`. */
function pointAtRows(from: usize, rowBytes: usize, count: i32, places: usize): void {
  for (; count != 0; count--) {
    store<usize>(places, from);
    from += rowBytes;
    places += 4;
  }
}

/** Rows of the scratch [rows][8] to their places. */
function storeRows(scratch: usize, rows: i32, places: usize, channel: i32, columns: i32): void {
  const at = <usize>channel << 2;
  for (; rows != 0; rows--) {
    const place = load<usize>(places) + at;
    if (columns == NR) {
      v128.store(place, v128.load(scratch));
      v128.store(place, v128.load(scratch, 16), 16);
    } else {
      copyFloats(place, scratch, columns);
    }
    places += 4;
    scratch += 4 * NR;
  }
}

/** Results that lie side by side, each to its place. */
function shuffleRows(p: ConvParams, from: usize, rows: i32, places: usize): void {
  const outC = p.outC, shuffle = p.shuffle;
  for (; rows != 0; rows--) {
    shufflePixels(from, 1, outC, shuffle, load<usize>(places), 0);
    from += <usize>outC << 2;
    places += 4;
  }
}

/** All results of one pixel and one group, whose weights and bias begin at `weights` and `bias`. */
function runRows(
  p: ConvParams, panels: i32, N: i32, table: usize, offset: usize, taps: i32, run: i32, weights: usize, panelBytes: usize, bias: usize,
  scratch: usize, place: usize,
): void {
  for (let jr = 0; jr < panels; jr += PANELS) {
    const count = min(PANELS, panels - jr);
    runRow(count, table, offset, taps, run, weights + <usize>jr * panelBytes, panelBytes, scratch, bias + <usize>jr * (4 * NR), p);
    copyFloats(place + <usize>jr * (4 * NR), scratch, min(count * NR, N - jr * NR));
  }
}

/** Blocks of PIXELS. */
export function blocksOf(p: ConvParams): i32 {
  return (p.batch * p.outD * p.outH * p.outW + PIXELS - 1) / PIXELS;
}

/** Pixels of blocks [firstBlock, lastBlock), results of panels [firstPanel, lastPanel) of all groups. */
function sumBlocks(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, firstBlock: i32, lastBlock: i32, firstPanel: i32, lastPanel: i32,
  _prepared: bool,
): void {
  const N = p.groupOutC;
  const panels = (N + NR - 1) / NR;
  const all = p.batch * p.outD * p.outH * p.outW;
  const pixels = min(lastBlock * PIXELS, all);
  const firstGroup = firstPanel / panels, lastGroup = (lastPanel + panels - 1) / panels;
  // A row of the kernel that is never cut off at the side is one run of kW pixels, all channels of each.
  const whole = p.groups == 1 && p.dilationW == 1 && p.padW == 0 && (p.outW - 1) * p.strideW + p.kW <= p.inW;
  const dots = servedByDots(p.kD * p.kH * p.kW, p.groupInC, N);
  // Of a dot product a step is a vector.
  const runs = whole ? partsOf(p.kW * p.inC >> (dots ? 2 : 0)) : p.kW;
  const taps = p.kD * p.kH * runs;
  const run = whole ? p.kW * p.inC / runs : p.groupInC;
  const runBytes = <usize>(whole ? run : p.dilationW * p.inC) << 2;
  const panelBytes = <usize>p.weightStride << 2;
  const outRowBytes = <usize>p.outC << 2;
  const zeroCells = whole ? p.kW * p.inC : p.inC;
  const zeros = work;
  const scratch = zeros + (<usize>zeroCells << 2);
  const places = scratch + 4 * NR * PIXELS;
  const lines = places + 4 * PIXELS;
  const table = lines + (<usize>(p.kD * p.kH) << 2);
  const slotBytes = <usize>(taps * MR) << 2;
  const dense = p.stepW == 1 && p.stepH == p.outW && p.batch * p.stepB == all;
  const shuffled = p.shuffle != 1;
  // Where others lie between them, results are equally far apart as long as a block ends with its row.
  const along = !dense && !shuffled && p.outW >= ALONG;
  if (!ASC_NO_ASSERT) assert(!along || pixels == all, "conv: rows of results between others, in parts");
  const even = dense || shuffled || along;
  const stepBytes = shuffled ? outRowBytes : <usize>p.stepW * outRowBytes;
  const collected = table + (<usize>tileCount(min(PIXELS, pixels - firstBlock * PIXELS)) * slotBytes);
  // Images and weights that come from beyond L2 are read ahead.
  const far = all == p.batch * p.inD * p.inH * p.inW && all * (p.inC + p.outC) > FAR_BYTES / 4;
  const large = p.groups * panels * p.weightStride > FAR_BYTES / 4;
  zeroFloats(zeros, zeroCells);

  for (let ic = firstBlock * PIXELS, mc = 0; ic < pixels; ic += mc) {
    mc = min(PIXELS, along ? p.outW - ic % p.outW : pixels - ic);
    const tiles = tileCount(mc);
    const short = mc / tiles;
    const long = mc - short * tiles;
    pointAtRuns(p, input, zeros, ic, mc, whole, runs, runBytes, lines, table);
    // A block's results, equally far apart where that is so.
    if (shuffled) pointAtRows(collected, outRowBytes, mc, places);
    else pointAtPlaces(p, output, ic, !even || (N & 3) != 0 ? mc : 1, places);
    const block = load<usize>(places);
    if (far) touchLines(input + (<usize>(ic * p.inC) << 2), <usize>(mc * p.inC) << 2);
    for (let g = firstGroup; g < lastGroup; g++) {
      const begin = max(0, firstPanel - g * panels), end = min(panels, lastPanel - g * panels);
      const offset = <usize>(g * p.groupInC) << 2;
      if (mc == 1 && !dots) {
        const first = <usize>(g * panels + begin);
        const channel = begin * NR;
        const place = load<usize>(places) + (<usize>(g * N + channel) << 2);
        runRows(
          p, end - begin, N - channel, table, offset, taps, run, weights + first * panelBytes, panelBytes, bias + first * (4 * NR), scratch, place,
        );
        continue;
      }
      for (let jr = begin; jr < end; jr++) {
        const panel = weights + <usize>(g * panels + jr) * panelBytes;
        if (large && jr % AHEAD == 0) touchLines(panel, <usize>min(AHEAD, end - jr) * panelBytes);
        const panelBias = bias + (<usize>(g * panels + jr) * (4 * NR));
        const channel = g * N + jr * NR;
        const width = min(NR, N - jr * NR);
        const columns = dots ? width : width > 4 ? 8 : 4;
        const direct = even && (width & 3) == 0;
        let target = direct ? block + (<usize>channel << 2) : scratch;
        const rowBytes = direct ? stepBytes : 4 * NR;
        // The high tiles, then those that are a row lower; the table has them in this order.
        let slot = table;
        if (long > 0) {
          runTiles(short + 1, columns, long, slot, offset, taps, run, panel, target, rowBytes, panelBias, p);
          slot += <usize>long * slotBytes;
          target += <usize>(long * (short + 1)) * rowBytes;
        }
        runTiles(short, columns, tiles - long, slot, offset, taps, run, panel, target, rowBytes, panelBias, p);
        if (!direct) storeRows(scratch, mc, places, channel, width);
      }
    }
    if (shuffled) {
      pointAtPlaces(p, output, ic, mc, places);
      shuffleRows(p, collected, mc, places);
    }
  }
}

/** The whole image, results of panels [firstPanel, lastPanel) of all groups. */
export function sumPanels(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, firstPanel: i32, lastPanel: i32,
): void {
  sumBlocks(p, input, weights, bias, output, work, 0, blocksOf(p), firstPanel, lastPanel, false);
}

export function convChannelsLast(
  first: i32, last: i32, before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize,
): void {
  if (!ASC_NO_ASSERT) assert(p.shuffle == 1 || p.taskPanels == 0, "conv: results that are shuffled, in parts");
  runTasks(sumBlocks, blocksOf(p), panelsOf(p.groups, p.groupOutC), first, last, before, work, p, input, weights, bias, output);
}
