/**
 * The register tile of grouped convolutions: four output channels × two vectors of four pixels.
 *
 *   acc[n][v] = bias[n] + Σ_step weights[step][n] · band[from + offset[step] + v · apart]      n = 0 … 3, v = 0, 1, then the activation
 *
 *   band     planes of the group's input channels with their zeros, so that no step needs a test; every load is inside it
 *   offsets  bytes from a pixel to what each step of its sum reads: a flat list of taps and input channels, so that groups of a few channels
 *            do not pay for a loop of their own under each tap
 *   weights  [step][4]
 *
 * Six loads for eight products. Results go to four planes, or are turned and go to the same four channels of each pixel, or, where these are shuffled,
 * one by one. Where what is asked for is no whole number of tiles the last tile ends with it, and sums some results a second time.
 */
import { Called, Clamped, CLAMP, finish } from "./activation";
import { ConvParams } from "./params";
import { madd, storeLanes } from "./simd";

/** A line of tiles, along a row or down a column of vectors. Distances in bytes. */
@unmanaged
export class Line {
  /** Tiles, and units (pixels or rows) from one to the next; none begins behind unit `last`. */
  tiles: i32;
  step: i32;
  last: i32;
  /** A unit in the band and in the result, and from the first vector of a tile to the second. */
  fromUnit: usize;
  toUnit: usize;
  apart: usize;
  toApart: usize;
  /** Pixels of a vector that are wanted. */
  lanes: i32;
  /** 1 where four channels of a pixel lie side by side; else each has a place of its own, and `toPixel` lies between pixels. */
  turned: i32;
  toPixel: usize;
  place0: usize;
  place1: usize;
  place2: usize;
  place3: usize;
}

/** One channel of up to four pixels. */
// @ts-ignore: decorator
@inline
function put(to: usize, v: v128, lanes: i32, toPixel: usize): void {
  if (toPixel == 4) {
    storeLanes(to, v, lanes);
    return;
  }
  v128.store32_lane(to, v, 0);
  if (lanes > 1) v128.store32_lane(to += toPixel, v, 1);
  if (lanes > 2) v128.store32_lane(to += toPixel, v, 2);
  if (lanes > 3) v128.store32_lane(to + toPixel, v, 3);
}

/** Four channels of up to four pixels. */
// @ts-ignore: decorator
@inline
function putFour(to: usize, a: v128, b: v128, c: v128, d: v128, line: Line): void {
  const lanes = line.lanes, toPixel = line.toPixel;
  if (line.turned == 0) {
    put(to + line.place0, a, lanes, toPixel);
    put(to + line.place1, b, lanes, toPixel);
    put(to + line.place2, c, lanes, toPixel);
    put(to + line.place3, d, lanes, toPixel);
    return;
  }
  to += line.place0;
  const lowAB = i32x4.shuffle(a, b, 0, 4, 1, 5), lowCD = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const highAB = i32x4.shuffle(a, b, 2, 6, 3, 7), highCD = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(lowAB, lowCD, 0, 2));
  if (lanes > 1) v128.store(to += toPixel, i64x2.shuffle(lowAB, lowCD, 1, 3));
  if (lanes > 2) v128.store(to += toPixel, i64x2.shuffle(highAB, highCD, 0, 2));
  if (lanes > 3) v128.store(to + toPixel, i64x2.shuffle(highAB, highCD, 1, 3));
}

// @ts-ignore: decorator
@inline
function tiles<F>(p: ConvParams, line: Line, band: usize, offsets: usize, steps: i32, weights: usize, bias: usize, output: usize): void {
  const behind = offsets + (<usize>steps << 2);
  const apart = line.apart;
  let unit = 0;
  for (let n = line.tiles; n != 0; n--) {
    if (unit > line.last) unit = line.last;
    const from = band + <usize>unit * line.fromUnit;
    let acc00 = v128.load32_splat(bias), acc10 = v128.load32_splat(bias, 4), acc20 = v128.load32_splat(bias, 8), acc30 = v128.load32_splat(bias, 12);
    let acc01 = acc00, acc11 = acc10, acc21 = acc20, acc31 = acc30;
    let w = weights;
    // Two steps at a time, with a way out between them: see gemm-kernel.ts. Without fused products, whose results take registers too, V8 up to version 22
    // has to be kept from loading a step's weights ahead: by a condition that always holds.
    for (let offset = offsets; offset != behind; offset += 8) {
      const fenced = n > 0;
      let x = from + load<usize>(offset);
      let v0 = v128.load(x), v1 = v128.load(x + apart);
      let a = v128.load32_splat(w);
      acc00 = madd(a, v0, acc00);
      acc01 = madd(a, v1, acc01);
      a = v128.load32_splat(w, 4);
      acc10 = madd(a, v0, acc10);
      acc11 = madd(a, v1, acc11);
      if (ASC_FEATURE_RELAXED_SIMD || fenced) {
        a = v128.load32_splat(w, 8);
        acc20 = madd(a, v0, acc20);
        acc21 = madd(a, v1, acc21);
        a = v128.load32_splat(w, 12);
        acc30 = madd(a, v0, acc30);
        acc31 = madd(a, v1, acc31);
      }
      if (offset + 4 == behind) break;
      x = from + load<usize>(offset, 4);
      v0 = v128.load(x);
      v1 = v128.load(x + apart);
      a = v128.load32_splat(w, 16);
      acc00 = madd(a, v0, acc00);
      acc01 = madd(a, v1, acc01);
      a = v128.load32_splat(w, 20);
      acc10 = madd(a, v0, acc10);
      acc11 = madd(a, v1, acc11);
      if (ASC_FEATURE_RELAXED_SIMD || fenced) {
        a = v128.load32_splat(w, 24);
        acc20 = madd(a, v0, acc20);
        acc21 = madd(a, v1, acc21);
        a = v128.load32_splat(w, 28);
        acc30 = madd(a, v0, acc30);
        acc31 = madd(a, v1, acc31);
      }
      w += 32;
    }
    const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
    const to = output + <usize>unit * line.toUnit;
    putFour(
      to, finish<F>(p, acc00, low, high), finish<F>(p, acc10, low, high), finish<F>(p, acc20, low, high), finish<F>(p, acc30, low, high), line,
    );
    putFour(
      to + line.toApart,
      finish<F>(p, acc01, low, high), finish<F>(p, acc11, low, high), finish<F>(p, acc21, low, high), finish<F>(p, acc31, low, high), line,
    );
    unit += line.step;
  }
}

export function lineOfTiles(p: ConvParams, line: Line, band: usize, offsets: usize, steps: i32, weights: usize, bias: usize, output: usize): void {
  assert(steps >= 1, "groups: an empty sum");
  if (p.activation == CLAMP) tiles<Clamped>(p, line, band, offsets, steps, weights, bias, output);
  else tiles<Called>(p, line, band, offsets, steps, weights, bias, output);
}
