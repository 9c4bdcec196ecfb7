/** The examples that answer a posted PNG, each in the host that it is for, against the packed package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classes, png, refusals } from './examples-pictures.ts';
import { makeProject, type Project } from './examples-project.ts';
import { describeHosts } from './hosts/describe-hosts.ts';
import { bun, deno, edgeRuntime, workerd } from './hosts/hosts.ts';
import { requireRuntime } from './hosts/runtime-package.ts';

/** What all hosts give back. */
type Answer = Pick<Response, 'status' | 'json'> & { readonly headers: Pick<Headers, 'get'> };
type Send = (method: string, body?: Uint8Array<ArrayBuffer>) => Promise<Answer>;

const refused = await refusals();
let project: Project;
beforeAll(() => {
  project = makeProject();
});
afterAll(() => project.remove());

const example = (path: string): string => join(project.folder, 'examples', path);

/** @param send to the example, once it is there */
function answersLikeAllOthers(send: Send): void {
  it.each(classes)('reads a %i', async (digit) => {
    const answer = await send('POST', Uint8Array.from(await png(digit)));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const reading = await answer.json();
    expect(reading).toEqual({ digit, probabilities: expect.any(Array), milliseconds: expect.any(Number) });
    expect(reading.probabilities).toHaveLength(10);
    expect(reading.probabilities[digit]).toBe(Math.max(...reading.probabilities));
    expect(reading.probabilities.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 6);
  });

  it('gives requests at the same time the same bits', async () => {
    const seven = Uint8Array.from(await png(7));
    const answers = await Promise.all(Array.from({ length: 8 }, async () => (await send('POST', seven)).json()));
    expect(new Set(answers.map(({ probabilities }) => JSON.stringify(probabilities))).size).toBe(1);
  });

  it.each(refused)('refuses $title, and works on', async ({ body, status, error }) => {
    const answer = await send('POST', Uint8Array.from(body));
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status, body: { error } });
    expect(await (await send('POST', Uint8Array.from(await png(3)))).json()).toMatchObject({ digit: 3 });
  });

  it.each(['GET', 'PUT', 'DELETE'])('refuses %s', async (method) => {
    const answer = await send(method);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
    expect(await answer.json()).toEqual({ error: 'POST a PNG of one digit' });
  });
}

