/** What the tarball holds, file by file: who adds a file to the package adds it here. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kernelFiles } from '../scripts/kernel-files.ts';
import { bundledFiles, bundledPackages } from '../scripts/release/licences.ts';
import { type PackedPackage, packPackage, root } from './packed-package.ts';

let packed: PackedPackage;
beforeAll(() => {
  packed = packPackage();
});
afterAll(() => packed.remove());

const ofFolder = (from: string, to: string): string[] => readdirSync(join(root, from)).map((name) => `${to}/${name}`);

const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
/** Each with its source map. */
const modules = ['index.js', 'reference.js', 'place.js', 'workerd.js', 'edge-light.js'];
const types = ['index.d.ts', 'reference.d.ts', 'place.d.ts'];
/** tsdown.config.ts says why these have none. */
const withoutMap = ['worker.js', 'cli.js'];

it('holds these files and no other', () => {
  const built = [...kernelFiles, ...modules, ...modules.map((name) => `${name}.map`), ...types, ...withoutMap];
  const expected = [
    ...documents,
    'asconfig.json',
    ...ofFolder('assembly', 'assembly'),
    ...built.map((name) => `dist/${name}`),
    ...ofFolder('bench/shapes', 'dist/shapes'),
  ];
  expect([...packed.files].sort()).toEqual(expected.sort());
});

const builtFiles = (ending: string): string[] => packed.files.filter((path) => path.startsWith('dist/') && path.endsWith(ending));

it('has source maps that hold their sources, which are ours and no tests', () => {
  const maps = builtFiles('.js.map');
  expect(maps).toHaveLength(modules.length);
  for (const path of maps) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(packed.folder, path), 'utf8')) as {
      sources: string[];
      sourcesContent: (string | null)[];
    };
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((source) => !/^\.\.\/(src|assembly)\/(reference\/)?[a-z0-9.-]+\.ts$/.test(source))).toEqual([]);
    expect(sourcesContent.map((content) => typeof content)).toEqual(sources.map(() => 'string'));
    const script = readFileSync(join(packed.folder, path.replace(/\.map$/, '')), 'utf8');
    expect(script).toMatch(new RegExp(`\n//# sourceMappingURL=${path.slice('dist/'.length)}\\s*$`));
  }
});

it('has no line of another project but the clock of the command, which its first lines name', () => {
  const textOf = (path: string): string => readFileSync(join(packed.folder, path), 'utf8');
  const others = builtFiles('.js').flatMap((path) => {
    const files = bundledFiles(textOf(path), builtFiles('.map').includes(`${path}.map`) ? textOf(`${path}.map`) : undefined);
    expect(files.length, path).toBeGreaterThan(0);
    return bundledPackages(files).map((name) => [path, name]);
  });
  expect(others).toEqual([['dist/cli.js', 'tinybench']]);
  expect(readFileSync(join(packed.folder, 'dist/cli.js'), 'utf8').split('\n')[1]).toContain('Contains tinybench, MIT License');
});
