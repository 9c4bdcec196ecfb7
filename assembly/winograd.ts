/**
 * Convolution with square kernels or rows of taps by the minimal algorithm F(m, r), channels-last: at stride 1, a tile of m × m results costs points² products
 * a channel in place of r²·m², points = m + r − 1. A stride's phases (winograd-phases.ts) are so many times the channels, of r = ⌈k / stride⌉ taps.
 *
 *   input [batch, inH, inW, inC] · output [batch, outH, outW, outC], p.stepW and so on apart · bias in groups of whole panels
 *   weights  panels as for conv-channels-last.ts, for tiles whose results are not finite
 *   p.factors bytes from them what packWinograd made of them: [factor][group][panel][phase][groupInC][8]
 *   work: see winograd-block.ts. Nothing overlaps.
 *
 * p.points says which of the transforms; p.innerBand tiles make a block. Each step runs over the whole block: the data are transformed, one GEMM for each factor multiplies them
 * with the weights, and the products are transformed back on the way out. A dilated image is seen as interleaved images without gaps. Channels go
 * by CHUNK, a line of the cache; the last chunk ends with them, and computes some a second time: a part of a task has 16 channels or more.
 *
 *   tasks: [block][part], tiles being counted image by image, by phases of the dilation down and along, rows and columns
 */
import { activateRuns, ADDED, CLAMP } from "./activation";
import { FORESEEN, MR, NR } from "./blocks";
import { sumPanels } from "./conv-channels-last";
import { partsOf, tileCount } from "./gemm";
import { runTiles } from "./gemm-kernel";
import { ConvParams } from "./params";
import { Block, layOut, Place, resultsAlong } from "./winograd-block";
import { factorStrip, factorTiles, gapH, gapW } from "./winograd-data";
import { fullPhases, isGathered } from "./winograd-phases";
import { Biased, CHUNK, Raw, resultLines, ZEROS } from "./winograd-transforms";
import { channelOf, panelsOf, runTasks } from "./tasks";

/** Pointers to factor 0 of `count` tiles, of phases [0, high) × [0, wide), in tiles of the GEMM and parts of its sum. */
function pointAtTiles(p: ConvParams, block: Block, count: i32, high: i32, wide: i32, parts: i32, table: usize): void {
  const tiles = tileCount(count);
  const short = count / tiles;
  const long = count - short * tiles;
  const rowBytes = block.tileBytes, partBytes = <usize>(p.groupInC / parts) << 2;
  let factors = block.factors;
  for (let t = 0; t < tiles; t++) {
    const rows = t < long ? short + 1 : short;
    for (let r = 0; r < rows; r++) {
      let slot = table + (<usize>r << 2);
      for (let h = 0; h < high; h++) {
        for (let w = 0; w < wide; w++) {
          let cell = factors + <usize>(h * p.strideW + w) * block.phaseBytes;
          for (let n = parts; n != 0; n--) {
            store<usize>(slot, cell);
            slot += 4 * MR;
            cell += partBytes;
          }
        }
      }
      factors += rowBytes;
    }
    table += <usize>(high * wide * parts * MR) << 2;
  }
}

/**
 * products[factor][tile][group panels] = Σ_phase factors[phase][factor][tile][channels] · weights[factor][phase]
 *
 * The factor of ∞ has only the full phases, down and along: four sets of phases, each with a table of pointers of its own.
 *
 * Large tiles magnify the error of a long sum: theirs are sums of short ones.
 */
