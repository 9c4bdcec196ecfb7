/**
 * Depthwise convolution, channels-last:
 *
 *   output[b][oh][ow][oc] = activation(bias[oc] + Σ_kh,kw weight[oc][kh][kw] · input[b][oh·strideH + kh·dilationH − padH][…][oc / multiplier])
 *
 *   input [batch, inH, inW, inC] · output [batch, outH, outW, outC] · weights from packTaps · bias zero-padded to whole vectors
 *   tasks: [image][band]
 *   work: a Grid | where the image is read in place what depthwise-down.ts copies | where channels are shuffled one band of results | where the image is not read in place one band of one block of channels; sized in
 *   src/bands.ts. Nothing overlaps.
 *
 * Where every output channel is fed by the input channel of the same index, the image is read in place: the inside in strips along the rows,
 * the columns that the border cuts in strips down, each with the taps that are left, and corners one by one. In bands of p.band rows, so
 * that the columns find what the rows have just read, and in blocks of channels, so that weights are not read anew for every few pixels. Rows of eight channels
 * or more, under up to three rows of three columns, without a stride along them, are summed with their border where that cuts a column at most on either side: no column is left for strips
 * down.
 *
 * Of 3×3 most such layers go down the columns instead, with their border as well: see depthwise-down.ts.
 *
 * Less than a vector of channels have depthwise-narrow.ts, with work of its own. Else a band is copied with its zeros, at most CHANNELS channels at a time, into [row][column]
 * [channels], every input channel as often as it feeds an output, and the band is all inside.
 *
 * Weights, bias and sums come in the order of the channels. A shuffle takes the results from the cache, band by band, to their places.
 */
import { CLAMP } from "./activation";
import { CHANNELS, COPY_BYTES, SKEW, WEIGHT_BYTES } from "./blocks";
import { downRows, rowsDown } from "./depthwise-down";
import { Grid } from "./depthwise-grid";
import { narrow } from "./depthwise-narrow";
import { strip, wholeRow } from "./depthwise-strip";
import { ConvParams } from "./params";
import { zeroFloats } from "./simd";
import { behindTasks } from "./tasks";
import { shufflePixels } from "./transpose";

/** `columns` pixels, spread to output channels [channel, channel + count). */
function spreadPixels(p: ConvParams, from: usize, columns: i32, channel: i32, count: i32, to: usize, cellBytes: usize): void {
  const multiplier = p.outC / p.inC;
  const pixelBytes = <usize>p.inC << 2;
  // Four neighbours that one channel feeds are one vector.
  const fours = (multiplier & 3) == 0;
  for (let c = 0; c < count; c += fours ? 4 : 1) {
    const ic = (channel + c) / multiplier;
    let pixel = from + (<usize>ic << 2);
    let cell = to + (<usize>c << 2);
    if (fours) {
      for (let n = columns; n != 0; n--) {
        v128.store(cell, v128.load32_splat(pixel));
        pixel += pixelBytes;
        cell += cellBytes;
      }
    } else {
      for (let n = columns; n != 0; n--) {
        store<f32>(cell, load<f32>(pixel));
        pixel += pixelBytes;
        cell += cellBytes;
      }
    }
  }
}

/** Padded image rows [row, row + rows) of one block of channels. Margins were zeroed once and stay so. */
function spreadBand(p: ConvParams, image: usize, row: i32, rows: i32, channel: i32, count: i32, to: usize, rowBytes: usize, cellBytes: usize): void {
  const pixelBytes = <usize>p.inC << 2;
  // Cells behind the last tap of the last output are not wanted.
  const reach = (p.outW - 1) * p.strideW + (p.kW - 1) * p.dilationW + 1 - p.padW;
  const first = max(0, -p.padW);
  const columns = max(0, min(p.inW, reach) - first);
  const margin = <usize>max(0, p.padW) * cellBytes;
  for (let r = 0; r < rows; r++) {
    const ih = row + r - p.padH;
    if (<u32>ih < <u32>p.inH) spreadPixels(p, image + <usize>(ih * p.inW + first) * pixelBytes, columns, channel, count, to + margin, cellBytes);
    else zeroFloats(to, <i32>(rowBytes >> 2));
    to += rowBytes;
  }
}

