/** What has to be true before a version is published, step by step. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alignedTable } from '../../bench/tables.ts';
import { attwRemarks, publintRemarks } from '../published-package.ts';
import { isTooLarge, ourSizes } from '../sizes.ts';
import { changelogFaults } from './changelog.ts';
import { licenceFaults } from './licences.ts';
import { versionRepeats } from './version-repeats.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const inRoot = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const manifestOf = (text: string) => JSON.parse(text) as { readonly version: string; readonly license?: string };
const { version } = manifestOf(inRoot('package.json'));

export interface Outcome {
  /** What is wrong; nothing where all is right. */
  readonly faults: readonly string[];
  /** Told beside the step's name. */
  readonly said?: string;
  /** Lines that are shown whatever came of it. */
  readonly shown?: string;
}

export interface Step {
  readonly name: string;
  /** @param folder a temporary one for all steps */
  run(folder: string): Promise<Outcome>;
  /** Without it the others have nothing to look at. */
  readonly first?: boolean;
}

/** Of `npm run bench:start`: for a look, not for a document. */
const START_ROUNDS = '8';

/** The end of what a command says. */
const TOLD_LINES = 40;

interface Ended {
  readonly faults: readonly string[];
  /** What it wrote to its standard output. */
  readonly output: string;
}

/** A command is right where its exit code is 0. */
function ended(program: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, REQUIRE_HOSTS: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, all] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      all += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (all += text));
    child.once('error', (error) => resolve({ faults: [String(error)], output }));
    child.once('close', (code) => resolve({ faults: code === 0 ? [] : [all.trim().split('\n').slice(-TOLD_LINES).join('\n')], output }));
  });
}

function command(program: string, ...args: string[]): () => Promise<Outcome> {
  return async () => ({ faults: (await ended(program, args)).faults });
}

/** Times are shown, and judged by whoever reads them: machines differ. */
async function start(): Promise<Outcome> {
  const { faults, output } = await ended(process.execPath, ['--import', 'tsx', 'bench/start/main.ts', '--rounds', START_ROUNDS]);
  return { faults, shown: output.trimEnd() };
}

/** The tarball of the step `pack`, and the folder it was unpacked into. */
const packed = (folder: string) => ({ tarball: join(folder, `wasm-conv-${version}.tgz`), unpacked: join(folder, 'package') });

/** What is published is a commit, and all of it. */
async function commit(): Promise<Outcome> {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trimEnd();
  const changed = git('status', '--porcelain').split('\n').filter(Boolean);
  return { said: git('rev-parse', '--short', 'HEAD'), faults: changed.map((line) => `not in the commit: ${line}`) };
}

async function pack(folder: string): Promise<Outcome> {
  const json = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ size, files }] = JSON.parse(json) as [{ size: number; files: readonly unknown[] }];
  const { tarball, unpacked } = packed(folder);
  mkdirSync(unpacked);
  execFileSync('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
  return { faults: [], said: `${files.length} files, ${Math.round(size / 1000)} kB` };
}

async function sizes(): Promise<Outcome> {
  const measured = await ourSizes();
  const rows = measured.map(({ name, bytes, most }) => [name, `${bytes} bytes`, most === undefined ? '' : `of ${most}`]);
  return {
    faults: measured.filter(isTooLarge).map(({ name, bytes, most }) => `${name}: ${bytes} bytes, ${most} at most`),
    shown: alignedTable(rows),
  };
}

async function licences(): Promise<Outcome> {
  const scripts = readdirSync(join(root, 'dist')).filter((name) => name.endsWith('.js'));
  const licenceOf = (name: string) => manifestOf(inRoot('node_modules', name, 'package.json')).license;
  const mapOf = (name: string) => (existsSync(join(root, 'dist', `${name}.map`)) ? inRoot('dist', `${name}.map`) : undefined);
  return { faults: scripts.flatMap((name) => licenceFaults(`dist/${name}`, inRoot('dist', name), licenceOf, mapOf(name))) };
}

async function versions(): Promise<Outcome> {
  const tracked = execFileSync('git', ['ls-files', '*.ts', '*.js', '*.html', 'asconfig.json', ':!docs'], { cwd: root, encoding: 'utf8' });
  const repeats = tracked
    .trim()
    .split('\n')
    .flatMap((file) => versionRepeats(file, inRoot(file), version));
  const built = execFileSync(process.execPath, ['dist/cli.js', '--version'], { cwd: root, encoding: 'utf8' }).trim();
  return {
    said: version,
    faults: [
      ...repeats.map((place) => `${place} repeats the version`),
      ...(manifestOf(inRoot('package-lock.json')).version === version ? [] : ['package-lock.json is of another version']),
      ...(built === version ? [] : [`dist/ is of version ${built}`]),
    ],
  };
}

const [vitest, npm] = [join(root, 'node_modules/vitest/vitest.mjs'), 'npm'];

export const steps: readonly Step[] = [
  { name: 'commit', run: commit },
  { name: 'build', run: command(npm, 'run', '--silent', 'build'), first: true },
  { name: 'check', run: command(npm, 'run', '--silent', 'check') },
  { name: 'tests', run: command(process.execPath, vitest, 'run') },
  { name: 'pack', run: pack, first: true },
  { name: 'sizes', run: sizes },
  { name: 'start', run: start },
  { name: 'publint', run: async (folder) => ({ faults: await publintRemarks(packed(folder).unpacked) }) },
  { name: 'attw', run: async (folder) => ({ faults: await attwRemarks(packed(folder).tarball) }) },
  { name: 'licences', run: licences },
  { name: 'changelog', run: async () => ({ faults: changelogFaults(inRoot('CHANGELOG.md'), version) }) },
  { name: 'version', run: versions },
];
