/** The memory line of a roofline: how fast one thread moves bytes that are in no cache. */
import { compileAssembly } from '../../scripts/compile-assembly.ts';
import { median } from '../stats.ts';

/** Copies `bytes`, a multiple of 64. Four vectors a step, so that the loop itself takes no time. */
const source = `
export function copy(from: usize, to: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 64) {
    const a = v128.load(from + at), b = v128.load(from + at, 16), c = v128.load(from + at, 32), d = v128.load(from + at, 48);
    v128.store(to + at, a); v128.store(to + at, b, 16); v128.store(to + at, c, 32); v128.store(to + at, d, 48);
  }
}`;

const mebibyte = 2 ** 20;

/**
 * GB/s, read and written bytes both counted: median over copies of `size` MiB with 128-bit loads and stores in WebAssembly.
 * @param size beyond any cache: 128 MiB
 */
export async function measureBandwidth(size = 128, copies = 9): Promise<number> {
  const { binary } = await compileAssembly({ 'index.ts': source });
  const bytes = size * mebibyte;
  const memory = new WebAssembly.Memory({ initial: (2 * bytes) / 65536 });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const copy = instance.exports.copy as (from: number, to: number, bytes: number) => void;
  // Pages that were never written are all one page of zeros, and that is in the cache.
  new Uint8Array(memory.buffer).fill(1);
  const once = (): number => {
    const from = performance.now();
    copy(0, bytes, bytes);
    return (2 * bytes) / (performance.now() - from) / 1e6;
  };
  once();
  return median(Array.from({ length: copies }, once));
}
