/** Serves the page and LiteRT's binaries to a browser on this machine, with the headers that isolate a page. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const isolating = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

const html = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script type="module" src="/page.js"></script>';

export interface PageServer {
  readonly url: string;
  close(): void;
}

/** @param binaries the folder that is served as /litert/ */
export async function servePage(script: string, binaries: string): Promise<PageServer> {
  const contentOf = async (path: string): Promise<string | Uint8Array | undefined> => {
    if (path === '/index.html') return html;
    if (path === '/page.js') return script;
    const file = /^\/litert\/([\w.-]+)$/.exec(path)?.[1];
    return file === undefined ? undefined : readFile(join(binaries, file)).catch(() => undefined);
  };
  const server = createServer(async ({ url = '/' }, response) => {
    const path = url === '/' ? '/index.html' : url;
    const content = await contentOf(path);
    if (content === undefined) response.writeHead(404, isolating).end();
    else response.writeHead(200, { ...isolating, 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(content);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
