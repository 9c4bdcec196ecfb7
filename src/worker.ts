/** The module of a thread: it gets kernels, memory and a number, says that it is there, and helps until it is told to end. */
import { serve } from './job.ts';
import type { TaskKernels } from './task-kernels.ts';

/** What a thread is sent when it starts. */
export interface Start {
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

function begin(port: Port, { module, memory, words, number }: Start): void {
  let kernels: TaskKernels;
  try {
    kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as TaskKernels;
  } catch (error) {
    port.postMessage({ error: String(error) });
    port.close();
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
