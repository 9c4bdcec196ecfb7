/** The multiply + add loop of ceiling.ts, compiled by scripts/build-wasm.ts with the flags of the release build and ready to take turns. */
import { ceilingFlops, ceilingSteps } from './ceiling.ts';
import { ceilingBinary } from './ceiling-binary.ts';
import type { Ceiling } from './contest.ts';

export async function ceilingProbe(): Promise<Ceiling> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  // Not by Buffer: browsers have none.
  const binary = Uint8Array.from(atob(ceilingBinary), (letter) => letter.charCodeAt(0));
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const loop = instance.exports.run as (a: number, rowBytes: number, b: number, c: number, k: number) => void;
  new Float32Array(memory.buffer).fill(1);
  const [a, b, c] = [16384, 32768, 49152];
  return {
    flops: ceilingFlops(ceilingSteps),
    run: () => loop(a, 0, b, c, 0),
  };
}
