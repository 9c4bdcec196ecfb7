/** Libraries that are measured against. They belong to this folder's own package.json: who measures without them need not install them. */
import { createRequire } from 'node:module';
import type { Contestant } from './contestant.ts';
import type { Problem } from './problem.ts';

export interface Peer {
  /** Its package. */
  readonly name: string;
  readonly version: string;
  /** None where it cannot compute the layer. */
  contestants(problem: Problem): readonly Contestant[] | Promise<readonly Contestant[]>;
}

/** require() rather than import(): packages that share a third one then find the same copy of it. */
const require = createRequire(import.meta.url);

/** @throws Error when the package is not installed */
export function resolvePeer(name: string): string {
  try {
    return require.resolve(name);
  } catch (cause) {
    throw new Error(`${name} is not installed: run (cd bench && npm ci)`, { cause });
  }
}

/** @throws Error when the package is not installed */
export function requirePeer(name: string): unknown {
  return require(resolvePeer(name));
}
