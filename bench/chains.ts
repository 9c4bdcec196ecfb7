/**
 * Why the ceiling of ceiling.ts has separate chains of multiplies and adds: `c += x · c` waits for the multiply, then for the
 * add, so that few chains measure the latency of the core and not how much it can start per cycle.
 *
 *   node --import tsx bench/chains.ts
 */
import { compileAssembly } from '../scripts/compile-assembly.ts';
import { ceilingFlops, ceilingSource } from './ceiling.ts';

const steps = 20000;

function chainSource(chains: number): string {
  const each = (f: (i: number) => string) => Array.from({ length: chains }, (_, i) => f(i)).join('\n  ');
  return `
export function run(a: usize, rowBytes: usize, b: usize, c: usize, k: i32): void {
  const x = v128.load(a);
  ${each((i) => `let c${i} = v128.load(c, ${16 * i});`)}
  for (let n = ${steps}; n != 0; n--) {
  ${each((i) => `c${i} = f32x4.add(c${i}, f32x4.mul(x, c${i}));`)}
  }
  ${each((i) => `v128.store(c, c${i}, ${16 * i});`)}
}`;
}

async function probe(name: string, source: string, flops: number) {
  const { binary } = await compileAssembly({ 'index.ts': source });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const loop = instance.exports.run as (...args: number[]) => void;
  const floats = new Float32Array(memory.buffer);
  const run = (): void => {
    // Ones grow to infinity within a call, which costs these instructions nothing; a denormal would.
    floats.fill(1);
    for (let i = 0; i < 50; i++) loop(16384, 0, 32768, 49152, 0);
  };
  return { name, flops: 50 * flops, run, best: 0 };
}

const probes = [await probe('6 of mul, 6 of add', ceilingSource(steps), ceilingFlops(steps))];
for (const chains of [4, 6, 8, 10, 12]) probes.push(await probe(`${chains} of c += x · c`, chainSource(chains), 8 * chains * steps));
for (const { run } of probes) run();
for (let round = 0; round < 20; round++) {
  for (const entry of probes) {
    const start = performance.now();
    entry.run();
    entry.best = Math.max(entry.best, entry.flops / (performance.now() - start) / 1e6);
  }
}
console.log(`node ${process.version}, best of 20 rounds`);
for (const { name, best } of probes) console.log(`${name.padEnd(20)} ${best.toFixed(1).padStart(6)} GFLOP/s`);
