/** Threads in a browser: in pages and their workers, isolated or not, under policies, from files and from bundles. It is the built package that runs, dist/. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { createLogger, build as vite } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isolating, type LocalServer, serveLocally } from '../bench/local-server.ts';
import { createEngineSync, type EngineInfo } from '../src/index.ts';
import { Chromium, type Page } from './browser.ts';
import { describeHosts } from './hosts/describe-hosts.ts';
import { chromium } from './hosts/hosts.ts';
import { digestOf } from './threads-layer.ts';
import type { Asked, Own } from './threads-page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Of a layer, until all threads have helped. */
const MOST_CALLS = 500;

const html = '<!doctype html><meta charset="utf-8"><body><script type="module" src="./page.js"></script>';

/** The page's script. @param library where it imports the library from; undefined: it holds it */
async function pageScript(library?: string, format: 'esm' | 'iife' = 'esm'): Promise<string> {
  const { outputFiles, warnings } = await esbuild({
    entryPoints: [join(root, 'test/threads-page.ts')],
    bundle: true,
    format,
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'built-library',
        setup: ({ onResolve }) =>
          onResolve({ filter: /\/src\/index\.ts$/ }, () =>
            library === undefined ? { path: join(root, 'dist/index.js') } : { path: library, external: true },
          ),
      },
    ],
  });
  // A script that is no module has no import.meta.
  expect(warnings.filter(({ id }) => format === 'esm' || id !== 'empty-import-meta')).toEqual([]);
  return outputFiles[0]?.text ?? '';
}

/** Files by their paths, and those of a folder where its path begins. The browser asks for an icon of its own accord. */
function files(texts: Readonly<Record<string, string>>, folder?: readonly [path: string, folder: string]) {
  return async (path: string): Promise<string | Uint8Array | undefined> => {
    const text = path === '/favicon.ico' ? '' : texts[path];
    if (text !== undefined || !folder || !path.startsWith(folder[0])) return text;
    return readFile(join(folder[1], path.slice(folder[0].length))).catch(() => undefined);
  };
}

const onFiles = async () => files({ '/index.html': html, '/page.js': await pageScript('/dist/index.js') }, ['/dist/', join(root, 'dist')]);

const policy = (workers: string) => ({
  'content-security-policy': `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src ${workers}; connect-src 'self'`,
});

