/** What both commands of this folder do: run a benchmark, find out what its rooflines stand under, write files. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../../cli/usage.ts';
import { thisMachine } from '../machine.ts';
import { parseResults, type Results } from './results.ts';
import type { Roof } from './roofline.ts';

/** A benchmark failed; it has said why. */
export class BenchmarkError extends CommandError {
  constructor(name: string, exitCode: number) {
    super(`${name} ended with exit code ${exitCode} and no results`, exitCode);
  }
}

/** Runs a benchmark; what it says on standard error is seen at once. @returns its results, and its exit code */
async function run(name: string, script: string, args: readonly string[]): Promise<readonly [results: Results, exitCode: number]> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  // The flags of this process load TypeScript in that one too.
  const child = spawn(process.execPath, [...process.execArgv, path, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8');
  let json = '';
  child.stdout.on('data', (text: string) => {
    json += text;
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  if (json === '') throw new BenchmarkError(name, exitCode || 1);
  return [parseResults(json, name), exitCode];
}

/** Loaded only now: help, wrong options and a stated bandwidth need no compiler. */
async function bandwidthHere(): Promise<number> {
  const { measureBandwidth } = await import('./bandwidth.ts');
  return measureBandwidth();
}

/** `wasm-conv bench`. @param withBandwidth whether that of the memory is measured too, after the rounds */
export async function measureNode(args: readonly string[], withBandwidth: boolean): Promise<readonly [results: Results, exitCode: number]> {
  const [results, exitCode] = await run('wasm-conv bench', '../../cli/main.ts', ['bench', ...args]);
  return [withBandwidth ? { ...results, bandwidth: await bandwidthHere() } : results, exitCode];
}

/** `npm run bench:litert`. */
export function measureChromium(args: readonly string[]): Promise<readonly [results: Results, exitCode: number]> {
  return run('bench:litert', '../litert/main.ts', args);
}

const measuredBy = '128-bit copies of 128 MiB, read and written bytes together';

/** @param stated on the command line */
export async function roofOf({ machine, bandwidth }: Results, stated: number | undefined): Promise<Roof> {
  if (stated !== undefined) return { bandwidth: stated, origin: 'as stated when the page was made' };
  if (bandwidth !== undefined) return { bandwidth, origin: measuredBy };
  const here = thisMachine();
  if (here.cpu !== machine.cpu || here.cores !== machine.cores || here.node !== machine.node)
    return { bandwidth: undefined, origin: 'bandwidth not known: the page was made on another machine than the figures' };
  return { bandwidth: await bandwidthHere(), origin: `${measuredBy}, measured when the page was made` };
}

export interface File {
  /** Its path in the folder. */
  readonly name: string;
  readonly content: string;
}

/** @returns their paths */
export function writeFiles(folder: string, files: readonly File[]): string[] {
  return files.map(({ name, content }) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  });
}
