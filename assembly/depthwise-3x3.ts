/**
 * Depthwise 3×3 over rows of one plane in place, channels-first, at stride 2 both ways, with a border of at most one column:
 *
 *   to[oh][ow] = clamp(bias + Σ_kh,kw weight[kh][kw] · plane[2·oh + kh − padH][2·ow + kw − padW])
 *
 *   plane [inH, inW] · zeros inW floats of zero, read in place of rows outside · to [outH, outW], outW ≥ 5, does not overlap the plane · two rows or more
 *
 * The nine weights stay in registers, spread over the lanes; a vector is four pixels of a row. The first vector of a row shifts the zero
 * of the left border in from a register, the last that of the right border: no cell outside the row is read, and none is copied. The last
 * vector ends with the row, and sums some pixels a second time. Stride 1: see depthwise-3x3-down.ts.
 */
import { clamp, CLAMP } from "./activation";
import { ConvParams } from "./params";
import { accumulate } from "./simd";

/** Where in its row a vector lies. */
export const INSIDE = 0;
export const LEFT = 1;
export const RIGHT = 2;

/** The bounds are read anew for each vector: beside nine weights they would push something out of the registers. A test of whether there are any costs more than it spares. */
// @ts-ignore: decorator
@inline
function put(p: ConvParams, to: usize, below: usize, a: v128, b: v128): void {
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  v128.store(to, clamp(a, low, high));
  v128.store(below, clamp(b, low, high));
}

/** Eight cells of a row, of which four neighbouring pixels at stride 2 see every other. */
// @ts-ignore: decorator
@inline
function lowHalf(place: i32, x: usize): v128 {
  return place == LEFT ? v128.load(x, 4) : v128.load(x);
}

// @ts-ignore: decorator
@inline
function highHalf(place: i32, x: usize): v128 {
  return place == LEFT ? v128.load(x, 20) : v128.load(x, 16);
}

/** What tap 0, 1 or 2 sees of them. `x` as for `cells`. */
// @ts-ignore: decorator
@inline
function apart(place: i32, tap: i32, x: usize, low: v128, high: v128): v128 {
  const even = i32x4.shuffle(low, high, 0, 2, 4, 6), odd = i32x4.shuffle(low, high, 1, 3, 5, 7);
  if (place == LEFT) return tap == 0 ? i32x4.shuffle(f32x4.splat(0), odd, 3, 4, 5, 6) : tap == 1 ? even : odd;
  if (tap != 2) return tap == 0 ? even : odd;
  // The cell behind the eight alone: two more vectors, shuffled, are an instruction more, and instructions are what bounds it.
  return i32x4.shuffle(even, place == RIGHT ? f32x4.splat(0) : v128.load32_zero(x, 32), 1, 2, 3, 4);
}

/** What one row of the kernel adds: a sum of its own, since nine products in one chain would wait for each other. */
// @ts-ignore: decorator
@inline
function kernelRowApart(place: i32, acc: v128, x: usize, w0: v128, w1: v128, w2: v128): v128 {
  const low = lowHalf(place, x), high = highHalf(place, x);
  let sum = f32x4.mul(w0, apart(place, 0, x, low, high));
  sum = accumulate(sum, w1, apart(place, 1, x, low, high));
  return f32x4.add(acc, accumulate(sum, w2, apart(place, 2, x, low, high)));
}

/**
 * Two rows of results: the third of the five rows of the image that they see serves both. The conditions
 * always hold, and keep V8 from loading a row before the sums of the row above are done: more than it has registers for.
 */
// @ts-ignore: decorator
@inline
function pairApart(
  place: i32, p: ConvParams, kH: i32, x0: usize, x1: usize, x2: usize, x3: usize, x4: usize, bias: usize, to: usize, below: usize,
  w00: v128, w01: v128, w02: v128, w10: v128, w11: v128, w12: v128, w20: v128, w21: v128, w22: v128,
): void {
  let a = v128.load32_splat(bias);
  let b = a;
  {
    const low = lowHalf(place, x0), high = highHalf(place, x0);
    a = accumulate(a, w00, apart(place, 0, x0, low, high));
    a = accumulate(a, w01, apart(place, 1, x0, low, high));
    a = accumulate(a, w02, apart(place, 2, x0, low, high));
  }
  if (kH > 0) a = kernelRowApart(place, a, x1, w10, w11, w12);
  if (kH > 1) {
    const low = lowHalf(place, x2), high = highHalf(place, x2);
    let v = apart(place, 0, x2, low, high);
    let sum = f32x4.mul(w20, v);
    b = accumulate(b, w00, v);
    v = apart(place, 1, x2, low, high);
    sum = accumulate(sum, w21, v);
    b = accumulate(b, w01, v);
    v = apart(place, 2, x2, low, high);
    a = f32x4.add(a, accumulate(sum, w22, v));
    b = accumulate(b, w02, v);
  }
  if (kH > 2) b = kernelRowApart(place, b, x3, w10, w11, w12);
  if (kH >= 3) b = kernelRowApart(place, b, x4, w20, w21, w22);
  put(p, to, below, a, b);
}

