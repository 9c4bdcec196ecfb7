/**
 * Depthwise 3×3 at stride 1, channels-last, down the columns of an image in place, or of copied rows. Nine weights of one vector stay in registers: a row of the image serves the
 * three rows of results that see it, three loads for nine products, where four neighbours in depthwise-three.ts take 6¾. Sums are those of depthwise-three.ts, row after row and tap after tap, so that either may
 * compute a cell.
 *
 * With a dilation the rows of a column are as far apart as taps, one phase after the other. Of the rows that a column of results sees only the first and the last may lie outside the image,
 * and of the columns the first or the last.
 */
import { activateRuns, clamp, CLAMP } from "./activation";
import { Grid } from "./depthwise-grid";
import { pairs } from "./depthwise-pairs";
import { ConvParams } from "./params";
import { accumulate } from "./simd";

/** Results that see three columns, and two, as the border cuts one: types, since asc settles conditions on types itself, see activation.ts. */
type Inside = i32;
type Cut = f32;

/** What a row of the kernel adds. */
// @ts-ignore: decorator
@inline
function add<C>(acc: v128, w0: v128, w1: v128, w2: v128, v0: v128, v1: v128, v2: v128): v128 {
  acc = accumulate(accumulate(acc, w0, v0), w1, v1);
  return isFloat<C>() ? acc : accumulate(acc, w2, v2);
}

/** Bounds are read anew for each result: beside nine weights they would push something out of the registers. */
// @ts-ignore: decorator
@inline
function put(grid: Grid, bounded: bool, to: usize, a: v128): void {
  if (bounded) {
    const bounds = changetype<usize>(grid);
    a = clamp(a, v128.load32_splat(bounds, offsetof<Grid>("low")), v128.load32_splat(bounds, offsetof<Grid>("high")));
  }
  v128.store(to, a);
}

/** `count` columns of `rows` results each. `from` is where the first tap of the first result lies, which may be outside: `above`, `below` say whether the first and the last row are inside. */
// @ts-ignore: decorator
@inline
function columns<C>(
  count: i32, rows: i32, above: bool, below: bool, from: usize, far: usize, lineBytes: usize, pixelBytes: usize, to: usize, toStep: usize, toLine: usize, grid: Grid,
  weights: usize, bias: usize,
): void {
  const bounded = grid.low > -Infinity || grid.high < Infinity;
  const next = grid.innerWeights;
  for (; count > 0; count--) {
    for (let at: usize = 0; at < pixelBytes; at += 16) {
      // The last vector ends with the channels: some are summed a second time.
      if (at > pixelBytes - 16) at = pixelBytes - 16;
      let w = weights + at;
      const w00 = v128.load(w), w01 = v128.load(w += next), w02 = isFloat<C>() ? w01 : v128.load(w + next);
      const w10 = v128.load(w += 2 * next), w11 = v128.load(w += next), w12 = isFloat<C>() ? w11 : v128.load(w + next);
      const w20 = v128.load(w += 2 * next), w21 = v128.load(w += next), w22 = isFloat<C>() ? w21 : v128.load(w + next);
      const shift = bias + at;
      let x = from + at, y = to + at;
      let v0: v128, v1: v128, v2: v128;
      let lower = v128.load(shift);
      if (above) {
        v0 = v128.load(x), v1 = v128.load(x + far), v2 = isFloat<C>() ? v0 : v128.load(x + 2 * far);
        lower = add<C>(lower, w00, w01, w02, v0, v1, v2);
      }
      x += lineBytes;
      v0 = v128.load(x), v1 = v128.load(x + far), v2 = isFloat<C>() ? v0 : v128.load(x + 2 * far);
      let upper = add<C>(lower, w10, w11, w12, v0, v1, v2);
      if (rows > 1) {
        lower = add<C>(v128.load(shift), w00, w01, w02, v0, v1, v2);
        for (const end = y + <usize>(rows - 2) * toLine; y != end; y += toLine) {
          x += lineBytes;
          v0 = v128.load(x), v1 = v128.load(x + far), v2 = isFloat<C>() ? v0 : v128.load(x + 2 * far);
          put(grid, bounded, y, add<C>(upper, w20, w21, w22, v0, v1, v2));
          upper = add<C>(lower, w10, w11, w12, v0, v1, v2);
          lower = add<C>(v128.load(shift), w00, w01, w02, v0, v1, v2);
        }
        x += lineBytes;
        v0 = v128.load(x), v1 = v128.load(x + far), v2 = isFloat<C>() ? v0 : v128.load(x + 2 * far);
        put(grid, bounded, y, add<C>(upper, w20, w21, w22, v0, v1, v2));
        upper = add<C>(lower, w10, w11, w12, v0, v1, v2);
        y += toLine;
      }
      if (below) {
        x += lineBytes;
        v0 = v128.load(x), v1 = v128.load(x + far), v2 = isFloat<C>() ? v0 : v128.load(x + 2 * far);
        upper = add<C>(upper, w20, w21, w22, v0, v1, v2);
      }
      put(grid, bounded, y, upper);
    }
    from += pixelBytes;
    to += toStep;
  }
}