/** Bytes of one band of results that are to be shuffled. */
function collectedBytes(p: ConvParams): usize {
  return p.shuffle != 1 ? <usize>(min(p.band, p.outH) * p.outW * p.outC) << 2 : 0;
}

/** Rows [band, end) of image `b`, from where they lie side by side, each result to its place. */
function shuffleBand(p: ConvParams, from: usize, b: i32, band: i32, end: i32, output: usize): void {
  const outW = p.outW, channels = p.outC, shuffle = p.shuffle;
  const pixelBytes = <usize>channels << 2;
  const resultBytes = pixelBytes * <usize>p.stepW;
  for (let oh = band; oh < end; oh++) {
    shufflePixels(from, outW, channels, shuffle, output + <usize>(b * p.stepB + oh * p.stepH) * pixelBytes, resultBytes);
    from += <usize>outW * pixelBytes;
  }
}

/** Bands of an image. */
function bandsOf(p: ConvParams): i32 {
  return (p.outH + p.band - 1) / p.band;
}

/** Bands of copied channels, all of them inside. */
function spread(first: i32, last: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, grid: Grid, collected: usize): void {
  const rows = collected + collectedBytes(p);
  const shuffled = p.shuffle != 1;
  const outH = p.outH, outW = p.outW, outC = p.outC;
  const bands = bandsOf(p);
  const reachH = (p.kH - 1) * p.dilationH + 1;
  const columns = (outW - 1) * p.strideW + (p.kW - 1) * p.dilationW + 1;
  const cellBytes = <usize>min(CHANNELS, p.weightStride) << 2;
  const rowBytes = <usize>columns * cellBytes + (SKEW << 2);
  const tapBytes = <usize>p.weightStride << 2;
  const toStep = <usize>(shuffled ? outC : p.stepW * outC) << 2;
  grid.outer = p.kH;
  grid.outerStep = <usize>p.dilationH * rowBytes;
  grid.outerWeights = <usize>p.kW * tapBytes;
  grid.inner = p.kW;
  grid.innerStep = <usize>p.dilationW * cellBytes;
  grid.innerWeights = tapBytes;
  zeroFloats(rows, <i32>(<usize>((min(p.band, outH) - 1) * p.strideH + reachH) * rowBytes >> 2));

  for (let task = first; task < last; task++) {
    const b = task / bands;
    const band = (task - b * bands) * p.band;
    const end = min(outH, band + p.band);
    const image = input + (<usize>(b * p.inH * p.inW * p.inC) << 2);
    for (let channel = 0; channel < outC; channel += CHANNELS) {
      const count = min(CHANNELS, outC - channel);
      const at = <usize>channel << 2;
      spreadBand(p, image, band * p.strideH, (end - band - 1) * p.strideH + reachH, channel, count, rows, rowBytes, cellBytes);
      let from = rows;
      for (let oh = band; oh < end; oh++) {
        const to = (shuffled ? collected + (<usize>((oh - band) * outW * outC) << 2) : output + (<usize>((b * p.stepB + oh * p.stepH) * outC) << 2)) + at;
        strip(p, outW, from, cellBytes * <usize>p.strideW, to, toStep, count, grid, weights + at, bias + at);
        from += rowBytes * <usize>p.strideH;
      }
    }
    if (shuffled) shuffleBand(p, collected, b, band, end, output);
  }
}

/** First output whose window begins inside. */
function insideFrom(stride: i32, pad: i32, out: i32): i32 {
  return pad <= 0 ? 0 : min(out, (pad + stride - 1) / stride);
}

/** Behind the last output whose window ends inside; never before `from`. */
function insideTo(stride: i32, reach: i32, pad: i32, size: i32, out: i32, from: i32): i32 {
  const room = size + pad - 1 - reach;
  return max(from, room < 0 ? 0 : min(out, room / stride + 1));
}

