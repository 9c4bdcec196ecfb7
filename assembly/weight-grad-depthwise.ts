/**
 * Sums of a depthwise weight gradient: to[tap][c] += Σ_pixels g[pixel][c] · x[pixel moved by tap][c], up to three neighbouring taps at a time, which
 * share what they read of g, and sixteen channels, a line of the cache.
 */
import { accumulate } from "./simd";

// @ts-ignore: decorator
@inline
function add(to: usize, v: v128): void {
  v128.store(to, f32x4.add(v128.load(to), v));
}

// @ts-ignore: decorator
@inline
function sixteen(
  taps: i32, runs: i32, run: i32, x: usize, xStep: usize, xRow: usize, tapStep: usize, g: usize, gStep: usize, gRow: usize, to: usize, toTap: usize,
): void {
  const zero = f32x4.splat(0);
  let acc00 = zero, acc01 = zero, acc02 = zero, acc03 = zero;
  let acc10 = zero, acc11 = zero, acc12 = zero, acc13 = zero;
  let acc20 = zero, acc21 = zero, acc22 = zero, acc23 = zero;
  for (; runs != 0; runs--) {
    let a = x;
    let y = g;
    for (let n = run; n != 0; n--) {
      const b = a + tapStep, c = b + tapStep;
      let v = v128.load(y);
      acc00 = accumulate(acc00, v, v128.load(a));
      if (taps > 1) acc10 = accumulate(acc10, v, v128.load(b));
      if (taps > 2) acc20 = accumulate(acc20, v, v128.load(c));
      v = v128.load(y, 16);
      acc01 = accumulate(acc01, v, v128.load(a, 16));
      if (taps > 1) acc11 = accumulate(acc11, v, v128.load(b, 16));
      if (taps > 2) acc21 = accumulate(acc21, v, v128.load(c, 16));
      v = v128.load(y, 32);
      acc02 = accumulate(acc02, v, v128.load(a, 32));
      if (taps > 1) acc12 = accumulate(acc12, v, v128.load(b, 32));
      if (taps > 2) acc22 = accumulate(acc22, v, v128.load(c, 32));
      v = v128.load(y, 48);
      acc03 = accumulate(acc03, v, v128.load(a, 48));
      if (taps > 1) acc13 = accumulate(acc13, v, v128.load(b, 48));
      if (taps > 2) acc23 = accumulate(acc23, v, v128.load(c, 48));
      a += xStep;
      y += gStep;
    }
    x += xRow;
    g += gRow;
  }
  add(to, acc00);
  add(to + 16, acc01);
  add(to + 32, acc02);
  add(to + 48, acc03);
  if (taps > 1) {
    to += toTap;
    add(to, acc10);
    add(to + 16, acc11);
    add(to + 32, acc12);
    add(to + 48, acc13);
  }
  if (taps > 2) {
    to += toTap;
    add(to, acc20);
    add(to + 16, acc21);
    add(to + 32, acc22);
    add(to + 48, acc23);
  }
}

/** One to four channels; only those are read. */
function few(
  channels: i32, taps: i32, runs: i32, run: i32, x: usize, xStep: usize, xRow: usize, tapStep: usize, g: usize, gStep: usize, gRow: usize,
  to: usize, toTap: usize,
): void {
  for (let tap = 0; tap < taps; tap++) {
    if (channels == 4) {
      let acc = f32x4.splat(0);
      for (let r = 0; r < runs; r++) {
        let a = x + <usize>r * xRow;
        let y = g + <usize>r * gRow;
        for (let n = run; n != 0; n--) {
          acc = accumulate(acc, v128.load(y), v128.load(a));
          a += xStep;
          y += gStep;
        }
      }
      add(to, acc);
    } else {
      for (let c = 0; c < channels; c++) {
        const at = <usize>c << 2;
        let acc: f32 = 0;
        for (let r = 0; r < runs; r++) {
          let a = x + <usize>r * xRow + at;
          let y = g + <usize>r * gRow + at;
          for (let n = run; n != 0; n--) {
            acc += load<f32>(y) * load<f32>(a);
            a += xStep;
            y += gStep;
          }
        }
        store<f32>(to + at, load<f32>(to + at) + acc);
      }
    }
    x += tapStep;
    to += toTap;
  }
}

/** `taps` ≤ 3 taps, `tapStep` bytes apart in x and `toTap` in the sums; `runs` rows of `run` pixels, all channels. */
export function depthwiseSums(
  channels: i32, taps: i32, runs: i32, run: i32, x: usize, xStep: usize, xRow: usize, tapStep: usize, g: usize, gStep: usize, gRow: usize,
  to: usize, toTap: usize,
): void {
  if (!ASC_NO_ASSERT) assert(taps >= 1 && taps <= 3, "depthwise weight gradient: taps");
  for (; channels >= 16; channels -= 16) {
    if (taps == 3) sixteen(3, runs, run, x, xStep, xRow, tapStep, g, gStep, gRow, to, toTap);
    else if (taps == 2) sixteen(2, runs, run, x, xStep, xRow, tapStep, g, gStep, gRow, to, toTap);
    else sixteen(1, runs, run, x, xStep, xRow, tapStep, g, gStep, gRow, to, toTap);
    x += 64;
    g += 64;
    to += 64;
  }
  for (; channels > 0; channels -= 4) {
    few(min(4, channels), taps, runs, run, x, xStep, xRow, tapStep, g, gStep, gRow, to, toTap);
    x += 16;
    g += 16;
    to += 16;
  }
}
