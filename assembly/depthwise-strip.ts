/**
 * The sum of a depthwise convolution over a strip of positions, channels-last:
 *
 *   to[i][c] = activation(bias[c] + Σ_o,n weights[o][n][c] · from[i + taps][c])       i = 0 … count − 1
 *
 * Positions lie `step` bytes apart, and the taps of one are a grid of outer × inner: `Grid` says how far apart they and their weights lie. A
 * strip along a row has outer = kernel rows, inner = kernel columns; down a column it is the other way round. Whoever calls leaves out the
 * taps that fall on the border, so nothing here needs a test, and the image is read in place.
 *
 * Four positions at a time walk all channels, four by four: 18 runs of consecutive memory, and every weight loaded once for four products.
 * Along neighbouring positions (step = innerStep) they also share what they read: 4 + inner − 1 vectors in place of 4 · inner.
 */
import { activateRuns, clamp, CLAMP } from "./activation";
import { Grid, put } from "./depthwise-grid";
import { CUT_LEFT, CUT_RIGHT, fourCut, fours, threeApart, threeCut } from "./depthwise-three";
import { wide } from "./depthwise-wide";
import { ConvParams } from "./params";
import { accumulate, storeLanes } from "./simd";

/** Four positions under any grid. Taps go by turns to two sets of sums: in one, each product would wait for the one before it. */
function four(count: i32, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
  const innerStep = grid.innerStep, innerWeights = grid.innerWeights;
  // What is last ends with the channels, what was last with the strip: some are summed a second time.
  const last = bytes - 16;
  const behind = count - 4;
  for (let i = 0; ; i += 4) {
    if (i > behind) i = behind;
    const image = from + <usize>i * step, result = to + <usize>i * toStep;
    for (let at: usize = 0; at < bytes; at += 16) {
      if (at > last) at = last;
      let acc0 = v128.load(bias + at);
      let acc1 = acc0, acc2 = acc0, acc3 = acc0;
      let sum0 = f32x4.splat(0);
      let sum1 = sum0, sum2 = sum0, sum3 = sum0;
      let line = image + at;
      let row = weights + at;
      for (let o = grid.outer; o > 0; o--) {
        let x = line;
        let w = row;
        for (let n = grid.inner; n > 0; n -= 2) {
          let weight = v128.load(w);
          let v = x;
          acc0 = accumulate(acc0, weight, v128.load(v));
          acc1 = accumulate(acc1, weight, v128.load(v += step));
          acc2 = accumulate(acc2, weight, v128.load(v += step));
          acc3 = accumulate(acc3, weight, v128.load(v + step));
          x += innerStep;
          w += innerWeights;
          if (n == 1) break;
          weight = v128.load(w);
          v = x;
          sum0 = accumulate(sum0, weight, v128.load(v));
          sum1 = accumulate(sum1, weight, v128.load(v += step));
          sum2 = accumulate(sum2, weight, v128.load(v += step));
          sum3 = accumulate(sum3, weight, v128.load(v + step));
          x += innerStep;
          w += innerWeights;
        }
        line += grid.outerStep;
        row += grid.outerWeights;
      }
      let y = result + at;
      put(y, f32x4.add(acc0, sum0), low, high);
      put(y += toStep, f32x4.add(acc1, sum1), low, high);
      put(y += toStep, f32x4.add(acc2, sum2), low, high);
      put(y + toStep, f32x4.add(acc3, sum3), low, high);
    }
    if (i == behind) break;
  }
}

/** How a position is summed where `four` does it, and where the others do: types, as in activation.ts. */
type ByTurns = f32;
type InOne = i32;

/**
 * One position: sixteen channels at a time, then four. It sums as the tile does that it stands in for, or the bits of a result would tell how many positions
 * were computed together, and with them how the result was cut.
 */
