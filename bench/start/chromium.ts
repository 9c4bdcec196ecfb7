/** Fresh browsers, each with one page that imports the package as a user's bundler made it. */
import { ourPackages } from '../../scripts/sizes.ts';
import { userBundlers } from '../../scripts/user-bundle.ts';
import { inChromium } from '../litert/browser.ts';
import { isolating, serveLocally } from '../local-server.ts';
import { type Figure, figureOf } from './figure.ts';
import { firstCall, rightValue } from './programs.ts';

export interface ChromiumStart {
  /** Name and version of the browser. */
  readonly version: string;
  /** From the import of the bundle, loaded from this machine, to the first result. */
  readonly first: Figure;
  /** After the import. */
  readonly createEngine: Figure;
}

interface PageTimes {
  readonly milliseconds: number;
  readonly right: boolean;
}

declare global {
  var pageTimes: PageTimes | { readonly error: string } | undefined;
}

/** Modules of a page: each exports what is called, and says whether that was right. */
const modules = {
  first: `import { conv2d, tensor } from 'wasm-conv'; export const call = async () => (${firstCall}).data[0] === ${rightValue};`,
  engine: `import { createEngine } from 'wasm-conv'; export const call = async () => (await createEngine()).info.memoryBytes > 0;`,
} as const;

/** The clock begins before the import, or after it. */
function html(withImport: boolean): string {
  const [before, after] = withImport ? ['begin = performance.now();', ''] : ['', 'begin = performance.now();'];
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script type="module">
let begin = 0;
try {
  ${before}
  const { call } = await import('./module.js');
  ${after}
  const right = await call();
  globalThis.pageTimes = { milliseconds: performance.now() - begin, right };
} catch (error) {
  globalThis.pageTimes = { error: String(error) };
}
</script>`;
}

/** One page in a browser of its own: nothing is compiled or cached yet. */
async function inFreshBrowser(
  path: string,
  which: keyof typeof modules,
  script: string,
): Promise<PageTimes & { readonly version: string }> {
  const files: Readonly<Record<string, string>> = { '/index.html': html(which === 'first'), '/module.js': script };
  // Only an isolated page has a clock of 5 µs.
  const server = await serveLocally(async (file) => files[file], isolating);
  try {
    return await inChromium(path, { url: server.url, ready: 'globalThis.pageTimes !== undefined' }, async (page, version) => {
      const times = await page.evaluate(() => globalThis.pageTimes, undefined);
      if (times === undefined || 'error' in times) throw new Error(`the page failed: ${times?.error}`);
      if (!times.right) throw new Error('the page found something else');
      return { ...times, version };
    });
  } finally {
    server.close();
  }
}

export async function measureChromium(path: string, rounds: number, round: (done: number) => void): Promise<ChromiumStart> {
  const bundle = async (code: string): Promise<string> => (await userBundlers.esbuild(ourPackages, code)).text;
  const scripts = { first: await bundle(modules.first), engine: await bundle(modules.engine) };
  const [first, engine]: [number[], number[]] = [[], []];
  let version = '';
  for (let i = 0; i < rounds; i++) {
    round(i);
    const page = await inFreshBrowser(path, 'first', scripts.first);
    first.push(page.milliseconds);
    engine.push((await inFreshBrowser(path, 'engine', scripts.engine)).milliseconds);
    version = page.version;
  }
  return { version, first: figureOf(first), createEngine: figureOf(engine) };
}
