/**
 * The register tile of grouped convolutions: four output channels × two vectors of four pixels.
 *
 *   acc[n][v] = bias[n] + Σ_step weights[step][n] · band[from + offset[step] + v · apart]      n = 0 … 3, v = 0, 1, then the clamp
 *
 *   band     planes of the group's input channels with their zeros, so that no step needs a test; every load is inside it
 *   offsets  bytes from a pixel to what each step of its sum reads: a flat list of taps and input channels, so that groups of a few channels
 *            do not pay for a loop of their own under each tap
 *   weights  four of a panel's, `pitch` from step to step
 *
 * Six loads for eight products. Results go to four planes, or are turned and go to the same four channels of each pixel, or, where these are shuffled,
 * one by one. Where what is asked for is no whole number of tiles the last tile ends with it, and sums some results a second time.
 */
import { clamp } from "./activation";
import { ConvParams } from "./params";
import { madd } from "./simd";

/**
 * A line of tiles, along a row or down a column of vectors. Distances in bytes. What a tile needs only before and behind its sums lies here, and is read
 * anew for each: in registers it would drive out what the sums step by, which costs Node up to version 22 a fifth.
 */
@unmanaged
export class Line {
  /** The first tile, and from one to the next; none begins behind `lastFrom`, where its result is at `lastTo`. */
  from: usize;
  to: usize;
  fromStep: usize;
  toStep: usize;
  lastFrom: usize;
  lastTo: usize;
  /** From the first vector of a tile to the second. */
  apart: usize;
  toApart: usize;
  /** Of the four channels; `pitch` from the weights of one step to those of the next. */
  weights: usize;
  pitch: usize;
  bias: usize;
  /** Turned: to the weights of the next tile, where an even number of tiles is left, or an odd one; and to its bias. */
  evenStep: usize;
  oddStep: usize;
  biasStep: usize;
  /** Steps of the sum: from `offsets` to `behind`. */
  offsets: usize;
  behind: usize;
  /** Pixels of a vector that are wanted. */
  lanes: i32;
  /** 0 where the clamp has no bounds, or the activation is none. */
  bounded: i32;
  /** 1 where four channels of a pixel lie side by side; else each has a place of its own, and `toPixel` lies between pixels. */
  turned: i32;
  toPixel: usize;
  place0: usize;
  place1: usize;
  place2: usize;
  place3: usize;
  /** Of one filter: to the second row of half a tile. */
  nextRow: usize;
}

/** Whether the second vector of a tile follows the first, all of both is wanted, and pixels or channels lie side by side: a type, as in activation.ts. */
type Beside = f32;
type Apart = i32;

/** One channel of up to four pixels. */
export function put(to: usize, v: v128, lanes: i32, toPixel: usize): void {
  if (toPixel == 4 && lanes > 3) {
    v128.store(to, v);
    return;
  }
  v128.store32_lane(to, v, 0);
  if (lanes > 1) v128.store32_lane(to += toPixel, v, 1);
  if (lanes > 2) v128.store32_lane(to += toPixel, v, 2);
  if (lanes > 3) v128.store32_lane(to + toPixel, v, 3);
}

/** Four channels of up to four pixels, each to its place. */
// @ts-ignore: decorator
@inline
function putFour(to: usize, a: v128, b: v128, c: v128, d: v128, line: Line): void {
  const lanes = line.lanes, toPixel = line.toPixel;
  put(to + line.place3, d, lanes, toPixel);
  put(to + line.place2, c, lanes, toPixel);
  put(to + line.place1, b, lanes, toPixel);
  put(to + line.place0, a, lanes, toPixel);
}

/** Likewise side by side. */
// @ts-ignore: decorator
@inline
function putTurned(to: usize, a: v128, b: v128, c: v128, d: v128, line: Line, lanes: i32): void {
  const toPixel = line.toPixel;
  to += line.place0;
  const lowAB = i32x4.shuffle(a, b, 0, 4, 1, 5), lowCD = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const highAB = i32x4.shuffle(a, b, 2, 6, 3, 7), highCD = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(lowAB, lowCD, 0, 2));
  if (lanes > 1) v128.store(to += toPixel, i64x2.shuffle(lowAB, lowCD, 1, 3));
  if (lanes > 2) v128.store(to += toPixel, i64x2.shuffle(highAB, highCD, 0, 2));
  if (lanes > 3) v128.store(to + toPixel, i64x2.shuffle(highAB, highCD, 1, 3));
}

