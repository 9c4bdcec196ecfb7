/** One commit gives one binary: built again, in this process and in another, each file has the same hash. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileKernels } from '../scripts/compile-kernels.ts';
import { kernelFiles } from '../scripts/kernel-files.ts';
import { ownBinary } from '../src/own-binary.ts';
import { root } from './packed-package.ts';

const home = mkdtempSync(join(tmpdir(), 'wasm-conv-builds-'));
afterAll(() => rmSync(home, { recursive: true }));

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const hashesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(kernelFiles.map((name) => [name, hashOf(readFileSync(join(folder, name)))]));

/** Paths and times must not matter: folders are new, and one lies deeper than the other. */
const [here, elsewhere] = [join(home, 'one'), join(home, 'a', 'deeper', 'two')];

async function compileElsewhere(): Promise<void> {
  const script = pathToFileURL(join(root, 'scripts/compile-kernels.ts')).href;
  const code = `import { compileKernels } from ${JSON.stringify(script)}; await compileKernels(${JSON.stringify(elsewhere)});`;
  await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], { cwd: root });
}

describe('binaries', () => {
  beforeAll(async () => {
    await Promise.all([compileElsewhere(), compileKernels(here)]);
  }, 240_000);

  it('are four different ones', () => expect(new Set(Object.values(hashesIn(here))).size).toBe(4));
  it('are the same in two builds', () => expect(hashesIn(elsewhere)).toEqual(hashesIn(here)));
  it('are those in dist/', () => expect(hashesIn(join(root, 'dist'))).toEqual(hashesIn(here)));

  it('are those inlined in the library', () => {
    const inlined = [false, true].map((relaxed) => hashOf(ownBinary(relaxed) as Uint8Array));
    expect(inlined).toEqual([hashesIn(here)['kernels.wasm'], hashesIn(here)['kernels-relaxed.wasm']]);
  });
});
