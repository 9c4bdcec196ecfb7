/**
 * Depthwise 3×3 at stride 1, channels-first, with a dilation of 1, 2 or 4 both ways, down the columns of planes in place, where the border on either side is none or as wide; others, and short rows: see depthwise-3x3-dilated.ts. Of the rows that a column of results sees only the first and the last may lie outside the image.
 *
 * A vector is four pixels of a row, and the next one lies below it: see depthwise-3x3-column.ts. What is the same for all planes is computed once: a plane of 7² is 90 cycles.
 */
import { isBounded } from "./activation";
import { bound, firstRow, MOST_ROWS, nextRow, ROWS } from "./depthwise-3x3-column";
import { dilated3x3 } from "./depthwise-3x3-dilated";
import { INSIDE, LEFT, RIGHT } from "./depthwise-3x3";
import { shuffledChannel } from "./gemm";
import { ConvParams } from "./params";

/** Where the last two pixels of a row lie, when they share a vector with those half of all rows further down. The others: see depthwise-3x3.ts. */
const HALVES = 4;

/** Rows at a time where lines are a multiple of SHARING bytes apart, of which few stay in L1: 256² under dilation 2 is 0.52 times as fast with ROWS as copied, with three 1.4 times. */
const SHARING = 2048;
const FEW_ROWS = 3;

/** Likewise where they are half as far apart; and without a dilation from WIDE columns on: 190² and 256² are 1.2 and 1.5 times as fast as with ROWS. */
const SOME_ROWS = 6;
const WIDE = 120;

/**
 * Four cells of a row as tap 0, 1 or 2 of four neighbouring pixels sees them. `x` is where the first pixel's tap 0 lies; at the LEFT `dilation` cells before the row. With a
 * dilation of four all that tap 0 sees at the LEFT, or tap 2 at the RIGHT, lies outside.
 */
// @ts-ignore: decorator
@inline
function cells(place: i32, dilation: i32, tap: i32, x: usize): v128 {
  if (tap == 0 && place == LEFT) {
    if (dilation == 1) return i32x4.shuffle(f32x4.splat(0), v128.load(x, 4), 3, 4, 5, 6);
    if (dilation == 2) return i32x4.shuffle(f32x4.splat(0), v128.load(x, 8), 2, 3, 4, 5);
    return f32x4.splat(0);
  }
  if (tap == 2 && place == RIGHT) {
    if (dilation == 1) return i32x4.shuffle(v128.load(x, 4), f32x4.splat(0), 1, 2, 3, 4);
    if (dilation == 2) return i32x4.shuffle(v128.load(x, 8), f32x4.splat(0), 2, 3, 4, 5);
    return f32x4.splat(0);
  }
  return v128.load(x + (<usize>(tap * dilation) << 2));
}

/** What tap 0 or 1 sees. `x` as for `cells`, `y` the same for the row half of all rows further down. */
// @ts-ignore: decorator
@inline
function seen(place: i32, dilation: i32, tap: i32, x: usize, y: usize): v128 {
  if (place != HALVES) return cells(place, dilation, tap, x);
  const upper = v128.load(x, 4), lower = v128.load(y, 4);
  return tap == 0 ? i32x4.shuffle(upper, lower, 1, 2, 5, 6) : i32x4.shuffle(upper, lower, 2, 3, 6, 7);
}

/** What tap 2 sees, where tap 1 sees `v`: behind the HALVES lies the border. */
// @ts-ignore: decorator
@inline
function seenLast(place: i32, dilation: i32, x: usize, v: v128): v128 {
  return place == HALVES ? i64x2.shr_u(v, 32) : cells(place, dilation, 2, x);
}

// @ts-ignore: decorator
@inline
function put(place: i32, p: ConvParams, bounded: bool, to: usize, toHalf: usize, a: v128): void {
  a = bound(p, bounded, a);
  if (place == HALVES) {
    v128.store64_lane(to, a, 0);
    v128.store64_lane(to + toHalf, a, 1);
  } else {
    v128.store(to, a);
  }
}

/**
 * Two rows of results or more, one vector wide. Of the rows of the image that they see, `above` is the first, `x` the one below it, and `below` the last, which
 * may be zeros. Those of the lower of the HALVES are `aboveHalf`, `half` bytes behind `x`, and `belowHalf`; its results lie `toHalf` bytes behind the upper.
 * `end` is where the last result but one goes.
 */
