/**
 * Transposed convolution, channels-last, by phases. The result's cell o of an axis gets from cell i through tap t where
 *
 *   o + pad = i·stride + t·dilation
 *
 * so all cells with the same r = (o + pad) mod stride see the same taps: t ≡ t0 (mod phase), phase = stride / gcd(stride, dilation), where t0 is the
 * least of them and t0·dilation ≡ r. They are one convolution of stride 1 and dilation / gcd, whose taps walk against the image and whose results
 * lie `stride` apart. Nothing is multiplied with a zero between cells, and nothing is added twice.
 *
 *   p describes the convolution whose input gradient this is: input [batch, outD, outH, outW, outC] · output [batch, inD, inH, inW, inC]
 *   weights [phase][…] from packPanels or packTaps · bias in groups of whole panels, or zero-padded. Nothing overlaps.
 *   work: the record of a phase | work of the kernel inside; sized in src/plan-transposed.ts.
 *
 * In bands of p.band rows of the result, so that each phase finds the input in the cache.
 *
 *   tasks: [band][part]
 */
import { fillWithBias } from "./bias";
import { MOST_TAPS, NR } from "./blocks";
import { sumPanels } from "./conv-channels-last";
import { depthwiseChannelsLast } from "./depthwise-channels-last";
import { TRANSPOSED_DEPTHWISE } from "./kinds";
import { touchLines } from "./lines";
import { phaseTaps } from "./pack";
import { ConvParams } from "./params";
import { panelsOf, runTasks } from "./tasks";
import { tilePanels } from "./winograd";

/** The least cell of [from, …) with (cell + pad) mod stride = t0·dilation mod stride. */
// @ts-ignore: decorator
@inline
function firstCell(from: i32, stride: i32, pad: i32, reach: i32): i32 {
  const behind = (from + pad - reach) % stride;
  return from + (behind == 0 ? 0 : behind > 0 ? stride - behind : -behind);
}

/** Some cell is reached by no tap at all: there are fewer phases than steps of the stride. */
// @ts-ignore: decorator
@inline
function hasGaps(k: i32, phase: i32, stride: i32): bool {
  return min(k, phase) < stride;
}

/** src/winograd.ts says the same of the taps: `serves`. */
function servedByTiles(p: ConvParams): bool {
  return p.kD == 1 && p.kW > 1 && p.kW <= MOST_TAPS && p.kW < p.points && (p.kH == p.kW || p.kH == 1);
}

/** Bands of p.band rows of the result. */
export function transposedBands(p: ConvParams): i32 {
  return (p.inH + p.band - 1) / p.band;
}

