/**
 * Weights, laid out once for the kernels. The source has any filter layout: weight (g, o, i, tap) is at g·strideGroup + o·strideOut + i·strideIn +
 * tap·strideTap.
 *
 * Phases: a transposed convolution uses, for a cell of its result, the taps t ≡ t0 (mod phase) along each axis. Each t0 has panels of its own,
 * in the order of t0 (depth, height, width), and its taps come last first, since they walk against the image. A convolution has one phase.
 *
 * `shuffle` > 1 folds a channel shuffle of the result into the order of the rows: packed channel p holds weight row
 * (p mod shuffle)·(outC / shuffle) + p / shuffle. Only without groups, or for a depthwise kernel that looks its input channel up.
 */
import { LINE_CHANNELS, NR } from "./blocks";
import { packDots, servedByDots } from "./gemm-dots";
import { PackParams } from "./params";
import { zeroFloats } from "./simd";

// @ts-ignore: decorator
@inline
export function sourceChannel(p: i32, outC: i32, shuffle: i32): i32 {
  return (p % shuffle) * (outC / shuffle) + p / shuffle;
}

/** Taps of the phase that begins with tap `first`. */
// @ts-ignore: decorator
@inline
export function phaseTaps(k: i32, phase: i32, first: i32): i32 {
  return (k - first + phase - 1) / phase;
}

/** Index in the kernel of tap `n` of `count` in the phase of `first`. */
// @ts-ignore: decorator
@inline
function tapOf(n: i32, count: i32, first: i32, phase: i32, reversed: i32): i32 {
  return first + (reversed != 0 ? count - 1 - n : n) * phase;
}

/**
 * The taps of one phase of one output channel: cells `tapBytes` apart, or `inBytes` for each of its input channels within a tap. `unpack` moves them
 * back to where they came from.
 */
// @ts-ignore: decorator
@inline
function moveTaps(
  p: PackParams, packed: usize, tapBytes: usize, inBytes: usize, source: usize, firstD: i32, firstH: i32, firstW: i32, unpack: bool,
): void {
  let nD = p.kD, nH = p.kH, nW = p.kW;
  // Three divisions for each channel take as long as nine taps.
  if ((p.phaseD | p.phaseH | p.phaseW) != 1) {
    nD = phaseTaps(nD, p.phaseD, firstD);
    nH = phaseTaps(nH, p.phaseH, firstH);
    nW = phaseTaps(nW, p.phaseW, firstW);
  }
  const strideIn = <usize>p.strideIn << 2;
  const inC = p.groupInC, reversed = p.reversed, phaseW = p.phaseW;
  for (let d = 0; d < nD; d++) {
    const kd = tapOf(d, nD, firstD, p.phaseD, reversed);
    for (let h = 0; h < nH; h++) {
      const kh = tapOf(h, nH, firstH, p.phaseH, reversed);
      for (let w = 0; w < nW; w++) {
        const tap = (kd * p.kH + kh) * p.kW + tapOf(w, nW, firstW, phaseW, reversed);
        let from = source + (<usize>(tap * p.strideTap) << 2);
        let cell = packed;
        for (let i = inC; i != 0; i--) {
          if (unpack) store<f32>(from, load<f32>(cell));
          else store<f32>(cell, load<f32>(from));
          from += strideIn;
          cell += inBytes;
        }
        packed += tapBytes;
      }
    }
  }
}

function packChannel(p: PackParams, packed: usize, tapBytes: usize, inBytes: usize, source: usize, firstD: i32, firstH: i32, firstW: i32): void {
  moveTaps(p, packed, tapBytes, inBytes, source, firstD, firstH, firstW, false);
}

function unpackChannel(p: PackParams, packed: usize, tapBytes: usize, inBytes: usize, source: usize): void {
  moveTaps(p, packed, tapBytes, inBytes, source, 0, 0, 0, true);
}

/** One panel of `width` output channels of group g: the taps of the phase that begins with (td, th, tw). */
// @ts-ignore: decorator
@inline
function movePanel(p: PackParams, packed: usize, source: usize, g: i32, panel: i32, width: i32, td: i32, th: i32, tw: i32, unpack: bool): void {
  const cellBytes = <usize>width << 2;
  const lanes = min(width, p.groupOutC - panel * width);
  for (let lane = 0; lane < lanes; lane++) {
    const channel = g * p.strideGroup + sourceChannel(panel * width + lane, p.groupOutC, p.shuffle) * p.strideOut;
    const to = packed + (<usize>lane << 2), from = source + (<usize>channel << 2), tapBytes = <usize>p.groupInC * cellBytes;
    if (unpack) unpackChannel(p, to, tapBytes, cellBytes, from);
    else packChannel(p, to, tapBytes, cellBytes, from, td, th, tw);
  }
}

