/**
 * Image patches → packed panels of B, channels-first.
 *
 *   from  one group's first channel in [batch, inC, inD, inH, inW]
 *   to    panel q of eight columns at q · panelBytes: [k][8], k = ((ic · kD + kd) · kH + kh) · kW + kw; the last panel is zero-padded
 *
 * Columns are output pixels (b, od, oh, ow) in order, over the whole batch: a panel may hold the end of one image and the beginning of
 * the next, so that small maps fill their lanes. Stride, dilation and zero padding live here: for each k the range of `ow` whose
 * tap is inside the image is found first, and the copy has no test.
 */
import { NR } from "./blocks";
import { ConvParams } from "./params";
import { loadEven } from "./simd";

// @ts-ignore: decorator
@inline
function cell(to: usize, j: i32, panelBytes: usize): usize {
  return to + <usize>(j >> 3) * panelBytes + (<usize>(j & 7) << 2);
}

function zeroRun(to: usize, panelBytes: usize, j: i32, n: i32): void {
  const end = j + n;
  while (j < end) {
    if ((j & 3) == 0 && end - j >= 4) {
      v128.store(cell(to, j, panelBytes), f32x4.splat(0));
      j += 4;
    } else {
      store<f32>(cell(to, j, panelBytes), 0);
      j++;
    }
  }
}

/** Columns j … j + n take every `step`th float from `from`. */
function copyRun(to: usize, panelBytes: usize, j: i32, n: i32, from: usize, step: i32): void {
  const end = j + n;
  const stepBytes = <usize>step << 2;
  while (j < end && (j & 3) != 0) {
    store<f32>(cell(to, j, panelBytes), load<f32>(from));
    from += stepBytes;
    j++;
  }
  if (step == 1) {
    if ((j & 7) != 0 && end - j >= 4) {
      v128.store(cell(to, j, panelBytes), v128.load(from));
      from += 16;
      j += 4;
    }
    let target = cell(to, j, panelBytes);
    for (; end - j >= 8; j += 8) {
      v128.store(target, v128.load(from));
      v128.store(target, v128.load(from, 16), 16);
      target += panelBytes;
      from += 32;
    }
    if (end - j >= 4) {
      v128.store(target, v128.load(from));
      from += 16;
      j += 4;
    }
  } else if (step == 2) {
    for (; end - j >= 4; j += 4) {
      v128.store(cell(to, j, panelBytes), loadEven(from));
      from += 32;
    }
  }
  while (j < end) {
    store<f32>(cell(to, j, panelBytes), load<f32>(from));
    from += stepBytes;
    j++;
  }
}

/** First output position whose tap, `shift` cells off, is at or after cell `at`: the least o ≥ 0 with o · stride + shift ≥ at. */
// @ts-ignore: decorator
@inline
export function firstReaching(at: i32, shift: i32, stride: i32): i32 {
  const distance = at - shift;
  return distance <= 0 ? 0 : (distance + stride - 1) / stride;
}

/** Packs columns [column, column + columns) and steps [k0, k0 + steps) of K. */
export function im2colPanels(p: ConvParams, from: usize, column: i32, columns: i32, k0: i32, steps: i32, to: usize, panelBytes: usize): void {
  const inD = p.inD, inH = p.inH, inW = p.inW;
  const outD = p.outD, outH = p.outH, outW = p.outW;
  const kH = p.kH, kW = p.kW;
  const strideD = p.strideD, strideH = p.strideH, strideW = p.strideW;
  const plane = inD * inH * inW;
  const imageBytes = <usize>(p.inC * plane) << 2;
  const padded = (columns + NR - 1) / NR * NR;

  // Coordinates of the first column, and of the first step.
  const row0 = column / outW;
  const ow0 = column - row0 * outW;
  const slice0 = row0 / outH;
  const oh0 = row0 - slice0 * outH;
  const b0 = slice0 / outD;
  const od0 = slice0 - b0 * outD;
  const tapRow0 = k0 / kW;
  let kw = k0 - tapRow0 * kW;
  const tapSlice0 = tapRow0 / kH;
  let kh = tapRow0 - tapSlice0 * kH;
  let ic = tapSlice0 / p.kD;
  let kd = tapSlice0 - ic * p.kD;

  for (let k = 0; k < steps; k++) {
    const shiftD = kd * p.dilationD - p.padD;
    const shiftH = kh * p.dilationH - p.padH;
    const shiftW = kw * p.dilationW - p.padW;
    const low = firstReaching(0, shiftW, strideW);
    const high = firstReaching(inW, shiftW, strideW);
    let ow = ow0, oh = oh0, od = od0;
    let image = from + <usize>b0 * imageBytes + (<usize>(ic * plane) << 2);
    let j = 0;
    while (j < columns) {
      const n = min(outW - ow, columns - j);
      const id = od * strideD + shiftD;
      const ih = oh * strideH + shiftH;
      if (<u32>id >= <u32>inD || <u32>ih >= <u32>inH) {
        zeroRun(to, panelBytes, j, n);
      } else {
        const first = max(low, ow);
        const last = max(first, min(high, ow + n));
        const before = min(first, ow + n) - ow;
        if (before > 0) zeroRun(to, panelBytes, j, before);
        if (last > first && first < ow + n) {
          copyRun(to, panelBytes, j + first - ow, last - first, image + (<usize>((id * inH + ih) * inW + first * strideW + shiftW) << 2), strideW);
        }
        const after = max(last, ow + before);
        if (after < ow + n) zeroRun(to, panelBytes, j + after - ow, ow + n - after);
      }
      j += n;
      ow = 0;
      if (++oh == outH) {
        oh = 0;
        if (++od == outD) {
          od = 0;
          image += imageBytes;
        }
      }
    }
    if (padded > columns) zeroRun(to, panelBytes, columns, padded - columns);
    to += 4 * NR;
    if (++kw == kW) {
      kw = 0;
      if (++kh == kH) {
        kh = 0;
        if (++kd == p.kD) {
          kd = 0;
          ic++;
        }
      }
    }
  }
}
