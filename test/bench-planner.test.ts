import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { summaryText, verdictText } from '../bench/planner/tables.ts';
import { judge, lagOf, milder, summary, type Verdict, verdictOf } from '../bench/planner/verdict.ts';
import { type Way, waysOf } from '../bench/planner/ways.ts';
import { makeProblem } from '../bench/problem.ts';
import { parseLayer } from '../bench/shapes.ts';
import { createEngineSync } from '../src/index.ts';

const plan = (algorithm: 'gemm' | 'winograd', variant: string): Way['plan'] => ({
  algorithm,
  variant,
  outputShape: [],
  flops: 1,
  workspaceBytes: 0,
  weightBytes: 0,
  reason: '',
});

const ways: readonly Way[] = [
  { algorithm: 'auto', plan: plan('winograd', 'F') },
  { algorithm: 'gemm', plan: plan('gemm', 'tiles') },
];

const layer = { set: 'set', name: 'a layer', words: 'ic1ih1oc1kh1', layout: 'nhwc' } as const;

/** `'auto'` against four rounds of 10 ms. */
const verdict = (...auto: readonly number[]): Verdict =>
  verdictOf(layer, ways, [
    { name: 'auto', rounds: auto },
    { name: 'gemm', rounds: auto.map(() => 10) },
  ]);

describe('the verdict', () => {
  it('holds auto against the best of the others, round by round', () => {
    const rounds = [1, 2, 4];
    const slower = { name: 'direct', rounds: [2, 4, 8] };
    const best = { name: 'gemm', rounds: [0.8, 1.6, 3.2] };
    expect(lagOf([{ name: 'auto', rounds }, slower, best])).toEqual({ behind: 'gemm', low: 1.25, median: 1.25, high: 1.25 });
    expect(lagOf([{ name: 'auto', rounds }])).toBeUndefined();
  });

  it('believes what three of four rounds say', () => {
    expect(judge(undefined)).toBe('alone');
    expect(verdict(10.5, 10.5, 10.5, 10.5).judgement).toBe('within');
    expect(verdict(10, 10, 10.4, 13).judgement).toBe('within');
    expect(verdict(10, 10.2, 11, 11, 11).judgement).toBe('perhaps');
    expect(verdict(10, 11, 11, 11, 11).judgement).toBe('behind');
  });

  it('takes the milder of two measurements', () => {
    const [bad, good] = [verdict(12, 12, 12), verdict(10, 10, 10)];
    expect(milder(bad, good)).toBe(good);
    expect(milder(good, bad)).toBe(good);
  });

  it('counts, and names the worst', () => {
    const alone = verdictOf(layer, ways.slice(0, 1), []);
    const all = [verdict(9, 9, 9), alone, { ...verdict(12, 12, 12), name: 'another' }];
    expect(summary(all)).toMatchObject({ checked: 3, alone: 1, behind: 1, perhaps: 0, worst: { name: 'another', lag: { median: 1.2 } } });
    expect(summaryText(all)).toMatch(
      /^3 layers and layouts checked, 1 of them with nothing to choose; auto more than 5 % behind on 1, .* gemm 1\.20$/,
    );
    expect(summary([alone])).toEqual({ checked: 1, alone: 1, behind: 0, perhaps: 0 });
  });

  it('is a line', () => {
    expect(verdictText(verdict(12, 12, 12))).toBe(
      'set: a layer (ic1ih1oc1kh1), nhwc: auto 12.0 ms [winograd, F], gemm 10.0 ms, auto ÷ best 1.20  MORE THAN 5 % BEHIND',
    );
    expect(verdictText(verdict(8, 8, 8))).toMatch(/, gemm 10\.0 ms, auto ÷ best 1\.00$/);
    expect(verdictText(verdictOf(layer, ways.slice(0, 1), []))).toMatch(/: auto \[winograd, F\] {2}\(nothing to choose\)$/);
  });
});

