/**
 * Convolution as GEMM, channels-first:
 *
 *   output[b][g·M + m][pixel] = activation(bias[g·M + m] + Σ_k weight[g·M + m][k] · patch[k][b, pixel])      M = groupOutC
 *
 *   input [batch, inC, inD, inH, inW] · output [batch, outC, outD, outH, outW] · weights from packRows · bias [outC]
 *   A = weight rows, read in place; B = patches in panels, packed per block (im2col.ts). Nothing overlaps.
 *   work: MR pointers per row tile | scratch tile | KC × NC panels; its size is computed in src/plan.ts.
 *
 * Loops 5 … 1 as in BLIS: pixels in blocks of NC, K in blocks of KC, rows in blocks of MC, panels of NR, tiles of MR. Sums are added to
 * the output between blocks of K; the first starts from the bias, the last applies the activation.
 */
import { KC, MC, MR, NC, NR } from "./blocks";
import { matrixTable, SCRATCH_BYTES, shuffledChannel, tableSlot, tileCount, tileStart } from "./gemm";
import { FROM_BIAS_ROWS, FROM_C, runTile } from "./gemm-kernel";
import { im2colPanels } from "./im2col";
import { ConvParams } from "./params";

/** Columns of one tile between scratch [rows][8] and the output, cell by cell: they may belong to two images or to shuffled channels. */
function edgeCells(p: ConvParams, output: usize, scratch: usize, channel: i32, rows: i32, column: i32, columns: i32, toOutput: bool): void {
  const pixels = p.outD * p.outH * p.outW;
  for (let j = 0; j < columns; j++) {
    const b = (column + j) / pixels;
    const pixel = column + j - b * pixels;
    for (let r = 0; r < rows; r++) {
      const target = output + (<usize>((b * p.outC + shuffledChannel(channel + r, p.outC, p.shuffle)) * pixels + pixel) << 2);
      const cell = scratch + (<usize>(r * NR + j) << 2);
      if (toOutput) store<f32>(target, load<f32>(cell));
      else store<f32>(cell, load<f32>(target));
    }
  }
}

export function convChannelsFirst(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  const M = p.groupOutC;
  const pixels = p.outD * p.outH * p.outW;
  const columns = p.batch * pixels;
  const plane = p.inD * p.inH * p.inW;
  const K = p.groupInC * p.kD * p.kH * p.kW;
  const blocksK = (K + KC - 1) / KC;
  const blocksM = (M + MC - 1) / MC;
  const rowBytes = <usize>p.weightStride << 2;
  const outRowBytes = <usize>pixels << 2;
  const table = work;
  const scratch = table + <usize>(tileCount(M) + blocksM) * (4 * MR);
  const panels = scratch + SCRATCH_BYTES;

  for (let g = 0; g < p.groups; g++) {
    const groupInput = input + (<usize>(g * p.groupInC * plane) << 2);
    const groupWeights = weights + <usize>(g * M) * rowBytes;
    const groupBias = bias + (<usize>(g * M) << 2);
    // Loop 5: pixels in blocks of NC.
    for (let jc = 0; jc < columns; jc += NC) {
      const nc = min(NC, columns - jc);
      // Loop 4: K in equal blocks of at most KC.
      for (let pc = 0; pc < blocksK; pc++) {
        const k0 = <i32>(<i64>K * pc / blocksK);
        const kc = <i32>(<i64>K * (pc + 1) / blocksK) - k0;
        const panelBytes = <usize>(kc * NR + NR) << 2;
        im2colPanels(p, groupInput, jc, nc, k0, kc, panels, panelBytes);
        const start = pc == 0 ? FROM_BIAS_ROWS : FROM_C;
        const finish = pc == blocksK - 1;
        // Loop 3: rows in equal blocks of at most MC.
        for (let ic = 0; ic < blocksM; ic++) {
          const m0 = <i32>(<i64>M * ic / blocksM);
          const mc = <i32>(<i64>M * (ic + 1) / blocksM) - m0;
          const tiles = tileCount(mc);
          matrixTable(table, groupWeights + <usize>m0 * rowBytes + (<usize>k0 << 2), mc, rowBytes);
          // Loop 2: panels of NR pixels.
          for (let jr = 0; jr < nc; jr += NR) {
            const column = jc + jr;
            const width = min(NR, nc - jr);
            const b = column / pixels;
            const pixel = column - b * pixels;
            const whole = width == NR && pixel + NR <= pixels && p.shuffle == 1;
            const panel = panels + <usize>(jr / NR) * panelBytes;
            const target = output + (<usize>((b * p.outC + g * M + m0) * pixels + pixel) << 2);
            // Loop 1: tiles of at most MR rows.
            for (let t = 0; t < tiles; t++) {
              const first = tileStart(t, mc, tiles);
              const rows = tileStart(t + 1, mc, tiles) - first;
              const tileBias = groupBias + (<usize>(m0 + first) << 2);
              const slot = tableSlot(table, t, 0, 1);
              if (whole) {
                runTile(rows, true, slot, 0, 1, kc, panel, target + <usize>first * outRowBytes, outRowBytes, start, tileBias, finish, p);
              } else {
                const channel = g * M + m0 + first;
                if (start == FROM_C) edgeCells(p, output, scratch, channel, rows, column, width, false);
                runTile(rows, width > 4, slot, 0, 1, kc, panel, scratch, 4 * NR, start, tileBias, finish, p);
                edgeCells(p, output, scratch, channel, rows, column, width, true);
              }
            }
          }
        }
      }
    }
  }
}