describeHosts([chromium], () => {
  const want = digestOf(createEngineSync({ relaxedSimd: false }));
  let browser: Chromium;
  let server: LocalServer;
  let page: Page;

  beforeAll(() => {
    browser = new Chromium();
  });
  afterEach(async () => {
    await page.close();
    server.close();
  });
  afterAll(() => browser.close());

  async function open(content: Parameters<typeof serveLocally>[0], headers: Readonly<Record<string, string>>): Promise<void> {
    server = await serveLocally(content, headers);
    page = await browser.open(server.url);
  }

  type Where = 'inPage' | 'inWorker';
  function call<N extends keyof Own>(where: Where, name: N, given?: Parameters<Own[N]>[0]): Promise<Awaited<ReturnType<Own[N]>>> {
    return page.evaluate(`${where}(${JSON.stringify({ name, given })})`);
  }

  /** Starts an engine, finds the bits of one thread with it, disposes of it, and finds nothing left. */
  async function check(where: Where, asked: Asked): Promise<{ readonly info: EngineInfo; readonly workers: readonly string[] }> {
    const before = page.workers.length;
    const info = await call(where, 'start', asked);
    const workers = page.workers.slice(before);
    // Threads that wake late, as on a busy machine, help with a later call.
    for (let i = 0; i < 10 || (i < MOST_CALLS && (await call(where, 'helpers')) < info.threads - 1); i++)
      expect(await call(where, 'digest')).toBe(await want);
    expect(await call(where, 'helpers')).toBe(info.threads - 1);
    await call(where, 'dispose');
    await expect.poll(() => page.workers.length, { timeout: 5000 }).toBe(before);
    expect(await call(where, 'noticed')).toMatchObject({ errors: [], refusedWaits: 0 });
    return { info, workers };
  }

  /** An engine of `threads` threads, whose workers come from `address`; the browser has nothing to report. */
  async function expectThreads(where: Where, asked: Asked, address: string | RegExp): Promise<void> {
    const { info, workers } = await check(where, asked);
    expect(info).toMatchObject({ threads: asked.threads, simd: 'simd128' });
    expect(info.threadsReason).toBeUndefined();
    const expected = typeof address === 'string' ? server.url + address : expect.stringMatching(address);
    expect(workers).toEqual(new Array(Number(asked.threads) - 1).fill(expected));
    expect(page.remarks).toEqual([]);
  }

  describe.each([2, 3])('%i', (threads) => {
    it.each(['inPage', 'inWorker'] as const)('from files, %s', async (where) => {
      await open(await onFiles(), isolating);
      if (where === 'inWorker') await call(where, 'noticed');
      await expectThreads(where, { threads }, 'dist/worker.js');
    });

    it.each(['inPage', 'inWorker'] as const)('from one file that holds all, %s', async (where) => {
      await open(files({ '/index.html': html, '/page.js': await pageScript() }), isolating);
      if (where === 'inWorker') await call(where, 'noticed');
      await expectThreads(where, { threads }, /^blob:/);
    });
  });

  it('from one script that is no module', async () => {
    await open(files({ '/index.html': html.replace(' type="module"', ''), '/page.js': await pageScript(undefined, 'iife') }), isolating);
    await expectThreads('inPage', { threads: 2 }, /^blob:/);
  });

  describe('built with Vite', () => {
    const project = mkdtempSync(join(tmpdir(), 'wasm-conv-vite-'));
    const warnings: string[] = [];
    beforeAll(async () => {
      const folder = join(project, 'node_modules/wasm-conv');
      mkdirSync(folder, { recursive: true });
      for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
      writeFileSync(join(project, 'index.html'), html);
      writeFileSync(join(project, 'page.js'), await pageScript('wasm-conv'));
      const warn = (text: string): void => void warnings.push(text);
      const customLogger = { ...createLogger('silent'), warn, warnOnce: warn, error: warn };
      await vite({ root: project, configFile: false, logLevel: 'warn', customLogger });
    });
    afterAll(() => rmSync(project, { recursive: true }));

    // The file that Vite emits, not the text, which a policy may forbid.
    it.each([{}, policy("'self'")])('under policies %j', async (headers) => {
      await open(files({ '/index.html': readFileSync(join(project, 'dist/index.html'), 'utf8') }, ['/', join(project, 'dist')]), {
        ...isolating,
        ...headers,
      });
      await expectThreads('inPage', { threads: 3 }, /\/assets\/worker-[\w-]+\.js$/);
      expect(warnings).toEqual([]);
    });
  });

  it('under a policy that allows files alone', async () => {
    await open(await onFiles(), { ...isolating, ...policy("'self'") });
    await expectThreads('inPage', { threads: 3 }, 'dist/worker.js');
    await expect(page.evaluate('eval("1")')).rejects.toThrow(/unsafe-eval/);
  });

  it('as many as there are cores', async () => {
    await open(await onFiles(), isolating);
    const cores = await page.evaluate<number>('navigator.hardwareConcurrency');
    expect((await check('inPage', { threads: 'auto' })).info.threads).toBe(cores);
  });

  it.each(['url', 'function'] as const)('by the option worker, a %s', async (form) => {
    const content = await onFiles();
    await open((path) => content(path.replace('/served/', '/dist/')), isolating);
    await expectThreads('inPage', { threads: 3, worker: [form, '/served/worker.js'] }, 'served/worker.js');
  });

  it('not in a page that is not isolated, which says so, and asks for nothing', async () => {
    await open(await onFiles(), {});
    const { info, workers } = await check('inPage', { threads: 3 });
    expect(info).toMatchObject({ threads: 1, threadsReason: 'this page is not cross-origin isolated' });
    expect(workers).toEqual([]);
    expect(page.remarks).toEqual([]);
  });

  it('not under a policy that forbids workers, which the browser alone reports', async () => {
    await open(await onFiles(), { ...isolating, ...policy("'none'") });
    const { info, workers } = await check('inPage', { threads: 4 });
    expect(info).toMatchObject({ threads: 1, threadsReason: 'no thread could be started: the worker could not be loaded' });
    expect(workers).toEqual([]);
    // Of each way once, not for each thread.
    const refused = (address: string) => expect.stringMatching(`^security error: Creating a worker from '${address}.*worker-src 'none'`);
    expect(page.remarks).toEqual([refused(`${server.url}dist/worker.js`), refused('blob:')]);
  });
});
