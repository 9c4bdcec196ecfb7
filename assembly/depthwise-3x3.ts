/**
 * Depthwise 3×3 over one plane in place, channels-first, at stride 1 or 2 both ways, with a border of at most one column:
 *
 *   to[oh][ow] = clamp(bias + Σ_kh,kw weight[kh][kw] · plane[oh·stride + kh − padH][ow·stride + kw − padW])
 *
 *   plane [inH, inW] · zeros inW floats of zero, read in place of rows outside · to [outH, outW], outH ≥ 2, outW ≥ 5, does not overlap the plane
 *
 * The nine weights stay in registers, spread over the lanes; a vector is four pixels of a row. The first vector of a row shifts the zero
 * of the left border in from a register, the last that of the right border: no cell outside the row is read, and none is copied. The last
 * vector ends with the row, and sums some pixels a second time.
 */
import { clamp, CLAMP } from "./activation";
import { ConvParams } from "./params";
import { accumulate } from "./simd";

/** Where in its row a vector lies. */
const INSIDE = 0;
const LEFT = 1;
const RIGHT = 2;

/** Four cells of a row as tap 0, 1 or 2 of four neighbouring pixels sees them. `x` is where the first pixel's tap 0 lies; at the LEFT one cell before the row. */
// @ts-ignore: decorator
@inline
function cells(place: i32, tap: i32, x: usize): v128 {
  if (tap == 0 && place == LEFT) return i32x4.shuffle(f32x4.splat(0), v128.load(x, 4), 3, 4, 5, 6);
  if (tap == 2 && place == RIGHT) return i32x4.shuffle(v128.load(x, 4), f32x4.splat(0), 1, 2, 3, 4);
  return tap == 0 ? v128.load(x) : tap == 1 ? v128.load(x, 4) : v128.load(x, 8);
}

/**
 * Two rows of outputs at stride 1: of the four rows of the image that they see, the two in the middle serve both, twelve loads for eighteen products.
 * The bounds are read anew for each vector: beside nine weights they would push something out of the registers.
 */
// @ts-ignore: decorator
@inline
function pair(
  place: i32, p: ConvParams, x0: usize, x1: usize, x2: usize, x3: usize, bias: usize, to: usize, below: usize,
  w00: v128, w01: v128, w02: v128, w10: v128, w11: v128, w12: v128, w20: v128, w21: v128, w22: v128,
): void {
  let v = cells(place, 0, x0);
  let a = accumulate(v128.load32_splat(bias), w00, v);
  a = accumulate(a, w01, cells(place, 1, x0));
  a = accumulate(a, w02, cells(place, 2, x0));
  v = cells(place, 0, x1);
  a = accumulate(a, w10, v);
  let b = accumulate(v128.load32_splat(bias), w00, v);
  v = cells(place, 1, x1);
  a = accumulate(a, w11, v);
  b = accumulate(b, w01, v);
  v = cells(place, 2, x1);
  a = accumulate(a, w12, v);
  b = accumulate(b, w02, v);
  v = cells(place, 0, x2);
  a = accumulate(a, w20, v);
  b = accumulate(b, w10, v);
  v = cells(place, 1, x2);
  a = accumulate(a, w21, v);
  b = accumulate(b, w11, v);
  v = cells(place, 2, x2);
  a = accumulate(a, w22, v);
  b = accumulate(b, w12, v);
  b = accumulate(b, w20, cells(place, 0, x3));
  b = accumulate(b, w21, cells(place, 1, x3));
  b = accumulate(b, w22, cells(place, 2, x3));
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  v128.store(to, clamp(a, low, high));
  v128.store(below, clamp(b, low, high));
}

