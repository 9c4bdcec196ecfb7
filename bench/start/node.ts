/** Fresh processes of Node, in turns with one that does nothing. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figure, figureOf, figureOver } from './figure.ts';
import { engineProgram, ourPrograms } from './programs.ts';

export interface NodeStart {
  /** Of Node. */
  readonly version: string;
  /** A process that does nothing: until its first line. */
  readonly empty: Figure;
  /** Over that: the import alone, and with the first result. */
  readonly importing: Figure;
  readonly first: Figure;
  /** The first result of others, by package. */
  readonly peers: Readonly<Record<string, Figure>>;
  /** Within a process, after the import. */
  readonly createEngine: Figure;
  readonly memoryBytes: number;
}

/** Were most processes that do nothing not alike, the others' times would say little. */
export function wasDisturbed({ empty }: NodeStart): boolean {
  return (empty.high - empty.low) / empty.median > 0.1;
}

/** @returns what it prints. @throws Error where the program says that its result is wrong, or fails */
function runFresh(node: string, file: string): string {
  const { status, stdout, stderr, error } = spawnSync(node, [file], { encoding: 'utf8' });
  if (error) throw new Error(`${node} cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}`);
  return stdout;
}

/**
 * @param peers programs by package, as in programs.ts
 * @param round is told the number of each round before it begins; one before the first is not counted
 */
export function measureNode(
  node: string,
  peers: Readonly<Record<string, string>>,
  rounds: number,
  round: (done: number) => void,
): NodeStart {
  const folder = mkdtempSync(join(tmpdir(), 'wasm-conv-start-'));
  try {
    const fileOf = (name: string, code: string): string => {
      const file = join(folder, `${name.replace(/\W/g, '-')}.mjs`);
      writeFileSync(file, code);
      return file;
    };
    const timed = new Map(Object.entries({ ...ourPrograms, ...peers }).map(([name, code]) => [name, fileOf(name, code)]));
    const engineFile = fileOf('engine', engineProgram);
    const samples = new Map([...timed.keys()].map((name) => [name, [] as number[]]));
    const engines: { milliseconds: number; memoryBytes: number }[] = [];
    for (let i = 0; i <= rounds; i++) {
      round(Math.max(0, i - 1));
      for (const [name, file] of timed) {
        // Others say more than that.
        const milliseconds = Number(runFresh(node, file).trimEnd().split('\n').at(-1));
        if (!(milliseconds > 0)) throw new Error(`${file} did not print when it was done`);
        if (i > 0) samples.get(name)?.push(milliseconds);
      }
      const engine = JSON.parse(runFresh(node, engineFile)) as (typeof engines)[0];
      if (i > 0) engines.push(engine);
    }
    const of = (name: string): readonly number[] => samples.get(name) ?? [];
    const over = (name: string): Figure => figureOver(of(name), of('empty'));
    return {
      version: spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim().replace(/^v/, ''),
      empty: figureOf(of('empty')),
      importing: over('importing'),
      first: over('first'),
      peers: Object.fromEntries(Object.keys(peers).map((name) => [name, over(name)])),
      createEngine: figureOf(engines.map(({ milliseconds }) => milliseconds)),
      memoryBytes: Math.max(...engines.map(({ memoryBytes }) => memoryBytes)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
