/** The browsers, one face for all: a page is opened, and reports to the server that it came from. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Chromium, type Page } from '../browser.ts';
import { firefox, webkit } from './hosts.ts';
import { requireRuntime } from './runtime-package.ts';

export interface Browser {
  /** One page at a time. */
  open(url: string): Promise<void>;
  close(): Promise<void>;
}

export async function openChromium(): Promise<Browser> {
  const chromium = new Chromium();
  let page: Page | undefined;
  return {
    open: async (url) => {
      await page?.close();
      page = await chromium.open(url);
    },
    close: () => chromium.close(),
  };
}

interface Puppeteer {
  launch(options: object): Promise<{
    newPage(): Promise<{ goto(url: string): Promise<unknown> }>;
    close(): Promise<void>;
  }>;
}

export async function openFirefox(): Promise<Browser> {
  const browser = await requireRuntime<Puppeteer>(firefox.module).launch({
    browser: 'firefox',
    executablePath: firefox.program,
    headless: true,
  });
  const page = await browser.newPage();
  return {
    open: async (url) => void (await page.goto(url)),
    close: () => browser.close(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** A call of the WebDriver protocol, https://www.w3.org/TR/webdriver2/ */
async function call(method: string, url: string, body?: object): Promise<unknown> {
  const response = await fetch(url, { method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000) });
  const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
  if (value?.error !== undefined) throw new Error(value.message ?? value.error);
  return value;
}

async function answering(url: string, driver: ChildProcess): Promise<void> {
  for (let looks = 0; looks < 200; looks++) {
    if (driver.exitCode !== null) break;
    if (await call('GET', `${url}/status`).catch(() => undefined)) return;
    await sleep(50);
  }
  throw new Error('the driver of WebKit does not answer');
}

/** With a display of its own, without which a session does not begin. @param env switches of its JavaScript engine */
export async function openWebkit(env: Readonly<Record<string, string>>): Promise<Browser> {
  const port = await freePort();
  const driver = spawn('xvfb-run', ['-a', 'WebKitWebDriver', `--port=${port}`], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
    // A group of processes, to be ended together.
    detached: true,
  });
  const end = async (): Promise<void> => {
    if (driver.exitCode === null && driver.pid !== undefined) process.kill(-driver.pid);
    if (driver.exitCode === null && driver.signalCode === null) await once(driver, 'exit');
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await answering(url, driver);
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary: webkit.program, args: ['--automation'] } } };
    const { sessionId } = (await call('POST', `${url}/session`, { capabilities })) as { sessionId: string };
    const session = `${url}/session/${sessionId}`;
    return {
      open: async (page) => void (await call('POST', `${session}/url`, { url: page })),
      close: async () => {
        await call('DELETE', session).catch(() => {});
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