/** Two vectors side by side of each of four planes. */
// @ts-ignore: decorator
@inline
function putPairs(to: usize, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128, line: Line): void {
  let plane = to + line.place3;
  v128.store(plane, d);
  v128.store(plane, h, 16);
  plane = to + line.place2;
  v128.store(plane, c);
  v128.store(plane, g, 16);
  plane = to + line.place1;
  v128.store(plane, b);
  v128.store(plane, f, 16);
  plane = to + line.place0;
  v128.store(plane, a);
  v128.store(plane, e, 16);
}

// @ts-ignore: decorator
@inline
function tiles<A>(p: ConvParams, line: Line, count: i32): void {
  let from = line.from, to = line.to;
  for (let n = count; n != 0; n--) {
    if (from > line.lastFrom) {
      from = line.lastFrom;
      to = line.lastTo;
    }
    const bias = line.bias;
    let acc00 = v128.load32_splat(bias), acc10 = v128.load32_splat(bias, 4), acc20 = v128.load32_splat(bias, 8), acc30 = v128.load32_splat(bias, 12);
    let acc01 = acc00, acc11 = acc10, acc21 = acc20, acc31 = acc30;
    const apart = line.apart, behind = line.behind, pitch = line.pitch;
    let w = line.weights;
    // One step at a time, which V8 unrolls itself. Two at a time were slower everywhere, by a twentieth to a tenth.
    for (let offset = line.offsets; offset != behind; offset += 4) {
      const x = from + load<usize>(offset);
      const v0 = v128.load(x), v1 = isFloat<A>() ? v128.load(x, 16) : v128.load(x + apart);
      let a = v128.load32_splat(w);
      acc00 = madd(a, v0, acc00);
      acc01 = madd(a, v1, acc01);
      a = v128.load32_splat(w, 4);
      acc10 = madd(a, v0, acc10);
      acc11 = madd(a, v1, acc11);
      a = v128.load32_splat(w, 8);
      acc20 = madd(a, v0, acc20);
      acc21 = madd(a, v1, acc21);
      a = v128.load32_splat(w, 12);
      acc30 = madd(a, v0, acc30);
      acc31 = madd(a, v1, acc31);
      w += pitch;
    }
    if (line.bounded != 0) {
      const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
      acc00 = clamp(acc00, low, high);
      acc10 = clamp(acc10, low, high);
      acc20 = clamp(acc20, low, high);
      acc30 = clamp(acc30, low, high);
      acc01 = clamp(acc01, low, high);
      acc11 = clamp(acc11, low, high);
      acc21 = clamp(acc21, low, high);
      acc31 = clamp(acc31, low, high);
    }
    if (line.turned != 0) {
      const lanes = isFloat<A>() ? 4 : line.lanes;
      putTurned(to, acc00, acc10, acc20, acc30, line, lanes);
      putTurned(to + line.toApart, acc01, acc11, acc21, acc31, line, lanes);
      line.weights += (n & 1) == 0 ? line.evenStep : line.oddStep;
      line.bias = bias + line.biasStep;
    } else if (isFloat<A>()) {
      putPairs(to, acc00, acc10, acc20, acc30, acc01, acc11, acc21, acc31, line);
    } else {
      putFour(to, acc00, acc10, acc20, acc30, line);
      putFour(to + line.toApart, acc01, acc11, acc21, acc31, line);
    }
    from += line.fromStep;
    to += line.toStep;
  }
}

export function lineOfTiles(p: ConvParams, line: Line, count: i32): void {
  if (!ASC_NO_ASSERT) assert(line.behind > line.offsets, "groups: an empty sum");
  if (line.apart == 16 && line.lanes == 4 && (line.turned != 0 || line.toPixel == 4)) tiles<Beside>(p, line, count);
  else tiles<Apart>(p, line, count);
}
