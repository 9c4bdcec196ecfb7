/**
 * Phases of a strided convolution along an axis: phase `a` sees every stride-th cell of the image from cell `a` on, and has the taps a, a + stride … of the
 * kernel. Its results are sums over the phases, each of stride 1, so these share a tile: their factors are multiplied and added up before the
 * last transform.
 *
 * Few channels, as those of a colour image, are gathered: one run of all phases of a datum, [phase down][phase along][channel], is what a tile has for channels.
 *
 * A phase with a tap less than the others is one whose last tap is 0. The factor of ∞ is that tap, so this phase has none there. src/winograd.ts counts likewise.
 */

import { ConvParams } from "./params";
import { CHUNK } from "./winograd-transforms";

/** All phases of a datum fit into the line of channels that is transformed at once. src/winograd.ts asks for a stride then. */
// @ts-ignore: decorator
@inline
export function isGathered(p: ConvParams): bool {
  return <usize>p.inC << 2 < CHUNK;
}

/** Taps of the phases that have most of them. */
// @ts-ignore: decorator
@inline
export function phaseTaps(k: i32, stride: i32): i32 {
  return (k + stride - 1) / stride;
}

/** How many phases have as many; they are the first. */
// @ts-ignore: decorator
@inline
export function fullPhases(k: i32, stride: i32): i32 {
  const rest = k % stride;
  return rest == 0 ? stride : rest;
}
