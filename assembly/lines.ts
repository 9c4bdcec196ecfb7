/** Lines of the cache. */

/** `bytes` in whole lines of the cache, an odd number of them: as a distance it meets all sets, where a power of two meets few. */
// @ts-ignore: decorator
@inline
export function oddLines(bytes: usize): usize {
  return ((bytes + 63) & ~63) | 64;
}

/**
 * Reads a float of every line of `bytes` bytes, and drops it. Lines that come from afar come faster one after the other than as the rows of a tile ask for
 * them: the processor sees where it goes. Such a load is not left out, since it might trap.
 */
export function touchLines(from: usize, bytes: usize): void {
  for (const end = from + bytes; from < end; from += 64) load<i32>(from);
}
