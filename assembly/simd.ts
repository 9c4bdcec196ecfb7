/** Lane helpers. Plain against relaxed SIMD is decided here and nowhere else. */

/** a · b + c per lane. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * c + a · b per lane, c first. For a sum written as one long chain: Binaryen nests such a chain into one expression and, product first,
 * would evaluate all products before the first sum.
 */
// @ts-ignore: decorator
@inline
export function accumulate(c: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** Stores the first `n` of four lanes, 1 ≤ n ≤ 4. */
// @ts-ignore: decorator
@inline
export function storeLanes(to: usize, v: v128, n: i32): void {
  if (n >= 4) {
    v128.store(to, v);
    return;
  }
  v128.store32_lane(to, v, 0);
  if (n > 1) v128.store32_lane(to, v, 1, 4);
  if (n > 2) v128.store32_lane(to, v, 2, 8);
}

/** Fills `n` floats with zero. Loops, since the host's fill costs a call. */
export function zeroFloats(to: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(to, f32x4.splat(0));
    to += 16;
  }
  for (; n > 0; n--) {
    store<f32>(to, 0);
    to += 4;
  }
}

/** Copies `n` floats between ranges that do not overlap. Loops, since the host's copy costs a call and most runs are short. */
export function copyFloats(to: usize, from: usize, n: i32): void {
  for (; n >= 16; n -= 16) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
    to += 64;
    from += 64;
  }
  if (n >= 4) {
    // Whole vectors, the last of which ends with the range and may copy some floats again.
    const last = <usize>(n - 4) << 2;
    v128.store(to, v128.load(from));
    if (n > 8) v128.store(to, v128.load(from, 16), 16);
    if (n > 12) v128.store(to, v128.load(from, 32), 32);
    v128.store(to + last, v128.load(from + last));
    return;
  }
  for (; n > 0; n--) {
    store<f32>(to, load<f32>(from));
    to += 4;
    from += 4;
  }
}

/** to[0 … n) += from[0 … n) */
export function addFloats(to: usize, from: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    to += 16;
    from += 16;
  }
  for (; n > 0; n--) {
    store<f32>(to, load<f32>(to) + load<f32>(from));
    to += 4;
    from += 4;
  }
}
