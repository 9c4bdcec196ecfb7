/** A user's project: the packed package and what the examples need installed, the examples copied into it. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { packPackage, root } from './packed-package.ts';

/** Of the folder `examples/`. `digits/` is a program of its own; the others read its weights. */
export const folders = ['cloudflare-worker', 'vercel-edge', 'deno', 'bun', 'browser-plain', 'lambda'] as const;
/** What `npm install fast-png` brings. */
const installed = ['fast-png', 'fflate', 'iobuffer'];

export interface Project {
  readonly folder: string;
  remove(): void;
}

export function makeProject(): Project {
  const { project: folder, remove } = packPackage();
  for (const name of installed) cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
  for (const path of [...folders, 'digit-reader', 'digits/weights.json'])
    cpSync(join(root, 'examples', path), join(folder, 'examples', path), { recursive: true });
  return { folder, remove };
}
