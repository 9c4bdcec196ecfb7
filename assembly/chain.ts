/**
 * Convolutions one after the other, in strips of rows: what a step gives stays in the cache for the next, and is never written out whole.
 *
 *   records  one ConvParams for each step, `recordBytes` apart, as for one call of that step over the whole image, in two dimensions
 *   packed   for each step its bias, and p.biasBytes behind it its weights; p.packedBytes to the next step
 *   input [batch, inH, inW, inC] of the first step · output that of the last, or both channels first. Nothing overlaps.
 *   tasks: [image][strip]
 *   work: the record of a step in its strip | the rows that the first step reads, where their layout changes | a strip for each step but the last |
 *   one for the last where its layout changes | work of the steps; the strips sized by src/chain.ts, p.stripBytes of each step being those of its result.
 *
 * A strip is `band` rows of the final result. Steps before it compute the rows that it needs, so those at the seam are computed twice.
 */
import { gather, scatter } from "./channels-first";
import { sumPanels } from "./conv-channels-last";
import { depthwiseChannelsLast } from "./depthwise-channels-last";
import { DEPTHWISE } from "./kinds";
import { ConvParams } from "./params";
import { panelsOf } from "./tasks";

/** First input row of output row `oh`, kept inside. */
// @ts-ignore: decorator
@inline
function inputRow(p: ConvParams, oh: i32): i32 {
  return min(p.inH, max(0, oh * p.strideH - p.padH));
}

/** Behind the last input row of output row `oh`, kept inside. */
// @ts-ignore: decorator
@inline
function behindRow(p: ConvParams, oh: i32): i32 {
  return min(p.inH, max(0, oh * p.strideH - p.padH + (p.kH - 1) * p.dilationH + 1));
}

/** Where the record of step `n` is. */
// @ts-ignore: decorator
@inline
function stepAt(records: usize, recordBytes: i32, n: i32): ConvParams {
  return changetype<ConvParams>(records + <usize>(n * recordBytes));
}

/** Output rows [top, bottom) of one step of one image, whose input rows from `inTop` on are at `input`. */
function runStep(p: ConvParams, top: i32, bottom: i32, inTop: i32, inBottom: i32, input: usize, packed: usize, output: usize, work: usize, rest: usize): void {
  const sub = changetype<ConvParams>(work);
  memory.copy(work, changetype<usize>(p), offsetof<ConvParams>());
  sub.batch = 1;
  sub.inH = inBottom - inTop;
  sub.padH = inTop - (top * p.strideH - p.padH);
  sub.outH = bottom - top;
  sub.stepD = sub.outH * p.outW;
  sub.stepB = sub.stepD;
  const weights = packed + p.biasBytes;
  if (p.kind == DEPTHWISE) depthwiseChannelsLast(0, -1, -1, rest, sub, input, weights, packed, output);
  else sumPanels(sub, input, weights, packed, output, rest, 0, panelsOf(sub.groups, sub.groupOutC));
}

/** Output rows [top, bottom) of step `n`, and of those before it as many as they need. Its result lies at `output`. */
function runSteps(
  records: usize, recordBytes: i32, n: i32, top: i32, bottom: i32, image: usize, imageTop: i32, packed: usize, output: usize, work: usize,
  strips: usize, rest: usize,
): void {
  const p = stepAt(records, recordBytes, n);
  const inTop = inputRow(p, top), inBottom = behindRow(p, bottom - 1);
  let weights = packed;
  let strip = strips;
  for (let i = 0; i < n; i++) {
    const before = stepAt(records, recordBytes, i);
    weights += <usize>before.packedBytes;
    if (i < n - 1) strip += <usize>before.stripBytes;
  }
  if (n == 0) {
    runStep(p, top, bottom, inTop, inBottom, image + (<usize>((inTop - imageTop) * p.inW * p.inC) << 2), weights, output, work, rest);
    return;
  }
  if (inTop < inBottom) runSteps(records, recordBytes, n - 1, inTop, inBottom, image, imageTop, packed, strip, work, strips, rest);
  runStep(p, top, bottom, inTop, inBottom, strip, weights, output, work, rest);
}

export function chain(
  first: i32, last: i32, _before: i32, work: usize, records: usize, recordBytes: i32, steps: i32, band: i32, channelsLast: i32, input: usize, packed: usize,
  output: usize,
): void {
  if (!ASC_NO_ASSERT) assert(band >= 1 && steps >= 1, "chain: an empty strip");
  const begin = stepAt(records, recordBytes, 0);
  const end = stepAt(records, recordBytes, steps - 1);
  const inH = begin.inH, inW = begin.inW, inC = begin.inC, outH = end.outH, outW = end.outW, outC = end.outC;
  const gathered = work + ((offsetof<ConvParams>() + 15) & ~15);
  const strips = gathered + begin.gatheredBytes;
  let computed = strips;
  for (let i = 0; i < steps - 1; i++) computed += <usize>stepAt(records, recordBytes, i).stripBytes;
  const rest = computed + (channelsLast != 0 ? 0 : <usize>end.stripBytes);
  const cut = (outH + band - 1) / band;
  if (!ASC_NO_ASSERT) assert(first >= 0 && last <= begin.batch * cut, "chain: no such strip");
  for (let task = first; task < last; task++) {
    const b = task / cut;
    const oh = (task - b * cut) * band;
    const behind = min(outH, oh + band);
    const image = input + (<usize>(b * inH * inW * inC) << 2);
    const result = output + (<usize>(b * outH * outW * outC) << 2);
    if (channelsLast != 0) {
      runSteps(records, recordBytes, steps - 1, oh, behind, image, 0, packed, result + (<usize>(oh * outW * outC) << 2), work, strips, rest);
      continue;
    }
    let top = oh, bottom = behind;
    for (let i = steps - 1; i >= 0; i--) {
      const p = stepAt(records, recordBytes, i);
      if (top < bottom) {
        bottom = behindRow(p, bottom - 1);
        top = inputRow(p, top);
      }
    }
    if (top < bottom) gather(inC, 1, inH, inW, image, 1, 0, 1, top, bottom - top, 0, inW, gathered, <usize>inC << 2);
    runSteps(records, recordBytes, steps - 1, oh, behind, gathered, top, packed, computed, work, strips, rest);
    // The last step has shuffled its channels already.
    scatter(outC, 1, outH, outW, computed, 1, 0, 1, oh, behind - oh, 0, outW, result, 1, 0, outC);
  }
}
