/** Runs the app in a host with a console. */
import { execFileSync } from 'node:child_process';
import { inject } from 'vitest';
import type { Answers } from './answers.ts';

/** @throws Error where it writes anything else to its output, or fails */
export function runApp(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Answers {
  const options = { cwd: inject('userProject'), encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 } as const;
  return JSON.parse(execFileSync(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })) as Answers;
}
