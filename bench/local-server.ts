/** Serves pages to a browser on this machine. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';

/** Headers of a page that may share memory with its workers, and of all that it loads. */
export const isolating = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface LocalServer {
  readonly url: string;
  close(): void;
}

/**
 * @param contentOf what is at a path, which begins with a slash; undefined where there is nothing
 * @param headers   of every answer
 */
export async function serveLocally(
  contentOf: (path: string, request: IncomingMessage) => Promise<string | Uint8Array | undefined>,
  headers: Readonly<Record<string, string>>,
): Promise<LocalServer> {
  const server = createServer(async (request, response) => {
    const { url = '/' } = request;
    const path = url === '/' ? '/index.html' : url;
    const content = await contentOf(path, request);
    if (content === undefined) response.writeHead(404, headers).end();
    else response.writeHead(200, { ...headers, 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(content);
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
