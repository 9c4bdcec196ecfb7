/**
 * Depthwise 3×3 at stride 1, channels-first, with the same dilation both ways, down the columns of planes in place: the sums of depthwise-3x3-down.ts, for any dilation. Rows of
 * four cells or more.
 *
 * What the border cuts is read elsewhere: of each row that rows at a time see `ends` holds four cells of either end, with zeros around them: [zeros, first, last], and the zeros of the next
 * row. Where a tap sees cells outside the row its vectors lie there, and as far apart as these: so there is one loop, whatever lies outside.
 */
import { isBounded } from "./activation";
import { bound, firstRow, MOST_ROWS, nextRow, ROWS } from "./depthwise-3x3-column";
import { shuffledChannel } from "./gemm";
import { ConvParams } from "./params";
import { accumulate, zeroFloats } from "./simd";

/** Bytes of the ends of a row. src/bands.ts makes room for these of MOST_ROWS + 3 rows of each phase, the zeros behind the last, and `outside`. */
const ENDS = 48;

/** Tasks [first, last) of depthwise-channels-first.ts, of which a plane has `bands`. See `expectInPlace`. */
export function dilated3x3(
  first: i32, last: i32, bands: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, ends: usize,
): void {
  const bounded = isBounded(p);
  const inH = p.inH, outH = p.outH, outC = p.outC, padH = p.padH, dilation = p.dilationW;
  const multiplier = outC / p.inC;
  const rowBytes = <usize>p.inW << 2, outRowBytes = <usize>p.outW << 2;
  const lineBytes = <usize>dilation * rowBytes, outLineBytes = <usize>dilation * outRowBytes;
  const endsBytes = <usize>dilation * ENDS;
  const planeBytes = <usize>inH * rowBytes, outPlaneBytes = <usize>outH * outRowBytes;
  const pad = p.padW << 2, apart = dilation << 2;
  const end = <i32>outRowBytes - 16, lastCells = <i32>rowBytes - 16;
  // Vectors lie outside as a whole, or not at all.
  const whole = ((dilation | p.outW | p.inW | p.padW) & 3) == 0;
  // What a row of zeros above adds to the bias, and one below.
  const outside = ends + ((MOST_ROWS + 3) * endsBytes + 16);
  zeroFloats(ends, min(outH, (MOST_ROWS + 1) * dilation) * (ENDS / 4) + dilation * (2 * ENDS / 4) + 4);
  let result = first / bands;
  let band = first - result * bands;
  let b = result / outC;
  let oc = result - b * outC;
  for (let task = first; task < last; task++) {
    // A division takes as long as two vectors.
    const plane = input + <usize>(multiplier == 1 ? result : result / multiplier) * planeBytes;
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
    const zero = f32x4.splat(0);
    v128.store(outside, firstRow(shift, w00, w01, w02, zero, zero, zero));
    v128.store(outside, accumulate(accumulate(f32x4.mul(w20, zero), w21, zero), w22, zero), 16);
    for (let top = begin; ; ) {
      let behind = bottom;
      if ((bottom - top) / dilation > MOST_ROWS) behind = top + ROWS * dilation;
      const lastBytes = <usize>(behind - 2 * dilation) * outRowBytes;
      const ih = top - padH;
      const line = plane + <usize>ih * rowBytes;
      if (!whole) {
        const least = max(0, ih);
        let x = plane + <usize>least * rowBytes, copy = ends + <usize>(least - ih) * ENDS;
        const inBehind = plane + <usize>min(inH, behind + 2 * dilation - padH) * rowBytes;
        for (; x != inBehind; x += rowBytes) {
          v128.store(copy, v128.load(x), 16);
          v128.store(copy, v128.load(x + lastCells), 32);
          copy += ENDS;
        }
      }
      const row = to + <usize>top * outRowBytes;
      for (let at = 0; ; at += 16) {
        if (at > end) at = end;
        const seen = at - pad, seen2 = seen + 2 * apart - lastCells;
        let x1 = line + (seen + apart);
        let x0 = x1 - apart, x2 = x1 + apart, step0 = rowBytes, step2 = rowBytes, line0 = lineBytes, line2 = lineBytes;
        if (seen < 0) x0 = ends + (16 + max(-16, seen)), step0 = ENDS, line0 = endsBytes;
        if (seen2 > 0) x2 = ends + (32 + min(16, seen2)), step2 = ENDS, line2 = endsBytes;
        const stop = to + lastBytes + at;
        // Rows between which a dilation leaves no others, one phase of it after the other: what is computed for a column serves all. Node 20 and 22 compute it anew for each where the
        // loop ends at its top, and where `line0` is a product.
        let start = row + at;
        const next = start + outLineBytes;
        do {
          let y0 = x0, y1 = x1, y2 = x2, result = start;
          x0 += step0, x1 += rowBytes, x2 += step2;
          let v0: v128, v1: v128, v2: v128, lower = v128.load(outside);
          if (y1 - plane < planeBytes) {
            v0 = v128.load(y0), v1 = v128.load(y1), v2 = v128.load(y2);
            lower = firstRow(shift, w00, w01, w02, v0, v1, v2);
          }
          y0 += line0, y1 += lineBytes, y2 += line2;
          v0 = v128.load(y0), v1 = v128.load(y1), v2 = v128.load(y2);
          let upper = nextRow(lower, w10, w11, w12, v0, v1, v2);
          lower = firstRow(shift, w00, w01, w02, v0, v1, v2);
          for (; result < stop; result += outLineBytes) {
            y0 += line0, y1 += lineBytes, y2 += line2;
            v0 = v128.load(y0), v1 = v128.load(y1), v2 = v128.load(y2);
            v128.store(result, bound(p, bounded, nextRow(upper, w20, w21, w22, v0, v1, v2)));
            upper = nextRow(lower, w10, w11, w12, v0, v1, v2);
            lower = firstRow(shift, w00, w01, w02, v0, v1, v2);
          }
          y0 += line0, y1 += lineBytes, y2 += line2;
          v0 = v128.load(y0), v1 = v128.load(y1), v2 = v128.load(y2);
          v128.store(result, bound(p, bounded, nextRow(upper, w20, w21, w22, v0, v1, v2)));
          upper = nextRow(lower, w10, w11, w12, v0, v1, v2);
          let sum = v128.load(outside, 16);
          if (y1 + lineBytes - plane < planeBytes) {
            v0 = v128.load(y0 + line0), v1 = v128.load(y1 + lineBytes), v2 = v128.load(y2 + line2);
            sum = accumulate(accumulate(f32x4.mul(w20, v0), w21, v1), w22, v2);
          }
          v128.store(result + outLineBytes, bound(p, bounded, f32x4.add(upper, sum)));
          start += outRowBytes;
        } while (start != next);
        if (at == end) break;
      }
      if (behind == bottom) break;
      top = behind;
    }
  }
}
