/** The GEMM's register tile alone: the function of assembly/gemm-kernel.ts with the flags of the release build, over rows and a panel that lie in L1. */
import { readdirSync, readFileSync } from 'node:fs';
import { MR, NR } from '../assembly/blocks.ts';
import { compileAssembly } from '../scripts/compile-assembly.ts';
import { CONV_PARAMS_BYTES } from '../src/params.ts';
import type { Ceiling } from './contest.ts';

/** Tiles of a call, and steps of each one's sum: as long as those of the layers it is held against. */
const tiles = 24;
const steps = 256;
/** Steps that are one run: see FORESEEN in assembly/blocks.ts. */
const run = 32;

type RunTiles = (
  rows: number,
  columns: number,
  tiles: number,
  table: number,
  offset: number,
  taps: number,
  run: number,
  panel: number,
  c: number,
  rowBytes: number,
  bias: number,
  p: number,
) => void;

/** @param relaxed whether the engine beside it has the relaxed build */
export async function bareTile(relaxed: boolean): Promise<Ceiling> {
  const folder = new URL('../assembly/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'index.ts');
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));
  const source = { ...files, 'index.ts': 'export { runTiles } from "./gemm-kernel";' };
  const { binary } = await compileAssembly(source, relaxed ? ['--enable', 'relaxed-simd'] : []);
  const memory = new WebAssembly.Memory({ initial: 4 });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const runTiles = instance.exports.runTiles as RunTiles;
  const record = 1024;
  const [table, bias, panel, c, rows] = [4096, 16384, 20480, 40960, 65536];
  const words = new Int32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  floats.fill(0.5, panel / 4);
  // The record of a layer without activation: its bounds are the last two fields, nothing else is read.
  floats.set([-Infinity, Infinity], (record + CONV_PARAMS_BYTES) / 4 - 2);
  const taps = steps / run;
  // All tiles read the same rows, an odd number of lines apart.
  for (let t = 0; t < tiles; t++)
    for (let tap = 0; tap < taps; tap++)
      for (let r = 0; r < MR; r++) words[table / 4 + (t * taps + tap) * MR + r] = rows + r * (steps * 4 + 64) + tap * run * 4;
  return {
    flops: 2 * tiles * MR * NR * steps,
    run: () => runTiles(MR, NR, tiles, table, 0, taps, run, panel, c, NR * 4, bias, record),
  };
}