/** What is asked of a plane that is summed in place, here or in depthwise-3x3-down.ts. Once a call: what an assertion reads is read in all builds. */
export function expectInPlace(p: ConvParams): void {
  const dilation = p.dilationW;
  if (!ASC_NO_ASSERT) assert(p.kH == 3 && p.kW == 3 && p.dilationH == dilation, "3x3 in place: the kernel");
  if (!ASC_NO_ASSERT) assert(p.strideW == p.strideH && (p.strideW == 1 || p.strideW * dilation == 2), "3x3 in place: the stride");
  if (!ASC_NO_ASSERT) assert(p.activation == CLAMP, "3x3 in place: a call would cost the loops their registers");
  if (!ASC_NO_ASSERT) assert(p.band >= 2 * dilation && p.outH >= 2 * dilation && p.outW > 2 * dilation + 2, "3x3 in place: too small");
  if (!ASC_NO_ASSERT) assert(p.padH <= dilation && p.padW <= dilation, "3x3 in place: the border");
  if (!ASC_NO_ASSERT) assert((p.outH - 1) * p.strideH + dilation + 1 - p.padH <= p.inH, "3x3 in place: the border below");
  if (!ASC_NO_ASSERT) assert((p.outW - 1) * p.strideW + dilation + 1 - p.padW <= p.inW, "3x3 in place: the border behind");
}

/** Rows [top, bottom) of the result, two or more: two at a time, since what is done once a row costs as much as two vectors. */
export function plane3x3(p: ConvParams, top: i32, bottom: i32, plane: usize, zeros: usize, weights: usize, bias: usize, to: usize): void {
  if (!ASC_NO_ASSERT) assert(bottom - top >= 2, "plane3x3: pairs of rows");
  const w00 = v128.load32_splat(weights), w01 = v128.load32_splat(weights, 4), w02 = v128.load32_splat(weights, 8);
  const w10 = v128.load32_splat(weights, 12), w11 = v128.load32_splat(weights, 16), w12 = v128.load32_splat(weights, 20);
  const w20 = v128.load32_splat(weights, 24), w21 = v128.load32_splat(weights, 28), w22 = v128.load32_splat(weights, 32);
  const kH = p.kH, inH = p.inH;
  const rowBytes = <usize>p.inW << 2, outRowBytes = <usize>p.outW << 2;
  const pad = <usize>p.padW << 2;
  const none = zeros - pad;
  const last = outRowBytes - 16;
  const cut = (p.outW - 1) * 2 + 3 - p.padW > p.inW;
  const begin: usize = pad != 0 ? 16 : 0;
  const end = cut ? last : outRowBytes;
  for (let oh = top; oh < bottom; oh += 2) {
    // The last pair ends with the rows, and may sum one a second time.
    if (oh > bottom - 2) oh = bottom - 2;
    const ih = oh * 2 - p.padH;
    const line = plane - pad + <usize>ih * rowBytes;
    const x0 = <u32>ih < <u32>inH ? line : none;
    const x1 = <u32>(ih + 1) < <u32>inH ? line + rowBytes : none;
    const x2 = <u32>(ih + 2) < <u32>inH ? line + 2 * rowBytes : none;
    const x3 = <u32>(ih + 3) < <u32>inH ? line + 3 * rowBytes : none;
    const x4 = <u32>(ih + 4) < <u32>inH ? line + 4 * rowBytes : none;
    const row = to + <usize>oh * outRowBytes, next = row + outRowBytes;
    if (begin != 0) pairApart(LEFT, p, kH, x0, x1, x2, x3, x4, bias, row, next, w00, w01, w02, w10, w11, w12, w20, w21, w22);
    for (let at = begin; at < end; at += 16) {
      if (at > last) at = last;
      const x = at * 2;
      pairApart(INSIDE, p, kH, x0 + x, x1 + x, x2 + x, x3 + x, x4 + x, bias, row + at, next + at, w00, w01, w02, w10, w11, w12, w20, w21, w22);
    }
    if (cut) {
      const x = last * 2;
      pairApart(RIGHT, p, kH, x0 + x, x1 + x, x2 + x, x3 + x, x4 + x, bias, row + last, next + last, w00, w01, w02, w10, w11, w12, w20, w21, w22);
    }
  }
}
