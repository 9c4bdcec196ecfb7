/** What a host offers for threads: how many, whether the calling one may sleep, and how one is started. */
import { nodeModule } from './node-module.ts';
import { place } from './place.ts';
import type { Start, Started } from './worker.ts';
import { workerSource } from './worker-source.ts';

/** A thread that was started. */
export interface Thread {
  /** Ends it at once, whatever it does. */
  end(): void;
}

/** Workers of the web and of Node, as far as they are alike. */
interface AnyWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
  unref?: () => void;
  on?: (event: string, listener: (value: never) => void) => void;
  addEventListener?: (event: string, listener: (value: never) => void) => void;
}

/** What is given as the option `worker`. */
export type WorkerSource = URL | (() => unknown) | undefined;

/** A host that cannot even load a module sends no event for it. */
const PATIENCE_MS = 10_000;

/** Threads that the host would run at a time. */
export async function hostThreads(): Promise<number> {
  const { hardwareConcurrency } = (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator ?? {};
  if (hardwareConcurrency !== undefined) return Math.max(1, hardwareConcurrency);
  return (await nodeModule<typeof import('node:os')>('os'))?.availableParallelism() ?? 1;
}

/** Whether this thread may sleep until another wakes it: not that of a page. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** Why there can be no threads here, or undefined. */
export async function whyAlone(): Promise<string | undefined> {
  if (typeof SharedArrayBuffer !== 'function') {
    const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
    return crossOriginIsolated === false ? 'this page is not cross-origin isolated' : 'this host has no SharedArrayBuffer';
  }
  return (await workerMaker()) === undefined ? 'this host has no workers' : undefined;
}

type Maker = (source: URL) => AnyWorker;

interface WebHost {
  readonly Worker?: new (url: URL, options: { type: 'module' }) => AnyWorker;
  readonly process?: { readonly versions?: { readonly deno?: string } };
}

/** Deno's keeps a process alive, and cannot be told not to: there Node's is taken, which it has too. */
function webWorker(): WebHost['Worker'] {
  const { Worker, process } = globalThis as unknown as WebHost;
  return process?.versions?.deno === undefined ? Worker : undefined;
}

async function workerMaker(): Promise<Maker | undefined> {
  const WebWorker = webWorker();
  if (WebWorker !== undefined) return (url) => new WebWorker(url, { type: 'module' });
  const NodeWorker = (await nodeModule<typeof import('node:worker_threads')>('worker_threads'))?.Worker;
  return NodeWorker && ((url) => new NodeWorker(url) as unknown as AnyWorker);
}

/** A file beside this one. Bundlers are to leave it: they look for files, or complain, where the base is written out in the call of URL. */
const beside = (file: string, here: string = import.meta.url): string => new URL(file, here).href;

interface OwnFile {
  readonly url: URL;
  /** Known to be there, without asking: a browser would report a file that is missing. */
  readonly known: boolean;
}

/** The module of a thread as a file: beside this one, or where a bundler has put it. */
function ownFile(): OwnFile | undefined {
  try {
    // Written so that bundlers see it. Those that do, emit the file, and write here where it is.
    const url = new URL('./worker.js', import.meta.url);
    return { url, known: url.href !== beside('worker.js') || place === beside('place.js') };
  } catch {
    // There is no import.meta.url in scripts that are no modules.
    return undefined;
  }
}

let blob: string | undefined;

/** The same as a text that is in this file: for where there is no such file, as in one that was bundled whole. */
function ownText(): URL {
  // Node knows `data:` alone; policies of pages allow `blob:` more often.
  if (webWorker() === undefined) return new URL(`data:text/javascript,${encodeURIComponent(workerSource)}`);
  blob ??= URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  return new URL(blob);
}

type Way = () => unknown;

/** Every way to a worker, the best first: a policy may allow files alone, and forbidden ways are reported, as are missing files. */
async function waysTo(source: WorkerSource): Promise<readonly Way[]> {
  if (typeof source === 'function') return [source];
  const make = await workerMaker();
  if (make === undefined) return [];
  if (source !== undefined) return [() => make(source)];
  const text = (): AnyWorker => make(ownText());
  const file = webWorker() && ownFile();
  if (file === undefined) return [text];
  const fromFile = (): AnyWorker => make(file.url);
  return file.known ? [fromFile, text] : [text, fromFile];
}

function listen(worker: AnyWorker, event: string, listener: (value: unknown) => void): void {
  if (worker.on) worker.on(event, listener);
  else worker.addEventListener?.(event, listener);
}

function textOf(value: unknown): string {
  const { message } = (value ?? {}) as { message?: unknown };
  return typeof message === 'string' && message !== '' ? message : 'the worker could not be loaded';
}

/** A worker that answered, or why it did not. */
function started(worker: AnyWorker, thread: Thread, start: Start, ended: () => void): Promise<Thread> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail('the worker does not answer'), PATIENCE_MS);
    const fail = (reason: string): void => {
      clearTimeout(timer);
      worker.terminate();
      reject(new Error(reason));
    };
    // Node hands over what was sent, the web an event with it.
    listen(worker, 'message', (value) => {
      const { error } = (('data' in (value as object) ? (value as { data: unknown }).data : value) ?? {}) as Started;
      if (error !== undefined) return fail(error);
      clearTimeout(timer);
      worker.unref?.();
      resolve(thread);
    });
    for (const event of ['error', 'messageerror', 'exit']) {
      listen(worker, event, (value) => {
        (value as { preventDefault?: () => void } | undefined)?.preventDefault?.();
        fail(textOf(value));
        ended();
      });
    }
    try {
      worker.postMessage(start);
    } catch (error) {
      fail(textOf(error));
    }
  });
}

function isWorker(value: unknown): value is AnyWorker {
  const { postMessage, terminate } = (value ?? {}) as Partial<AnyWorker>;
  return typeof postMessage === 'function' && typeof terminate === 'function';
}

/** What starts threads of one source. */
export class Starter {
  readonly #source: WorkerSource;
  #ways: readonly Way[] | undefined;

  constructor(source: WorkerSource) {
    this.#source = source;
  }

  /**
   * Starts a thread, by the way by which one was started before, if one was.
   *
   * @param made  called with each worker that is tried, before it has begun
   * @param ended called when it has ended by itself, or was ended by others
   * @throws Error where there is no way to one
   */
  async start(start: Start, made: (thread: Thread) => void, ended: () => void): Promise<Thread> {
    this.#ways ??= await waysTo(this.#source);
    let reason = 'this host has no workers';
    for (const way of this.#ways) {
      try {
        const worker = way();
        if (!isWorker(worker)) throw new Error('the function worker gave no Worker');
        let there = false;
        const own: Thread = { end: () => void worker.terminate() };
        made(own);
        const thread = await started(worker, own, start, () => {
          if (there) ended();
        });
        there = true;
        this.#ways = [way];
        return thread;
      } catch (error) {
        reason = textOf(error);
      }
    }
    throw new Error(reason);
  }
}
