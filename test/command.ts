/** The built command, as users run it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** In the package's folder where no other is given. */
export function command(args: readonly string[], cwd = fileURLToPath(new URL('../', import.meta.url))) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}
