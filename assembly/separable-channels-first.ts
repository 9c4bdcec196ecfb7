/**
 * Depthwise, then pointwise, channels first, in strips of rows: no layout changes, and what lies between is never written out whole.
 *
 *   records  two ConvParams `recordBytes` apart: the depthwise step as for one call of it, and the pointwise one
 *   packed   what the depthwise step packs | rows of the pointwise step's weights, as pointwise-channels-first.ts has them
 *   input [batch, inC, inH, inW] · output [batch, outC, outH, outW]. Nothing overlaps.
 *   tasks: [image][strip]
 *   work: record of a plane | what pointwise-channels-first.ts takes | a strip, [inC][p.stripBytes of the depthwise step] | work of the depthwise
 *   kernel; sized in src/separable.ts
 *
 * A strip is the image of the pointwise step, q.band pixels of it at a time.
 */
import { depthwiseChannelsFirst } from "./depthwise-channels-first";
import { ConvParams } from "./params";
import { blockWorkBytes, pointwiseBlock } from "./pointwise-channels-first";

/** Rows [top, bottom) of the depthwise step of image `b`, each plane `stripBytes` behind the last. */
function depthwiseRows(p: ConvParams, input: usize, b: i32, top: i32, bottom: i32, packed: usize, strip: usize, record: usize, rest: usize): void {
  const inH = p.inH, inW = p.inW, outC = p.outC, strideH = p.strideH, padH = p.padH;
  const multiplier = outC / p.inC;
  const first = top * strideH - padH;
  const inTop = min(inH, max(0, first));
  const inBottom = min(inH, max(inTop, (bottom - 1) * strideH - padH + (p.kH - 1) * p.dilationH + 1));
  const planeBytes = <usize>(inH * inW) << 2;
  const sub = changetype<ConvParams>(record);
  memory.copy(record, changetype<usize>(p), offsetof<ConvParams>());
  sub.batch = 1;
  sub.inC = 1;
  sub.outC = 1;
  sub.inH = inBottom - inTop;
  sub.padH = inTop - first;
  sub.outH = bottom - top;
  // In place takes two rows of each phase of the dilation at least.
  if (bottom - top < 2 * p.dilationH) sub.inPlace = 0;
  const weights = packed + p.biasBytes;
  const image = input + <usize>(b * p.inC) * planeBytes + (<usize>(inTop * inW) << 2);
  for (let c = 0; c < outC; c++) {
    const from = image + <usize>(c / multiplier) * planeBytes;
    depthwiseChannelsFirst(0, -1, -1, rest, sub, from, weights + (<usize>(c * p.weightStride) << 2), packed + (<usize>c << 2), strip);
    strip += <usize>p.stripBytes;
  }
}

export function separableChannelsFirst(
  first: i32, last: i32, _before: i32, work: usize, records: usize, recordBytes: i32, band: i32, input: usize, packed: usize, output: usize,
): void {
  if (!ASC_NO_ASSERT) assert(band >= 1, "separable: an empty strip");
  const p = changetype<ConvParams>(records);
  const q = changetype<ConvParams>(records + <usize>recordBytes);
  const inC = q.inC, outC = q.outC, outH = p.outH, outW = p.outW;
  const planeBytes = <usize>(outH * outW) << 2;
  const stripBytes = <usize>p.stripBytes;
  const rows = packed + p.packedBytes;
  const panels = work + ((offsetof<ConvParams>() + 15) & ~15);
  const strip = panels + blockWorkBytes(q.weightStride, q.band);
  const rest = strip + <usize>inC * stripBytes;
  const strips = (outH + band - 1) / band;
  if (!ASC_NO_ASSERT) assert(first >= 0 && last <= p.batch * strips, "separable: no such strip");
  for (let task = first; task < last; task++) {
    const b = task / strips;
    const oh = (task - b * strips) * band;
    const end = min(outH, oh + band);
    const pixels = (end - oh) * outW;
    depthwiseRows(p, input, b, oh, end, packed, strip, work, rest);
    const place = output + <usize>(b * outC) * planeBytes + (<usize>(oh * outW) << 2);
    for (let pixel = 0; pixel < pixels; pixel += q.band) {
      pointwiseBlock(q, pixel, min(q.band, pixels - pixel), strip, stripBytes, rows, place, planeBytes, panels, 0, outC, false);
    }
  }
}
