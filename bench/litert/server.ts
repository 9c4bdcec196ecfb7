/** Serves the page and LiteRT's binaries to a browser on this machine, with the headers that isolate a page. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isolating, type LocalServer, serveLocally } from '../local-server.ts';

const html = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script type="module" src="/page.js"></script>';

/** @param binaries the folder that is served as /litert/ */
export function servePage(script: string, binaries: string): Promise<LocalServer> {
  return serveLocally(async (path) => {
    if (path === '/index.html') return html;
    if (path === '/page.js') return script;
    const file = /^\/litert\/([\w.-]+)$/.exec(path)?.[1];
    return file === undefined ? undefined : readFile(join(binaries, file)).catch(() => undefined);
  }, isolating);
}
