/** Before the tests: the package as users get it, packed and installed in an empty project, with the app in it. After them: which hosts were not there. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { fixtureModule, type Truth, truth } from './fixture.ts';
import { hosts, missingLines } from './hosts.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of the project; in it `app/`, and `by-path/`, the same for pages without an import map. */
    readonly userProject: string;
    readonly truth: Truth;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));
let project = '';

function npm(folder: string, ...args: string[]): string {
  return execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** @param library what its files call the library */
function writeApp(folder: string, library: string): void {
  cpSync(fileURLToPath(new URL('./app', import.meta.url)), folder, { recursive: true });
  for (const file of readdirSync(folder)) {
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll("'wasm-conv'", `'${library}'`));
  }
  writeFileSync(join(folder, 'fixture.js'), fixtureModule());
}

export function setup({ provide }: TestProject): void {
  project = mkdtempSync(join(tmpdir(), 'wasm-conv-hosts-'));
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  const packed = npm(root, 'pack', '--ignore-scripts', '--json', '--pack-destination', project);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  npm(project, 'install', '--offline', '--no-audit', '--no-fund', `./${filename}`);
  writeApp(join(project, 'app'), 'wasm-conv');
  writeApp(join(project, 'by-path'), '/node_modules/wasm-conv/dist/index.js');
  provide('userProject', project);
  provide('truth', truth());
}

export function teardown(): void {
  rmSync(project, { recursive: true, force: true, maxRetries: 5 });
  const lines = missingLines(hosts);
  if (lines.length > 0) console.log(['', ...lines].join('\n'));
}