function inside(
  count: i32, rows: i32, above: bool, below: bool, from: usize, far: usize, lineBytes: usize, pixelBytes: usize, to: usize, toStep: usize, toLine: usize, grid: Grid,
  weights: usize, bias: usize,
): void {
  columns<Inside>(count, rows, above, below, from, far, lineBytes, pixelBytes, to, toStep, toLine, grid, weights, bias);
}

function cut(
  count: i32, rows: i32, above: bool, below: bool, from: usize, far: usize, lineBytes: usize, pixelBytes: usize, to: usize, toStep: usize, toLine: usize, grid: Grid,
  weights: usize, bias: usize,
): void {
  columns<Cut>(count, rows, above, below, from, far, lineBytes, pixelBytes, to, toStep, toLine, grid, weights, bias);
}

/** Rows at a time, so many at most: of all, of those of wide pixels, and where lines are a multiple of SHARING bytes apart, of which L1 holds few. */
const MOST_ROWS = 16;
const WIDE = 512;
const WIDE_ROWS = 9;
const SHARING = 2048;
const SHARING_ROWS = 7;
/**
 * Where pixels are a multiple of SHARING bytes, a column lies in one or two sets of L1: COPIED bytes of channels of the rows in flight are copied to where they lie side by side, the rows SKEWED bytes more apart. No other layers have as many
 * rows at a time: by COPIED_ROWS `downRows` knows them. COPY_BYTES of each channel, of which there are 512 at least, hold these rows and two more.
 */
const COPIED: usize = 256;
const COPIED_ROWS = 8;
const SKEWED: usize = 64;
const COPIED_WIDTH = 33;
/** Rows at a time where they go along in pairs, see depthwise-pairs.ts: of lines that lie in few sets of L1, unless those that a row sees lie in the same. By it `downRows` knows them. */
const PAIR = 2;
/** Fewer columns of a phase do not pay: the border cuts two, and the last three may overlap. */
const PAIRED_WIDTH = 9;
/** Fewer do not pay for nine weights. */
const LEAST_ROWS = 4;

/**
 * The most rows of results down a column at a time; PAIR where lines share so few sets of L1 that most would leave it before their next vector is read; 0 where rows are summed along one by one: where the border cuts more
 * than a row or a column, or pixels share sets, too, and are not copied. 64 channels of 56² under dilation 2 take 1.4 times as long down the columns.
 */
export function rowsDown(p: ConvParams): i32 {
  const dilationH = p.dilationH, dilationW = p.dilationW, padH = p.padH, padW = p.padW, outH = p.outH, inW = p.inW;
  const pixelBytes = p.inC << 2, lineBytes = pixelBytes * inW * dilationH;
  if (<u32>padH > <u32>dilationH || <u32>padW > <u32>dilationW || inW < 2 * dilationW) return 0;
  if (outH - padH + dilationH > p.inH || p.outW - padW + dilationW > inW) return 0;
  const rows = outH / dilationH;
  if (rows < LEAST_ROWS) return 0;
  // With a part of one row or two this copies more than it sums; the bits are the same.
  if ((pixelBytes & (SHARING - 1)) == 0 && inW <= COPIED_WIDTH) return COPIED_ROWS;
  if ((lineBytes & ((dilationH > 1 ? 2 : 1) * SHARING - 1)) == 0) return (pixelBytes * dilationW & (SHARING - 1)) != 0 && p.outW >= PAIRED_WIDTH * dilationW ? PAIR : 0;
  if (rows >= WIDE_ROWS && ((lineBytes | pixelBytes * dilationW) & (SHARING / 2 - 1)) == 0) return 0;
  if ((lineBytes & (SHARING - 1)) == 0) return SHARING_ROWS;
  return pixelBytes > WIDE ? WIDE_ROWS : MOST_ROWS;
}

