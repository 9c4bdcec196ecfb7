import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Report } from '../bench/report.ts';
import { cli, command } from './command.ts';

const home = mkdtempSync(join(tmpdir(), 'wasm-conv-bench-'));
afterAll(() => rmSync(home, { recursive: true }));

const tiny = join(home, 'tiny.txt');
writeFileSync(tiny, 'ic1ih6oc2kh3ph1n"tiny"\ndeconv ic1ih3oc2kh2n"grown"\n');

const bench = (...args: string[]) => command(['bench', ...args]);

describe('bench', () => {
  it('prints help, with the sets', () => {
    const { status, stdout, stderr } = bench('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: wasm-conv bench /);
    expect(stdout).toContain('The sets (core, digits, family when none is named)');
    expect(stdout).toMatch(/\n {2}efficientnet-b0 +EfficientNet-B0\n/);
  });

  it.each([
    [['--tim', '3'], "Unknown option '--tim'"],
    [['--time', '0'], "--time must be a whole number of at least 1, got '0'"],
    [['--threads', 'all'], "--threads must be a whole number of at least 1, got 'all'"],
    [['--layout', 'chwn'], "--layout must be nchw, nhwc or both, got 'chwn'"],
    [['--json', '--markdown'], '--json and --markdown exclude each other'],
    [['--set', 'resnest'], '--set must be core, digits, family, '],
    [['resnest'], "'resnest' is neither a set (core, digits, family, "],
    [['core', '--layers', '9x9'], "no layer holds '9x9'"],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = bench(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: wasm-conv bench');
  });

  it('times WebAssembly against JavaScript, in turns', () => {
    const { status, stdout, stderr } = bench(tiny, '--time', '3', '--layout', 'nhwc');
    expect(status, stderr).toBe(0);
    const [head = '', titles = '', ...rows] = stdout.split('\n');
    expect(head).toMatch(/^tiny: tiny \(ic1ih6oc2kh3ph1\), 1\.30 kflop, ceiling [\d.]+ GFLOP\/s, spread [\d.]+ %$/);
    expect(titles.trim().split(/ {2,}/)).toEqual([
      'contestant',
      'best',
      'median',
      'spread',
      'GFLOP/s',
      'of ceiling',
      '× optimised js',
      '× naive',
    ]);
    const names = (lines: readonly string[]) =>
      lines.filter((line) => /^ {2}n|^ {2}o/.test(line)).map((line) => line.trim().split(/ {2,}/)[0]);
    const end = rows.indexOf('');
    expect(names(rows.slice(0, end))).toEqual(['nhwc tensors', 'nhwc arrays', 'nhwc out', 'nhwc one-shot', 'optimised js', 'naive']);
    // Only convolutions have optimised loops.
    expect(names(rows.slice(end))).toEqual(['nhwc tensors', 'nhwc arrays', 'nhwc out', 'nhwc one-shot', 'naive']);
    expect(stderr).toContain('2/2 tiny: grown');
  });

  it('prints one JSON object and nothing else on standard output', () => {
    const { status, stdout, stderr } = bench('--set', 'digits', tiny, '--layers', 'tiny', '--time', '30', '--layout', 'nchw', '--json');
    expect(status, stderr).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report.machine.node).toBe(process.versions.node);
    expect(report.engine).toMatchObject({ threads: 1 });
    expect([report.rounds, report.turn]).toEqual([15, 2]);
    expect(report.layers.map(({ set, name, figures }) => [set, name, figures.length])).toEqual([['tiny', 'tiny', 6]]);
    expect(report.layers[0]?.wrong).toEqual({});
    expect(report.command).toBe(`wasm-conv bench --set digits ${tiny} --layers tiny --time 30 --layout nchw --json`);
    expect(stderr).toContain('1/1 tiny: tiny');
  });

  it('prints the tables of the README with the command that makes them', () => {
    const { status, stdout } = bench('core', '--set', 'digits', '--layers', '7x7 48-10', '--time', '2', '--markdown');
    expect(status).toBe(0);
    expect(stdout).toContain("```\nwasm-conv bench core --set digits --layers '7x7 48-10' --time 2 --markdown\n```");
    expect(stdout).toMatch(/; 2 rounds, turns of 1 ms; wasm-conv \d+\.\d+\.\d+ \((simd128|relaxed), one thread\)\.\n/);
    expect(stdout).toMatch(/\n### digits\n\n\| layer \| Mflop \| ceiling \| nchw tensors \|/);
  });

  it('spares one the naive loops on a large layer, unless they are asked for', () => {
    const large = join(home, 'large.txt');
    writeFileSync(large, 'ic64ih64oc64oh64kh3ph1n"large"\n');
    const names = (...more: string[]) => {
      const { status, stdout, stderr } = bench(large, '--time', '1', '--layout', 'nchw', '--json', ...more);
      expect(status, stderr).toBe(0);
      return (JSON.parse(stdout) as Report).layers[0]?.figures.map(({ name }) => name);
    };
    const always = ['nchw tensors', 'nchw arrays', 'nchw out', 'nchw one-shot', 'optimised js'];
    expect(names()).toEqual(always);
    expect(names('--naive')).toEqual([...always, 'naive']);
  });

  it('takes threads, and says how many there are', () => {
    const { status, stderr } = bench(tiny, '--layers', 'tiny', '--time', '1', '--threads', 'auto');
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/\nwasm-conv \d+\.\d+\.\d+, (relaxed )?SIMD, (one thread|\d+ threads)/);
  });

  it('looks for peers in the project, and says how to install them', () => {
    const { status, stdout, stderr } = command(['bench', tiny, '--peers'], home);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Error: \S+ is not installed: run npm install --no-save .*@tensorflow\/tfjs-backend-wasm@\d/);
  });

  it.skipIf(process.platform === 'win32')('ends without a word when its reader goes away', () => {
    const script = '"$0" "$1" bench "$2" --time 1 | head -n 1';
    const { stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, cli, tiny], { encoding: 'utf8' });
    expect(stdout).toMatch(/^tiny: tiny .*\n$/);
    expect(stderr).not.toContain('EPIPE');
  });

  it('fails on a file that holds a mistake, and says where', () => {
    const file = join(home, 'bad.txt');
    writeFileSync(file, '# one\nic1ih6\n');
    const { status, stdout, stderr } = bench(file);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe("SyntaxError: bad.txt:2: 'oc' is missing\n");
  });
});
