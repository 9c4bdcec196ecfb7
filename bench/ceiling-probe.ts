/** The multiply + add loop of ceiling.ts, compiled with the flags of the release build and ready to take turns. */
import { compileAssembly } from '../scripts/compile-assembly.ts';
import { ceilingFlops, ceilingSource } from './ceiling.ts';
import type { Ceiling } from './contest.ts';

/** Steps of one call: some 20 µs or more, so that entering it does not show. */
const steps = 20000;

export async function ceilingProbe(): Promise<Ceiling> {
  const { binary } = await compileAssembly({ 'index.ts': ceilingSource(steps) });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const loop = instance.exports.run as (a: number, rowBytes: number, b: number, c: number, k: number) => void;
  new Float32Array(memory.buffer).fill(1);
  const [a, b, c] = [16384, 32768, 49152];
  return {
    flops: ceilingFlops(steps),
    run: () => loop(a, 0, b, c, 0),
  };
}
