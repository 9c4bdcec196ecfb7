/**
 * Strips of a depthwise convolution whose neighbouring positions share columns (see depthwise-strip.ts): along them each column of the image is
 * loaded once for all the products it is part of.
 */
import { CLAMP } from "./activation";
import { Called, Clamped } from "./activation";
import { Grid, put } from "./depthwise-grid";
import { ConvParams } from "./params";
import { accumulate } from "./simd";

/**
 * Four neighbours under five columns of the kernel. Column j feeds position i with weight j − i. Rows go by turns to two sets of sums: in one, each product would wait for the one before it.
 */
// @ts-ignore: decorator
@inline
function neighbours5<F>(
  p: ConvParams, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize,
): void {
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const outerStep = grid.outerStep, outerWeights = grid.outerWeights, next = grid.innerWeights, outer = grid.outer;
  // The last vector ends with the channels, and sums some of them a second time.
  const last = bytes - 16;
  for (let at: usize = 0; at < bytes; at += 16) {
    if (at > last) at = last;
    let acc0 = v128.load(bias + at);
    let acc1 = acc0, acc2 = acc0, acc3 = acc0;
    let sum0 = f32x4.splat(0);
    let sum1 = sum0, sum2 = sum0, sum3 = sum0;
    let line = from + at;
    let row = weights + at;
    for (let n = outer; n > 0; n -= 2) {
      {
        let w = row;
        const w0 = v128.load(w);
        const w1 = v128.load(w += next);
        const w2 = v128.load(w += next);
        const w3 = v128.load(w += next);
        const w4 = v128.load(w + next);
        let x = line;
        let v = v128.load(x);
        acc0 = accumulate(acc0, w0, v);
        v = v128.load(x += step);
        acc0 = accumulate(acc0, w1, v);
        acc1 = accumulate(acc1, w0, v);
        v = v128.load(x += step);
        acc0 = accumulate(acc0, w2, v);
        acc1 = accumulate(acc1, w1, v);
        acc2 = accumulate(acc2, w0, v);
        v = v128.load(x += step);
        acc0 = accumulate(acc0, w3, v);
        acc1 = accumulate(acc1, w2, v);
        acc2 = accumulate(acc2, w1, v);
        acc3 = accumulate(acc3, w0, v);
        v = v128.load(x += step);
        acc0 = accumulate(acc0, w4, v);
        acc1 = accumulate(acc1, w3, v);
        acc2 = accumulate(acc2, w2, v);
        acc3 = accumulate(acc3, w1, v);
        v = v128.load(x += step);
        acc1 = accumulate(acc1, w4, v);
        acc2 = accumulate(acc2, w3, v);
        acc3 = accumulate(acc3, w2, v);
        v = v128.load(x += step);
        acc2 = accumulate(acc2, w4, v);
        acc3 = accumulate(acc3, w3, v);
        v = v128.load(x + step);
        acc3 = accumulate(acc3, w4, v);
      }
      line += outerStep;
      row += outerWeights;
      if (n == 1) break;
      {
        let w = row;
        const w0 = v128.load(w);
        const w1 = v128.load(w += next);
        const w2 = v128.load(w += next);
        const w3 = v128.load(w += next);
        const w4 = v128.load(w + next);
        let x = line;
        let v = v128.load(x);
        sum0 = accumulate(sum0, w0, v);
        v = v128.load(x += step);
        sum0 = accumulate(sum0, w1, v);
        sum1 = accumulate(sum1, w0, v);
        v = v128.load(x += step);
        sum0 = accumulate(sum0, w2, v);
        sum1 = accumulate(sum1, w1, v);
        sum2 = accumulate(sum2, w0, v);
        v = v128.load(x += step);
        sum0 = accumulate(sum0, w3, v);
        sum1 = accumulate(sum1, w2, v);
        sum2 = accumulate(sum2, w1, v);
        sum3 = accumulate(sum3, w0, v);
        v = v128.load(x += step);
        sum0 = accumulate(sum0, w4, v);
        sum1 = accumulate(sum1, w3, v);
        sum2 = accumulate(sum2, w2, v);
        sum3 = accumulate(sum3, w1, v);
        v = v128.load(x += step);
        sum1 = accumulate(sum1, w4, v);
        sum2 = accumulate(sum2, w3, v);
        sum3 = accumulate(sum3, w2, v);
        v = v128.load(x += step);
        sum2 = accumulate(sum2, w4, v);
        sum3 = accumulate(sum3, w3, v);
        v = v128.load(x + step);
        sum3 = accumulate(sum3, w4, v);
      }
      line += outerStep;
      row += outerWeights;
    }
    let y = to + at;
    put<F>(p, y, f32x4.add(acc0, sum0), low, high);
    put<F>(p, y += toStep, f32x4.add(acc1, sum1), low, high);
    put<F>(p, y += toStep, f32x4.add(acc2, sum2), low, high);
    put<F>(p, y + toStep, f32x4.add(acc3, sum3), low, high);
  }
}

