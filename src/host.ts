/** What a host offers for threads: how many, whether the calling one may sleep, and how one is started. */
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
  try {
    const name = 'node:os';
    const { availableParallelism } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as typeof import('node:os');
    return availableParallelism();
  } catch {
    return 1;
  }
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

async function workerMaker(): Promise<Maker | undefined> {
  const { Worker: WebWorker } = globalThis as unknown as { Worker?: new (url: URL, options: { type: 'module' }) => AnyWorker };
  if (WebWorker !== undefined) return (url) => new WebWorker(url, { type: 'module' });
  try {
    // For Node alone: bundlers for the web would look for the module.
    const name = 'node:worker_threads';
    const { Worker: NodeWorker } = (await import(
      /* webpackIgnore: true */ /* @vite-ignore */ name
    )) as typeof import('node:worker_threads');
    return (url) => new NodeWorker(url) as unknown as AnyWorker;
  } catch {
    return undefined;
  }
}

/** The worker of the package as a file of its own, where a bundler may have put it. Written so that bundlers see it. */
function ownFile(): AnyWorker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }) as unknown as AnyWorker;
}

/** The same from the text that is in this file: where there is no such file, as in one that was bundled whole. */
function ownText(make: Maker): AnyWorker {
  // Pages allow `blob:` more often than `data:`, Node knows `data:` alone.
  if (typeof document === 'undefined') return make(new URL(`data:text/javascript,${encodeURIComponent(workerSource)}`));
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  return make(new URL(url));
}

/** Every way to a worker, the best first. */
async function ways(source: WorkerSource): Promise<(() => AnyWorker)[]> {
  if (typeof source === 'function') return [source as () => AnyWorker];
  const make = await workerMaker();
  if (make === undefined) return [];
  if (source !== undefined) return [() => make(source)];
  const text = (): AnyWorker => ownText(make);
  return typeof Worker === 'function' ? [ownFile, text] : [text];
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
function started(worker: AnyWorker, start: Start, ended: () => void): Promise<Thread> {
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
      resolve({ end: () => void worker.terminate() });
    });
    for (const event of ['error', 'messageerror', 'exit']) {
      listen(worker, event, (value) => {
        (value as { preventDefault?: () => void } | undefined)?.preventDefault?.();
        fail(textOf(value));
        ended();
      });
    }
    worker.postMessage(start);
  });
}

/**
 * Starts a thread.
 *
 * @param ended called when it has ended by itself, or was ended by others
 * @throws Error where there is no way to one
 */
export async function startThread(source: WorkerSource, start: Start, ended: () => void): Promise<Thread> {
  let reason = 'this host has no workers';
  for (const way of await ways(source)) {
    try {
      let there = false;
      const thread = await started(way(), start, () => {
        if (there) ended();
      });
      there = true;
      return thread;
    } catch (error) {
      reason = textOf(error);
    }
  }
  throw new Error(reason);
}
