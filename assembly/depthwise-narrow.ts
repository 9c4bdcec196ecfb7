/**
 * Depthwise convolution of less than a vector of channels, channels-last. A row is one run of floats, whose weights and bias repeat themselves every `outC` of them:
 *
 *   to[i] = clamp(bias[i mod outC] + Σ_tap weight[tap][i mod outC] · from[i + offset[tap]])       i = 0 … outW · outC − 1
 *
 *   outC = 1, 2 or 3: twelve floats are three vectors, and whole pixels
 *   work: Phases | for bias and each tap its Tap | a tile of results | a band; sized in src/bands.ts. Nothing overlaps.
 *
 * A band of p.band output rows is copied with its zeros, every input channel as often as it feeds an output, its columns dealt into phases as in depthwise-channels-first.ts, but
 * for those that no tap reaches: [row][phase][cell][outC]. A shuffle of so few channels leaves each where it is.
 *
 * The tile is three vectors of three rows, twelve loads for nine products: a row of fewer floats, or whose results lie apart, is computed beside its place.
 */
import { activateRuns, clamp, CLAMP } from "./activation";
import { Grid } from "./depthwise-grid";
import { ConvParams } from "./params";
import { copyFloats, madd, zeroFloats } from "./simd";

/** Floats and rows of a tile. */
const FLOATS = 12;
const ROWS = 3;
const TILE_ROW: usize = 4 * FLOATS;

/** What a tap reads, in bytes from a result's first cell, then its weights, written out for a row of a tile. */
@unmanaged
class Tap {
  offset: usize;
}
const WEIGHTS: usize = 16;
const TAP_BYTES: usize = WEIGHTS + TILE_ROW;

// @ts-ignore: decorator
@inline
function tile(rows: i32, grid: Grid, taps: usize, behind: usize, from: usize, nextRow: usize, to: usize, toRow: usize): void {
  let acc00 = v128.load(taps, 16), acc01 = v128.load(taps, 32), acc02 = v128.load(taps, 48);
  let acc10 = acc00, acc11 = acc01, acc12 = acc02, acc20 = acc00, acc21 = acc01, acc22 = acc02;
  for (let tap = taps + TAP_BYTES; tap != behind; tap += TAP_BYTES) {
    let x = from + changetype<Tap>(tap).offset;
    const w0 = v128.load(tap, 16), w1 = v128.load(tap, 32), w2 = v128.load(tap, 48);
    acc00 = madd(w0, v128.load(x), acc00);
    acc01 = madd(w1, v128.load(x, 16), acc01);
    acc02 = madd(w2, v128.load(x, 32), acc02);
    if (rows > 1) {
      x += nextRow;
      acc10 = madd(w0, v128.load(x), acc10);
      acc11 = madd(w1, v128.load(x, 16), acc11);
      acc12 = madd(w2, v128.load(x, 32), acc12);
      x += nextRow;
      acc20 = madd(w0, v128.load(x), acc20);
      acc21 = madd(w1, v128.load(x, 16), acc21);
      acc22 = madd(w2, v128.load(x, 32), acc22);
    }
  }
  const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
  v128.store(to, clamp(acc00, low, high));
  v128.store(to, clamp(acc01, low, high), 16);
  v128.store(to, clamp(acc02, low, high), 32);
  if (rows > 1) {
    to += toRow;
    v128.store(to, clamp(acc10, low, high));
    v128.store(to, clamp(acc11, low, high), 16);
    v128.store(to, clamp(acc12, low, high), 32);
    to += toRow;
    v128.store(to, clamp(acc20, low, high));
    v128.store(to, clamp(acc21, low, high), 16);
    v128.store(to, clamp(acc22, low, high), 32);
  }
}

/** Where phases begin in a row of the band, and how long it is: in cells. */
@unmanaged
class Phases {
  count: i32;
  /** Cells of a phase; one less of those behind `full`. */
  cells: i32;
  full: i32;
}

function phaseBegin(phases: Phases, phase: i32): i32 {
  return phase * phases.cells - max(0, phase - phases.full);
}

/** Image row `line` to a row of the band. Margins were zeroed once and stay so. */
function copyRow(p: ConvParams, phases: Phases, line: usize, row: usize): void {
  const inC = p.inC, outC = p.outC, stride = p.strideW, padW = p.padW;
  const multiplier = outC / inC;
  const pixelBytes = <usize>inC << 2, cellBytes = <usize>outC << 2;
  for (let phase = 0; phase < phases.count; phase++) {
    const begin = phaseBegin(phases, phase);
    // Cell j is column j · stride + phase − padW of the image.
    const first = max(0, (padW - phase + stride - 1) / stride);
    const count = min(phaseBegin(phases, phase + 1) - begin, (p.inW - 1 + padW - phase + stride) / stride) - first;
    const from = line + <usize>(first * stride + phase - padW) * pixelBytes, to = row + <usize>(begin + first) * cellBytes;
    if (stride == 1 && multiplier == 1) {
      copyFloats(to, from, count * outC);
      continue;
    }
    for (let c = 0; c < outC; c++) {
      let pixel = from + (<usize>(c / multiplier) << 2), cell = to + (<usize>c << 2);
      for (let n = count; n > 0; n--) {
        store<f32>(cell, load<f32>(pixel));
        pixel += pixelBytes * <usize>stride;
        cell += cellBytes;
      }
    }
  }
}

