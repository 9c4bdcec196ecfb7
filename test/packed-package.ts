/** The package as npm would publish it, unpacked into an empty project. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface PackedPackage {
  /** A folder of modules, in which the package is all that is installed. */
  readonly project: string;
  /** Where it is installed. */
  readonly folder: string;
  readonly tarball: string;
  /** Paths in the tarball. */
  readonly files: readonly string[];
  remove(): void;
}

/** Of what was built before. */
export function packPackage(): PackedPackage {
  const project = mkdtempSync(join(tmpdir(), 'wasm-conv-user-'));
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  const [folder, tarball] = [join(project, 'node_modules', 'wasm-conv'), join(project, filename)];
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  return { project, folder, tarball, files: files.map(({ path }) => path), remove: () => rmSync(project, { recursive: true }) };
}
