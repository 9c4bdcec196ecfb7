/**
 * Chooses the register tile of the GEMM by measurement: generates the MR×NR micro-kernel in AssemblyScript for many shapes,
 * compiles each with the flags of the release build, and times them in turns next to the 128-bit multiply + add ceiling.
 *
 *   node --import tsx bench/tiles.ts [--rounds 30]
 *
 * "packed": A as panels [k][MR]. "rows": A as MR separate rows, each read along k.
 */
import { parseArgs } from 'node:util';
import { compileAssembly } from '../scripts/compile-assembly.ts';
import { ceilingFlops, ceilingSource } from './ceiling.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
const rounds = Number(values.rounds);
const K = 256;

const list = (n: number, f: (i: number) => string, join = '\n') => Array.from({ length: n }, (_, i) => f(i)).join(join);

function tileSource(mr: number, nv: number, mode: 'packed' | 'rows'): string {
  const rows = mode === 'rows';
  const each = (f: (r: number, v: number) => string) => list(mr, (r) => list(nv, (v) => f(r, v)));
  return `
export function run(a: usize, rowBytes: usize, b: usize, c: usize, k: i32): void {
  ${rows ? list(mr, (r) => `let a${r} = a + ${r} * rowBytes;`) : ''}
  ${each((r, v) => `let c${r}_${v} = f32x4.splat(0);`)}
  for (let n = k; n != 0; n--) {
    ${list(nv, (v) => `const b${v} = v128.load(b, ${16 * v});`)}
    ${list(
      mr,
      (r) => `
    ${r === 0 ? 'let' : ''} s = v128.load32_splat(${rows ? `a${r}` : `a, ${4 * r}`});
    ${list(nv, (v) => `c${r}_${v} = f32x4.add(c${r}_${v}, f32x4.mul(s, b${v}));`)}`,
    )}
    b += ${16 * nv};
    ${rows ? list(mr, (r) => `a${r} += 4;`, ' ') : `a += ${4 * mr};`}
  }
  ${each((r, v) => `v128.store(c + ${(r * nv + v) * 16}, c${r}_${v});`)}
}`;
}

type Probe = { name: string; flops: number; run: (times: number) => void; best: number };

async function probe(name: string, source: string, flops: number): Promise<Probe> {
  const memory = new WebAssembly.Memory({ initial: 16 });
  const { binary } = await compileAssembly({ 'index.ts': source });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const run = instance.exports.run as (...args: number[]) => void;
  new Float32Array(memory.buffer).fill(1);
  return {
    name,
    flops,
    best: 0,
    run: (times) => {
      for (let i = 0; i < times; i++) run(65536, (K + 12) * 4, 131072, 262144, K);
    },
  };
}

const probes = [await probe('ceiling (mul + add)', ceilingSource(K), ceilingFlops(K))];
for (const mode of ['packed', 'rows'] as const) {
  for (const [mr, nv] of [
    [4, 2],
    [5, 2],
    [6, 2],
    [3, 3],
    [4, 3],
    [2, 4],
    [8, 1],
    [10, 1],
  ] as const) {
    probes.push(await probe(`${mr}×${4 * nv} ${mode}`, tileSource(mr, nv, mode), 2 * mr * nv * 4 * K));
  }
}
for (const p of probes) p.run(2000);
for (let round = 0; round < rounds; round++) {
  for (const p of probes) {
    const start = process.hrtime.bigint();
    p.run(1000);
    const gflops = (p.flops * 1000) / Number(process.hrtime.bigint() - start);
    if (gflops > p.best) p.best = gflops;
  }
}
console.log(`node ${process.version}, best of ${rounds} rounds`);
for (const p of probes)
  console.log(
    `${p.name.padEnd(20)} ${p.best.toFixed(1).padStart(6)} GFLOP/s  ${((100 * p.best) / probes[0]!.best).toFixed(0).padStart(4)} %`,
  );