function multiply(p: ConvParams, block: Block, count: i32, weights: usize, firstPanel: i32, lastPanel: i32): void {
  const gathered = isGathered(p);
  const strideH = gathered ? 1 : p.strideH, strideW = gathered ? 1 : p.strideW;
  const channels = gathered ? p.strideH * p.strideW * p.inC : p.groupInC;
  const N = p.groupOutC;
  const panels = (N + NR - 1) / NR;
  const allPanels = p.groups * panels;
  const sums = p.points == 8 ? max(2, (channels + FORESEEN - 1) / FORESEEN) : 1;
  const length = (channels + sums - 1) / sums;
  const parts = gathered || sums > 1 ? 1 : partsOf(channels);
  const tiles = tileCount(count);
  const short = count / tiles;
  const long = count - short * tiles;
  const rowBytes = block.productRow, gemm = block.gemm;
  const points = p.points, rows = p.kH > 1 ? points : 1;
  const fullH = fullPhases(p.kH, strideH), fullW = fullPhases(p.kW, strideW);
  pointAtTiles(p, block, count, strideH, strideW, parts, block.tables);
  if (fullW < strideW) pointAtTiles(p, block, count, strideH, fullW, parts, block.tables + block.tableBytes);
  if (fullH < strideH) {
    pointAtTiles(p, block, count, fullH, strideW, parts, block.tables + 2 * block.tableBytes);
    pointAtTiles(p, block, count, fullH, fullW, parts, block.tables + 3 * block.tableBytes);
  }
  for (let factor = 0; factor < rows * points; factor++) {
    const cutH = rows > 1 && factor >= (rows - 1) * points && fullH < strideH;
    const cutW = factor % points == points - 1 && fullW < strideW;
    const phases = (cutH ? fullH : strideH) * (cutW ? fullW : strideW);
    const table = block.tables + <usize>((cutH ? 2 : 0) + (cutW ? 1 : 0)) * block.tableBytes;
    const taps = phases * parts;
    const high = <usize>long * (<usize>(taps * MR) << 2);
    const panelBytes = <usize>(channels * phases * NR) << 2;
    let panel = weights + <usize>firstPanel * panelBytes;
    for (let n = firstPanel; n < lastPanel; n++) {
      const g = n / panels;
      const columns = N - (n - g * panels) * NR > 4 ? 8 : 4;
      const to = block.products + <usize>factor * block.productBytes + <usize>n * (4 * NR);
      const below = to + <usize>(long * (short + 1)) * rowBytes;
      for (let first = 0; first < channels; first += length) {
        const run = sums > 1 ? min(length, channels - first) : channels / parts;
        const offset = <usize>factor * block.factorBytes + (<usize>(g * channels + first) << 2);
        gemm.activation = first == 0 ? CLAMP : ADDED;
        if (long > 0) runTiles(short + 1, columns, long, table, offset, taps, run, panel, to, rowBytes, ZEROS, gemm);
        runTiles(short, columns, tiles - long, table + high, offset, taps, run, panel, below, rowBytes, ZEROS, gemm);
        panel += <usize>((sums > 1 ? run : channels * phases) * NR) << 2;
      }
    }
    weights += <usize>allPanels * panelBytes;
  }
}

/** Results of tile `t`, bytes [begin, end) of each: down, a CHUNK at a time, then along its rows to their places, with bias and activation. */
function finishTile(p: ConvParams, block: Block, t: i32, bias: usize, output: usize, begin: usize, end: usize): void {
  const place = changetype<Place>(block.places + <usize>t * offsetof<Place>());
  const points = p.points, m = resultsAlong(p);
  const rows = place.rows, columns = place.columns;
  const pixelBytes = <usize>p.outC << 2;
  const last = end - CHUNK;
  const step = block.productBytes;
  const rowBytes = <usize>(p.stepH * p.dilationH) * pixelBytes;
  const columnBytes = <usize>(p.stepW * p.dilationW) * pixelBytes;
  const first = output + <usize>(place.batch * p.stepB + place.row * p.stepH + place.column * p.stepW) * pixelBytes;
  const products = block.products + <usize>t * block.productRow;
  const clamped = p.activation == CLAMP;
  const low = f32x4.splat(clamped ? p.low : -Infinity), high = f32x4.splat(clamped ? p.high : Infinity);
  const lowest = f32x4.splat(-Infinity), highest = f32x4.splat(Infinity);
  let check = f32x4.splat(0);
  for (let at = begin; at < end; at += CHUNK) {
    if (at > last) at = last;
    let half = products + at;
    let halfStep = step, halfRow: usize = 0;
    if (p.kH > 1) {
      for (let j = 0; j < points; j++) {
        resultLines<Raw>(points, m, m, half, <usize>points * step, block.half + <usize>j * CHUNK, <usize>points * CHUNK, ZEROS, lowest, highest);
        half += step;
      }
      half = block.half;
      halfStep = CHUNK;
      halfRow = <usize>points * CHUNK;
    }
    let line = first + at;
    for (let k = 0; k < rows; k++) {
      check = f32x4.add(check, resultLines<Biased>(points, m, columns, half, halfStep, line, columnBytes, bias + at, low, high));
      half += halfRow;
      line += rowBytes;
    }
  }
  if (!clamped) for (let k = 0; k < rows; k++) activateRuns(p, columns, first + begin + <usize>k * rowBytes, columnBytes, end - begin);
  // 0 where finite. A sum beyond float32 of finite results makes it compute once more than needed.
  place.broken = v128.any_true(f32x4.ne(f32x4.sub(check, check), f32x4.splat(0))) ? 1 : 0;
}