function everyColumn(p: ConvParams, plane: usize, zeros: usize, weights: usize, bias: usize, to: usize): void {
  const w00 = v128.load32_splat(weights), w01 = v128.load32_splat(weights, 4), w02 = v128.load32_splat(weights, 8);
  const w10 = v128.load32_splat(weights, 12), w11 = v128.load32_splat(weights, 16), w12 = v128.load32_splat(weights, 20);
  const w20 = v128.load32_splat(weights, 24), w21 = v128.load32_splat(weights, 28), w22 = v128.load32_splat(weights, 32);
  const inH = p.inH, outH = p.outH;
  const rowBytes = <usize>p.inW << 2, outRowBytes = <usize>p.outW << 2;
  const pad = <usize>p.padW << 2;
  const none = zeros - pad;
  const last = outRowBytes - 16;
  const cut = p.outW + 2 - p.padW > p.inW;
  const begin: usize = pad != 0 ? 16 : 0;
  const end = cut ? last : outRowBytes;
  for (let oh = 0; oh < outH; oh += 2) {
    // The last pair ends with the plane, and may sum one row a second time.
    if (oh > outH - 2) oh = outH - 2;
    const ih = oh - p.padH;
    const line = plane - pad + <usize>ih * rowBytes;
    const x0 = <u32>ih < <u32>inH ? line : none;
    const x1 = <u32>(ih + 1) < <u32>inH ? line + rowBytes : none;
    const x2 = <u32>(ih + 2) < <u32>inH ? line + 2 * rowBytes : none;
    const x3 = <u32>(ih + 3) < <u32>inH ? line + 3 * rowBytes : none;
    const row = to + <usize>oh * outRowBytes, next = row + outRowBytes;
    if (begin != 0) pair(LEFT, p, x0, x1, x2, x3, bias, row, next, w00, w01, w02, w10, w11, w12, w20, w21, w22);
    for (let at = begin; at < end; at += 16) {
      if (at > last) at = last;
      pair(INSIDE, p, x0 + at, x1 + at, x2 + at, x3 + at, bias, row + at, next + at, w00, w01, w02, w10, w11, w12, w20, w21, w22);
    }
    if (cut) {
      pair(RIGHT, p, x0 + last, x1 + last, x2 + last, x3 + last, bias, row + last, next + last, w00, w01, w02, w10, w11, w12, w20, w21, w22);
    }
  }
}

/** One row of the kernel at stride 2. `x` is the place of the first pixel's first tap; at the LEFT one cell before the row. */
// @ts-ignore: decorator
@inline
function kernelRow(place: i32, acc: v128, x: usize, w0: v128, w1: v128, w2: v128): v128 {
  const zero = f32x4.splat(0);
  if (place == LEFT) {
    const low = v128.load(x, 4), high = v128.load(x, 20);
    const odd = i32x4.shuffle(low, high, 1, 3, 5, 7);
    acc = accumulate(acc, w0, i32x4.shuffle(zero, odd, 3, 4, 5, 6));
    acc = accumulate(acc, w1, i32x4.shuffle(low, high, 0, 2, 4, 6));
    return accumulate(acc, w2, odd);
  }
  const low = v128.load(x), high = v128.load(x, 16);
  const even = i32x4.shuffle(low, high, 0, 2, 4, 6);
  acc = accumulate(acc, w0, even);
  acc = accumulate(acc, w1, i32x4.shuffle(low, high, 1, 3, 5, 7));
  if (place == RIGHT) return accumulate(acc, w2, i32x4.shuffle(even, zero, 1, 2, 3, 4));
  return accumulate(acc, w2, i32x4.shuffle(v128.load(x, 8), v128.load(x, 20), 0, 2, 5, 7));
}