// @ts-ignore: decorator
@inline
function single<T>(from: usize, to: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  const low = f32x4.splat(grid.low), high = f32x4.splat(grid.high);
  const last: usize = bytes < 16 ? 0 : bytes - 16;
  const lanes = bytes < 16 ? <i32>(bytes >> 2) : 4;
  const innerStep = grid.innerStep, innerWeights = grid.innerWeights;
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    let acc0 = v128.load(bias + at), acc1 = v128.load(bias + at, 16), acc2 = v128.load(bias + at, 32), acc3 = v128.load(bias + at, 48);
    let sum0 = f32x4.splat(0);
    let sum1 = sum0, sum2 = sum0, sum3 = sum0;
    let line = from + at;
    let row = weights + at;
    for (let o = grid.outer; o > 0; o--) {
      let x = line;
      let w = row;
      for (let n = grid.inner; n > 0; n -= isFloat<T>() ? 2 : 1) {
        acc0 = accumulate(acc0, v128.load(w), v128.load(x));
        acc1 = accumulate(acc1, v128.load(w, 16), v128.load(x, 16));
        acc2 = accumulate(acc2, v128.load(w, 32), v128.load(x, 32));
        acc3 = accumulate(acc3, v128.load(w, 48), v128.load(x, 48));
        x += innerStep;
        w += innerWeights;
        if (isFloat<T>()) {
          if (n == 1) break;
          sum0 = accumulate(sum0, v128.load(w), v128.load(x));
          sum1 = accumulate(sum1, v128.load(w, 16), v128.load(x, 16));
          sum2 = accumulate(sum2, v128.load(w, 32), v128.load(x, 32));
          sum3 = accumulate(sum3, v128.load(w, 48), v128.load(x, 48));
          x += innerStep;
          w += innerWeights;
        }
      }
      line += grid.outerStep;
      row += grid.outerWeights;
    }
    put(to + at, isFloat<T>() ? f32x4.add(acc0, sum0) : acc0, low, high);
    put(to + at + 16, isFloat<T>() ? f32x4.add(acc1, sum1) : acc1, low, high);
    put(to + at + 32, isFloat<T>() ? f32x4.add(acc2, sum2) : acc2, low, high);
    put(to + at + 48, isFloat<T>() ? f32x4.add(acc3, sum3) : acc3, low, high);
  }
  for (; at < bytes; at += 16) {
    if (at > last) at = last;
    let acc = v128.load(bias + at), sum = f32x4.splat(0);
    let line = from + at;
    let row = weights + at;
    for (let o = grid.outer; o > 0; o--) {
      let x = line;
      let w = row;
      for (let n = grid.inner; n > 0; n -= isFloat<T>() ? 2 : 1) {
        acc = accumulate(acc, v128.load(w), v128.load(x));
        x += innerStep;
        w += innerWeights;
        if (isFloat<T>()) {
          if (n == 1) break;
          sum = accumulate(sum, v128.load(w), v128.load(x));
          x += innerStep;
          w += innerWeights;
        }
      }
      line += grid.outerStep;
      row += grid.outerWeights;
    }
    storeLanes(to + at, clamp(isFloat<T>() ? f32x4.add(acc, sum) : acc, low, high), lanes);
  }
}

function singlesByTurns(count: i32, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  for (let i = 0; i < count; i++) single<ByTurns>(from + <usize>i * step, to + <usize>i * toStep, bytes, grid, weights, bias);
}

function singlesInOne(count: i32, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, weights: usize, bias: usize): void {
  for (let i = 0; i < count; i++) single<InOne>(from + <usize>i * step, to + <usize>i * toStep, bytes, grid, weights, bias);
}

/**
 * `phases` strips of `count` positions each, interleaved: the first of each lie `hop` apart. Under three columns that they share, of eight channels or more, the first, the last or both cut by
 * the border as `cut` says. Fours, and up to three threes. What lies side by side goes one after the other, as memory is read ahead: dilation 8, 32 64² 67 → 60 µs, 3, 32 112² 232 → 207 (Node 24, fused).
 */
function interleaved(
  count: i32, phases: i32, hop: usize, toHop: usize, from: usize, step: usize, to: usize, toStep: usize, bytes: usize, grid: Grid, cut: i32, weights: usize,
  bias: usize,
): void {
  if (!ASC_NO_ASSERT) assert(count > 0 && phases > 0 && bytes >= 32, "depthwise: strips of too few channels");
  if (count < 3) {
    for (let i = 0; i < count; i++) {
      const skip = i == 0 ? cut & CUT_LEFT : 0;
      grid.inner = 3 - skip - (i == count - 1 ? cut >> 1 : 0);
      singlesInOne(phases, from + <usize>(i + skip) * step, hop, to + <usize>i * toStep, toHop, bytes, grid, weights + <usize>skip * grid.innerWeights, bias);
    }
    return;
  }
  const whole = count - 3 * (-count & 3);
  for (let i = 0; i < count; ) {
    const size = i < whole ? 4 : 3;
    // Of five the second three are summed with a neighbour, a second time.
    i = min(i, count - size);
    const missing = cut & ((i == 0 ? CUT_LEFT : 0) | (i == count - size ? CUT_RIGHT : 0));
    const image = from + <usize>i * step, result = to + <usize>i * toStep;
    if (size == 3 || missing != 0) {
      for (let phase = 0; phase < phases; phase++) {
        const x = image + <usize>phase * hop, y = result + <usize>phase * toHop;
        if (size == 3) threeCut(x, step, y, toStep, bytes, grid, missing, weights, bias);
        else fourCut(x, step, y, toStep, bytes, grid, missing, weights, bias);
      }
    } else if (phases > 1) fours(phases, hop, toHop, image, step, result, toStep, bytes, grid, weights, bias);
    else {
      const times = (whole - i >> 2) - (whole == count ? cut >> 1 : 0);
      fours(times, 4 * step, 4 * toStep, image, step, result, toStep, bytes, grid, weights, bias);
      i += 4 * (times - 1);
    }
    i += size;
  }
}