// @ts-ignore: decorator
@inline
function down(
  place: i32, dilation: i32, p: ConvParams, bounded: bool, above: usize, aboveHalf: usize, x: usize, half: usize, below: usize, belowHalf: usize, rowBytes: usize,
  bias: usize, to: usize, toHalf: usize, end: usize, outRowBytes: usize,
  w00: v128, w01: v128, w02: v128, w10: v128, w11: v128, w12: v128, w20: v128, w21: v128, w22: v128,
): void {
  let v0 = seen(place, dilation, 0, above, aboveHalf), v1 = seen(place, dilation, 1, above, aboveHalf), v2 = seenLast(place, dilation, above, v1);
  let lower = firstRow(bias, w00, w01, w02, v0, v1, v2);
  v0 = seen(place, dilation, 0, x, x + half), v1 = seen(place, dilation, 1, x, x + half), v2 = seenLast(place, dilation, x, v1);
  let upper = nextRow(lower, w10, w11, w12, v0, v1, v2);
  lower = firstRow(bias, w00, w01, w02, v0, v1, v2);
  for (; to != end; to += outRowBytes) {
    x += rowBytes;
    v0 = seen(place, dilation, 0, x, x + half), v1 = seen(place, dilation, 1, x, x + half), v2 = seenLast(place, dilation, x, v1);
    put(place, p, bounded, to, toHalf, nextRow(upper, w20, w21, w22, v0, v1, v2));
    upper = nextRow(lower, w10, w11, w12, v0, v1, v2);
    lower = firstRow(bias, w00, w01, w02, v0, v1, v2);
  }
  x += rowBytes;
  v0 = seen(place, dilation, 0, x, x + half), v1 = seen(place, dilation, 1, x, x + half), v2 = seenLast(place, dilation, x, v1);
  put(place, p, bounded, to, toHalf, nextRow(upper, w20, w21, w22, v0, v1, v2));
  upper = nextRow(lower, w10, w11, w12, v0, v1, v2);
  v0 = seen(place, dilation, 0, below, belowHalf), v1 = seen(place, dilation, 1, below, belowHalf), v2 = seenLast(place, dilation, below, v1);
  put(place, p, bounded, to + outRowBytes, toHalf, nextRow(upper, w20, w21, w22, v0, v1, v2));
}

