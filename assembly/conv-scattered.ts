/**
 * Transposed convolution, channels-last, tap by tap: a GEMM gives what every pixel sends through that tap, which is then added where it falls. Each
 * product is needed, also at the border, where phases (conv-transposed.ts) multiply zeros: it serves images that are small beside their kernel.
 *
 *   p, input, weights, bias, output as for conv-transposed.ts
 *   work: the record of the GEMM | zeros for its bias | its result [pixel][inC] | its work; sized in src/plan-transposed.ts.
 *   tasks: parts of the panels
 */
import { activateRuns, CLAMP } from "./activation";
import { fillWithBias } from "./bias";
import { NR } from "./blocks";
import { sumPanels } from "./conv-channels-last";
import { phaseTaps } from "./pack";
import { ConvParams } from "./params";
import { addFloats, zeroFloats } from "./simd";
import { channelOf, panelsOf, runTasks } from "./tasks";

/** What the pixels of one tap sent, channels [begin, end), to the cells where it falls. */
function addTap(p: ConvParams, sent: usize, output: usize, kd: i32, kh: i32, kw: i32, begin: i32, end: i32): void {
  const inD = p.inD, inH = p.inH, inW = p.inW, outD = p.outD, outH = p.outH, outW = p.outW;
  const strideW = p.strideW;
  const pixelBytes = <usize>p.inC << 2;
  output += <usize>begin << 2;
  sent += <usize>begin << 2;
  for (let b = 0; b < p.batch; b++) {
    for (let od = 0; od < outD; od++) {
      const id = od * p.strideD + kd * p.dilationD - p.padD;
      for (let oh = 0; oh < outH; oh++) {
        const ih = oh * p.strideH + kh * p.dilationH - p.padH;
        if (<u32>id < <u32>inD && <u32>ih < <u32>inH) {
          const line = output + <usize>((b * inD + id) * inH + ih) * <usize>inW * pixelBytes;
          let iw = kw * p.dilationW - p.padW;
          let from = sent;
          for (let ow = 0; ow < outW; ow++) {
            if (<u32>iw < <u32>inW) addFloats(line + <usize>iw * pixelBytes, from, end - begin);
            iw += strideW;
            from += pixelBytes;
          }
        }
        sent += <usize>outW * pixelBytes;
      }
    }
  }
}

/** The whole result, panels [firstPanel, lastPanel) of all groups. */
export function scatterPanels(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, firstPanel: i32, lastPanel: i32,
): void {
  const pixels = p.batch * p.outD * p.outH * p.outW;
  const N = p.groupInC, K = p.groupOutC;
  const panels = (N + NR - 1) / NR;
  const begin = channelOf(firstPanel, N), end = channelOf(lastPanel, N);
  const gemm = changetype<ConvParams>(work);
  const zeros = work + ((offsetof<ConvParams>() + 15) & ~15);
  const zeroCells = p.groups * panels * NR;
  const sent = zeros + (<usize>zeroCells << 2);
  const rest = sent + (<usize>(pixels * p.inC) << 2);
  memory.copy(work, changetype<usize>(p), offsetof<ConvParams>());
  gemm.batch = 1;
  gemm.inC = p.outC;
  gemm.inD = gemm.inH = gemm.outD = gemm.outH = 1;
  gemm.inW = gemm.outW = pixels;
  gemm.outC = p.inC;
  gemm.groupInC = K;
  gemm.groupOutC = N;
  gemm.kD = gemm.kH = gemm.kW = 1;
  gemm.strideD = gemm.strideH = gemm.strideW = 1;
  gemm.dilationD = gemm.dilationH = gemm.dilationW = 1;
  gemm.padD = gemm.padH = gemm.padW = 0;
  gemm.stepW = 1;
  gemm.stepH = gemm.stepD = gemm.stepB = pixels;
  gemm.activation = CLAMP;
  gemm.low = -f32.MAX_VALUE * 2;
  gemm.high = f32.MAX_VALUE * 2;
  zeroFloats(zeros, zeroCells);
  fillWithBias(p, bias, output, 0, p.inH, firstPanel, lastPanel, false);

  let phase = weights;
  for (let td = 0; td < min(p.kD, p.phaseD); td++) {
    const nD = phaseTaps(p.kD, p.phaseD, td);
    for (let th = 0; th < min(p.kH, p.phaseH); th++) {
      const nH = phaseTaps(p.kH, p.phaseH, th);
      for (let tw = 0; tw < min(p.kW, p.phaseW); tw++) {
        const nW = phaseTaps(p.kW, p.phaseW, tw);
        const taps = nD * nH * nW;
        gemm.weightStride = taps * K * NR;
        for (let n = 0; n < taps; n++) {
          sumPanels(gemm, input, phase + (<usize>(n * K * NR) << 2), zeros, sent, rest, firstPanel, lastPanel);
          // Packed last first.
          const d = nD - 1 - n / (nH * nW), h = nH - 1 - (n / nW) % nH, w = nW - 1 - n % nW;
          addTap(p, sent, output, td + d * p.phaseD, th + h * p.phaseH, tw + w * p.phaseW, begin, end);
        }
        phase += <usize>(taps * K * panels * NR * p.groups) << 2;
      }
    }
  }
  const cells = p.batch * p.inD * p.inH * p.inW;
  activateRuns(p, cells, output + (<usize>begin << 2), <usize>p.inC << 2, <usize>(end - begin) << 2);
}

function computeAll(
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, _first: i32, _last: i32, from: i32, to: i32,
  _prepared: bool,
): void {
  scatterPanels(p, input, weights, bias, output, work, from, to);
}

export function convScattered(first: i32, last: i32, before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize): void {
  if (!ASC_NO_ASSERT) assert(p.shuffle == 1 || p.taskPanels == 0, "scattered: results that are shuffled, in parts");
  runTasks(computeAll, 1, panelsOf(p.groups, p.groupInC), first, last, before, work, p, input, weights, bias, output);
}