/** COPIED bytes of each of `n` pixels, side by side. */
function gather(n: i32, from: usize, step: usize, to: usize): void {
  for (; n > 0; n--) {
    for (let at: usize = 0; at < COPIED; at += 32) {
      v128.store(to + at, v128.load(from + at));
      v128.store(to + at, v128.load(from + at, 16), 16);
    }
    from += step;
    to += COPIED;
  }
}

/** Rows [begin, bottom) of an image, at most `most` of a column at a time. */
export function downRows(
  p: ConvParams, begin: i32, bottom: i32, most: i32, image: usize, results: usize, resultBytes: usize, outRowBytes: usize, grid: Grid, weights: usize, bias: usize,
): void {
  const dilationH = p.dilationH, dilationW = p.dilationW, padH = p.padH, padW = p.padW, inH = p.inH, outW = p.outW, inW = p.inW;
  const channelBytes = <usize>p.inC << 2, rowBytes = channelBytes * <usize>inW, apart = rowBytes * <usize>dilationH;
  const copied = most == COPIED_ROWS, copy = changetype<usize>(grid) + offsetof<Grid>();
  const pixelBytes = copied ? COPIED : channelBytes, lineBytes = copied ? COPIED * <usize>inW + SKEWED : apart;
  const far = pixelBytes * <usize>dilationW, toLine = outRowBytes * <usize>dilationH;
  const first = min(padW, outW), behind = max(first, min(outW, inW + padW - 2 * dilationW));
  const skipped = <usize>first, inner = <usize>behind;
  // Parts of one size, as near as can be.
  const rows = (bottom - begin + dilationH - 1) / dilationH;
  const parts = (rows + most - 1) / most;
  for (let at: usize = 0; at < channelBytes; at += pixelBytes) {
    const taps = weights + at, shift = bias + at;
    for (let part = 0; part < parts; part++) {
      const top = begin + part * rows / parts * dilationH, end = min(bottom, begin + (part + 1) * rows / parts * dilationH);
      for (let oh = top; oh < min(end, top + dilationH); oh++) {
        const n = (end - oh + dilationH - 1) / dilationH, ih = oh - padH;
        const above = ih >= 0, below = ih + (n + 1) * dilationH < inH;
        const to = results + at + <usize>oh * outRowBytes;
        let from = image + at + <usize>ih * rowBytes;
        if (copied) {
          for (let row = above ? 0 : 1; row <= n + (below ? 1 : 0); row++) {
            gather(inW, from + <usize>row * apart, channelBytes, copy + <usize>row * lineBytes);
          }
          from = copy;
        }
        from -= <usize>padW * pixelBytes;
        cut(first, n, above, below, from + far, far, lineBytes, pixelBytes, to, resultBytes, toLine, grid, taps + grid.innerWeights, shift);
        if (most == PAIR && n == PAIR) {
          for (let ow = first, phases = first + dilationW; ow < phases; ow++) {
            const x = <usize>ow;
            pairs(
              (behind - ow + dilationW - 1) / dilationW, above, below, from + x * pixelBytes, far, lineBytes, to + x * resultBytes, resultBytes * <usize>dilationW, toLine,
              pixelBytes, grid, taps, shift,
            );
          }
        } else {
          inside(
            behind - first, n, above, below, from + skipped * pixelBytes, far, lineBytes, pixelBytes, to + skipped * resultBytes, resultBytes, toLine, grid, taps, shift,
          );
        }
        cut(outW - behind, n, above, below, from + inner * pixelBytes, far, lineBytes, pixelBytes, to + inner * resultBytes, resultBytes, toLine, grid, taps, shift);
      }
    }
  }
  if (p.activation != CLAMP) for (let oh = begin; oh < bottom; oh++) activateRuns(p, outW, results + <usize>oh * outRowBytes, resultBytes, channelBytes);
}