/**
 * Panels: [phase][group][panel][tap][input channel][width], of eight output channels, zero-padded, the B operand of the GEMM, or of all that a group has, the weights of groups-tile.ts. Of few filters
 * the second half of a panel holds them as gemm-dots.ts reads them.
 */
export function packPanels(p: PackParams, source: usize, packed: usize): void {
  const width = p.stride / (p.kD * p.kH * p.kW * p.groupInC);
  const panels = (p.groupOutC + width - 1) / width;
  for (let td = 0; td < min(p.kD, p.phaseD); td++) {
    for (let th = 0; th < min(p.kH, p.phaseH); th++) {
      for (let tw = 0; tw < min(p.kW, p.phaseW); tw++) {
        const taps = phaseTaps(p.kD, p.phaseD, td) * phaseTaps(p.kH, p.phaseH, th) * phaseTaps(p.kW, p.phaseW, tw);
        const panelFloats = taps * p.groupInC * width;
        for (let g = 0; g < p.groups; g++) {
          for (let panel = 0; panel < panels; panel++) {
            if (p.groupOutC - panel * width < width) zeroFloats(packed, panelFloats);
            movePanel(p, packed, source, g, panel, width, td, th, tw, false);
            if (width == NR && servedByDots(taps, p.groupInC, p.groupOutC)) packDots(packed, taps * p.groupInC, p.groupOutC);
            packed += <usize>panelFloats << 2;
          }
        }
      }
    }
  }
}

/** Panels of one phase back to the filter layout: the way of a weight gradient. Tasks: [group][panel]. */
export function unpackPanels(first: i32, last: i32, _before: i32, _work: usize, p: PackParams, from: usize, to: usize): void {
  const panels = (p.groupOutC + NR - 1) / NR;
  if (!ASC_NO_ASSERT) assert(first >= 0 && last <= p.groups * panels, "unpack: no such panel");
  const panelBytes = <usize>(p.kD * p.kH * p.kW * p.groupInC) * (4 * NR);
  for (let n = first; n < last; n++) {
    const g = n / panels;
    movePanel(p, from + <usize>n * panelBytes, to, g, n - g * panels, NR, 0, 0, 0, true);
  }
}

/** Rows: [channel][tap], `stride` floats apart, the weights of the channels-first depthwise kernel. */
export function packRows(p: PackParams, from: usize, to: usize): void {
  for (let c = 0; c < p.groupOutC; c++) {
    const source = from + (<usize>(sourceChannel(c, p.groupOutC, p.shuffle) * p.strideOut) << 2);
    packChannel(p, to + (<usize>(c * p.stride) << 2), 4, 4, source, 0, 0, 0);
  }
}

/** Taps: [phase][tap][channel], zero-padded to `stride` channels: the weights of the channels-last depthwise kernel. */
export function packTaps(p: PackParams, from: usize, to: usize): void {
  const channels = p.groupOutC;
  for (let td = 0; td < min(p.kD, p.phaseD); td++) {
    for (let th = 0; th < min(p.kH, p.phaseH); th++) {
      for (let tw = 0; tw < min(p.kW, p.phaseW); tw++) {
        const taps = phaseTaps(p.kD, p.phaseD, td) * phaseTaps(p.kH, p.phaseH, th) * phaseTaps(p.kW, p.phaseW, tw);
        for (let tap = 0; tap < taps; tap++) zeroFloats(to + (<usize>(tap * p.stride + channels) << 2), p.stride - channels);
        for (let c = 0; c < channels; c++) {
          const source = from + (<usize>(sourceChannel(c, channels, p.shuffle) * p.strideOut) << 2);
          packChannel(p, to + (<usize>c << 2), <usize>p.stride << 2, 4, source, td, th, tw);
        }
        to += <usize>(taps * p.stride) << 2;
      }
    }
  }
}

/** Taps of one phase back to the filter layout: the way of a depthwise weight gradient. Tasks: lines of LINE_CHANNELS channels. */
export function unpackTaps(first: i32, last: i32, _before: i32, _work: usize, p: PackParams, from: usize, to: usize): void {
  if (!ASC_NO_ASSERT) assert(first >= 0 && last <= (p.groupOutC + LINE_CHANNELS - 1) / LINE_CHANNELS, "unpack: no such line of channels");
  for (let c = first * LINE_CHANNELS; c < min(p.groupOutC, last * LINE_CHANNELS); c++) {
    unpackChannel(p, from + (<usize>c << 2), <usize>p.stride << 2, 4, to + (<usize>(c * p.strideOut) << 2));
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
