/** `npm run bench:threads` and `bench:builds`: what they print, and what they refuse. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const flag = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : [];
const run = (script: string, args: readonly string[], nodeArgs: readonly string[] = []) =>
  spawnSync(process.execPath, [...nodeArgs, '--import', 'tsx', `bench/${script}.ts`, ...args], { encoding: 'utf8' });

const one = ['digits', '--layers', '5x5 1-8', '--layout', 'nchw', '--time', '15'];

interface Found {
  readonly engine: { readonly simd: string; readonly threads: number };
  readonly layers: readonly { readonly layer: string; readonly tensorsRatio: number; readonly arraysRatio: number }[];
  readonly means: { readonly tensors: number; readonly least: number };
}

describe.each([
  ['threads', ['--threads', '2'], [], { threads: 2 }],
  ['builds', [], flag, { simd: 'relaxed' }],
] as const)('bench:%s', (script, own, nodeArgs, engine) => {
  it('measures both engines', () => {
    const { status, stdout } = run(script, [...one, ...own, '--json'], nodeArgs);
    expect(status).toBe(0);
    const found = JSON.parse(stdout) as Found;
    expect(found.engine).toMatchObject(engine);
    expect(found.layers.map(({ layer }) => layer)).toEqual(['5x5 1-8 28']);
    const [{ tensorsRatio, arraysRatio }] = found.layers as [Found['layers'][number]];
    expect(tensorsRatio).toBeGreaterThan(0);
    expect(arraysRatio).toBeGreaterThan(0);
    expect(found.means.tensors).toBeCloseTo(tensorsRatio, 10);
    expect(found.means.least).toBe(tensorsRatio);
  });

  it('prints a table', () => {
    const { status, stdout } = run(script, [...one, ...own], nodeArgs);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^ *layer +layout +tensors +.*×[\s\S]*5x5 1-8 28[\s\S]*geometric mean: tensors [\d.]+, arrays [\d.]+; least on tensors [\d.]+\n$/,
    );
  });

  it('says what it takes, and refuses the rest', () => {
    const help = run(script, ['--help']);
    expect([help.status, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain(`Usage: npm run bench:${script} `);
    const refused = run(script, ['--what']);
    expect([refused.status, refused.stdout]).toEqual([2, '']);
  });
});

it.skipIf(flag.length === 0)('bench:builds says where relaxed SIMD is not', () => {
  const { status, stdout, stderr } = run('builds', one);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe(`Node ${process.versions.node} has no relaxed SIMD\n`);
});
