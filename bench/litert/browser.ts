/** Chromium, driven by playwright-core. It is the system's own: nothing is downloaded. */
import { existsSync } from 'node:fs';
import { chromiumArgs as args, howToInstall } from '../chromium.ts';
import { requirePeer } from '../peer.ts';

/** The parts of playwright-core that are used. */
export interface Page {
  goto(url: string): Promise<unknown>;
  waitForFunction(expression: string): Promise<unknown>;
  /** @param run is sent as text: it knows nothing of what is around it */
  evaluate<A, R>(run: (args: A) => R | Promise<R>, args: A): Promise<R>;
  on(event: 'pageerror', listener: (error: Error) => void): void;
}

interface Browser {
  /** Of four numbers. */
  version(): string;
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: { launch(options: { executablePath: string; args: readonly string[] }): Promise<Browser> };
}

/**
 * @param ready an expression that becomes true when the page's script has run
 * @param work gets the page, and name and version of the browser, which is closed after it
 * @throws Error when there is no such browser, when playwright-core is not installed, or when the script fails
 */
export async function inChromium<R>(
  executablePath: string,
  { url, ready }: { readonly url: string; readonly ready: string },
  work: (page: Page, version: string) => Promise<R>,
): Promise<R> {
  const { chromium } = requirePeer('playwright-core') as Playwright;
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}: run ${howToInstall}, or give --browser <path>`);
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
    await page.goto(url);
    await Promise.race([page.waitForFunction(ready), failed]);
    return await work(page, `Chromium ${browser.version()}`);
  } finally {
    await browser.close();
  }
}
