/** Libraries that are measured against. They belong to this folder's own package.json: who measures without them need not install them. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Contestant } from './contestant.ts';
import manifest from './package.json' with { type: 'json' };
import type { Problem } from './problem.ts';

export interface Peer {
  /** Its package. */
  readonly name: string;
  readonly version: string;
  /** None where it cannot compute the layer. */
  contestants(problem: Problem): readonly Contestant[] | Promise<readonly Contestant[]>;
}

/** In a checkout this file lies in the folder of the peers' own package; in the package it is part of the command, and peers are the project's. */
const inCheckout = existsSync(new URL('./package.json', import.meta.url));

/** require() rather than import(): packages that share a third one then find the same copy of it. */
const require = createRequire(inCheckout ? import.meta.url : join(process.cwd(), '/'));

function howToInstall(): string {
  if (inCheckout) return '(cd bench && npm ci)';
  const packages = Object.entries(manifest.dependencies).map(([name, version]) => `${name}@${version}`);
  return `npm install --no-save ${packages.join(' ')}`;
}

/** @throws Error when the package is not installed */
export function resolvePeer(name: string): string {
  try {
    return require.resolve(name);
  } catch (cause) {
    throw new Error(`${name} is not installed: run ${howToInstall()}`, { cause });
  }
}

/** @throws Error when the package is not installed */
export function requirePeer(name: string): unknown {
  return require(resolvePeer(name));
}