/** Bundles an example as the host's own tools do. @returns the inputs of the package */
async function bundle(path: string, options: BuildOptions): Promise<string[]> {
  const { metafile, warnings } = await build({
    ...options,
    entryPoints: [example(path)],
    bundle: true,
    metafile: true,
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  return Object.keys(metafile.inputs)
    .filter((file) => file.includes('node_modules/wasm-conv/'))
    .map((file) => basename(file))
    .sort();
}

describeHosts([workerd], () => {
  interface Miniflare {
    dispatchFetch(url: string, init: RequestInit): Promise<Answer>;
    dispose(): Promise<void>;
  }
  let host: Miniflare;

  beforeAll(async () => {
    const outfile = join(project.folder, 'worker', 'worker.mjs');
    const conditions = ['workerd', 'worker', 'browser'];
    // The binaries alone: no text of them.
    expect(await bundle('cloudflare-worker/worker.js', { outfile, format: 'esm', conditions, loader: { '.wasm': 'copy' } })).toEqual([
      'kernels-relaxed.wasm',
      'kernels.wasm',
      'workerd.js',
    ]);
    const [, compatibilityDate] =
      (await readFile(example('cloudflare-worker/wrangler.toml'), 'utf8')).match(/^compatibility_date = "(.+)"$/m) ?? [];
    const { Miniflare } = requireRuntime<{ Miniflare: new (options: object) => Miniflare }>('miniflare');
    host = new Miniflare({
      modules: true,
      scriptPath: outfile,
      modulesRoot: dirname(outfile),
      modulesRules: [
        { type: 'ESModule', include: ['**/*.mjs'] },
        { type: 'CompiledWasm', include: ['**/*.wasm'] },
      ],
      compatibilityDate,
      // Else it asks the network where it is.
      cf: false,
    });
  });
  afterAll(() => host?.dispose());

  answersLikeAllOthers((method, body) => host.dispatchFetch('http://localhost/', { method, body }));
});

describeHosts([edgeRuntime], () => {
  interface EdgeRuntime {
    evaluate(code: string): unknown;
    dispatchFetch(url: string, init: RequestInit): Promise<Answer>;
  }
  type Make = new (options: { extend(context: object): object }) => EdgeRuntime;
  let host: EdgeRuntime;

  beforeAll(async () => {
    const { EdgeRuntime } = requireRuntime<{ EdgeRuntime: Make }>('edge-runtime');
    const modules: Record<string, WebAssembly.Module> = {};
    host = new EdgeRuntime({ extend: (context) => Object.assign(context, { modules }) });
    // The host has the binaries compiled before the function starts, and gives them as globals.
    const binaries: Plugin = {
      name: 'binaries',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\.wasm$/ }, async ({ path, suffix }) => {
          expect(suffix).toBe('?module');
          modules[basename(path)] = await WebAssembly.compile(await readFile(path));
          return { contents: `export default modules[${JSON.stringify(basename(path))}];` };
        }),
    };
    const outfile = join(project.folder, 'function', 'digit.js');
    const conditions = ['edge-light', 'browser'];
    const inputs = await bundle('vercel-edge/api/digit.js', {
      outfile,
      format: 'iife',
      globalName: 'example',
      conditions,
      plugins: [binaries],
    });
    expect(inputs.filter((file) => file.endsWith('.js'))).toEqual(['edge-light.js']);
    host.evaluate(await readFile(outfile, 'utf8'));
    host.evaluate(`addEventListener('fetch', (event) => event.respondWith(example.default(event.request)))`);
  });

  it('is for the edge', () => expect(host.evaluate('example.config.runtime')).toBe('edge'));
  answersLikeAllOthers((method, body) => host.dispatchFetch('http://localhost/api/digit', { method, body }));
});

/** A server as a process of its own, on a port that the host finds free. */
class Server {
  readonly #child: ChildProcess;
  readonly #url: Promise<string>;

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(program, args, { cwd: project.folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#url = new Promise((resolve, reject) => {
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          const [url] = said.match(/http:\/\/127\.0\.0\.1:\d+/) ?? [];
          if (url) resolve(url);
        });
      }
      child.once('exit', () => reject(new Error(`the server has ended: ${said}`)));
    });
  }

  async send(method: string, body?: Uint8Array<ArrayBuffer>): Promise<Answer> {
    return fetch(await this.#url, { method, body });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await ended;
  }
}

describeHosts([deno], () => {
  let server: Server;
  beforeAll(() => {
    // It asks for no permission, and gets none.
    const args = ['serve', '--no-prompt', '--no-remote', '--host', '127.0.0.1', '--port', '0', example('deno/main.ts')];
    server = new Server(deno.program, args, { DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' });
  });
  afterAll(() => server?.end());

  answersLikeAllOthers((method, body) => server.send(method, body));
});

describeHosts([bun], () => {
  let server: Server;
  beforeAll(() => {
    server = new Server(bun.program, [example('bun/server.ts')], { PORT: '0', NO_COLOR: '1' });
  });
  afterAll(() => server?.end());

  answersLikeAllOthers((method, body) => server.send(method, body));
});

describe('Node, as AWS Lambda calls it', () => {
  type Handler = (event: object) => Promise<{ statusCode: number; headers: Record<string, string>; body: string }>;
  let handler: Handler;
  beforeAll(async () => {
    ({ handler } = (await import(pathToFileURL(example('lambda/handler.mjs')).href)) as { handler: Handler });
  });

  answersLikeAllOthers(async (method, body) => {
    const event = { requestContext: { http: { method } }, body: body && Buffer.from(body).toString('base64'), isBase64Encoded: true };
    const { statusCode, headers, body: text } = await handler(event);
    return new Response(text, { status: statusCode, headers });
  });
});
