/**
 * Depthwise 3×3 over one plane in place, channels-first, at stride 1 along the row or 2 both ways, with a border of at most one column:
 *
 *   to[oh][ow] = clamp(bias + Σ_kh,kw weight[kh][kw] · plane[oh·strideH + kh − padH][ow·strideW + kw − padW])
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

/** One row of the kernel. `x` is the place of the first pixel's first tap; at the LEFT one cell before the row. */
// @ts-ignore: decorator
@inline
function kernelRow(stride: i32, place: i32, acc: v128, x: usize, w0: v128, w1: v128, w2: v128): v128 {
  const zero = f32x4.splat(0);
  if (stride == 1) {
    if (place == LEFT) {
      const cells = v128.load(x, 4);
      acc = accumulate(acc, w0, i32x4.shuffle(zero, cells, 3, 4, 5, 6));
      acc = accumulate(acc, w1, cells);
      return accumulate(acc, w2, v128.load(x, 8));
    }
    acc = accumulate(acc, w0, v128.load(x));
    const cells = v128.load(x, 4);
    acc = accumulate(acc, w1, cells);
    return accumulate(acc, w2, place == RIGHT ? i32x4.shuffle(cells, zero, 1, 2, 3, 4) : v128.load(x, 8));
  }
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

/** Two rows of outputs at a time, since what is done once a row costs as much as two vectors. */
// @ts-ignore: decorator
@inline
function pairs(stride: i32, p: ConvParams, plane: usize, zeros: usize, weights: usize, bias: usize, to: usize): void {
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const start = v128.load32_splat(bias);
  const w00 = v128.load32_splat(weights), w01 = v128.load32_splat(weights, 4), w02 = v128.load32_splat(weights, 8);
  const w10 = v128.load32_splat(weights, 12), w11 = v128.load32_splat(weights, 16), w12 = v128.load32_splat(weights, 20);
  const w20 = v128.load32_splat(weights, 24), w21 = v128.load32_splat(weights, 28), w22 = v128.load32_splat(weights, 32);
  const inH = p.inH, outH = p.outH, strideH = p.strideH;
  const rowBytes = <usize>p.inW << 2, outRowBytes = <usize>p.outW << 2;
  const pad = <usize>p.padW << 2;
  const none = zeros - pad;
  const last = outRowBytes - 16;
  const cut = (p.outW - 1) * stride + 3 - p.padW > p.inW;
  const begin: usize = pad != 0 ? 16 : 0;
  const end = cut ? last : outRowBytes;
  for (let oh = 0; oh < outH; oh += 2) {
    // The last pair ends with the plane, and may sum one row a second time.
    if (oh > outH - 2) oh = outH - 2;
    const ih = oh * strideH - p.padH;
    const next = ih + strideH;
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
      let acc = kernelRow(stride, LEFT, start, x0, w00, w01, w02);
      acc = kernelRow(stride, LEFT, acc, x1, w10, w11, w12);
      acc = kernelRow(stride, LEFT, acc, x2, w20, w21, w22);
      v128.store(row, clamp(acc, low, high));
      acc = kernelRow(stride, LEFT, start, y0, w00, w01, w02);
      acc = kernelRow(stride, LEFT, acc, y1, w10, w11, w12);
      acc = kernelRow(stride, LEFT, acc, y2, w20, w21, w22);
      v128.store(row + outRowBytes, clamp(acc, low, high));
    }
    for (let at = begin; at < end; at += 16) {
      if (at > last) at = last;
      const x = at * <usize>stride;
      let acc = kernelRow(stride, INSIDE, start, x0 + x, w00, w01, w02);
      acc = kernelRow(stride, INSIDE, acc, x1 + x, w10, w11, w12);
      let below = start;
      if (stride == 1) {
        acc = kernelRow(stride, INSIDE, acc, x2 + x, w20, w21, w22);
        below = kernelRow(stride, INSIDE, start, y0 + x, w00, w01, w02);
      } else {
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
      }
      v128.store(row + at, clamp(acc, low, high));
      acc = kernelRow(stride, INSIDE, below, y1 + x, w10, w11, w12);
      acc = kernelRow(stride, INSIDE, acc, y2 + x, w20, w21, w22);
      v128.store(row + outRowBytes + at, clamp(acc, low, high));
    }
    if (cut) {
      const x = last * <usize>stride;
      let acc = kernelRow(stride, RIGHT, start, x0 + x, w00, w01, w02);
      acc = kernelRow(stride, RIGHT, acc, x1 + x, w10, w11, w12);
      acc = kernelRow(stride, RIGHT, acc, x2 + x, w20, w21, w22);
      v128.store(row + last, clamp(acc, low, high));
      acc = kernelRow(stride, RIGHT, start, y0 + x, w00, w01, w02);
      acc = kernelRow(stride, RIGHT, acc, y1 + x, w10, w11, w12);
      acc = kernelRow(stride, RIGHT, acc, y2 + x, w20, w21, w22);
      v128.store(row + outRowBytes + last, clamp(acc, low, high));
    }
  }
}

function everyColumn(p: ConvParams, plane: usize, zeros: usize, weights: usize, bias: usize, to: usize): void {
  pairs(1, p, plane, zeros, weights, bias, to);
}

function everyOtherColumn(p: ConvParams, plane: usize, zeros: usize, weights: usize, bias: usize, to: usize): void {
  pairs(2, p, plane, zeros, weights, bias, to);
}

export function plane3x3(p: ConvParams, plane: usize, zeros: usize, weights: usize, bias: usize, to: usize): void {
  assert(p.kH == 3 && p.kW == 3 && p.dilationH == 1 && p.dilationW == 1, "plane3x3: the kernel");
  assert(p.strideW == 1 || (p.strideW == 2 && p.strideH == 2), "plane3x3: the stride");
  assert(p.activation == CLAMP, "plane3x3: a call would cost the loops their registers");
  assert(p.outH >= 2 && p.outW >= 5, "plane3x3: too small");
  assert(p.padW <= 1 && (p.outW - 1) * p.strideW + 3 - p.padW <= p.inW + 1, "plane3x3: the border");
  if (p.strideW == 1) everyColumn(p, plane, zeros, weights, bias, to);
  else everyOtherColumn(p, plane, zeros, weights, bias, to);
}
