/** The module of a thread: it gets kernels, memory and a number, says that it is there, and helps until it is told to end. */
import { serve } from './job.ts';
import type { TaskKernels } from './task-kernels.ts';
import { version } from './wasm-binary.ts';

/** What a thread is sent when it starts. */
export interface Start {
  /** Of the package: what the words mean is settled by it. */
  readonly version: string;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** See job.ts. */
  readonly words: Int32Array;
  readonly number: number;
}

/** What it answers: that it waits for jobs, or why it cannot. */
export interface Started {
  readonly error?: string;
}

interface Port {
  postMessage(message: Started): void;
  close(): void;
}

function refuse(port: Port, error: string): void {
  port.postMessage({ error });
  port.close();
}

function begin(port: Port, { version: asked, module, memory, words, number }: Start): void {
  if (asked !== version) {
    refuse(port, `the worker is of version ${version}, the engine of ${asked}`);
    return;
  }
  let kernels: TaskKernels;
  try {
    kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as TaskKernels;
  } catch (error) {
    refuse(port, String(error));
    return;
  }
  port.postMessage({});
  serve(words, kernels, number);
  port.close();
}

interface WebScope extends Port {
  onmessage: ((event: { readonly data: Start }) => void) | null;
}

const web = globalThis as unknown as Partial<WebScope>;
if (typeof web.postMessage === 'function') {
  web.onmessage = ({ data }) => begin(web as WebScope, data);
} else {
  // For Node alone: bundlers for the web would look for the module.
  const name = 'node:worker_threads';
  import(/* webpackIgnore: true */ /* @vite-ignore */ name).then(({ parentPort }: typeof import('node:worker_threads')) => {
    parentPort?.once('message', (data: Start) => begin(parentPort as unknown as Port, data));
  });
}
