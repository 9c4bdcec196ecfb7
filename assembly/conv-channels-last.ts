/**
 * Convolution as GEMM, channels-last:
 *
 *   output[pixel][g·N + n] = activation(bias[g·N + n] + Σ_tap Σ_ic input[pixel moved by tap][g·groupInC + ic] · weight[g·N + n][ic][tap])      N = groupOutC
 *
 *   input [batch, inD, inH, inW, inC] · output [batch, outD, outH, outW, outC] · weights from packPanels · bias in groups of whole panels
 *   A = pixels, read where they lie through a table of pointers, one per pixel and tap; a tap outside the image points at a row of zeros.
 *   B = weight panels. Nothing overlaps.
 *   work: a row of inC zeros | scratch tile | table of PIXELS × taps pointers | PIXELS gathered patches; sized in src/plan.ts.
 *
 * Where a tap has few channels (`gather`), patches are copied into rows of K floats first and the sum has one long tap instead.
 */
import { GATHER_BELOW, MR, NR, PIXELS } from "./blocks";
import { matrixTable, SCRATCH_BYTES, shuffledChannel, tableSlot, tileCount, tileStart } from "./gemm";
import { FROM_BIAS_COLUMNS, runTile } from "./gemm-kernel";
import { firstReaching } from "./im2col";
import { ConvParams } from "./params";
import { copyFloats, zeroFloats } from "./simd";

/** Table entries of pixels [pixel0, pixel0 + count), channel 0. */
function pointAtTaps(p: ConvParams, input: usize, zeros: usize, pixel0: i32, count: i32, table: usize): void {
  const taps = p.kD * p.kH * p.kW;
  const tiles = tileCount(count);
  const pixelBytes = <usize>p.inC << 2;
  const row = pixel0 / p.outW;
  let ow = pixel0 - row * p.outW;
  const slice = row / p.outH;
  let oh = row - slice * p.outH;
  let b = slice / p.outD;
  let od = slice - b * p.outD;
  for (let t = 0; t < tiles; t++) {
    const rows = tileStart(t + 1, count, tiles) - tileStart(t, count, tiles);
    for (let r = 0; r < rows; r++) {
      let slot = tableSlot(table, t, r, taps);
      for (let kd = 0; kd < p.kD; kd++) {
        const id = od * p.strideD + kd * p.dilationD - p.padD;
        for (let kh = 0; kh < p.kH; kh++) {
          const ih = oh * p.strideH + kh * p.dilationH - p.padH;
          const inside = <u32>id < <u32>p.inD && <u32>ih < <u32>p.inH;
          const line = input + <usize>(((b * p.inD + id) * p.inH + ih) * p.inW) * pixelBytes;
          let iw = ow * p.strideW - p.padW;
          for (let kw = 0; kw < p.kW; kw++) {
            store<usize>(slot, inside && <u32>iw < <u32>p.inW ? line + <usize>iw * pixelBytes : zeros);
            slot += 4 * MR;
            iw += p.dilationW;
          }
        }
      }
      if (++ow == p.outW) {
        ow = 0;
        if (++oh == p.outH) {
          oh = 0;
          if (++od == p.outD) {
            od = 0;
            b++;
          }
        }
      }
    }
  }
}

/** Patches of pixels [pixel0, pixel0 + count) as rows of `rowBytes`: k = (tap, ic). No groups. */
function gatherPatches(p: ConvParams, input: usize, pixel0: i32, count: i32, to: usize, rowBytes: usize): void {
  const inC = p.inC;
  const lineFloats = p.kW * inC;
  const dense = p.dilationW == 1;
  const row = pixel0 / p.outW;
  let ow = pixel0 - row * p.outW;
  const slice = row / p.outH;
  let oh = row - slice * p.outH;
  let b = slice / p.outD;
  let od = slice - b * p.outD;
  for (let i = 0; i < count; i++) {
    const iw = ow * p.strideW - p.padW;
    // Taps [low, high) of a line are inside the image.
    const low = min(p.kW, firstReaching(0, iw, p.dilationW));
    const high = max(low, min(p.kW, firstReaching(p.inW, iw, p.dilationW)));
    let cell = to + <usize>i * rowBytes;
    for (let kd = 0; kd < p.kD; kd++) {
      const id = od * p.strideD + kd * p.dilationD - p.padD;
      for (let kh = 0; kh < p.kH; kh++) {
        const ih = oh * p.strideH + kh * p.dilationH - p.padH;
        if (<u32>id >= <u32>p.inD || <u32>ih >= <u32>p.inH) {
          zeroFloats(cell, lineFloats);
        } else {
          const line = input + (<usize>((((b * p.inD + id) * p.inH + ih) * p.inW + iw) * inC) << 2);
          if (low > 0) zeroFloats(cell, low * inC);
          if (dense) {
            copyFloats(cell + (<usize>(low * inC) << 2), line + (<usize>(low * inC) << 2), (high - low) * inC);
          } else {
            for (let kw = low; kw < high; kw++) {
              copyFloats(cell + (<usize>(kw * inC) << 2), line + (<usize>(kw * p.dilationW * inC) << 2), inC);
            }
          }
          if (high < p.kW) zeroFloats(cell + (<usize>(high * inC) << 2), (p.kW - high) * inC);
        }
        cell += <usize>lineFloats << 2;
      }
    }
    if (++ow == p.outW) {
      ow = 0;
      if (++oh == p.outH) {
        oh = 0;
        if (++od == p.outD) {
          od = 0;
          b++;
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
  const kernelTaps = p.kD * p.kH * p.kW;
  const gather = p.groups == 1 && kernelTaps > 1 && p.inC < GATHER_BELOW;
  const taps = gather ? 1 : kernelTaps;
  const run = gather ? kernelTaps * p.inC : p.groupInC;
  const panelBytes = <usize>p.weightStride << 2;
  const outRowBytes = <usize>p.outC << 2;
  const zeros = work;
  const scratch = zeros + (<usize>p.inC << 2);
  const table = scratch + SCRATCH_BYTES;
  const patches = table + (<usize>(PIXELS * taps) << 2);
  const patchBytes = <usize>run << 2;
  zeroFloats(zeros, p.inC);

  for (let ic = 0; ic < pixels; ic += PIXELS) {
    const mc = min(PIXELS, pixels - ic);
    const tiles = tileCount(mc);
    if (gather) {
      gatherPatches(p, input, ic, mc, patches, patchBytes);
      matrixTable(table, patches, mc, patchBytes);
    } else {
      pointAtTaps(p, input, zeros, ic, mc, table);
    }
    for (let g = 0; g < p.groups; g++) {
      const offset = <usize>(g * p.groupInC) << 2;
      for (let jr = 0; jr < panels; jr++) {
        const panel = weights + <usize>(g * panels + jr) * panelBytes;
        const panelBias = bias + (<usize>(g * panels + jr) * (4 * NR));
        const channel = g * N + jr * NR;
        const width = min(NR, N - jr * NR);
        const whole = (width == NR || width == 4) && p.shuffle == 1;
        for (let t = 0; t < tiles; t++) {
          const first = tileStart(t, mc, tiles);
          const rows = tileStart(t + 1, mc, tiles) - first;
          const slot = tableSlot(table, t, 0, taps);
          if (whole) {
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