/** Rows [0, rows) of a band's results, one or ROWS of them at a time. */
function bandOfTiles(
  p: ConvParams, grid: Grid, taps: usize, behind: usize, beside: usize, rows: i32, band: usize, nextRow: usize, output: usize,
): void {
  const outC = p.outC, outW = p.outW;
  const floats = outW * outC;
  const cellBytes = <usize>outC << 2;
  const resultBytes = <usize>p.stepW * cellBytes, toRow = <usize>p.stepH * cellBytes;
  const dense = p.stepW == 1;
  const inRow = dense && floats >= FLOATS;
  const tall = rows >= ROWS ? ROWS : 1;
  for (let r = 0; r < rows; r += tall) {
    // The last tile ends with the rows, or with a row, and sums some results a second time.
    if (r > rows - tall) r = rows - tall;
    const from = band + <usize>r * nextRow, line = output + <usize>r * toRow;
    for (let i = 0; i < floats; i += FLOATS) {
      if (inRow && i > floats - FLOATS) i = floats - FLOATS;
      const at = <usize>i << 2;
      const to = inRow ? line + at : beside, step = inRow ? toRow : TILE_ROW;
      if (tall == 1) tile(1, grid, taps, behind, from + at, nextRow, to, step);
      else tile(ROWS, grid, taps, behind, from + at, nextRow, to, step);
      if (inRow) continue;
      for (let n = 0; n < tall; n++) {
        let result = line + <usize>n * toRow + <usize>(i / outC) * resultBytes;
        for (let j = 0; j < min(FLOATS, floats - i); j += outC) {
          copyFloats(result, beside + <usize>n * TILE_ROW + (<usize>j << 2), outC);
          result += resultBytes;
        }
      }
    }
    if (p.activation != CLAMP) {
      for (let n = 0; n < tall; n++) activateRuns(p, dense ? 1 : outW, line + <usize>n * toRow, resultBytes, dense ? <usize>floats << 2 : cellBytes);
    }
  }
}

/** Tasks as those of depthwise-channels-last.ts. */
export function narrow(
  first: i32, last: i32, p: ConvParams, bands: i32, input: usize, weights: usize, bias: usize, output: usize, grid: Grid, work: usize,
): void {
  const outC = p.outC, outH = p.outH, outW = p.outW, kH = p.kH, kW = p.kW, strideH = p.strideH, strideW = p.strideW;
  if (!ASC_NO_ASSERT) assert(outC < 4, "depthwise: channels that are no narrow row");
  const reachW = (kW - 1) * p.dilationW, reachH = (kH - 1) * p.dilationH + 1;
  const phases = changetype<Phases>(work);
  phases.count = min(strideW, reachW + 1);
  phases.cells = outW + reachW / strideW;
  phases.full = reachW % strideW + 1;
  const cellBytes = <usize>outC << 2;
  const rowFloats = phaseBegin(phases, phases.count) * outC;
  const rowBytes = <usize>rowFloats << 2;
  const taps = work + 16;
  const behind = taps + <usize>(kH * kW + 1) * TAP_BYTES;
  const rows = behind + ROWS * TILE_ROW;
  for (let i = 0; i < FLOATS; i++) store<f32>(taps + WEIGHTS + (<usize>i << 2), load<f32>(bias + (<usize>(i % outC) << 2)));
  let tap = taps, weight = weights;
  for (let kh = 0; kh < kH; kh++) {
    for (let kw = 0; kw < kW; kw++) {
      tap += TAP_BYTES;
      const shift = kw * p.dilationW;
      const cell = phaseBegin(phases, shift % strideW) + shift / strideW;
      changetype<Tap>(tap).offset = <usize>(kh * p.dilationH) * rowBytes + <usize>cell * cellBytes;
      for (let i = 0; i < FLOATS; i++) store<f32>(tap + WEIGHTS + (<usize>i << 2), load<f32>(weight + (<usize>(i % outC) << 2)));
      weight += <usize>p.weightStride << 2;
    }
  }
  zeroFloats(rows, ((min(p.band, outH) - 1) * strideH + reachH) * rowFloats);

  for (let task = first; task < last; task++) {
    const b = task / bands;
    const band = (task - b * bands) * p.band;
    const count = min(outH, band + p.band) - band;
    const image = input + (<usize>(b * p.inH * p.inW * p.inC) << 2);
    let row = rows;
    for (let r = 0; r < (count - 1) * strideH + reachH; r++) {
      const ih = band * strideH + r - p.padH;
      if (<u32>ih < <u32>p.inH) copyRow(p, phases, image + (<usize>(ih * p.inW * p.inC) << 2), row);
      else zeroFloats(row, rowFloats);
      row += rowBytes;
    }
    const to = output + <usize>(b * p.stepB + band * p.stepH) * cellBytes;
    bandOfTiles(p, grid, taps, behind, behind, count, rows, rowBytes * <usize>strideH, to);
  }
}
