/**
 * Pixels between [channel][pixel] and [pixel][channel], four channels × four pixels at a time.
 *
 * The last block of each direction ends with the row or with the channels, and moves some cells again. PLANES are walked from end to end before the next,
 * so that the processor sees where it goes and fetches ahead: planes come from L3 or from farther.
 */
/** Planes that are walked together. */
export const PLANES = 8;

/** Planes a multiple of 2 KB apart lie in the same two or one sets of an L1 of 4 KB a way: eight of them, written in turns, throw each other out. */
const ALIASED = 2047;

/** Sixteen cells: four rows of one side become those from `to` on. */
// @ts-ignore: decorator
@inline
function storeRows(v0: v128, v1: v128, v2: v128, v3: v128, to: usize, rowBytes: usize): usize {
  const low01 = i32x4.shuffle(v0, v1, 0, 4, 1, 5), low23 = i32x4.shuffle(v2, v3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(v0, v1, 2, 6, 3, 7), high23 = i32x4.shuffle(v2, v3, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(to += rowBytes, i64x2.shuffle(low01, low23, 1, 3));
  v128.store(to += rowBytes, i64x2.shuffle(high01, high23, 0, 2));
  v128.store(to += rowBytes, i64x2.shuffle(high01, high23, 1, 3));
  return to + rowBytes;
}

/** Likewise from `from` on, `fromBytes` apart. */
// @ts-ignore: decorator
@inline
function moveRows(from: usize, fromBytes: usize, to: usize, toBytes: usize): void {
  const b = from + fromBytes, c = b + fromBytes;
  storeRows(v128.load(from), v128.load(b), v128.load(c), v128.load(c + fromBytes), to, toBytes);
}

/** PLANES planes to their cells of the pixels, or the way back. The addresses of planes follow from each other: to hold all of them would take more registers than there are. */
// @ts-ignore: decorator
@inline
function walkPlanes(back: bool, planes: usize, planeBytes: usize, pixels: i32, cells: usize, pixelBytes: usize): void {
  for (let i = 0; i < pixels; i += 4) {
    if (i > pixels - 4) i = pixels - 4;
    const cell = cells + <usize>i * pixelBytes;
    let plane = planes + (<usize>i << 2);
    if (back) {
      const b = cell + pixelBytes, c = b + pixelBytes, d = c + pixelBytes;
      plane = storeRows(v128.load(cell), v128.load(b), v128.load(c), v128.load(d), plane, planeBytes);
      storeRows(v128.load(cell, 16), v128.load(b, 16), v128.load(c, 16), v128.load(d, 16), plane, planeBytes);
    } else {
      moveRows(plane, planeBytes, cell, pixelBytes);
      moveRows(plane + 4 * planeBytes, planeBytes, cell + 16, pixelBytes);
    }
  }
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
  let c = 0;
  for (; c <= channels - PLANES && (planeBytes & ALIASED) != 0; c += PLANES) {
    walkPlanes(false, from + <usize>c * planeBytes, planeBytes, pixels, to + (<usize>c << 2), pixelBytes);
  }
  for (; c < channels; c += 4) {
    if (c > channels - 4) c = channels - 4;
    for (let i = 0; i < pixels; i += 4) {
      if (i > pixels - 4) i = pixels - 4;
      moveRows(from + <usize>c * planeBytes + (<usize>i << 2), planeBytes, to + <usize>i * pixelBytes + (<usize>c << 2), pixelBytes);
    }
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

/** The way back; channel c becomes plane shuffledChannel(c): groups of channels one after the other, whose planes are `shuffle` apart. */
export function pixelsToPlanes(from: usize, pixelBytes: usize, channels: i32, pixels: i32, to: usize, planeBytes: usize, shuffle: i32): void {
  if (shuffle != 1) {
    const size = channels / shuffle;
    for (let g = 0; g < shuffle; g++) {
      pixelsToPlanes(from + (<usize>(g * size) << 2), pixelBytes, size, pixels, to + <usize>g * planeBytes, planeBytes * <usize>shuffle, 1);
    }
    return;
  }
  if ((channels == 2 || channels == 3) && pixels >= 5) {
    fewToPlanes(from, pixelBytes, channels, pixels, to, planeBytes);
    return;
  }
  if (channels < 4 || pixels < 4) {
    for (let c = 0; c < channels; c++) {
      let cell = from + (<usize>c << 2);
      for (let i = 0; i < pixels; i++) {
        store<f32>(to + (<usize>i << 2), load<f32>(cell));
        cell += pixelBytes;
      }
      to += planeBytes;
    }
    return;
  }
  let c = 0;
  for (; c <= channels - PLANES && (planeBytes & ALIASED) != 0; c += PLANES) {
    walkPlanes(true, to + <usize>c * planeBytes, planeBytes, pixels, from + (<usize>c << 2), pixelBytes);
  }
  for (; c < channels; c += 4) {
    if (c > channels - 4) c = channels - 4;
    for (let i = 0; i < pixels; i += 4) {
      if (i > pixels - 4) i = pixels - 4;
      moveRows(from + <usize>i * pixelBytes + (<usize>c << 2), pixelBytes, to + <usize>c * planeBytes + (<usize>i << 2), planeBytes);
    }
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