/** Bands [firstBand, lastBand), results of panels [firstPanel, lastPanel) of all groups. */
function computeBands(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, firstBand: i32, lastBand: i32, firstPanel: i32, lastPanel: i32,
  _prepared: bool,
): void {
  const inD = p.inD, inH = p.inH, inW = p.inW;
  const phaseD = p.phaseD, phaseH = p.phaseH, phaseW = p.phaseW;
  const depthwise = p.kind == TRANSPOSED_DEPTHWISE;
  const gaps = hasGaps(p.kD, phaseD, p.strideD) || hasGaps(p.kH, phaseH, p.strideH) || hasGaps(p.kW, phaseW, p.strideW);

  const sub = changetype<ConvParams>(work);
  const rest = work + ((offsetof<ConvParams>() + 15) & ~15);
  memory.copy(work, changetype<usize>(p), offsetof<ConvParams>());
  sub.inC = p.outC;
  sub.inD = p.outD;
  sub.inH = p.outH;
  sub.inW = p.outW;
  sub.outC = p.inC;
  sub.groupInC = p.groupOutC;
  sub.groupOutC = p.groupInC;
  sub.strideD = 1;
  sub.strideH = 1;
  sub.strideW = 1;
  sub.dilationD = p.dilationD / (p.strideD / phaseD);
  sub.dilationH = p.dilationH / (p.strideH / phaseH);
  sub.dilationW = p.dilationW / (p.strideW / phaseW);
  sub.band = p.innerBand;
  sub.stepW = p.strideW;
  sub.stepH = p.strideH * inW;
  sub.stepD = p.strideD * inH * inW;
  sub.stepB = inD * inH * inW;
  const pixelBytes = <usize>p.inC << 2;
  const lineBytes = <usize>(p.outW * p.outC) << 2;
  // Of one tap.
  const panelBytes = <usize>(p.groupOutC * ((p.groupInC + NR - 1) / NR) * NR * p.groups) << 2;

  for (let top = firstBand * p.band; top < min(inH, lastBand * p.band); top += p.band) {
    const bottom = min(inH, top + p.band);
    // The rows of the input that this band is the first to reach, about: all phases read them.
    if (p.batch * p.outD == 1) {
      const first = min(p.outH, top / p.strideH);
      touchLines(input + <usize>first * lineBytes, <usize>(min(p.outH, bottom / p.strideH) - first) * lineBytes);
    }
    if (gaps) fillWithBias(p, bias, output, top, bottom, firstPanel, lastPanel, true);
    let phase = weights;
    let factors = weights + <usize>p.factors;
    for (let td = 0; td < min(p.kD, phaseD); td++) {
      const firstD = firstCell(0, p.strideD, p.padD, td * p.dilationD);
      sub.kD = phaseTaps(p.kD, phaseD, td);
      sub.outD = (inD - firstD + p.strideD - 1) / p.strideD;
      sub.padD = (sub.kD - 1) * sub.dilationD - (firstD + p.padD - td * p.dilationD) / p.strideD;
      for (let th = 0; th < min(p.kH, phaseH); th++) {
        const firstH = firstCell(top, p.strideH, p.padH, th * p.dilationH);
        sub.kH = phaseTaps(p.kH, phaseH, th);
        sub.outH = (bottom - firstH + p.strideH - 1) / p.strideH;
        sub.padH = (sub.kH - 1) * sub.dilationH - (firstH + p.padH - th * p.dilationH) / p.strideH;
        for (let tw = 0; tw < min(p.kW, phaseW); tw++) {
          const firstW = firstCell(0, p.strideW, p.padW, tw * p.dilationW);
          sub.kW = phaseTaps(p.kW, phaseW, tw);
          sub.outW = (inW - firstW + p.strideW - 1) / p.strideW;
          sub.padW = (sub.kW - 1) * sub.dilationW - (firstW + p.padW - tw * p.dilationW) / p.strideW;
          const taps = sub.kD * sub.kH * sub.kW;
          const tiled = p.points > 0 && servedByTiles(sub);
          if (firstD < inD && firstH < bottom && firstW < inW) {
            const place = output + <usize>((firstD * inH + firstH) * inW + firstW) * pixelBytes;
            if (depthwise) {
              depthwiseChannelsLast(0, -1, -1, rest, sub, input, phase, bias, place);
            } else {
              sub.weightStride = taps * p.groupOutC * NR;
              sub.factors = <i32>(factors - phase);
              if (tiled) tilePanels(sub, input, phase, bias, place, rest, firstPanel, lastPanel, false);
              else sumPanels(sub, input, phase, bias, place, rest, firstPanel, lastPanel);
            }
          }
          if (tiled) factors += <usize>((sub.kH > 1 ? p.points : 1) * p.points) * panelBytes;
          phase += depthwise ? <usize>(taps * p.weightStride) << 2 : <usize>taps * panelBytes;
        }
      }
    }
  }
}

/** The whole result, panels [firstPanel, lastPanel) of all groups. */
export function transposedPanels(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, firstPanel: i32, lastPanel: i32,
): void {
  computeBands(p, input, weights, bias, output, work, 0, transposedBands(p), firstPanel, lastPanel, false);
}

export function convTransposed(first: i32, last: i32, before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize): void {
  if (!ASC_NO_ASSERT) assert(p.taskPanels == 0 || (p.shuffle == 1 && p.kind != TRANSPOSED_DEPTHWISE), "transposed: channels that cannot be parted");
  runTasks(computeBands, transposedBands(p), panelsOf(p.groups, p.groupInC), first, last, before, work, p, input, weights, bias, output);
}
