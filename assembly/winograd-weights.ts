/** Weights of square kernels or rows as the factors that convWinograd multiplies with. In float64, rounded once. */
import { NR } from "./blocks";
import { zeroFloats } from "./simd";
import { fullPhases, phaseTaps } from "./winograd-phases";
import { P4, P5, P6, P8, Q5, Q6, Q8, R8 } from "./winograd-points";

/** A row of G: the value of the taps' polynomial at `point`, over what the transforms left out. */
function pointRow(to: usize, taps: i32, point: f64, rest: f64): void {
  let value: f64 = 1 / rest;
  for (let k = 0; k < taps; k++) {
    store<f64>(to + (<usize>k << 3), value);
    value *= point;
  }
}

/** The rows of ± `point`; `rest` is what the transforms left out at `point`, and less its sign at −`point` where `odd`. */
function pairRows(to: usize, taps: i32, point: f64, rest: f64, odd: bool): void {
  for (let i = 0; i < 2; i++) {
    pointRow(to, taps, point, rest);
    to += <usize>taps << 3;
    point = -point;
    if (odd) rest = -rest;
  }
}

/** G [points][taps]: 0 but of five points, the pairs, ∞. Over the product of a point's distances from the others. */
function pointRows(points: i32, taps: i32, to: usize): void {
  const rowBytes = <usize>taps << 3;
  const pairs = to + rowBytes;
  let zero: f64 = 1;
  if (points == 4) {
    const p: f64 = P4 * P4;
    pairRows(pairs, taps, P4, 2 * p, false);
    zero = -p;
  } else if (points == 5) {
    const p: f64 = P5 * P5, q: f64 = Q5 * Q5;
    pairRows(to, taps, P5, 2 * P5 * (p - q), true);
    pairRows(to + 2 * rowBytes, taps, Q5, 2 * Q5 * (q - p), true);
  } else if (points == 6) {
    const p: f64 = P6 * P6, q: f64 = Q6 * Q6;
    pairRows(pairs, taps, P6, 2 * p * (p - q), false);
    pairRows(pairs + 2 * rowBytes, taps, Q6, 2 * q * (q - p), false);
    zero = p * q;
  } else {
    const p: f64 = P8 * P8, q: f64 = Q8 * Q8, r: f64 = R8 * R8;
    pairRows(pairs, taps, P8, 2 * p * (p - q) * (p - r), false);
    pairRows(pairs + 2 * rowBytes, taps, Q8, 2 * q * (q - p) * (q - r), false);
    pairRows(pairs + 4 * rowBytes, taps, R8, 2 * r * (r - p) * (r - q), false);
    zero = -p * q * r;
  }
  if (points != 5) pointRow(to, taps, 0, zero);
  const last = to + <usize>(points - 1) * rowBytes;
  for (let k = 0; k < taps; k++) store<f64>(last + (<usize>k << 3), k == taps - 1 ? 1 : 0);
}

/** Bytes of eight float64, a panel's columns. */
const LANES: usize = 8 * NR;

/** to = Σ_k g[k] · x[k] for eight columns side by side. */
function weigh(taps: i32, g: usize, x: usize, to: usize): void {
  let sum0 = f64x2.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (let k = taps; k != 0; k--) {
    const w = v128.load64_splat(g);
    sum0 = f64x2.add(sum0, f64x2.mul(w, v128.load(x)));
    sum1 = f64x2.add(sum1, f64x2.mul(w, v128.load(x, 16)));
    sum2 = f64x2.add(sum2, f64x2.mul(w, v128.load(x, 32)));
    sum3 = f64x2.add(sum3, f64x2.mul(w, v128.load(x, 48)));
    g += 8;
    x += LANES;
  }
  v128.store(to, sum0);
  v128.store(to, sum1, 16);
  v128.store(to, sum2, 32);
  v128.store(to, sum3, 48);
}

/** Eight float32 as float64. */
// @ts-ignore: decorator
@inline
function widen(from: usize, to: usize): void {
  for (let at: usize = 0; at < 32; at += 8) v128.store(to + 2 * at, f64x2.promote_low_f32x4(v128.load64_zero(from + at)));
}

/** And back, rounded. */
// @ts-ignore: decorator
@inline
function narrow(from: usize, to: usize): void {
  for (let at: usize = 0; at < 32; at += 8) v128.store64_lane(to + at, f32x4.demote_f64x2_zero(v128.load(from + 2 * at)), 0);
}

/**
 * from: panels [panel][tap][input channel][8], as packPanels leaves them, of kH × kW taps, kH = kW or 1 · to: [factor][panel][phase][input channel][8],
 * points² factors for a square of taps, `points` for a row, with the phases of the stride that a factor has (winograd-phases.ts), or with all where they are `gathered`
 *
 * work: G, then in eight columns each a row of taps, the factors of its rows [points][taps of a phase] and a factor; all float64
 */
export function packWinograd(
  points: i32, kH: i32, kW: i32, strideH: i32, strideW: i32, gathered: bool, panels: i32, channels: i32, from: usize, to: usize, work: usize,
): void {
  const rows = kH > 1 ? points : 1;
  const tapsH = phaseTaps(kH, strideH), tapsW = phaseTaps(kW, strideW);
  const fullH = gathered ? strideH : fullPhases(kH, strideH), fullW = gathered ? strideW : fullPhases(kW, strideW);
  const tapBytes = <usize>(channels * NR) << 2;
  const rowBytes = <usize>tapsW << 3;
  const line = work + <usize>points * rowBytes;
  const half = line + <usize>tapsW * LANES;
  const halfBytes = <usize>tapsH * LANES;
  const factor = half + <usize>points * halfBytes;
  pointRows(points, tapsW, work);
  for (let panel = 0; panel < panels; panel++) {
    for (let phaseH = 0; phaseH < strideH; phaseH++) {
      for (let phaseW = 0; phaseW < strideW; phaseW++) {
        for (let at: usize = 0; at < tapBytes; at += 4 * NR) {
          const cell = from + <usize>(panel * kH * kW) * tapBytes + at;
          // Along the rows of taps; a tap that a phase does not have is 0.
          for (let h = 0; h < tapsH; h++) {
            const kh = phaseH + h * strideH;
            for (let w = 0; w < tapsW; w++) {
              const kw = phaseW + w * strideW;
              const lane = line + <usize>w * LANES;
              if (kh < kH && kw < kW) widen(cell + <usize>(kh * kW + kw) * tapBytes, lane);
              else zeroFloats(lane, <i32>LANES >> 2);
            }
            for (let j = 0; j < points; j++) weigh(tapsW, work + <usize>j * rowBytes, line, half + <usize>j * halfBytes + <usize>h * LANES);
          }
          // Down the columns.
          let place = to + at;
          for (let i = 0; i < rows; i++) {
            const high = rows > 1 && i == rows - 1 ? fullH : strideH;
            for (let j = 0; j < points; j++) {
              const wide = j == points - 1 ? fullW : strideW;
              if (phaseH < high && phaseW < wide) {
                const x = half + <usize>j * halfBytes;
                if (kH > 1) weigh(tapsH, work + <usize>i * rowBytes, x, factor);
                narrow(kH > 1 ? factor : x, place + <usize>((panel * high + phaseH) * wide + phaseW) * tapBytes);
              }
              place += <usize>(panels * high * wide) * tapBytes;
            }
          }
        }
      }
    }
  }
}