/**
 * Likewise under seven columns: first the four on the left, then the three on the right, each with sums of their own. Three columns of the image are loaded
 * twice, and thirteen registers do. The conditions always hold, and keep V8 from loading more than it has registers for.
 */
// @ts-ignore: decorator
@inline
function neighbours7<F>(
  p: ConvParams, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize,
): void {
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const outerStep = grid.outerStep, outerWeights = grid.outerWeights, next = grid.innerWeights, outer = grid.outer;
  // The last vector ends with the channels, and sums some of them a second time.
  const last = bytes - 16;
  for (let at: usize = 0; at < bytes; at += 16) {
    if (at > last) at = last;
    let acc0 = v128.load(bias + at);
    let acc1 = acc0, acc2 = acc0, acc3 = acc0;
    let sum0 = f32x4.splat(0);
    let sum1 = sum0, sum2 = sum0, sum3 = sum0;
    let line = from + at;
    let row = weights + at;
    for (let n = outer; n > 0; n--) {
      let w = row;
      let x = line;
      let v: v128;
      const middle = x + 4 * step;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w += next);
      const w3 = v128.load(w += next);
      v = v128.load(x);
      acc0 = accumulate(acc0, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w1, v);
      acc1 = accumulate(acc1, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w2, v);
      acc1 = accumulate(acc1, w1, v);
      acc2 = accumulate(acc2, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w3, v);
      acc1 = accumulate(acc1, w2, v);
      acc2 = accumulate(acc2, w1, v);
      acc3 = accumulate(acc3, w0, v);
      if (bytes > 1) {
        v = v128.load(x += step);
        acc1 = accumulate(acc1, w3, v);
        acc2 = accumulate(acc2, w2, v);
        acc3 = accumulate(acc3, w1, v);
        v = v128.load(x += step);
        acc2 = accumulate(acc2, w3, v);
        acc3 = accumulate(acc3, w2, v);
        v = v128.load(x + step);
        acc3 = accumulate(acc3, w3, v);
      }
      if (bytes > 2) {
        w += next;
        const w4 = v128.load(w);
        const w5 = v128.load(w += next);
        const w6 = v128.load(w + next);
        v = v128.load(x = middle);
        sum0 = accumulate(sum0, w4, v);
        v = v128.load(x += step);
        sum0 = accumulate(sum0, w5, v);
        sum1 = accumulate(sum1, w4, v);
        v = v128.load(x += step);
        sum0 = accumulate(sum0, w6, v);
        sum1 = accumulate(sum1, w5, v);
        sum2 = accumulate(sum2, w4, v);
        if (bytes > 3) {
          v = v128.load(x += step);
          sum1 = accumulate(sum1, w6, v);
          sum2 = accumulate(sum2, w5, v);
          sum3 = accumulate(sum3, w4, v);
          v = v128.load(x += step);
          sum2 = accumulate(sum2, w6, v);
          sum3 = accumulate(sum3, w5, v);
          v = v128.load(x + step);
          sum3 = accumulate(sum3, w6, v);
        }
      }
      line += outerStep;
      row += outerWeights;
    }
    let y = to + at;
    put<F>(p, y, f32x4.add(acc0, sum0), low, high);
    put<F>(p, y += toStep, f32x4.add(acc1, sum1), low, high);
    put<F>(p, y += toStep, f32x4.add(acc2, sum2), low, high);
    put<F>(p, y + toStep, f32x4.add(acc3, sum3), low, high);
  }
}

