import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { elementsOf } from './well-formed.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'wasm-conv-page-'));
afterAll(() => rmSync(home, { recursive: true }));

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/page/main.ts', ...args], { cwd: folder, encoding: 'utf8' });

describe('bench:report', () => {
  it('prints help', () => {
    const { status, stdout, stderr } = run('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: /);
  });

  it.each([
    [['--form', 'x'], "Unknown option '--form'"],
    [['x.json'], "'x.json' is no option; results are given as --from x.json"],
    [['--from', 'x.json', '--', 'core'], 'give one of them'],
    [['--bandwidth=fast'], "--bandwidth must be a number above 0, got 'fast'"],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = run(...args, '--out', join(home, 'none'));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(existsSync(join(home, 'none'))).toBe(false);
  });

  it('fails on results that are none, in one line, and writes nothing', () => {
    const file = join(home, 'bad.json');
    writeFileSync(file, '{"machine": 1}');
    for (const [path, message] of [
      [file, `${file}: machine must be an object, got 1\n`],
      [join(home, 'missing.json'), 'cannot be read'],
    ] as const) {
      const { status, stdout, stderr } = run('--from', path, '--out', join(home, 'none'));
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toContain(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
    expect(existsSync(join(home, 'none'))).toBe(false);
  });

  it("passes the benchmark's refusals on", () => {
    const { status, stdout, stderr } = run('--out', join(home, 'none'), '--', 'resnest');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain("'resnest' is neither a set");
  });

  it('measures, keeps the results, and draws them again to the letter', () => {
    const [shapes, first, second] = [join(home, 'tiny.txt'), join(home, 'first'), join(home, 'second')];
    writeFileSync(shapes, [6, 8, 12].map((side) => `ic1ih${side}oc2kh3ph1n"<side> ${side}"\n`).join(''));
    const measured = run('--out', first, '--bandwidth', '10', '--', shapes, '--time', '2');
    expect(measured.status, measured.stderr).toBe(0);
    expect(measured.stderr).toContain('1/3 tiny: <side> 6');
    const kept = join(first, 'results.json');
    expect(JSON.parse(readFileSync(kept, 'utf8')).command).toBe(`npm run --silent bench -- ${shapes} --time 2 --json`);
    expect(JSON.parse(readFileSync(kept, 'utf8')).engine).toMatchObject({ threads: 1 });
    const kinds = ['overview-tensors', 'overview-arrays', 'roofline', 'growth-tensors', 'growth-arrays', 'tensors', 'arrays'];
    const charts = kinds.map((kind) => `tiny-${kind}.svg`);
    expect(measured.stdout.trim().split('\n')).toEqual([
      kept,
      join(first, 'report.html'),
      ...charts.map((name) => join(first, 'charts', name)),
    ]);
    for (const name of readdirSync(join(first, 'charts'))) elementsOf(readFileSync(join(first, 'charts', name), 'utf8'));
    const again = run('--from', kept, '--out', second, '--bandwidth', '10');
    expect(again.status, again.stderr).toBe(0);
    expect(readFileSync(join(second, 'report.html'), 'utf8')).toBe(readFileSync(join(first, 'report.html'), 'utf8'));
  });
});
