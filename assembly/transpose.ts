/**
 * Pixels between [channel][pixel] and [pixel][channel], four channels × four pixels at a time.
 *
 * The last block of each direction ends with the row or with the channels, and moves some cells again. PLANES are walked from end to end before the next,
 * so that the processor sees where they go and fetches ahead: they come from L3 or from farther.
 */
import { shuffledChannel } from "./gemm";

/** Planes that are walked together. */
export const PLANES = 8;

/** Planes a multiple of 2 KB apart lie in the same two or one sets of an L1 of 4 KB a way: eight of them, written in turns, throw each other out. */
const ALIASED = 2047;

/** Rows at a, b, c, d, sixteen cells, become rows at e, f, g, h. */
// @ts-ignore: decorator
@inline
function block(a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, g: usize, h: usize): void {
  const v0 = v128.load(a), v1 = v128.load(b), v2 = v128.load(c), v3 = v128.load(d);
  const low01 = i32x4.shuffle(v0, v1, 0, 4, 1, 5), low23 = i32x4.shuffle(v2, v3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(v0, v1, 2, 6, 3, 7), high23 = i32x4.shuffle(v2, v3, 2, 6, 3, 7);
  v128.store(e, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(f, i64x2.shuffle(low01, low23, 1, 3));
  v128.store(g, i64x2.shuffle(high01, high23, 0, 2));
  v128.store(h, i64x2.shuffle(high01, high23, 1, 3));
}

/** Two or three planes, four pixels at a time, into pixels that follow each other without a gap. */
function interleave(from: usize, planeBytes: usize, channels: i32, pixels: i32, to: usize): void {
  const second = from + planeBytes;
  const third = second + planeBytes;
  for (let i = 0; i < pixels; i += 4) {
    if (i > pixels - 4) i = pixels - 4;
    const at = <usize>i << 2;
    const cell = to + at * <usize>channels;
    const a = v128.load(from + at), b = v128.load(second + at);
    const low = i32x4.shuffle(a, b, 0, 4, 1, 5), high = i32x4.shuffle(a, b, 2, 6, 3, 7);
    if (channels == 2) {
      v128.store(cell, low);
      v128.store(cell, high, 16);
    } else {
      const c = v128.load(third + at);
      // a0 b0 c0 a1 | b1 c1 a2 b2 | c2 a3 b3 c3
      v128.store(cell, i32x4.shuffle(low, c, 0, 1, 4, 2));
      v128.store(cell, i32x4.shuffle(i32x4.shuffle(low, c, 3, 5, 3, 5), high, 0, 1, 4, 5), 16);
      v128.store(cell, i32x4.shuffle(c, high, 2, 6, 7, 3), 32);
    }
  }
}

/** How many planes are walked together from channel `c` on. */
// @ts-ignore: decorator
@inline
function planesFrom(c: i32, channels: i32, planeBytes: usize): i32 {
  return c <= channels - PLANES && (planeBytes & ALIASED) != 0 ? PLANES : 4;
}

/** from: `channels` planes `planeBytes` apart, `pixels` of each · to: [pixel][channel], pixels `pixelBytes` apart */
export function planesToPixels(from: usize, planeBytes: usize, channels: i32, pixels: i32, to: usize, pixelBytes: usize): void {
  if ((channels == 2 || channels == 3) && pixels >= 4 && pixelBytes == <usize>channels << 2) {
    interleave(from, planeBytes, channels, pixels, to);
    return;
  }
  if (channels < 4 || pixels < 4) {
    for (let c = 0; c < channels; c++) {
      let cell = to + (<usize>c << 2);
      for (let i = 0; i < pixels; i++) {
        store<f32>(cell, load<f32>(from + (<usize>i << 2)));
        cell += pixelBytes;
      }
      from += planeBytes;
    }
    return;
  }
  for (let c = 0; c < channels;) {
    const planes = planesFrom(c, channels, planeBytes);
    if (planes == 4 && c > channels - 4) c = channels - 4;
    const plane = from + <usize>c * planeBytes;
    const cell = to + (<usize>c << 2);
    for (let i = 0; i < pixels; i += 4) {
      if (i > pixels - 4) i = pixels - 4;
      const x0 = plane + (<usize>i << 2), x1 = x0 + planeBytes, x2 = x1 + planeBytes, x3 = x2 + planeBytes;
      const y0 = cell + <usize>i * pixelBytes, y1 = y0 + pixelBytes, y2 = y1 + pixelBytes, y3 = y2 + pixelBytes;
      block(x0, x1, x2, x3, y0, y1, y2, y3);
      if (planes == PLANES) {
        const x4 = x3 + planeBytes, x5 = x4 + planeBytes, x6 = x5 + planeBytes;
        block(x4, x5, x6, x6 + planeBytes, y0 + 16, y1 + 16, y2 + 16, y3 + 16);
      }
    }
    c += planes;
  }
}

/** The way back of two or three channels, five pixels or more: a vector of each pixel but the last, behind which nothing may be read. */
function fewToPlanes(from: usize, pixelBytes: usize, channels: i32, pixels: i32, to: usize, planeBytes: usize): void {
  for (let i = 0; i < pixels - 1; i += 4) {
    if (i > pixels - 5) i = pixels - 5;
    const a = from + <usize>i * pixelBytes;
    const b = a + pixelBytes;
    const c = b + pixelBytes;
    const v0 = v128.load(a), v1 = v128.load(b), v2 = v128.load(c), v3 = v128.load(c + pixelBytes);
    const low01 = i32x4.shuffle(v0, v1, 0, 4, 1, 5), low23 = i32x4.shuffle(v2, v3, 0, 4, 1, 5);
    const cell = to + (<usize>i << 2);
    v128.store(cell, i64x2.shuffle(low01, low23, 0, 2));
    v128.store(cell + planeBytes, i64x2.shuffle(low01, low23, 1, 3));
    if (channels > 2) v128.store(cell + 2 * planeBytes, i64x2.shuffle(i32x4.shuffle(v0, v1, 2, 6, 3, 7), i32x4.shuffle(v2, v3, 2, 6, 3, 7), 0, 2));
  }
  const last = <usize>(pixels - 1);
  from += last * pixelBytes;
  to += last << 2;
  store<f32>(to, load<f32>(from));
  store<f32>(to + planeBytes, load<f32>(from, 4));
  if (channels > 2) store<f32>(to + 2 * planeBytes, load<f32>(from, 8));
}

/** The way back; channel c becomes plane shuffledChannel(c). */
export function pixelsToPlanes(from: usize, pixelBytes: usize, channels: i32, pixels: i32, to: usize, planeBytes: usize, shuffle: i32): void {
  if ((channels == 2 || channels == 3) && pixels >= 5 && shuffle == 1) {
    fewToPlanes(from, pixelBytes, channels, pixels, to, planeBytes);
    return;
  }
  if (channels < 4 || pixels < 4) {
    for (let c = 0; c < channels; c++) {
      const plane = to + <usize>shuffledChannel(c, channels, shuffle) * planeBytes;
      let cell = from + (<usize>c << 2);
      for (let i = 0; i < pixels; i++) {
        store<f32>(plane + (<usize>i << 2), load<f32>(cell));
        cell += pixelBytes;
      }
    }
    return;
  }
  for (let c = 0; c < channels;) {
    const planes = shuffle == 1 ? planesFrom(c, channels, planeBytes) : 4;
    if (planes == 4 && c > channels - 4) c = channels - 4;
    const pixel = from + (<usize>c << 2);
    const plane0 = to + <usize>shuffledChannel(c, channels, shuffle) * planeBytes;
    const plane1 = to + <usize>shuffledChannel(c + 1, channels, shuffle) * planeBytes;
    const plane2 = to + <usize>shuffledChannel(c + 2, channels, shuffle) * planeBytes;
    const plane3 = to + <usize>shuffledChannel(c + 3, channels, shuffle) * planeBytes;
    for (let i = 0; i < pixels; i += 4) {
      if (i > pixels - 4) i = pixels - 4;
      const x0 = pixel + <usize>i * pixelBytes, x1 = x0 + pixelBytes, x2 = x1 + pixelBytes, x3 = x2 + pixelBytes;
      const at = <usize>i << 2;
      block(x0, x1, x2, x3, plane0 + at, plane1 + at, plane2 + at, plane3 + at);
      if (planes == PLANES) {
        const y4 = plane3 + at + planeBytes, y5 = y4 + planeBytes, y6 = y5 + planeBytes;
        block(x0 + 16, x1 + 16, x2 + 16, x3 + 16, y4, y5, y6, y6 + planeBytes);
      }
    }
    c += planes;
  }
}

/**
 * Pixels that follow each other, channel c of each to shuffledChannel(c), `toBytes` from one to the next: within a pixel, groups of channels lie one
 * below the other and are read down.
 */
export function shufflePixels(from: usize, pixels: i32, channels: i32, shuffle: i32, to: usize, toBytes: usize): void {
  const size = channels / shuffle;
  for (; pixels != 0; pixels--) {
    planesToPixels(from, <usize>size << 2, shuffle, size, to, <usize>shuffle << 2);
    from += <usize>channels << 2;
    to += toBytes;
  }
}
