/**
 * One row of the GEMM times up to four panels: C[1 × 32] = bias + Σ A·B, then the activation.
 *
 *   A, table, offset, taps, run   as in gemm-kernel.ts, of one row
 *   B   `panels` packed panels, `panelBytes` apart · bias as the panels · C  `panels` · 8 columns side by side
 *
 * A tile of one row has two chains of sums, each of which waits for itself; side by side four panels have eight. Every sum is still in its own order, so
 * that a result is the same to the bit as among others.
 */
import { activateRuns } from "./activation";
import { MR, NR } from "./blocks";
import { madd } from "./simd";
import { ConvParams } from "./params";

/** Panels that one row takes at a time. */
export const PANELS = 4;

// @ts-ignore: decorator
@inline
function row(panels: i32, table: usize, offset: usize, taps: i32, run: i32, panel: usize, panelBytes: usize, c: usize, bias: usize, p: ConvParams): void {
  let b = panel;
  let acc00 = v128.load(bias), acc01 = v128.load(bias, 16);
  let acc10 = acc00, acc11 = acc01, acc20 = acc00, acc21 = acc01, acc30 = acc00, acc31 = acc01;
  if (panels > 1) {
    acc10 = v128.load(bias, 32);
    acc11 = v128.load(bias, 48);
  }
  if (panels > 2) {
    acc20 = v128.load(bias, 64);
    acc21 = v128.load(bias, 80);
  }
  if (panels > 3) {
    acc30 = v128.load(bias, 96);
    acc31 = v128.load(bias, 112);
  }
  const second = panelBytes, third = 2 * panelBytes, fourth = 3 * panelBytes;
  for (let tap = taps; tap != 0; tap--) {
    let a0 = load<usize>(table) + offset;
    table += 4 * MR;
    for (let k = run; k != 0; k--) {
      const a = v128.load32_splat(a0);
      a0 += 4;
      acc00 = madd(a, v128.load(b), acc00);
      acc01 = madd(a, v128.load(b, 16), acc01);
      if (panels > 1) {
        acc10 = madd(a, v128.load(b + second), acc10);
        acc11 = madd(a, v128.load(b + second, 16), acc11);
      }
      if (panels > 2) {
        acc20 = madd(a, v128.load(b + third), acc20);
        acc21 = madd(a, v128.load(b + third, 16), acc21);
      }
      if (panels > 3) {
        acc30 = madd(a, v128.load(b + fourth), acc30);
        acc31 = madd(a, v128.load(b + fourth, 16), acc31);
      }
      b += 32;
    }
  }
  v128.store(c, acc00);
  v128.store(c, acc01, 16);
  if (panels > 1) {
    v128.store(c, acc10, 32);
    v128.store(c, acc11, 48);
  }
  if (panels > 2) {
    v128.store(c, acc20, 64);
    v128.store(c, acc21, 80);
  }
  if (panels > 3) {
    v128.store(c, acc30, 96);
    v128.store(c, acc31, 112);
  }
  // Here, as in gemm-kernel.ts: behind the choice of the panels V8 up to version 22 spills the sums.
  activateRuns(p, 1, c, 0, <usize>panels * (4 * NR));
}

/** 1 ≤ panels ≤ PANELS */
export function runRow(
  panels: i32, table: usize, offset: usize, taps: i32, run: i32, panel: usize, panelBytes: usize, c: usize, bias: usize, p: ConvParams,
): void {
  if (!ASC_NO_ASSERT) assert(panels >= 1 && panels <= PANELS && taps >= 1 && run >= 1, "gemm row: too many panels, or an empty sum");
  switch (panels) {
    case 4: return row(4, table, offset, taps, run, panel, panelBytes, c, bias, p);
    case 3: return row(3, table, offset, taps, run, panel, panelBytes, c, bias, p);
    case 2: return row(2, table, offset, taps, run, panel, panelBytes, c, bias, p);
    default: return row(1, table, offset, taps, run, panel, panelBytes, c, bias, p);
  }
}