/** Two rows of outputs at stride 2 both ways, since what is done once a row costs as much as two vectors. */
function everyOtherColumn(p: ConvParams, plane: usize, zeros: usize, weights: usize, bias: usize, to: usize): void {
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const start = v128.load32_splat(bias);
  const w00 = v128.load32_splat(weights), w01 = v128.load32_splat(weights, 4), w02 = v128.load32_splat(weights, 8);
  const w10 = v128.load32_splat(weights, 12), w11 = v128.load32_splat(weights, 16), w12 = v128.load32_splat(weights, 20);
  const w20 = v128.load32_splat(weights, 24), w21 = v128.load32_splat(weights, 28), w22 = v128.load32_splat(weights, 32);
  const inH = p.inH, outH = p.outH;
  const rowBytes = <usize>p.inW << 2, outRowBytes = <usize>p.outW << 2;
  const pad = <usize>p.padW << 2;
  const none = zeros - pad;
  const last = outRowBytes - 16;
  const cut = (p.outW - 1) * 2 + 3 - p.padW > p.inW;
  const begin: usize = pad != 0 ? 16 : 0;
  const end = cut ? last : outRowBytes;
  for (let oh = 0; oh < outH; oh += 2) {
    // The last pair ends with the plane, and may sum one row a second time.
    if (oh > outH - 2) oh = outH - 2;
    const ih = oh * 2 - p.padH;
    const next = ih + 2;
    const line = plane - pad + <usize>ih * rowBytes;
    const nextLine = plane - pad + <usize>next * rowBytes;
    const x0 = <u32>ih < <u32>inH ? line : none;
    const x1 = <u32>(ih + 1) < <u32>inH ? line + rowBytes : none;
    const x2 = <u32>(ih + 2) < <u32>inH ? line + 2 * rowBytes : none;
    const y0 = <u32>next < <u32>inH ? nextLine : none;
    const y1 = <u32>(next + 1) < <u32>inH ? nextLine + rowBytes : none;
    const y2 = <u32>(next + 2) < <u32>inH ? nextLine + 2 * rowBytes : none;
    const row = to + <usize>oh * outRowBytes;
    if (begin != 0) {
      let acc = kernelRow(LEFT, start, x0, w00, w01, w02);
      acc = kernelRow(LEFT, acc, x1, w10, w11, w12);
      acc = kernelRow(LEFT, acc, x2, w20, w21, w22);
      v128.store(row, clamp(acc, low, high));
      acc = kernelRow(LEFT, start, y0, w00, w01, w02);
      acc = kernelRow(LEFT, acc, y1, w10, w11, w12);
      acc = kernelRow(LEFT, acc, y2, w20, w21, w22);
      v128.store(row + outRowBytes, clamp(acc, low, high));
    }
    for (let at = begin; at < end; at += 16) {
      if (at > last) at = last;
      const x = at * 2;
      let acc = kernelRow(INSIDE, start, x0 + x, w00, w01, w02);
      acc = kernelRow(INSIDE, acc, x1 + x, w10, w11, w12);
      let below = start;
      // Row x2 is row y0: what was shuffled serves both.
      const cells = x2 + x;
      const a = v128.load(cells), b = v128.load(cells, 16);
      let v = i32x4.shuffle(a, b, 0, 2, 4, 6);
      acc = accumulate(acc, w20, v);
      below = accumulate(below, w00, v);
      v = i32x4.shuffle(a, b, 1, 3, 5, 7);
      acc = accumulate(acc, w21, v);
      below = accumulate(below, w01, v);
      v = i32x4.shuffle(v128.load(cells, 8), v128.load(cells, 20), 0, 2, 5, 7);
      acc = accumulate(acc, w22, v);
      below = accumulate(below, w02, v);
      v128.store(row + at, clamp(acc, low, high));
      acc = kernelRow(INSIDE, below, y1 + x, w10, w11, w12);
      acc = kernelRow(INSIDE, acc, y2 + x, w20, w21, w22);
      v128.store(row + outRowBytes + at, clamp(acc, low, high));
    }
    if (cut) {
      const x = last * 2;
      let acc = kernelRow(RIGHT, start, x0 + x, w00, w01, w02);
      acc = kernelRow(RIGHT, acc, x1 + x, w10, w11, w12);
      acc = kernelRow(RIGHT, acc, x2 + x, w20, w21, w22);
      v128.store(row + last, clamp(acc, low, high));
      acc = kernelRow(RIGHT, start, y0 + x, w00, w01, w02);
      acc = kernelRow(RIGHT, acc, y1 + x, w10, w11, w12);
      acc = kernelRow(RIGHT, acc, y2 + x, w20, w21, w22);
      v128.store(row + outRowBytes + last, clamp(acc, low, high));
    }
  }
}

export function plane3x3(p: ConvParams, plane: usize, zeros: usize, weights: usize, bias: usize, to: usize): void {
  assert(p.kH == 3 && p.kW == 3 && p.dilationH == 1 && p.dilationW == 1, "plane3x3: the kernel");
  assert(p.strideW == p.strideH && p.strideW <= 2, "plane3x3: the stride");
  assert(p.activation == CLAMP, "plane3x3: a call would cost the loops their registers");
  assert(p.outH >= 2 && p.outW >= 5, "plane3x3: too small");
  assert(p.padW <= 1 && (p.outW - 1) * p.strideW + 3 - p.padW <= p.inW + 1, "plane3x3: the border");
  if (p.strideW == 1) everyColumn(p, plane, zeros, weights, bias, to);
  else everyOtherColumn(p, plane, zeros, weights, bias, to);
}