/** How many of `count` positions are computed `size` at a time: one less than a whole `size` is the end of another that overlaps the last. */
function together(count: i32, size: i32): i32 {
  const rest = count % size;
  return count < size ? 0 : rest == size - 1 ? count : count - rest;
}

/** `strip` before the activation, of positions that are neighbours among themselves if any are. */
function positions(
  count: i32, from: usize, step: usize, to: usize, toStep: usize, channels: i32, grid: Grid, weights: usize, bias: usize,
): void {
  const bytes = <usize>channels << 2;
  const inner = grid.inner;
  const apart = inner == 3 && grid.outer <= 3 && step == 2 * grid.innerStep;
  // Two vectors of channels at a time share their addresses.
  const sharing = channels >= 8 && step == grid.innerStep && (inner == 5 || inner == 7);
  const byTurns = channels >= 4 && !apart && !sharing;
  let done = 0;
  if (channels >= 4) {
    if (apart) {
      done = together(count, 3);
      for (let i = 0; i < done; i += 3) {
        if (i > done - 3) i = done - 3;
        threeApart(from + <usize>i * step, to + <usize>i * toStep, toStep, bytes, grid, weights, bias);
      }
    } else {
      done = together(count, 4);
      if (done != 0) {
        if (byTurns) four(done, from, step, to, toStep, bytes, grid, weights, bias);
        else wide(inner, done, from, step, to, toStep, bytes, grid, weights, bias);
      }
    }
  }
  const rest = from + <usize>done * step, toRest = to + <usize>done * toStep;
  if (byTurns) singlesByTurns(count - done, rest, step, toRest, toStep, bytes, grid, weights, bias);
  else singlesInOne(count - done, rest, step, toRest, toStep, bytes, grid, weights, bias);
}

/**
 * `count` positions of `channels` channels each.
 *
 * Between taps that are several positions apart lie others, which share nothing with their neighbours, but with those as far away as a tap: each of these interleaved
 * strips goes on its own. 3×3 of dilation 2, 96 28²: 54 → 36 µs (Node 24, fused).
 *
 * Eight channels or more under three columns that are shared are a row that nothing cuts. Else one or two left over of fours are summed singly, 2–2.5 times the time of one in a four.
 * Likewise one left over of threes.
 */
export function strip(
  p: ConvParams, count: i32, from: usize, step: usize, to: usize, toStep: usize, channels: i32, grid: Grid, weights: usize, bias: usize,
): void {
  const inner = grid.inner, far = grid.innerStep;
  if (inner == 3 && grid.outer <= 3 && far % step == 0 && channels >= 8) {
    wholeRow(p, count, <i32>(far / step), 0, count, from, step, to, toStep, channels, grid, weights, bias);
    return;
  }
  const phases = (inner == 5 || inner == 7) && far > step && far % step == 0 ? <i32>(far / step) : 1;
  for (let phase = min(phases, count) - 1; phase >= 0; phase--) {
    const first = <usize>phase;
    positions(
      (count - phase + phases - 1) / phases, from + first * step, step * <usize>phases, to + first * toStep, toStep * <usize>phases, channels, grid,
      weights, bias,
    );
  }
  if (p.activation != CLAMP) activateRuns(p, count, to, toStep, <usize>channels << 2);
}

/**
 * A row of `count` positions under three columns `phases` positions apart, of eight channels or more, the first `left` of which lack the first column and those from `right` on the last: no
 * columns are left for strips down the image, which read a line here and there. 3×3 96 28²: 36 → 32 µs, of dilation 4 45 → 32 (Node 24, fused).
 *
 * A position is summed row after row wherever it lies, since what it goes with depends on the width, and that on how the result was cut.
 */
export function wholeRow(
  p: ConvParams, count: i32, phases: i32, left: i32, right: i32, from: usize, step: usize, to: usize, toStep: usize, channels: i32, grid: Grid, weights: usize,
  bias: usize,
): void {
  const bytes = <usize>channels << 2;
  const far = step * <usize>phases, farTo = toStep * <usize>phases;
  // Phases from `longer` on have one position less.
  const least = count / phases, longer = count - least * phases;
  for (let phase = 0, end = min(phases, count); phase < end; ) {
    const n = phase < longer ? least + 1 : least, cutFrom = right - (n - 1) * phases;
    const cut = (phase < left ? CUT_LEFT : 0) | (phase >= cutFrom ? CUT_RIGHT : 0);
    // As many as have as many positions and miss the same.
    let next = end;
    if (phase < longer) next = min(next, longer);
    if (phase < left) next = min(next, left);
    if (phase < cutFrom) next = min(next, cutFrom);
    interleaved(n, next - phase, step, toStep, from + <usize>phase * step, far, to + <usize>phase * toStep, farTo, bytes, grid, cut, weights, bias);
    phase = next;
  }
  if (p.activation != CLAMP) activateRuns(p, count, to, toStep, bytes);
}