describe('the ways of a layer', () => {
  const engine = createEngineSync();
  afterAll(() => engine.dispose());
  const names = (words: string, accuracy: 'exact' | 'normal' = 'normal'): string[] =>
    waysOf(engine, makeProblem(parseLayer(words, 'here')), 'nchw', accuracy).map(({ algorithm }) => algorithm);

  it('are those that serve it and are not what auto has chosen', () => {
    expect(names('ic32ih16oc34kh3ph1')).toEqual(['auto', 'direct', 'gemm']);
    expect(names('ic16ih3oc18kh3ph1')).toEqual(['auto', 'direct', 'winograd']);
    expect(names('ic32ih16oc34kh3ph1', 'exact')).toEqual(['auto', 'direct']);
    expect(names('ic32ih16oc32kh3ph1')).toEqual(['auto', 'direct', 'gemm']);
    expect(names('ic3ih28oc8kh3ph1')).toEqual(['auto', 'gemm']);
    expect(names('ic8ih8oc6kh1')).toEqual(['auto', 'direct']);
    expect(names('g8ic8ih8oc8kh3ph1')).toEqual(['auto', 'gemm']);
  });

  it('are all that can be called, for gradients: they have no plan', () => {
    expect(names('bwd_d ic4ih5oc4kh3ph1')).toEqual(['auto', 'direct', 'gemm']);
  });

  it('leave nothing in the engine', () => {
    const { memoryBytes } = engine.info;
    for (let i = 0; i < 50; i++) names('bwd_d ic4ih5oc4kh3ph1');
    expect(engine.info.memoryBytes).toBe(memoryBytes);
  });
});

describe('bench:planner', () => {
  const home = mkdtempSync(join(tmpdir(), 'wasm-conv-planner-'));
  afterAll(() => rmSync(home, { recursive: true }));
  const folder = fileURLToPath(new URL('../', import.meta.url));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'bench/planner/main.ts', ...args], { cwd: folder, encoding: 'utf8' });
  const tiny = join(home, 'tiny.txt');
  writeFileSync(tiny, 'ic32ih16oc34kh3ph1n"tiles"\nic4id2ih6oc5kd1kh1n"point"\n');

  it('prints help', () => {
    const { status, stdout, stderr } = run('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: npm run bench:planner /);
  });

  it.each([
    [['--accuracy', 'low'], "--accuracy must be exact, normal or fast, got 'low'"],
    [['--json', '--markdown'], '--json and --markdown exclude each other'],
    [['resnest'], "'resnest' is neither a set"],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('has a line for each layer and layout, and counts them', () => {
    const { status, stdout, stderr } = run(tiny, '--time', '30');
    expect(status, stderr).toBe(0);
    const [one, two, three, four, empty, last] = stdout.split('\n');
    expect(one).toMatch(/^tiny: tiles \(ic32ih16oc34kh3ph1\), nchw: auto .* \[winograd, F.*\], direct .*, gemm .*, auto ÷ best \d\.\d\d/);
    expect(two).toMatch(/^tiny: tiles .* nhwc: auto /);
    expect([three, four].every((line) => line?.endsWith('(nothing to choose)'))).toBe(true);
    expect(empty).toBe('');
    expect(last).toMatch(/^4 layers and layouts checked, 2 of them with nothing to choose; /);
    expect(stderr).toContain('4/4 tiny: point, nhwc\n');
  });

  it('prints one JSON object, or a table with the command that makes it', () => {
    const json = run(tiny, '--layers', 'tiles', '--layout', 'nhwc', '--time', '10', '--json');
    const report = JSON.parse(json.stdout) as { layers: Verdict[]; summary: object };
    expect(report.layers.map(({ ways }) => ways.map(({ algorithm, rounds }) => [algorithm, rounds?.length]))).toEqual([
      [
        ['auto', 10],
        ['direct', 10],
        ['gemm', 10],
      ],
    ]);
    expect(report.summary).toMatchObject({ checked: 1, alone: 0 });
    const { stdout } = run(tiny, '--layers', 'point', '--markdown');
    expect(stdout).toContain(`npm run --silent bench:planner -- ${tiny} --layers point --markdown\n`);
    expect(stdout).toContain('| tiny: point | nchw | gemm, pointwise, panels of pixels, tiles of 5×8 | ');
  });
});
