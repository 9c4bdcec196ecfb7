/** A visit of a browser to a page that runs the app. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { serveLocally } from '../../bench/local-server.ts';
import type { Answers } from './answers.ts';
import type { Browser } from './browsers.ts';

export interface Site {
  readonly folder: string;
  /** Of the page, which need not be a file. */
  readonly html: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Of a page that loads its script and nothing else. */
export function pageOf(script: string, head = ''): string {
  return `<!doctype html><meta charset="utf-8">${head}<body><script type="module" src="${script}"></script>`;
}

/** Of a page that runs its own scripts and binaries, and no others. */
export const strictPolicy = { 'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'" };

const PATIENCE_MS = 40_000;

/** @throws Error of the page, or where it does not report */
export async function visit(browser: Browser, { folder, html, headers = {} }: Site): Promise<Answers> {
  const missing: string[] = [];
  let report: (found: Answers & { error?: string }) => void;
  const reported = new Promise<Answers & { error?: string }>((resolve) => {
    report = resolve;
  });
  const server = await serveLocally(async (path, request) => {
    if (path === '/index.html') return html;
    // Browsers ask for it of their own accord.
    if (path === '/favicon.ico') return '';
    if (path === '/answer') {
      report(JSON.parse(await text(request)));
      return '';
    }
    return readFile(join(folder, path)).catch(() => void missing.push(path));
  }, headers);
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the page does not report; missing: ${missing.join(', ') || 'nothing'}`)), PATIENCE_MS);
    });
    await Promise.race([browser.open(server.url), late]);
    const { error, ...answers } = await Promise.race([reported, late]);
    if (error !== undefined) throw new Error(`${error}; missing: ${missing.join(', ') || 'nothing'}`);
    if (missing.length > 0) throw new Error(`the page asked for what is not there: ${missing.join(', ')}`);
    return answers;
  } finally {
    clearTimeout(timer);
    server.close();
  }
}