/** Tiles that hold what is not finite, as sums: an infinity of the data would be in results that do not see it. */
function mend(
  p: ConvParams, block: Block, count: i32, input: usize, weights: usize, bias: usize, output: usize, firstPanel: i32, lastPanel: i32,
): void {
  for (let t = 0; t < count; t++) {
    const place = changetype<Place>(block.places + <usize>t * offsetof<Place>());
    if (place.broken == 0) continue;
    const sub = changetype<ConvParams>(block.rest);
    memory.copy(block.rest, changetype<usize>(p), offsetof<ConvParams>());
    sub.batch = 1;
    sub.outH = place.rows;
    sub.outW = place.columns;
    sub.padH = p.padH - place.row * p.strideH;
    sub.padW = p.padW - place.column * p.strideW;
    sub.strideH = gapH(p);
    sub.strideW = gapW(p);
    sub.stepW = p.stepW * p.dilationW;
    sub.stepH = p.stepH * p.dilationH;
    const image = input + (<usize>(place.batch * p.inH * p.inW * p.inC) << 2);
    const to = output + (<usize>((place.batch * p.stepB + place.row * p.stepH + place.column * p.stepW) * p.outC) << 2);
    sumPanels(sub, image, weights, bias, to, block.rest + ((offsetof<ConvParams>() + 15) & ~15), firstPanel, lastPanel);
  }
}

/** What is in the block from its data to its results. */
function finishBlock(
  p: ConvParams, block: Block, count: i32, input: usize, weights: usize, bias: usize, output: usize, firstPanel: i32, lastPanel: i32,
): void {
  const begin = <usize>channelOf(firstPanel, p.groupOutC) << 2, end = <usize>channelOf(lastPanel, p.groupOutC) << 2;
  multiply(p, block, count, weights + <usize>p.factors, firstPanel, lastPanel);
  for (let t = 0; t < count; t++) finishTile(p, block, t, bias, output, begin, end);
  mend(p, block, count, input, weights, bias, output, firstPanel, lastPanel);
}

/** Tiles of `m` results along an axis, whose phases of the dilation are cut each on its own. */
function tilesAlong(out: i32, dilation: i32, m: i32): i32 {
  const phases = min(out, dilation);
  const least = out / phases, more = out % phases;
  return more * ((least + m) / m) + (phases - more) * ((least + m - 1) / m);
}

function tilesOf(p: ConvParams): i32 {
  const m = resultsAlong(p);
  return p.batch * tilesAlong(p.outH, p.dilationH, p.kH > 1 ? m : 1) * tilesAlong(p.outW, p.dilationW, m);
}

/** Blocks of p.innerBand tiles. */
function blocksOf(p: ConvParams): i32 {
  return (tilesOf(p) + p.innerBand - 1) / p.innerBand;
}

/**
 * Tiles of blocks [firstBlock, lastBlock), results of panels [firstPanel, lastPanel) of all groups. `prepared`: `work` holds the factors and the places of the
 * first, which is the only one.
 */