/**
 * Likewise under three columns and up to three rows, row after row: a loop over the rows costs as much as a sixth of the products. The conditions
 * leave out the rows that the border cuts, and keep V8 from loading all operands first, more than it has registers for.
 */
// @ts-ignore: decorator
@inline
function neighbours3x3<F>(
  p: ConvParams, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize,
): void {
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const outerStep = grid.outerStep, outerWeights = grid.outerWeights, next = grid.innerWeights, outer = grid.outer;
  // The last vector ends with the channels, and sums some of them a second time.
  const last = bytes - 16;
  for (let at: usize = 0; at < bytes; at += 16) {
    if (at > last) at = last;
    let acc0 = v128.load(bias + at);
    let acc1 = acc0, acc2 = acc0, acc3 = acc0;
    let line = from + at;
    let row = weights + at;
    if (outer > 0) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      let v = v128.load(x);
      acc0 = accumulate(acc0, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w1, v);
      acc1 = accumulate(acc1, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w2, v);
      acc1 = accumulate(acc1, w1, v);
      acc2 = accumulate(acc2, w0, v);
      v = v128.load(x += step);
      acc1 = accumulate(acc1, w2, v);
      acc2 = accumulate(acc2, w1, v);
      acc3 = accumulate(acc3, w0, v);
      v = v128.load(x += step);
      acc2 = accumulate(acc2, w2, v);
      acc3 = accumulate(acc3, w1, v);
      acc3 = accumulate(acc3, w2, v128.load(x + step));
      line += outerStep;
      row += outerWeights;
    }
    if (outer > 1) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      let v = v128.load(x);
      acc0 = accumulate(acc0, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w1, v);
      acc1 = accumulate(acc1, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w2, v);
      acc1 = accumulate(acc1, w1, v);
      acc2 = accumulate(acc2, w0, v);
      v = v128.load(x += step);
      acc1 = accumulate(acc1, w2, v);
      acc2 = accumulate(acc2, w1, v);
      acc3 = accumulate(acc3, w0, v);
      v = v128.load(x += step);
      acc2 = accumulate(acc2, w2, v);
      acc3 = accumulate(acc3, w1, v);
      acc3 = accumulate(acc3, w2, v128.load(x + step));
      line += outerStep;
      row += outerWeights;
    }
    if (outer > 2) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      let v = v128.load(x);
      acc0 = accumulate(acc0, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w1, v);
      acc1 = accumulate(acc1, w0, v);
      v = v128.load(x += step);
      acc0 = accumulate(acc0, w2, v);
      acc1 = accumulate(acc1, w1, v);
      acc2 = accumulate(acc2, w0, v);
      v = v128.load(x += step);
      acc1 = accumulate(acc1, w2, v);
      acc2 = accumulate(acc2, w1, v);
      acc3 = accumulate(acc3, w0, v);
      v = v128.load(x += step);
      acc2 = accumulate(acc2, w2, v);
      acc3 = accumulate(acc3, w1, v);
      acc3 = accumulate(acc3, w2, v128.load(x + step));
    }
    let y = to + at;
    put<F>(p, y, acc0, low, high);
    put<F>(p, y += toStep, acc1, low, high);
    put<F>(p, y += toStep, acc2, low, high);
    put<F>(p, y + toStep, acc3, low, high);
  }
}

/**
 * Three positions two columns apart under three columns and up to three rows: seven columns, of which two are shared. Four positions at once are
 * slower by a tenth where the image is in L2, by a fifth where it is not: too many runs for the prefetcher; two load too many weights.
 */
