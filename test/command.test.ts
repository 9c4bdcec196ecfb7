import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { command } from './command.ts';

it('prints help', () => {
  const { status, stdout, stderr } = command(['--help']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Usage: wasm-conv <command> \[options\]\n/);
  for (const name of ['bench', 'plan']) expect(stdout).toContain(`\n  ${name} `);
});

it('prints the version of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(command(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
});

it.each([
  [[], 'a command is missing\n\nUsage: wasm-conv <command>'],
  [['measure'], "'measure' is no command\n\nUsage: wasm-conv <command>"],
  [['constructor'], "'constructor' is no command\n"],
  [['--versions'], "'--versions' is no command\n"],
])('refuses %j', (args, message) => {
  const { status, stdout, stderr } = command(args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});
