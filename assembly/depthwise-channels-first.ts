/**
 * Depthwise convolution, channels-first:
 *
 *   output[b][oc][oh][ow] = activation(bias[oc] + Σ_kh,kw weight[oc][kh][kw] · input[b][oc / multiplier][oh·strideH + kh·dilationH − padH][…])
 *
 *   input [batch, inC, inH, inW] · output [batch, outC, outH, outW] · weights from packRows, in the order of the weight · bias [outC]
 *   work: one band of one channel with its border, kH · kW offsets; sized in src/plan.ts. Nothing overlaps.
 *
 * A band of p.band output rows is copied with its zeros into `work`, so that no tap of the sum needs a test. Its columns are dealt into
 * strideW phases, [row][phase][phaseW]: column c is cell c / strideW of phase c mod strideW. A tap then reads consecutive cells at any stride.
 */
import { tapsChannelsFirst } from "./depthwise-taps";
import { shuffledChannel } from "./gemm";
import { ConvParams } from "./params";
import { copyFloats, loadEven, loadOdd, zeroFloats } from "./simd";

/** Floats of one phase: whole vectors of outputs, and as far as the last tap reaches. */
function phaseWidth(p: ConvParams): i32 {
  return ((p.outW + 3) & ~3) + (p.kW - 1) * p.dilationW / p.strideW;
}

/** One image row without border → its phases. `columns` cells, the first in padded column padW. */
function dealRow(p: ConvParams, from: usize, columns: i32, to: usize, phaseBytes: usize): void {
  const stride = p.strideW;
  if (stride == 1) {
    copyFloats(to + (<usize>p.padW << 2), from, columns);
    return;
  }
  if (stride == 2) {
    // The phase of the first cell, and the other.
    const phase = p.padW & 1;
    const even = to + <usize>phase * phaseBytes + (<usize>(p.padW >> 1) << 2);
    const odd = to + <usize>(phase ^ 1) * phaseBytes + (<usize>((p.padW + 1) >> 1) << 2);
    let i = 0;
    for (; i + 8 <= columns; i += 8) {
      v128.store(even + (<usize>i << 1), loadEven(from));
      v128.store(odd + (<usize>i << 1), loadOdd(from));
      from += 32;
    }
    for (; i < columns; i++) {
      store<f32>(((i & 1) != 0 ? odd : even) + (<usize>(i >> 1) << 2), load<f32>(from));
      from += 4;
    }
    return;
  }
  for (let phase = 0; phase < stride; phase++) {
    // The first image cell of this phase, and its place there.
    const first = (phase - p.padW % stride + stride) % stride;
    let target = to + <usize>phase * phaseBytes + (<usize>((first + p.padW) / stride) << 2);
    for (let i = first; i < columns; i += stride) {
      store<f32>(target, load<f32>(from + (<usize>i << 2)));
      target += 4;
    }
  }
}

/** Band rows of padded image rows [row, row + rows). Margins were zeroed once and stay so. */
function copyBand(p: ConvParams, plane: usize, row: i32, rows: i32, to: usize, phaseBytes: usize): void {
  const rowBytes = phaseBytes * <usize>p.strideW;
  // Cells behind the last tap of the last output are not wanted.
  const reach = (p.outW - 1) * p.strideW + (p.kW - 1) * p.dilationW + 1 - p.padW;
  const columns = max(0, min(p.inW, reach));
  for (let r = 0; r < rows; r++) {
    const ih = row + r - p.padH;
    if (<u32>ih < <u32>p.inH) dealRow(p, plane + (<usize>(ih * p.inW) << 2), columns, to, phaseBytes);
    else zeroFloats(to, <i32>(rowBytes >> 2));
    to += rowBytes;
  }
}

export function depthwiseChannelsFirst(p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize): void {
  assert(p.inD == 1 && p.outD == 1 && p.kD == 1, "depthwise: two dimensions");
  assert(p.band >= 1, "depthwise: an empty band");
  const outH = p.outH, outW = p.outW, outC = p.outC, strideH = p.strideH;
  const multiplier = outC / p.inC;
  const taps = p.kH * p.kW;
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const phaseBytes = <usize>phaseWidth(p) << 2;
  const rowBytes = phaseBytes * <usize>p.strideW;
  const nextRow = rowBytes * <usize>strideH;
  const bandRows = (min(p.band, outH) - 1) * strideH + reachH;
  const offsets = work;
  const rows = offsets + (<usize>taps << 2);

  for (let kh = 0; kh < p.kH; kh++) {
    for (let kw = 0; kw < p.kW; kw++) {
      const shift = kw * p.dilationW;
      const offset = <usize>(kh * p.dilationH) * rowBytes + <usize>(shift % p.strideW) * phaseBytes + (<usize>(shift / p.strideW) << 2);
      store<usize>(offsets + (<usize>(kh * p.kW + kw) << 2), offset);
    }
  }
  zeroFloats(rows, <i32>(<usize>bandRows * rowBytes >> 2));

  for (let b = 0; b < p.batch; b++) {
    for (let ic = 0; ic < p.inC; ic++) {
      const plane = input + (<usize>((b * p.inC + ic) * p.inH * p.inW) << 2);
      for (let band = 0; band < outH; band += p.band) {
        const end = min(outH, band + p.band);
        copyBand(p, plane, band * strideH, (end - band - 1) * strideH + reachH, rows, phaseBytes);
        for (let oc = ic * multiplier; oc < (ic + 1) * multiplier; oc++) {
          const target = b * outC + shuffledChannel(oc, outC, p.shuffle);
          tapsChannelsFirst(
            p, end - band, rows, nextRow, offsets, weights + (<usize>(oc * p.weightStride) << 2), bias + (<usize>oc << 2),
            output + (<usize>((target * outH + band) * outW) << 2), outW,
          );
        }
      }
    }
  }
}
