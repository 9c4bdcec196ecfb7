/** `npm run bench:start`: its programs compute, its table says what was measured, and where README.md shows it. What it times is not asserted. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { figureOf, figureOver } from '../bench/start/figure.ts';
import { measureNode, wasDisturbed } from '../bench/start/node.ts';
import { ourPrograms } from '../bench/start/programs.ts';
import { bytesText, type StartReport } from '../bench/start/report.ts';
import { root } from './packed-package.ts';

const home = mkdtempSync(join(tmpdir(), 'wasm-conv-start-test-'));
afterAll(() => rmSync(home, { recursive: true }));

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/start/main.ts', ...args], { cwd: root, encoding: 'utf8' });

const flat = (median: number) => ({ median, low: median - 0.5, high: median + 0.5 });
const report: StartReport = {
  machine: { node: '24.0.0', v8: '13.6', cpu: 'A CPU', cores: 2, date: '2026-01-02T03:04Z' },
  command: 'npm run --silent bench:start -- --json',
  version: '9.8.7',
  rounds: 20,
  sizes: [
    { name: 'kernels.wasm', bytes: 30_000, most: 40_000 },
    { name: 'page with conv2d', bytes: 59_400, most: 90_000 },
  ],
  dependencies: 0,
  peers: [{ name: 'onnxruntime-web', version: '1.2.3', bytes: 3_700_000, dependencies: 6 }],
  node: [
    {
      version: '24.0.0',
      empty: flat(40),
      importing: flat(5),
      first: flat(8),
      peers: { 'onnxruntime-web': flat(150) },
      createEngine: flat(1),
      memoryBytes: 65536,
    },
  ],
  chromium: { version: 'Chromium 1.2.3.4', first: flat(20), createEngine: flat(2) },
  workerd: { version: '4.0.0', firstRequest: flat(4) },
};

function kept(name: string, content: StartReport | string): string {
  const file = join(home, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('bench:start', () => {
  it('prints help', () => {
    const { status, stdout, stderr } = run('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: npm run bench:start /);
  });

  it.each([
    [['--round', '3'], "Unknown option '--round'"],
    [['--rounds', '0'], "--rounds must be a whole number of at least 1, got '0'"],
    [['--json', '--markdown'], '--json and --markdown exclude each other'],
    [['--readme', '--folder', join(home, 'none')], 'no README.md in '],
    [['--from', join(home, 'none.json')], 'is no report of bench:start: ENOENT'],
    [['--from', kept('other.json', '{}')], 'is no report of bench:start: it has no sizes'],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('writes its part of the README, again to the letter', () => {
    const readme = join(home, 'README.md');
    writeFileSync(readme, '# x\n<!-- start: begin, written by npm run bench:start -->\nold\n<!-- start: end -->\nrest\n');
    const { status, stdout, stderr } = run('--from', kept('report.json', report), '--markdown', '--readme', '--folder', home);
    expect([status, stderr]).toEqual([0, '']);
    const text = readFileSync(readme, 'utf8');
    expect(text).toBe(`# x\n${stdout.trim()}\nrest\n`);
    expect(text).not.toContain('busy');
    for (const line of [
      '|  | wasm-conv | ONNX Runtime Web |',
      '| page with conv2d, gzip | 59.4 kB | 3.70 MB |',
      '| other packages at run time | 0 | 6 |',
      '| Node 24.0.0: import to first result, over an empty process | 8.00 ms | 150 ms |',
      '| Chromium 1.2.3.4: import to first result | 20.0 ms | – |',
      '| workerd: CPU of the first request in a fresh isolate | 4.00 ms | – |',
      '| linear memory at start | 64 KiB | – |',
      report.command,
    ])
      expect(text).toContain(`\n${line}\n`);
    for (const words of ['A CPU', 'wasm-conv 9.8.7', 'onnxruntime-web 1.2.3', 'miniflare 4.0.0', '20 rounds'])
      expect(text).toContain(words);
    run('--from', join(home, 'report.json'), '--readme', '--folder', home);
    expect(readFileSync(readme, 'utf8')).toBe(text);
  });

  it('says what is too large, and when the machine was busy', () => {
    const [node] = report.node as [(typeof report.node)[0]];
    const busy = { ...node, empty: { median: 40, low: 37, high: 45 } };
    const sizes = [...report.sizes, { name: 'a page', bytes: 11, most: 10 }];
    const { status, stdout, stderr } = run('--from', kept('bad.json', { ...report, sizes, node: [busy] }));
    expect(status).toBe(1);
    expect(stdout).toContain('too large: a page, 11 bytes of 10\n');
    expect(stdout).toContain('medians of 20 rounds, while others kept the machine busy');
    expect(stderr).toBe('');
  });
});

describe('figures', () => {
  it('are medians and the middle half', () => expect(figureOf([5, 1, 2, 4, 3])).toEqual({ median: 3, low: 2, high: 4 }));
  it('are over those of the same round', () => expect(figureOver([11, 22, 33], [1, 2, 3])).toEqual({ median: 20, low: 15, high: 25 }));
  it('are of as many rounds', () => expect(() => figureOver([1], [])).toThrow('1 rounds against 0'));
  it('of bytes have three digits', () =>
    expect([999, 59_412, 999_499, 3_714_159].map(bytesText)).toEqual(['0.999 kB', '59.4 kB', '999 kB', '3.71 MB']));
});

describe('fresh processes of Node', () => {
  it('are timed in turns, one round more than is counted', () => {
    const rounds: number[] = [];
    const start = measureNode(process.execPath, { other: ourPrograms.first }, 2, (done) => rounds.push(done));
    expect(rounds).toEqual([0, 0, 1]);
    expect(start.version).toBe(process.versions.node);
    expect(start.memoryBytes).toBe(65536);
    expect(Object.keys(start.peers)).toEqual(['other']);
    expect(start.empty.median).toBeGreaterThan(0);
    expect(start.createEngine.median).toBeGreaterThan(0);
    expect(wasDisturbed({ ...start, empty: { median: 100, low: 96, high: 107 } })).toBe(true);
  });

  it('end it where a result is wrong', () => {
    expect(() => measureNode(process.execPath, { other: 'process.exitCode = 1;' }, 1, () => {})).toThrow(/other\.mjs ended with 1/);
    const wrong = ourPrograms.first.replace('.fill(1)', '.fill(2)');
    expect(wrong).not.toBe(ourPrograms.first);
    expect(() => measureNode(process.execPath, { wrong }, 1, () => {})).toThrow(/wrong\.mjs ended with 1/);
  });
});

it('README.md shows its table, with the command that made it', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, part = ''] = readme.match(/<!-- start: begin, written by npm run bench:start -->\n([\s\S]*)\n<!-- start: end -->/) ?? [];
  expect(part).toMatch(/^\| {2}\| wasm-conv \| TensorFlow\.js \| ONNX Runtime Web \| LiteRT\.js \|\n/);
  expect(part).toMatch(/\n```\nnpm run --silent bench:start\b.*\n```$/);
});
