/** The first step of convWinograd: strips of the image → the factors of their tiles, [phase][factor][tile][channel] in the block. */
import { ConvParams } from "./params";
import { copyFloats, zeroFloats } from "./simd";
import { Block, resultsAlong } from "./winograd-block";
import { isGathered } from "./winograd-phases";
import { CHUNK, dataLines } from "./winograd-transforms";

/** From one datum of a tile to the next, in cells of the image: either the stride or the dilation is 1. */
// @ts-ignore: decorator
@inline
export function gapH(p: ConvParams): i32 {
  return p.strideH * p.dilationH;
}

// @ts-ignore: decorator
@inline
export function gapW(p: ConvParams): i32 {
  return p.strideW * p.dilationW;
}

/** One CHUNK of the pixels of a strip, with zeros where there is no image: rows `rowBytes` apart. */
function copyStrip(
  p: ConvParams, image: usize, top: i32, rows: i32, left: i32, columns: i32, pixelBytes: usize, to: usize, rowBytes: usize,
): void {
  const inH = p.inH, inW = p.inW, stepW = gapW(p);
  for (let i = 0; i < rows; i++) {
    const ih = top + i * gapH(p);
    let cell = to;
    let iw = left;
    for (let x = 0; x < columns; x++) {
      const inside = <u32>ih < <u32>inH && <u32>iw < <u32>inW;
      const from = image + <usize>(ih * inW + iw) * pixelBytes;
      for (let v: usize = 0; v < CHUNK; v += 16) v128.store(cell + v, inside ? v128.load(from + v) : f32x4.splat(0));
      cell += CHUNK;
      iw += stepW;
    }
    to += rowBytes;
  }
}

/** Likewise all channels of all phases, which are few: [phase down][phase along][channel], and zeros to the end of the CHUNK. */
function gatherStrip(p: ConvParams, image: usize, top: i32, rows: i32, left: i32, columns: i32, to: usize, rowBytes: usize): void {
  const inH = p.inH, inW = p.inW, inC = p.inC, strideH = p.strideH, strideW = p.strideW;
  const run = strideW * inC;
  const phaseBytes = <usize>run << 2;
  zeroFloats(to, <i32>(<usize>rows * rowBytes >> 2));
  for (let i = 0; i < rows; i++) {
    for (let phase = 0; phase < strideH; phase++) {
      const ih = top + i * strideH + phase;
      if (<u32>ih >= <u32>inH) continue;
      const line = image + (<usize>(ih * inW * inC) << 2);
      let cell = to + <usize>phase * phaseBytes;
      for (let x = 0; x < columns; x++) {
        const iw = left + x * strideW;
        const begin = max(iw, 0);
        const count = min(iw + strideW, inW) - begin;
        const from = line + (<usize>(begin * inC) << 2);
        // Of the pixels of a phase there are four floats or more: see servesChannels in src/winograd.ts.
        if (count == strideW && run <= 8) {
          v128.store(cell, v128.load(from));
          v128.store(cell + phaseBytes - 16, v128.load(from + phaseBytes - 16));
        } else if (count > 0) copyFloats(cell + (<usize>((begin - iw) * inC) << 2), from, count * inC);
        cell += CHUNK;
      }
    }
    to += rowBytes;
  }
}

/** The factors of `count` tiles side by side, whose first datum is at (top, left), to those of tile `first` … of their phase. */
export function factorTiles(p: ConvParams, block: Block, image: usize, top: i32, left: i32, factors: usize, first: i32, count: i32): void {
  const points = p.points, m = resultsAlong(p);
  const rows = p.kH > 1 ? points : 1;
  const columns = (count - 1) * m + points;
  const pixelBytes = <usize>p.inC << 2;
  const lineBytes = <usize>(columns | 1) * CHUNK;
  const factorBytes = block.factorBytes;
  const reach = (columns - 1) * gapW(p);
  const inside = top >= 0 && top + (rows - 1) * gapH(p) < p.inH && left >= 0 && left + reach < p.inW;
  const gathered = isGathered(p);
  const tileBytes = block.tileBytes;
  const last = tileBytes - CHUNK;
  for (let at: usize = 0; at < tileBytes; at += CHUNK) {
    if (at > last) at = last;
    let from = image + <usize>(top * p.inW + left) * pixelBytes + at;
    let rowStep = <usize>(p.inW * gapH(p)) * pixelBytes;
    let columnStep = <usize>gapW(p) * pixelBytes;
    if (gathered || !inside) {
      if (gathered) gatherStrip(p, image, top, rows, left, columns, block.copied, lineBytes);
      else copyStrip(p, image + at, top, rows, left, columns, pixelBytes, block.copied, lineBytes);
      from = block.copied;
      rowStep = lineBytes;
      columnStep = CHUNK;
    }
    let half = from;
    if (rows > 1) {
      half = block.half;
      for (let x = 0; x < columns; x++) {
        dataLines(points, from, rowStep, half, lineBytes);
        from += columnStep;
        half += CHUNK;
      }
      half = block.half;
      rowStep = lineBytes;
      columnStep = CHUNK;
    }
    let place = factors + <usize>first * tileBytes + at;
    for (let t = 0; t < count; t++) {
      let line = half;
      let to = place;
      for (let i = 0; i < rows; i++) {
        dataLines(points, line, columnStep, to, factorBytes);
        line += rowStep;
        to += <usize>points * factorBytes;
      }
      half += <usize>m * columnStep;
      place += tileBytes;
    }
  }
}

/** Any tiles side by side: those in the middle read the image in place, those at its sides a copy of what there is. */
export function factorStrip(p: ConvParams, block: Block, image: usize, top: i32, left: i32, factors: usize, first: i32, count: i32): void {
  const step = resultsAlong(p) * gapW(p);
  const reach = (p.points - 1) * gapW(p);
  const before = left >= 0 ? 0 : min(count, (step - 1 - left) / step);
  const room = p.inW - 1 - reach - left;
  const behind = max(before, room < 0 ? 0 : min(count, room / step + 1));
  if (before > 0) factorTiles(p, block, image, top, left, factors, first, before);
  if (behind > before) factorTiles(p, block, image, top, left + before * step, factors, first + before, behind - before);
  if (count > behind) factorTiles(p, block, image, top, left + behind * step, factors, first + behind, count - behind);
}
