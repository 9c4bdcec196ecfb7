#!/usr/bin/env node
/** The package's command. `--help` says what it does. */
import { readFileSync } from 'node:fs';
import { bench, benchHelp } from './bench.ts';
import { plan, planHelp } from './plan.ts';
import { failure, UsageError } from './usage.ts';

const help = `Usage: wasm-conv <command> [options]

Convolution in SIMD WebAssembly.

  bench        how fast layers are here, against JavaScript and the peers
  plan         how a layer would be computed, and what that takes

  --version    the version of the package
  --help       this text; after a command, its options

Exit code: 0, 1 when something failed, 2 for a wrong option.
`;

interface Command {
  readonly help: string;
  /** @returns the exit code */
  readonly run: (args: readonly string[]) => Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  bench: { help: benchHelp, run: bench },
  plan: { help: planHelp, run: plan },
};

/** The package's own: beside this folder in a checkout and in the package alike. */
function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** @returns the exit code */
async function main([name, ...args]: readonly string[]): Promise<number> {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (command) return await command.run(args);
    if (name === '--help' || name === '-h') process.stdout.write(help);
    else if (name === '--version') process.stdout.write(`${version()}\n`);
    else throw new UsageError(name === undefined ? 'a command is missing' : `'${name}' is no command`);
    return 0;
  } catch (error) {
    return failure(error, command?.help ?? help);
  }
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
process.exitCode = await main(process.argv.slice(2));
