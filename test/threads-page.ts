/** What runs in the browser for threads-browser.test.ts: an engine, in the page or in a worker of its own, and what the page notices. */
import { createEngine, type Engine, type EngineInfo } from '../src/index.ts';
import { announced } from '../src/job.ts';
import type { Start } from '../src/worker.ts';
import { digestOf } from './threads-layer.ts';

/** Options in a form that can be sent: `worker` is how to make one from the file at the address. */
export interface Asked {
  readonly threads: number | 'auto';
  readonly worker?: readonly ['url' | 'function', string];
}

function workerOf([form, address]: readonly ['url' | 'function', string]): URL | (() => Worker) {
  return form === 'url' ? new URL(address, location.href) : () => new Worker(address, { type: 'module' });
}

/** What must not happen. */
const noticed = { errors: [] as string[], refusedWaits: 0 };
for (const event of ['error', 'unhandledrejection']) addEventListener(event, () => noticed.errors.push(event));
const { wait } = Atomics;
Atomics.wait = ((...given: Parameters<typeof wait>) => {
  try {
    return wait(...given);
  } catch (error) {
    noticed.refusedWaits++;
    throw error;
  }
}) as typeof wait;

/** What the threads of the engine were sent. */
const starts: Start[] = [];
const { postMessage: send } = Worker.prototype;
Worker.prototype.postMessage = function (this: Worker, message: Partial<Start>) {
  if (message.words) starts.push(message as Start);
  send.call(this, message);
};

let engine: Engine;
const own = {
  start: async ({ threads, worker }: Asked): Promise<EngineInfo> => {
    engine = await createEngine({ threads, relaxedSimd: false, worker: worker && workerOf(worker) });
    // That question is how it learns that it may not wait.
    noticed.refusedWaits = 0;
    return engine.info;
  },
  digest: (): Promise<string> => digestOf(engine),
  /** Threads that have taken tasks: never the first one, which is the caller's. */
  helpers: (): number => starts.filter(({ words, number }) => announced(words, number) > 0).length,
  dispose: (): void => engine.dispose(),
  noticed: () => noticed,
};
export type Own = typeof own;

interface Call {
  readonly name: keyof Own;
  readonly given: unknown;
}
const answer = async ({ name, given }: Call): Promise<unknown> => (own[name] as (given: unknown) => unknown)(given);

/** The same calls in a module worker that runs this script. */
let worker: Worker | undefined;
function elsewhere(call: Call): Promise<unknown> {
  worker ??= new Worker(import.meta.url, { type: 'module' });
  const asked = worker;
  return new Promise((resolve, reject) => {
    asked.onmessage = ({ data }) => resolve(data);
    asked.onerror = ({ message }) => reject(new Error(message));
    asked.postMessage(call);
  });
}

if (typeof document === 'object') Object.assign(globalThis, { inPage: answer, inWorker: elsewhere });
else globalThis.onmessage = async ({ data }) => postMessage(await answer(data));
