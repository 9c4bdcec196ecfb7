/** `npm run soak` with a hundredth of its counts, in a process of its own; and that it sees what is left. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const root = new URL('..', import.meta.url);
const few = ['--calls', '10000', '--shapes', '100', '--engines', '16', '--threads', '4', '--layers', '100'];

function soak(args: readonly string[], before = ''): { status: number | null; stdout: string; stderr: string } {
  const prelude = before === '' ? [] : ['--import', `data:text/javascript,${encodeURIComponent(before)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', ...prelude, 'scripts/soak.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

interface Finding {
  readonly name: string;
  readonly count: number;
  readonly before: { readonly memoryBytes: number };
  readonly after: { readonly memoryBytes: number; readonly workers: number };
  readonly left: readonly string[];
}

const findingsOf = (stdout: string): Finding[] => (JSON.parse(stdout) as { findings: Finding[] }).findings;

describe('soak', () => {
  // What is left is left in each run; beside other work V8 sometimes adds to its own.
  it('leaves nothing', { retry: 2 }, () => {
    const { status, stdout, stderr } = soak([...few, '--json']);
    const findings = findingsOf(stdout);
    expect(findings.map(({ name, count, left }) => [name, count, left])).toEqual([
      ['small calls', 10000, []],
      ['changing shapes', 100, []],
      ['engines', 16, []],
      ['engines of two threads', 4, []],
      ['layers', 100, []],
    ]);
    for (const { before, after } of findings) expect([after.memoryBytes, after.workers]).toEqual([before.memoryBytes, 0]);
    expect(status).toBe(0);
    expect(stderr).toContain('33/40 0 layers\n');
  });

  it('sees what is left', () => {
    // The memory of each engine is kept, and with it more of V8's heap than what it gives up on its own between two parts, such as code that has aged.
    const leaks = `
const { Memory } = WebAssembly;
globalThis.kept = [];
WebAssembly.Memory = function (...given) { const made = new Memory(...given); globalThis.kept.push(made, new Array(40000).fill(kept.length + 0.5)); return made; };
`;
    const counts = ['--calls', '8', '--shapes', '8', '--engines', '24', '--threads', '1', '--layers', '8'];
    const { status, stdout } = soak([...counts, '--json'], leaks);
    const left = Object.fromEntries(findingsOf(stdout).map((finding) => [finding.name, finding.left.join()]));
    expect(left.engines).toMatch(/add \d+ bytes or more to V8's heap,.* add \d+ bytes or more of buffers$/);
    expect(status).toBe(1);
  });

  it.each([
    [['--calls', '0'], "--calls must be a whole number of at least 1, got '0'"],
    [['--call', '3'], "Unknown option '--call'"],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = soak(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('prints help', () => {
    const { status, stdout } = soak(['--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: npm run soak -- \[options\]\n/);
  });
});
