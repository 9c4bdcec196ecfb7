/** A user's project: the packed package and what the examples need installed, the examples copied into it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Of the folder `examples/`. `digits/` is a program of its own; the others read its weights. */
export const folders = ['cloudflare-worker', 'vercel-edge', 'deno', 'bun', 'browser-plain', 'lambda'] as const;
/** What `npm install fast-png` brings. */
const installed = ['fast-png', 'fflate', 'iobuffer'];

export interface Project {
  readonly folder: string;
  remove(): void;
}

export function makeProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'wasm-conv-examples-'));
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const library = join(folder, 'node_modules', 'wasm-conv');
  mkdirSync(library, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', library, '--strip-components=1']);
  for (const name of installed) cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
  for (const path of [...folders, 'digit-reader', 'digits/weights.json'])
    cpSync(join(root, 'examples', path), join(folder, 'examples', path), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
