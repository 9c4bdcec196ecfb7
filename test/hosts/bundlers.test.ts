/** What bundlers make of the package, opened in Chromium. */
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { createLogger, build as vite } from 'vite';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { isolating } from '../../bench/local-server.ts';
import { expectDigits } from './answers.ts';
import { type Browser, openChromium } from './browsers.ts';
import { describeHosts } from './describe-hosts.ts';
import { chromium, type Host, rollupBundler, webpackBundler } from './hosts.ts';
import { requireRuntime } from './runtime-package.ts';
import { pageOf, strictPolicy, visit } from './visit.ts';
import { runWebpack } from './webpack.ts';

const app = (file: string): string => join(inject('userProject'), 'app', file);

type Entries = Readonly<Record<string, string>>;

/** Writes the scripts of pages, by name, into a folder. @returns warnings */
type Bundle = (entries: Entries, outdir: string) => Promise<readonly string[]>;

async function withEsbuild(entryPoints: Entries, outdir: string): Promise<readonly string[]> {
  const { warnings } = await esbuild({ entryPoints: { ...entryPoints }, outdir, bundle: true, format: 'esm', logLevel: 'silent' });
  return warnings.map(({ text }) => text);
}

async function withVite(input: Entries, outDir: string): Promise<readonly string[]> {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  await vite({
    root: inject('userProject'),
    configFile: false,
    logLevel: 'warn',
    customLogger: { ...createLogger('silent'), warn, warnOnce: warn, error: warn },
    build: { outDir, rolldownOptions: { input: { ...input }, output: { entryFileNames: '[name].js' } } },
  });
  return warnings;
}

function withWebpack(entry: Entries, path: string): Promise<readonly string[]> {
  // It would remark on the size of any script above 244 KiB, which the digits alone are.
  return runWebpack({ context: inject('userProject'), entry, output: { path }, performance: false });
}

interface Rollup {
  rollup(options: object): Promise<{ write(options: object): Promise<unknown>; close(): Promise<void> }>;
}

async function withRollup(input: Entries, dir: string): Promise<readonly string[]> {
  const { nodeResolve } = requireRuntime<{ nodeResolve(options: object): unknown }>('@rollup/plugin-node-resolve');
  const warnings: string[] = [];
  const bundle = await requireRuntime<Rollup>(rollupBundler.module).rollup({
    input,
    plugins: [nodeResolve({ browser: true })],
    onwarn: ({ message }: { message: string }) => warnings.push(message),
  });
  await bundle.write({ dir, format: 'es' });
  await bundle.close();
  return warnings;
}

const bundlers: readonly {
  readonly title: string;
  readonly needed?: readonly Host[];
  readonly bundle: Bundle;
  /** Whether it follows `new Worker(new URL(…))`. */
  readonly workers: boolean;
}[] = [
  { title: 'esbuild', bundle: withEsbuild, workers: false },
  { title: 'Vite', bundle: withVite, workers: true },
  { title: 'webpack', needed: [webpackBundler], bundle: withWebpack, workers: true },
  { title: 'Rollup', needed: [rollupBundler], bundle: withRollup, workers: false },
];

describeHosts([chromium], () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(() => browser?.close());

  for (const { title, needed = [], bundle, workers } of bundlers) {
    const folder = join(inject('userProject'), `built-by-${title}`);
    const pages = workers ? ['page', 'page-of-worker'] : ['page'];
    const tests = (): void => {
      let remarks: readonly string[];
      beforeAll(async () => {
        remarks = await bundle(Object.fromEntries(pages.map((page) => [page, app(`${page}.js`)])), folder);
      });

      it('has nothing to remark', () => expect(remarks).toEqual([]));

      it.each(pages)('makes a page that reads digits with threads, %s', async (page) => {
        expectDigits(await visit(browser!, { folder, html: pageOf(`/${page}.js`), headers: isolating }), { simd: 'relaxed' });
      });

      it.each(pages)('makes a page that reads digits without, %s', async (page) => {
        const whyAlone = 'this page is not cross-origin isolated';
        expectDigits(await visit(browser!, { folder, html: pageOf(`/${page}.js`) }), { simd: 'relaxed', whyAlone });
      });

      it.each(pages)('makes a page that reads digits under a strict policy, %s', async (page) => {
        const whyAlone = 'this page is not cross-origin isolated';
        const visited = await visit(browser!, { folder, html: pageOf(`/${page}.js`), headers: strictPolicy });
        expectDigits(visited, { simd: 'relaxed', whyAlone });
      });
    };
    describeHosts(needed, tests, title);
  }
});
