/**
 * The first request in a fresh isolate of workerd, in CPU time: what the threads of its process have run, by Linux's scheduler, from before the
 * request to after its answer, over a worker that answers without computing. The isolate and the compiled binary are there before: hosts count
 * them as the start of a worker, not as a request.
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Figure, figureOver } from './figure.ts';
import { firstCall, rightValue } from './programs.ts';

export interface WorkerdStart {
  /** Of miniflare, which starts it. */
  readonly version: string;
  readonly firstRequest: Figure;
}

/** The parts of miniflare that are used. */
interface Miniflare {
  readonly ready: Promise<URL>;
  dispatchFetch(url: string): Promise<{ text(): Promise<string> }>;
  dispose(): Promise<void>;
}
type MiniflareClass = new (options: object) => Miniflare;

const runtimes = fileURLToPath(new URL('../../test/runtimes/', import.meta.url));
const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
/** What the entry for workerd is made of. */
const published = ['workerd.js', 'kernels.wasm', 'kernels-relaxed.wasm'];
/** What a process that has just started still does of its own accord is not the request's. */
const settling = 300;

/** Why it cannot be measured here, or undefined. */
export function noWorkerd(): string | undefined {
  if (process.platform !== 'linux') return 'the CPU time of threads is read as Linux tells it';
  return existsSync(join(runtimes, 'node_modules/miniflare')) ? undefined : 'test/runtimes is not installed';
}

const workers = {
  idle: `export default { fetch: async () => new Response('${rightValue}') };`,
  first: `import { conv2d, tensor } from './workerd.js';
export default { fetch: async () => new Response(String((${firstCall}).data[0])) };`,
} as const;

/** Processes that this one has started and that are workerd. */
function workerdProcesses(): string[] {
  const started = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return started.filter((pid) => {
    try {
      const [, name, parent] = /^\d+ \((.*)\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      return name === 'workerd' && Number(parent) === process.pid;
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

/** Milliseconds that the threads of a process have run. */
function cpuTime(pid: string): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]));
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6;
}

async function firstRequest(MiniflareOfRuntimes: MiniflareClass, folder: string, file: string): Promise<number> {
  const miniflare = new MiniflareOfRuntimes({
    modulesRoot: folder,
    // Named, since miniflare does not look for them where a module has an import() of a name that it computes.
    modules: [file, ...published].map((name) => ({
      type: name.endsWith('.wasm') ? 'CompiledWasm' : 'ESModule',
      path: join(folder, name),
    })),
    // No look-up over the network at the start.
    cf: false,
    compatibilityDate: '2026-04-01',
  });
  try {
    await miniflare.ready;
    await wait(settling);
    const [pid, ...others] = workerdProcesses();
    if (pid === undefined || others.length > 0)
      throw new Error(`${others.length + (pid === undefined ? 0 : 1)} processes of workerd in place of one`);
    const before = cpuTime(pid);
    const answer = await (await miniflare.dispatchFetch('http://localhost/')).text();
    const after = cpuTime(pid);
    if (answer !== String(rightValue)) throw new Error(`the worker answered '${answer}'`);
    return after - before;
  } finally {
    await miniflare.dispose();
  }
}

export async function measureWorkerd(rounds: number, round: (done: number) => void): Promise<WorkerdStart> {
  const require = createRequire(join(runtimes, 'package.json'));
  const { Miniflare: MiniflareOfRuntimes } = require('miniflare') as { Miniflare: MiniflareClass };
  const { version } = require('miniflare/package.json') as { version: string };
  const folder = mkdtempSync(join(tmpdir(), 'wasm-conv-workerd-'));
  try {
    for (const file of published) copyFileSync(join(dist, file), join(folder, file));
    for (const [name, code] of Object.entries(workers)) writeFileSync(join(folder, `${name}.js`), code);
    const [idle, first]: [number[], number[]] = [[], []];
    for (let i = 0; i < rounds; i++) {
      round(i);
      idle.push(await firstRequest(MiniflareOfRuntimes, folder, 'idle.js'));
      first.push(await firstRequest(MiniflareOfRuntimes, folder, 'first.js'));
    }
    return { version, firstRequest: figureOver(first, idle) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
