/** Lines of the cache. */

/** `bytes` in whole lines of the cache, an odd number of them: as a distance it meets all sets, where a power of two meets few. */
// @ts-ignore: decorator
@inline
export function oddLines(bytes: usize): usize {
  return ((bytes + 63) & ~63) | 64;
}