// @ts-ignore: decorator
@inline
function planes(
  dilation: i32, first: i32, last: i32, bands: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, zeros: usize,
): void {
  const bounded = isBounded(p);
  const inH = p.inH, outH = p.outH, outC = p.outC, padH = p.padH;
  const multiplier = outC / p.inC;
  const rowBytes = <usize>p.inW << 2, outRowBytes = <usize>p.outW << 2;
  const lineBytes = <usize>dilation * rowBytes, outLineBytes = <usize>dilation * outRowBytes;
  const planeBytes = <usize>inH * rowBytes, outPlaneBytes = <usize>outH * outRowBytes;
  const pad = <usize>p.padW << 2;
  const none = zeros - pad;
  const end = outRowBytes - 16;
  const cut = p.outW + 2 * dilation - p.padW > p.inW;
  // Vectors that end behind it see cells behind the row. Without a dilation none but the last does.
  const most = cut ? end - (<usize>dilation << 2) : end;
  const sharing = (lineBytes & (SHARING - 1)) == 0;
  const wide = dilation == 1 ? p.inW >= WIDE : (lineBytes & (SHARING / 2 - 1)) == 0;
  const atMost = sharing ? FEW_ROWS + 1 : wide ? SOME_ROWS + 1 : MOST_ROWS;
  const two = dilation == 1 && cut && (p.outW & 3) == 2;
  let result = first / bands;
  let band = first - result * bands;
  let b = result / outC;
  let oc = result - b * outC;
  for (let task = first; task < last; task++) {
    // A division takes as long as two vectors.
    const plane = input - pad + <usize>(multiplier == 1 ? result : result / multiplier) * planeBytes;
    const to = output + <usize>(b * outC + shuffledChannel(oc, outC, p.shuffle)) * outPlaneBytes;
    const kernel = weights + (<usize>(oc * p.weightStride) << 2), shift = bias + (<usize>oc << 2);
    const begin = band * p.band;
    let bottom = begin + p.band;
    if (++band == bands) {
      bottom = outH;
      band = 0;
      result++;
      if (++oc == outC) {
        oc = 0;
        b++;
      }
    }
    const w00 = v128.load32_splat(kernel), w01 = v128.load32_splat(kernel, 4), w02 = v128.load32_splat(kernel, 8);
    const w10 = v128.load32_splat(kernel, 12), w11 = v128.load32_splat(kernel, 16), w12 = v128.load32_splat(kernel, 20);
    const w20 = v128.load32_splat(kernel, 24), w21 = v128.load32_splat(kernel, 28), w22 = v128.load32_splat(kernel, 32);
    // Rows between which a dilation leaves no others, one phase of it after the other.
    for (let phase = 0; phase < dilation; phase++) {
      let top = begin + phase;
      for (;;) {
        const left = (bottom - top + dilation - 1) / dilation;
        const rows = left > atMost ? min(ROWS, atMost - 1) : left;
        const ih = top - padH;
        const line = plane + <usize>ih * rowBytes;
        const above = ih >= 0 ? line : none, x = line + lineBytes;
        const below = ih + (rows + 1) * dilation < inH ? x + <usize>rows * lineBytes : none;
        const row = to + <usize>top * outRowBytes, stop = row + <usize>(rows - 2) * outLineBytes;
        let at: usize = 0;
        if (pad != 0) {
          down(
            LEFT, dilation, p, bounded, above, 0, x, 0, below, 0, lineBytes, shift, row, 0, stop, outLineBytes, w00, w01, w02, w10, w11, w12, w20, w21, w22,
          );
          at = 16;
        }
        for (; at < end; at += 16) {
          if (dilation > 1 && at > most) at = most;
          down(
            INSIDE, dilation, p, bounded, above + at, 0, x + at, 0, below + at, 0, lineBytes, shift, row + at, 0, stop + at, outLineBytes,
            w00, w01, w02, w10, w11, w12, w20, w21, w22,
          );
        }
        // The last vector ends with the row, and but for the HALVES sums some pixels a second time.
        if (two && (rows & 1) == 0 && rows >= 4) {
          const half = <usize>(rows >> 1) * lineBytes, toHalf = <usize>(rows >> 1) * outLineBytes;
          const middle = x + half + end;
          down(
            HALVES, dilation, p, bounded, above + end, middle - lineBytes, x + end, half, middle, below + end, lineBytes, shift, row + end + 8, toHalf,
            stop + end + 8 - toHalf, outLineBytes, w00, w01, w02, w10, w11, w12, w20, w21, w22,
          );
        } else if (cut) {
          down(
            RIGHT, dilation, p, bounded, above + end, 0, x + end, 0, below + end, 0, lineBytes, shift, row + end, 0, stop + end, outLineBytes,
            w00, w01, w02, w10, w11, w12, w20, w21, w22,
          );
        } else {
          down(
            INSIDE, dilation, p, bounded, above + end, 0, x + end, 0, below + end, 0, lineBytes, shift, row + end, 0, stop + end, outLineBytes,
            w00, w01, w02, w10, w11, w12, w20, w21, w22,
          );
        }
        if (rows == left) break;
        top += rows * dilation;
      }
    }
  }
}

// Functions of their own: Binaryen makes one loop of three that stand side by side, and reads what they differ in from variables.

function dense(first: i32, last: i32, bands: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, zeros: usize): void {
  planes(1, first, last, bands, p, input, weights, bias, output, zeros);
}

function dilated2(first: i32, last: i32, bands: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, zeros: usize): void {
  planes(2, first, last, bands, p, input, weights, bias, output, zeros);
}

function dilated4(first: i32, last: i32, bands: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, zeros: usize): void {
  planes(4, first, last, bands, p, input, weights, bias, output, zeros);
}

/** Tasks [first, last) of depthwise-channels-first.ts, of which a plane has `bands`. See `expectInPlace`. */
export function down3x3(
  first: i32, last: i32, bands: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, zeros: usize,
): void {
  if (!ASC_NO_ASSERT) assert(p.strideW == 1, "3x3 down: the stride");
  const dilation = p.dilationW;
  // Rows long enough, whose taps lie outside as a whole or not at all.
  const whole = p.outW > 3 * dilation + 1 && ((p.padW | p.outW - p.inW) & (dilation - 1)) == 0;
  if (dilation == 1) dense(first, last, bands, p, input, weights, bias, output, zeros);
  else if (dilation == 2 && whole) dilated2(first, last, bands, p, input, weights, bias, output, zeros);
  else if (dilation == 4 && whole) dilated4(first, last, bands, p, input, weights, bias, output, zeros);
  else dilated3x3(first, last, bands, p, input, weights, bias, output, zeros);
}
