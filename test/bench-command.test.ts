import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Report } from '../bench/report.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));

describe('command', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], { cwd: folder, encoding: 'utf8' });

  it('prints help', () => {
    const { status, stdout, stderr } = run('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: /);
  });

  it.each([
    [['--round', '3'], "Unknown option '--round'"],
    [['--rounds', '0'], "--rounds must be a whole number of at least 1, got '0'"],
    [['--layout', 'chwn'], "--layout must be nchw, nhwc or both, got 'chwn'"],
    [['--json', '--markdown'], '--json and --markdown exclude each other'],
    [['resnest'], "'resnest' is neither a set (resnet, depthwise, digits, others, family) nor a file that can be read"],
    [['resnet', '--layers', '9x9'], "no layer holds '9x9'"],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('prints one JSON object and nothing else on standard output', () => {
    const home = mkdtempSync(join(tmpdir(), 'wasm-conv-bench-'));
    try {
      const file = join(home, 'tiny.txt');
      writeFileSync(file, 'ic1ih6oc2kh3ph1n"tiny"\n');
      const { status, stdout, stderr } = run(file, '--rounds', '2', '--turn', '1', '--layout', 'nchw', '--json');
      expect(status, stderr).toBe(0);
      const report = JSON.parse(stdout) as Report;
      expect(report.machine.node).toBe(process.versions.node);
      expect(report.layers.map(({ set, name, figures }) => [set, name, figures.length])).toEqual([['tiny', 'tiny', 3]]);
      expect(stderr).toContain('1/1 tiny: tiny');
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('fails on a file that holds a mistake, and says where', () => {
    const home = mkdtempSync(join(tmpdir(), 'wasm-conv-bench-'));
    try {
      const file = join(home, 'bad.txt');
      writeFileSync(file, '# one\nic1ih6\n');
      const { status, stdout, stderr } = run(file);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toContain("SyntaxError: bad.txt:2: 'oc' is missing");
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
