/**
 * Weights, laid out once for the kernels. The source has any filter layout: weight (o, i, tap) is at o·strideO + i·strideI + tap·strideTap.
 *
 * `shuffle` > 1 folds a channel shuffle of the result into the order of the rows: packed channel p holds weight row
 * (p mod shuffle)·(outC / shuffle) + p / shuffle. Only without groups, or for a depthwise kernel that looks its input channel up.
 */
import { NR } from "./blocks";
import { zeroFloats } from "./simd";

// @ts-ignore: decorator
@inline
export function sourceChannel(p: i32, outC: i32, shuffle: i32): i32 {
  return (p % shuffle) * (outC / shuffle) + p / shuffle;
}

/** Rows: to[channel · rowStride + tap], the weights of the channels-first depthwise kernel. */
export function packRows(to: usize, from: usize, outC: i32, taps: i32, strideO: i32, strideTap: i32, rowStride: i32, shuffle: i32): void {
  for (let p = 0; p < outC; p++) {
    let cell = from + (<usize>(sourceChannel(p, outC, shuffle) * strideO) << 2);
    const row = to + (<usize>(p * rowStride) << 2);
    for (let tap = 0; tap < taps; tap++) {
      store<f32>(row + (<usize>tap << 2), load<f32>(cell));
      cell += <usize>strideTap << 2;
    }
  }
}

/**
 * Panels: to[panel · panelStride + ((tap · inC + i) · 8 + lane)], the B operand of the GEMM; `groups` × ⌈groupOutC / 8⌉ panels,
 * each zero-padded to eight channels.
 */
export function packPanels(
  to: usize, from: usize, outC: i32, groups: i32, inC: i32, taps: i32, strideO: i32, strideI: i32, strideTap: i32, panelStride: i32, shuffle: i32,
): void {
  const groupOutC = outC / groups;
  const panels = (groupOutC + NR - 1) / NR;
  for (let g = 0; g < groups; g++) {
    for (let panel = 0; panel < panels; panel++) {
      const first = g * groupOutC + panel * NR;
      const lanes = min(NR, groupOutC - panel * NR);
      const base = to + (<usize>((g * panels + panel) * panelStride) << 2);
      if (lanes < NR) zeroFloats(base, panelStride);
      for (let lane = 0; lane < lanes; lane++) {
        const source = from + (<usize>(sourceChannel(first + lane, outC, shuffle) * strideO) << 2);
        let cell = base + (<usize>lane << 2);
        for (let tap = 0; tap < taps; tap++) {
          let weight = source + (<usize>(tap * strideTap) << 2);
          for (let i = 0; i < inC; i++) {
            store<f32>(cell, load<f32>(weight));
            weight += <usize>strideI << 2;
            cell += 4 * NR;
          }
        }
      }
    }
  }
}

/** Taps: to[tap · stride + channel], zero-padded to `stride` channels: the weights of the channels-last depthwise kernel. */
export function packTaps(to: usize, from: usize, outC: i32, taps: i32, strideO: i32, strideTap: i32, stride: i32, shuffle: i32): void {
  for (let tap = 0; tap < taps; tap++) {
    const row = to + (<usize>(tap * stride) << 2);
    for (let p = 0; p < outC; p++) {
      const source = from + (<usize>(sourceChannel(p, outC, shuffle) * strideO + tap * strideTap) << 2);
      store<f32>(row + (<usize>p << 2), load<f32>(source));
    }
    zeroFloats(row + (<usize>outC << 2), stride - outC);
  }
}

/**
 * Bias of `groups` × groupOutC channels, each group zero-padded to `stride` floats. `from` = 0 means no bias: all zeros.
 */
export function packBias(to: usize, from: usize, outC: i32, groups: i32, stride: i32, shuffle: i32): void {
  const groupOutC = outC / groups;
  zeroFloats(to, groups * stride);
  if (from == 0) return;
  for (let p = 0; p < outC; p++) {
    const g = p / groupOutC;
    store<f32>(
      to + (<usize>(g * stride + p - g * groupOutC) << 2),
      load<f32>(from + (<usize>sourceChannel(p, outC, shuffle) << 2)),
    );
  }
}
