/** What a bundler leaves out of a page that imports conv2d alone, and that no module keeps others waiting. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { conv2dPage, ourPackages, wholePage } from '../scripts/sizes.ts';
import { type UserBundle, userBundlers } from '../scripts/user-bundle.ts';
import { root } from './packed-package.ts';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | Record<string, string>>;
  bin: Record<string, string>;
};

/** Modules that users import or start, but for the one in question. */
const otherEntries = [...Object.entries(manifest.exports), ...Object.entries(manifest.bin)]
  .filter(([name]) => name !== '.')
  .flatMap(([, target]) => (typeof target === 'string' ? [target] : Object.values(target)))
  .filter((path) => path.endsWith('.js'))
  .map((path) => join(root, path));

/** Words that only these have, and that no minifier changes. */
const absent: Readonly<Record<string, readonly string[]>> = {
  factorKernel: ['factorKernel'],
  threads: ['threadsReason', 'cross-origin isolated', 'worker.js'],
  engines: ['createEngine', 'defaultEngine'],
  'transposed convolutions': ['convTranspose2d', 'convTranspose3dInputGrad'],
  gradients: ['conv2dInputGrad', 'conv2dWeightGrad', 'biasGrad'],
  'other operations': ['conv1d', 'conv3d', 'depthwiseConv2d', 'separableConv2d', 'flattenedConv2d', 'channelShuffle', 'unfold'],
};
const reference = `import * as reference from 'wasm-conv/reference'; globalThis.other = reference;`;

describe.each(Object.entries(userBundlers))('%s, conv2d alone', (_, bundle) => {
  let [page, whole, withReference]: UserBundle[] = [];
  beforeAll(async () => {
    page = await bundle(ourPackages, conv2dPage);
    whole = await bundle(ourPackages, wholePage);
    withReference = await bundle(ourPackages, conv2dPage + reference);
  });

  it('computes', () => expect(page?.text).toContain('conv2d'));

  it.each(Object.entries(absent))('has no %s', (_, words) => {
    for (const word of words) {
      // Or a word that is nowhere would say nothing.
      expect([word, whole?.text.includes(word)]).toEqual([word, true]);
      expect([word, page?.text.includes(word)]).toEqual([word, false]);
    }
  });

  it('has no reference, command or other entry', () => {
    expect(otherEntries).toContain(ourPackages['wasm-conv/reference']);
    expect(otherEntries).toContain(join(root, 'dist/cli.js'));
    expect(page?.inputs).toContain(ourPackages['wasm-conv']);
    expect(page?.inputs.filter((path) => otherEntries.includes(path))).toEqual([]);
    expect(withReference?.inputs.filter((path) => otherEntries.includes(path))).toEqual([ourPackages['wasm-conv/reference']]);
  });
});

describe('top-level await', () => {
  /** A module that awaits cannot become one of CommonJS. */
  const asCommonJs = (contents: string) =>
    build({
      stdin: { contents, resolveDir: root },
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
      external: ['*.wasm', '*.wasm?module'],
      logLevel: 'silent',
    });

  it.each(['index', 'reference', 'place', 'workerd', 'edge-light', 'worker'])('is not in dist/%s.js', async (name) => {
    await expect(asCommonJs(`import './dist/${name}.js';`)).resolves.toMatchObject({ errors: [] });
  });

  it('would be seen', async () => {
    await expect(asCommonJs('await 0;')).rejects.toThrow('Top-level await');
  });
});