/** First tap of the window beginning at `at` that is inside. */
function firstTap(at: i32, dilation: i32, taps: i32): i32 {
  return at >= 0 ? 0 : min(taps, (dilation - 1 - at) / dilation);
}

/** Behind the last tap inside; never before `first`. */
function behindTaps(at: i32, dilation: i32, taps: i32, size: i32, first: i32): i32 {
  return at >= size ? first : max(first, min(taps, (size - 1 - at) / dilation + 1));
}

/**
 * Channels that go over a band before the next do: so many that their weights stay in L1 beside the image. Blocks of one size, of whole eights. Up to nine taps
 * have few weights, and pixels of which less than four in a run are inside use them once or twice: both gain more from long runs of channels.
 */
function blockOf(channels: i32, taps: i32, run: i32): i32 {
  if (taps <= 9 || run < 4) return channels;
  const most = max(1, WEIGHT_BYTES / (taps << 2));
  const blocks = (channels + most - 1) / most;
  return min(channels, ((channels + blocks - 1) / blocks + 7) & ~7);
}

/** The image where it lies: rows of the inside and the corners, then the columns that the border cuts. */
function inPlace(
  first: i32, last: i32, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, grid: Grid, collected: usize,
): void {
  const bands = bandsOf(p);
  const inH = p.inH, inW = p.inW, outH = p.outH, outW = p.outW, channels = p.outC;
  const kH = p.kH, kW = p.kW, strideH = p.strideH, strideW = p.strideW, dilationH = p.dilationH, dilationW = p.dilationW;
  const pixelBytes = <usize>channels << 2;
  const rowBytes = pixelBytes * <usize>inW;
  const shuffled = p.shuffle != 1;
  const resultBytes = shuffled ? pixelBytes : pixelBytes * <usize>p.stepW;
  const outRowBytes = pixelBytes * <usize>(shuffled ? outW : p.stepH);
  const tapBytes = <usize>p.weightStride << 2;
  const top = insideFrom(strideH, p.padH, outH);
  const bottom = insideTo(strideH, (kH - 1) * dilationH, p.padH, inH, outH, top);
  // Rows under three columns begin and end where the border leaves the middle one.
  const rowsFirst = kH <= 3 && kW == 3 && strideW == 1 && channels >= 8;
  const beside = rowsFirst ? dilationW : 0;
  const left = insideFrom(strideW, p.padW - beside, outW);
  const right = insideTo(strideW, (kW - 1) * dilationW - beside, p.padW, inW, outW, left);

  const down = rowsFirst && kH == 3 && strideH == 1 ? rowsDown(p) : 0;
  grid.innerWeights = tapBytes;
  const block = blockOf(channels, kH * kW, right - left);

  for (let task = first; task < last; task++) {
    const b = task / bands;
    const band = (task - b * bands) * p.band;
    let end = min(outH, band + p.band);
    const image = input + <usize>(b * inH) * rowBytes;
    const results = shuffled ? collected - <usize>band * outRowBytes : output + <usize>(b * p.stepB) * pixelBytes;

    if (down != 0) {
      if (!shuffled) {
        // Bands of the same image at once.
        const more = min(last, (b + 1) * bands) - 1 - task;
        task += more;
        end = min(outH, end + more * p.band);
      }
      downRows(p, band, end, down, image, results, resultBytes, outRowBytes, grid, weights, bias);
    }
    for (let next = down != 0 ? channels : 0; next < channels; next += block) {
      // The last block ends with the channels, and sums some of them a second time.
      const c = min(next, channels - block);
      const begin = <usize>c << 2;
      // Rows: the inside of each, and the cut columns of rows that are cut themselves.
      for (let oh = band; oh < end; oh++) {
        const y = oh * strideH - p.padH;
        const kh = firstTap(y, dilationH, kH);
        const line = image + begin + <usize>(y + kh * dilationH) * rowBytes;
        const to = results + begin + <usize>oh * outRowBytes;
        const inside = oh >= top && oh < bottom;
        grid.outer = behindTaps(y, dilationH, kH, inH, kh) - kh;
        grid.outerStep = <usize>dilationH * rowBytes;
        grid.outerWeights = <usize>kW * tapBytes;
        grid.innerStep = <usize>dilationW * pixelBytes;
        grid.innerWeights = tapBytes;
        for (let ow = 0; ow < outW; ow++) {
          const whole = ow == left && left < right;
          if (!whole && inside && !rowsFirst) {
            // Done below, as part of a column.
            continue;
          }
          const x = ow * strideW - p.padW;
          const result = to + <usize>ow * resultBytes;
          if (whole && rowsFirst) {
            const tap = weights + begin + <usize>(kh * kW) * tapBytes, lacking = inW - dilationW - x - dilationW;
            wholeRow(p, right - ow, dilationW, -x, lacking, line + <usize>x * pixelBytes, pixelBytes, result, resultBytes, block, grid, tap, bias + begin);
          } else {
            const kw = firstTap(x, dilationW, kW);
            grid.inner = behindTaps(x, dilationW, kW, inW, kw) - kw;
            const source = line + <usize>(x + kw * dilationW) * pixelBytes, step = <usize>strideW * pixelBytes;
            const tap = weights + begin + <usize>(kh * kW + kw) * tapBytes;
            strip(p, whole ? right - left : 1, source, step, result, resultBytes, block, grid, tap, bias + begin);
          }
          if (whole) ow = right - 1;
        }
      }

      // Columns cut by the border, down the rows that are not.
      const from = max(band, top);
      const count = min(end, bottom) - from;
      const line = image + begin + <usize>(from * strideH - p.padH) * rowBytes;
      const to = results + begin + <usize>from * outRowBytes;
      const step = <usize>strideH * rowBytes;
      grid.outerStep = <usize>dilationW * pixelBytes;
      grid.outerWeights = tapBytes;
      grid.inner = kH;
      grid.innerStep = <usize>dilationH * rowBytes;
      grid.innerWeights = <usize>kW * tapBytes;
      for (let ow = count > 0 && !rowsFirst ? 0 : outW; ow < outW; ow++) {
        if (ow == left) {
          ow = right;
          if (ow >= outW) break;
        }
        const x = ow * strideW - p.padW;
        const kw = firstTap(x, dilationW, kW);
        grid.outer = behindTaps(x, dilationW, kW, inW, kw) - kw;
        const source = line + <usize>(x + kw * dilationW) * pixelBytes;
        strip(p, count, source, step, to + <usize>ow * resultBytes, outRowBytes, block, grid, weights + begin + <usize>kw * tapBytes, bias + begin);
      }
    }
    if (shuffled) shuffleBand(p, collected, b, band, end, output);
  }
}

