/**
 * Convolution as GEMM, channels-last:
 *
 *   output[pixel][g·N + n] = activation(bias[g·N + n] + Σ_tap Σ_ic input[pixel moved by tap][g·groupInC + ic] · weight[g·N + n][ic][tap])      N = groupOutC
 *
 *   input [batch, inD, inH, inW, inC] · output [batch, outD, outH, outW, outC] · weights from packPanels · bias in groups of whole panels
 *   A = pixels, read where they lie through a table of pointers, one per pixel and tap; a tap outside the image points at zeros.
 *   B = weight panels. Nothing overlaps.
 *   work: zeros for a run | scratch tile | table of PIXELS pointers for each run of the kernel; sized in src/plan.ts.
 *
 * Where no window is cut off at the left or right, a whole row of the kernel is one run; src/plan.ts has images of few channels copied with
 * their zeros for that, since a run of its own costs the tile about five loads and five adds.
 */
import { MR, NR, PIXELS } from "./blocks";
import { SCRATCH_BYTES, shuffledChannel, tableSlot, tileCount, tileStart } from "./gemm";
import { FROM_BIAS_COLUMNS, runTile } from "./gemm-kernel";
import { ConvParams } from "./params";
import { zeroFloats } from "./simd";

/** Table entries of pixels [pixel0, pixel0 + count), channel 0; `runs` runs to a row of the kernel, kW or one. */
function pointAtRuns(p: ConvParams, input: usize, zeros: usize, pixel0: i32, count: i32, runs: i32, table: usize): void {
  // Fields are read once: a store to the table might be to the record, for all the compiler knows.
  const inD = p.inD, inH = p.inH, inW = p.inW, outD = p.outD, outH = p.outH, outW = p.outW, kD = p.kD, kH = p.kH;
  const strideD = p.strideD, strideH = p.strideH, strideW = p.strideW, padD = p.padD, padH = p.padH, padW = p.padW;
  const dilationD = p.dilationD, dilationH = p.dilationH, dilationW = p.dilationW;
  const kernelRuns = kD * kH * runs;
  const tiles = tileCount(count);
  const pixelBytes = <usize>p.inC << 2;
  const row = pixel0 / outW;
  let ow = pixel0 - row * outW;
  const slice = row / outH;
  let oh = row - slice * outH;
  let b = slice / outD;
  let od = slice - b * outD;
  for (let t = 0; t < tiles; t++) {
    const rows = tileStart(t + 1, count, tiles) - tileStart(t, count, tiles);
    for (let r = 0; r < rows; r++) {
      let slot = tableSlot(table, t, r, kernelRuns);
      for (let kd = 0; kd < kD; kd++) {
        const id = od * strideD + kd * dilationD - padD;
        const plane = (b * inD + id) * inH;
        for (let kh = 0; kh < kH; kh++) {
          const ih = oh * strideH + kh * dilationH - padH;
          const inside = <u32>id < <u32>inD && <u32>ih < <u32>inH;
          let iw = ow * strideW - padW;
          let cell = input + <usize>((plane + ih) * inW + iw) * pixelBytes;
          for (let kw = 0; kw < runs; kw++) {
            store<usize>(slot, inside && <u32>iw < <u32>inW ? cell : zeros);
            slot += 4 * MR;
            iw += dilationW;
            cell += <usize>dilationW * pixelBytes;
          }
        }
      }
      if (++ow == outW) {
        ow = 0;
        if (++oh == outH) {
          oh = 0;
          if (++od == outD) {
            od = 0;
            b++;
          }
        }
      }
    }
  }
}

/** The scratch tile [rows][8] to the output, channel by channel. */
function storeEdge(p: ConvParams, output: usize, scratch: usize, pixel: i32, rows: i32, channel: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) {
    const line = output + (<usize>((pixel + r) * p.outC) << 2);
    for (let j = 0; j < columns; j++) {
      store<f32>(line + (<usize>shuffledChannel(channel + j, p.outC, p.shuffle) << 2), load<f32>(scratch + (<usize>(r * NR + j) << 2)));
    }
  }
}

export function convChannelsLast(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  const N = p.groupOutC;
  const panels = (N + NR - 1) / NR;
  const pixels = p.batch * p.outD * p.outH * p.outW;
  // A row of the kernel that is never cut off at the side is one run of kW pixels, all channels of each.
  const whole = p.groups == 1 && p.dilationW == 1 && p.padW == 0 && (p.outW - 1) * p.strideW + p.kW <= p.inW;
  const runs = whole ? 1 : p.kW;
  const taps = p.kD * p.kH * runs;
  const run = whole ? p.kW * p.inC : p.groupInC;
  const panelBytes = <usize>p.weightStride << 2;
  const outRowBytes = <usize>p.outC << 2;
  const zeroCells = whole ? p.kW * p.inC : p.inC;
  const zeros = work;
  const scratch = zeros + (<usize>zeroCells << 2);
  const table = scratch + SCRATCH_BYTES;
  zeroFloats(zeros, zeroCells);

  for (let ic = 0; ic < pixels; ic += PIXELS) {
    const mc = min(PIXELS, pixels - ic);
    const tiles = tileCount(mc);
    pointAtRuns(p, input, zeros, ic, mc, runs, table);
    for (let g = 0; g < p.groups; g++) {
      const offset = <usize>(g * p.groupInC) << 2;
      for (let jr = 0; jr < panels; jr++) {
        const panel = weights + <usize>(g * panels + jr) * panelBytes;
        const panelBias = bias + (<usize>(g * panels + jr) * (4 * NR));
        const channel = g * N + jr * NR;
        const width = min(NR, N - jr * NR);
        const direct = (width == NR || width == 4) && p.shuffle == 1;
        for (let t = 0; t < tiles; t++) {
          const first = tileStart(t, mc, tiles);
          const rows = tileStart(t + 1, mc, tiles) - first;
          const slot = tableSlot(table, t, 0, taps);
          if (direct) {
            const target = output + (<usize>((ic + first) * p.outC + channel) << 2);
            runTile(rows, width > 4, slot, offset, taps, run, panel, target, outRowBytes, FROM_BIAS_COLUMNS, panelBias, true, p);
          } else {
            runTile(rows, width > 4, slot, offset, taps, run, panel, scratch, 4 * NR, FROM_BIAS_COLUMNS, panelBias, true, p);
            storeEdge(p, output, scratch, ic + first, rows, channel, width);
          }
        }
      }
    }
  }
}