function computeBlocks(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, firstBlock: i32, lastBlock: i32, firstPanel: i32, lastPanel: i32,
  prepared: bool,
): void {
  if (!ASC_NO_ASSERT) assert(p.kW > p.strideW && (p.kH == p.kW && p.strideH == p.strideW || p.kH == 1 && p.strideH == 1), "winograd: square kernels and strides, or rows");
  if (!ASC_NO_ASSERT) assert(resultsAlong(p) > 1 && (p.strideW == 1 || (p.points < 8 && p.dilationH == 1 && p.dilationW == 1)), "winograd: the points");
  if (!ASC_NO_ASSERT) assert(!isGathered(p) || <usize>(p.inC * p.strideH * p.strideW) << 2 <= CHUNK && p.groups == 1 && p.strideW * p.inC >= 4 && p.points < 8, "winograd: what is gathered");
  if (!ASC_NO_ASSERT) assert(p.shuffle == 1 && p.inD == 1 && p.outD == 1 && p.innerBand >= 1, "winograd: what it is not made for");
  if (!ASC_NO_ASSERT) assert(channelOf(lastPanel, p.groupOutC) - channelOf(firstPanel, p.groupOutC) >= 16, "winograd: less than a line of channels");
  const m = resultsAlong(p), tileH = p.kH > 1 ? m : 1;
  const outH = p.outH, outW = p.outW, dilationH = p.dilationH, dilationW = p.dilationW;
  const block = layOut(p, work);
  const gathered = isGathered(p);
  const most = p.innerBand;
  const first = firstBlock * most, last = lastBlock * most;
  if (prepared) {
    finishBlock(p, block, min(most, tilesOf(p) - first), input, weights, bias, output, firstPanel, lastPanel);
    return;
  }
  // Tiles before those of a row, and those that wait in the block.
  let before = 0;
  let count = 0;
  for (let b = 0; b < p.batch; b++) {
    const image = input + (<usize>(b * p.inH * p.inW * p.inC) << 2);
    for (let phaseH = 0; phaseH < min(outH, dilationH); phaseH++) {
      const high = (outH - phaseH + dilationH - 1) / dilationH;
      for (let phaseW = 0; phaseW < min(outW, dilationW); phaseW++) {
        const wide = (outW - phaseW + dilationW - 1) / dilationW;
        const along = (wide + m - 1) / m;
        for (let row = 0; row < high; row += tileH) {
          const behind = min(along, last - before);
          for (let tile = max(0, first - before); tile < behind; ) {
            const strip = min(most - count, behind - tile);
            const column = tile * m;
            const oh = phaseH + row * dilationH, ow = phaseW + column * dilationW;
            for (let t = 0; t < strip; t++) {
              const place = changetype<Place>(block.places + <usize>(count + t) * offsetof<Place>());
              place.batch = b;
              place.row = oh;
              place.column = ow + t * m * dilationW;
              place.rows = min(tileH, high - row);
              place.columns = min(m, wide - column - t * m);
            }
            let factors = block.factors;
            if (gathered) factorTiles(p, block, image, oh * p.strideH - p.padH, ow * p.strideW - p.padW, factors, count, strip);
            else for (let h = 0; h < p.strideH; h++) {
              for (let w = 0; w < p.strideW; w++) {
                factorStrip(p, block, image, oh * p.strideH - p.padH + h, ow * p.strideW - p.padW + w, factors, count, strip);
                factors += block.phaseBytes;
              }
            }
            count += strip;
            tile += strip;
            if (count == most) {
              finishBlock(p, block, count, input, weights, bias, output, firstPanel, lastPanel);
              count = 0;
            }
          }
          before += along;
        }
      }
    }
  }
  if (count > 0) finishBlock(p, block, count, input, weights, bias, output, firstPanel, lastPanel);
}

/** The whole image, results of panels [firstPanel, lastPanel) of all groups. `prepared`: `work` was last used for other panels of the same image. */
export function tilePanels(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, firstPanel: i32, lastPanel: i32, prepared: bool,
): void {
  const blocks = blocksOf(p);
  computeBlocks(p, input, weights, bias, output, work, 0, blocks, firstPanel, lastPanel, prepared && blocks == 1);
}

export function convWinograd(first: i32, last: i32, before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize): void {
  runTasks(computeBlocks, blocksOf(p), panelsOf(p.groups, p.groupOutC), first, last, before, work, p, input, weights, bias, output);
}