/** How many tasks there are. */
function depthwiseTasks(p: ConvParams): i32 {
  return p.batch * bandsOf(p);
}

export function depthwiseChannelsLast(
  first: i32, last: i32, _before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize, output: usize,
): void {
  if (!ASC_NO_ASSERT) assert(first >= 0);
  last = behindTasks(last, depthwiseTasks(p));
  if (!ASC_NO_ASSERT) assert(p.inD == 1 && p.outD == 1 && p.kD == 1, "depthwise: two dimensions");
  if (!ASC_NO_ASSERT) assert(p.band >= 1, "depthwise: an empty band");
  if (!ASC_NO_ASSERT) assert(p.inPlace == 0 || (p.inC == p.outC && p.inC >= 4), "depthwise: channels that cannot be read in place");
  const grid = changetype<Grid>(work);
  const clamped = p.activation == CLAMP;
  grid.low = clamped ? p.low : -Infinity;
  grid.high = clamped ? p.high : Infinity;
  if (p.outC < 4) narrow(first, last, p, bandsOf(p), input, weights, bias, output, grid, work + offsetof<Grid>());
  else if (p.inPlace != 0) inPlace(first, last, p, input, weights, bias, output, grid, work + offsetof<Grid>() + COPY_BYTES * <usize>p.inC);
  else spread(first, last, p, input, weights, bias, output, grid, work + offsetof<Grid>());
}
