/**
 * What is done channel by channel, on tensors [outer][channels][inner]; channels-last has inner = 1.
 *
 *   tasks: of the shuffle, planes [outer][channel], or SHUFFLED_PIXELS pixels each where inner = 1; of the sums, channels, or lines of them where inner = 1
 */
import { LINE_CHANNELS, SHUFFLED_PIXELS } from "./blocks";
import { shuffledChannel } from "./gemm";
import { copyFloats } from "./simd";
import { shufflePixels } from "./transpose";

/** Values summed in float32 before they are added to a float64: a long sum rounds no more than a short one. */
const CHUNK = 1024;

/** output[…][shuffled channel][…] = input[…][channel][…] */
export function channelShuffle(
  first: i32, last: i32, _before: i32, _work: usize, outer: i32, channels: i32, inner: i32, groups: i32, input: usize, output: usize,
): void {
  const pixelBytes = <usize>channels << 2;
  if (inner == 1) {
    if (!ASC_NO_ASSERT) assert(first >= 0 && last <= (outer + SHUFFLED_PIXELS - 1) / SHUFFLED_PIXELS, "channel shuffle: no such pixels");
    const pixel = first * SHUFFLED_PIXELS;
    const at = <usize>pixel * pixelBytes;
    shufflePixels(input + at, min(outer, last * SHUFFLED_PIXELS) - pixel, channels, groups, output + at, pixelBytes);
    return;
  }
  if (!ASC_NO_ASSERT) assert(first >= 0 && last <= outer * channels, "channel shuffle: no such plane");
  const innerBytes = <usize>inner << 2;
  const o = first / channels;
  let c = first - o * channels;
  input += <usize>first * innerBytes;
  output += <usize>o * (pixelBytes * inner);
  for (let n = first; n < last; n++) {
    copyFloats(output + <usize>shuffledChannel(c, channels, groups) * innerBytes, input, inner);
    input += innerBytes;
    if (++c < channels) continue;
    c = 0;
    output += pixelBytes * inner;
  }
}

/** Σ of `n` neighbours. */
function sumFloats(from: usize, n: i32): f64 {
  let total: f64 = 0;
  while (n > 0) {
    let count = min(n, CHUNK);
    n -= count;
    let acc0 = f32x4.splat(0), acc1 = acc0;
    for (; count >= 8; count -= 8) {
      acc0 = f32x4.add(acc0, v128.load(from));
      acc1 = f32x4.add(acc1, v128.load(from, 16));
      from += 32;
    }
    acc0 = f32x4.add(acc0, acc1);
    let sum = <f64>f32x4.extract_lane(acc0, 0) + <f64>f32x4.extract_lane(acc0, 1) + <f64>f32x4.extract_lane(acc0, 2) + <f64>f32x4.extract_lane(acc0, 3);
    for (; count > 0; count--) {
      sum += <f64>load<f32>(from);
      from += 4;
    }
    total += sum;
  }
  return total;
}

/** output[c] = Σ_outer,inner input[outer][c][inner]. work: a float64 for each channel of the tasks. */
export function channelSums(first: i32, last: i32, _before: i32, work: usize, outer: i32, channels: i32, inner: i32, input: usize, output: usize): void {
  // Pixels are read by whole cache lines.
  const each = inner > 1 ? 1 : LINE_CHANNELS;
  if (!ASC_NO_ASSERT) assert(first >= 0 && last <= (channels + each - 1) / each, "channel sums: no such channels");
  const channel = first * each;
  const count = min(channels, last * each) - channel;
  const rowBytes = <usize>(channels * inner) << 2;
  input += <usize>(channel * inner) << 2;
  output += <usize>channel << 2;
  for (let c = 0; c < count; c++) store<f64>(work + (<usize>c << 3), 0);
  if (inner > 1) {
    for (; outer != 0; outer--) {
      let plane = input;
      for (let c = 0; c < count; c++) {
        const total = work + (<usize>c << 3);
        store<f64>(total, load<f64>(total) + sumFloats(plane, inner));
        plane += <usize>inner << 2;
      }
      input += rowBytes;
    }
  } else {
    while (outer > 0) {
      const rows = min(outer, 64);
      for (let c = 0; c < count; c += 4) {
        const total = work + (<usize>c << 3);
        let from = input + (<usize>c << 2);
        if (c + 4 <= count) {
          let acc = f32x4.splat(0);
          for (let r = rows; r != 0; r--) {
            acc = f32x4.add(acc, v128.load(from));
            from += rowBytes;
          }
          v128.store(total, f64x2.add(v128.load(total), f64x2.promote_low_f32x4(acc)));
          const high = i32x4.shuffle(acc, acc, 2, 3, 2, 3);
          v128.store(total, f64x2.add(v128.load(total, 16), f64x2.promote_low_f32x4(high)), 16);
        } else {
          for (let i = 0; i < count - c; i++) {
            let cell = from + (<usize>i << 2);
            let sum: f64 = 0;
            for (let r = rows; r != 0; r--) {
              sum += <f64>load<f32>(cell);
              cell += rowBytes;
            }
            const at = total + (<usize>i << 3);
            store<f64>(at, load<f64>(at) + sum);
          }
        }
      }
      input += <usize>rows * rowBytes;
      outer -= rows;
    }
  }
  for (let c = 0; c < count; c++) store<f32>(output + (<usize>c << 2), <f32>load<f64>(work + (<usize>c << 3)));
}
