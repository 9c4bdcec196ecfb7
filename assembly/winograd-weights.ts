/** Weights of a 3×3 or 1×3 kernel as the factors that convWinograd multiplies with. In float64, rounded once. */
import { NR } from "./blocks";
import { P2, P4, P6, Q4, Q6, R6 } from "./winograd-points";

/** Row of G for the points ± `point`, whose other pairs have the squares q and r: [1, ±p, p²] / 2p²·R(p²). */
function pairRows(to: usize, point: f64, others: f64): void {
  const square = point * point;
  const scale = 1 / (2 * square * others);
  store<f64>(to, scale);
  store<f64>(to, point * scale, 8);
  store<f64>(to, square * scale, 16);
  store<f64>(to, scale, 24);
  store<f64>(to, -point * scale, 32);
  store<f64>(to, square * scale, 40);
}

/** G [m + 2][3]: the value of the taps' polynomial at each point, over what the transforms left out. */
function pointRows(m: i32, to: usize): void {
  let zero: f64;
  if (m == 2) {
    pairRows(to + 24, P2, 1);
    zero = -P2 * P2;
  } else if (m == 4) {
    const p: f64 = P4 * P4, q: f64 = Q4 * Q4;
    pairRows(to + 24, P4, p - q);
    pairRows(to + 72, Q4, q - p);
    zero = p * q;
  } else {
    const p: f64 = P6 * P6, q: f64 = Q6 * Q6, r: f64 = R6 * R6;
    pairRows(to + 24, P6, (p - q) * (p - r));
    pairRows(to + 72, Q6, (q - p) * (q - r));
    pairRows(to + 120, R6, (r - p) * (r - q));
    zero = -p * q * r;
  }
  store<f64>(to, 1 / zero);
  store<f64>(to, 0, 8);
  store<f64>(to, 0, 16);
  const last = to + <usize>(m + 1) * 24;
  store<f64>(last, 0);
  store<f64>(last, 0, 8);
  store<f64>(last, 1, 16);
}

/**
 * from: panels [panel][tap][input channel][8], as packPanels leaves them · to: [factor][panel][input channel][8], (m + 2)² factors for three rows of
 * taps, m + 2 for one.
 *
 * work: G, and three rows of factors, both float64
 */
export function packWinograd(m: i32, kH: i32, panels: i32, channels: i32, from: usize, to: usize, work: usize): void {
  const points = m + 2;
  const rows = kH == 3 ? points : 1;
  const tapBytes = <usize>(channels * NR) << 2;
  const factorBytes = <usize>panels * tapBytes;
  const half = work + <usize>points * 24;
  pointRows(m, work);
  for (let panel = 0; panel < panels; panel++) {
    for (let at: usize = 0; at < tapBytes; at += 4) {
      const cell = from + <usize>(panel * kH * 3) * tapBytes + at;
      // Along the rows of taps.
      for (let h = 0; h < kH; h++) {
        const line = cell + <usize>(h * 3) * tapBytes;
        const a = <f64>load<f32>(line), b = <f64>load<f32>(line + tapBytes), c = <f64>load<f32>(line + 2 * tapBytes);
        for (let j = 0; j < points; j++) {
          const g = work + <usize>j * 24;
          store<f64>(half + (<usize>(j * 3 + h) << 3), load<f64>(g) * a + load<f64>(g, 8) * b + load<f64>(g, 16) * c);
        }
      }
      // Down the columns.
      const place = to + <usize>panel * tapBytes + at;
      for (let i = 0; i < rows; i++) {
        const g = work + <usize>i * 24;
        for (let j = 0; j < points; j++) {
          const x = half + <usize>j * 24;
          const sum = kH == 3 ? load<f64>(g) * load<f64>(x) + load<f64>(g, 8) * load<f64>(x, 8) + load<f64>(g, 16) * load<f64>(x, 16) : load<f64>(x);
          store<f32>(place + <usize>(i * points + j) * factorBytes, <f32>sum);
        }
      }
    }
  }
}