// @ts-ignore: decorator
@inline
function everyOther<F>(p: ConvParams, from: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  const low = f32x4.splat(p.low), high = f32x4.splat(p.high);
  const outerStep = grid.outerStep, outerWeights = grid.outerWeights, step = grid.innerStep, next = grid.innerWeights, outer = grid.outer;
  // The last vector ends with the channels, and sums some of them a second time.
  const last = bytes - 16;
  for (let at: usize = 0; at < bytes; at += 16) {
    if (at > last) at = last;
    let acc0 = v128.load(bias + at);
    let acc1 = acc0, acc2 = acc0;
    let line = from + at;
    let row = weights + at;
    if (outer > 0) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      acc0 = accumulate(acc0, w0, v128.load(x));
      acc0 = accumulate(acc0, w1, v128.load(x += step));
      let shared = v128.load(x += step);
      acc0 = accumulate(acc0, w2, shared);
      acc1 = accumulate(acc1, w0, shared);
      acc1 = accumulate(acc1, w1, v128.load(x += step));
      shared = v128.load(x += step);
      acc1 = accumulate(acc1, w2, shared);
      acc2 = accumulate(acc2, w0, shared);
      acc2 = accumulate(acc2, w1, v128.load(x += step));
      acc2 = accumulate(acc2, w2, v128.load(x + step));
      line += outerStep;
      row += outerWeights;
    }
    if (outer > 1) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      acc0 = accumulate(acc0, w0, v128.load(x));
      acc0 = accumulate(acc0, w1, v128.load(x += step));
      let shared = v128.load(x += step);
      acc0 = accumulate(acc0, w2, shared);
      acc1 = accumulate(acc1, w0, shared);
      acc1 = accumulate(acc1, w1, v128.load(x += step));
      shared = v128.load(x += step);
      acc1 = accumulate(acc1, w2, shared);
      acc2 = accumulate(acc2, w0, shared);
      acc2 = accumulate(acc2, w1, v128.load(x += step));
      acc2 = accumulate(acc2, w2, v128.load(x + step));
      line += outerStep;
      row += outerWeights;
    }
    if (outer > 2) {
      let w = row;
      const w0 = v128.load(w);
      const w1 = v128.load(w += next);
      const w2 = v128.load(w + next);
      let x = line;
      acc0 = accumulate(acc0, w0, v128.load(x));
      acc0 = accumulate(acc0, w1, v128.load(x += step));
      let shared = v128.load(x += step);
      acc0 = accumulate(acc0, w2, shared);
      acc1 = accumulate(acc1, w0, shared);
      acc1 = accumulate(acc1, w1, v128.load(x += step));
      shared = v128.load(x += step);
      acc1 = accumulate(acc1, w2, shared);
      acc2 = accumulate(acc2, w0, shared);
      acc2 = accumulate(acc2, w1, v128.load(x += step));
      acc2 = accumulate(acc2, w2, v128.load(x + step));
    }
    put<F>(p, to + at, acc0, low, high);
    put<F>(p, to + at + toStep, acc1, low, high);
    put<F>(p, to + at + 2 * toStep, acc2, low, high);
  }
}

// Functions of their own, so that Binaryen does not merge what differs in a constant, and V8 gives each its registers.

export function threeWide(p: ConvParams, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  if (p.activation == CLAMP) neighbours3x3<Clamped>(p, from, step, to, toStep, bytes, grid, weights, bias);
  else neighbours3x3<Called>(p, from, step, to, toStep, bytes, grid, weights, bias);
}

export function fiveWide(p: ConvParams, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  if (p.activation == CLAMP) neighbours5<Clamped>(p, from, step, to, toStep, bytes, grid, weights, bias);
  else neighbours5<Called>(p, from, step, to, toStep, bytes, grid, weights, bias);
}

export function sevenWide(p: ConvParams, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  if (p.activation == CLAMP) neighbours7<Clamped>(p, from, step, to, toStep, bytes, grid, weights, bias);
  else neighbours7<Called>(p, from, step, to, toStep, bytes, grid, weights, bias);
}

export function threeWideApart(p: ConvParams, from: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  if (p.activation == CLAMP) everyOther<Clamped>(p, from, to, toStep, bytes, grid, weights, bias);
  else everyOther<Called>(p, from, to, toStep, bytes, grid, weights, bias);
}
