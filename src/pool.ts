/** The threads of an engine: a job at a time, in which the calling thread takes part. */
import { maySleep, Starter, type Thread, type WorkerSource } from './host.ts';
import { ABSENT, announced, close, end, FAILED, INSIDE, type Job, jobWords, LOST, open, slotOf, takeAgain, takeAsCaller } from './job.ts';
import { align } from './memory.ts';
import { type TaskKernel, taskKernels } from './task-kernels.ts';
import type { Cost, TaskCount, Team } from './team.ts';
import type { Kernels } from './wasm.ts';
import { version } from './wasm-binary.ts';

/** Tasks are taken so many times by each thread: often enough that none waits long for another, seldom enough that taking them costs nothing. */
const TURNS = 8;

/** How long the caller, who has nothing left to do, waits for a thread that says nothing before it computes its tasks again: so many times what its own took, and this. */
const PATIENCE_MS = 250;
const PATIENCE_TIMES = 8;

/** Looks at a thread that is about to be ready before the caller sleeps, which costs more. */
const LOOKS = 2000;

/** Bytes that are copied in a microsecond between arrays and memory: of one thread's own, and shared by several (bench/EXPERIMENTS.md). */
const OWN_BYTES_PER_US = 34_000;
const SHARED_BYTES_PER_US = 23_000;

/** About what a thread does in a microsecond, and what a thread should have to do that is woken for it: waking it and its caches take a good part of that. */
const FLOPS_PER_US = 50_000;
const FLOATS_PER_US = 10_000;
const WORTH_WAKING_US = 30;

/** Of one thread, in microseconds. */
function timeOf({ flops, floats }: Cost): number {
  return flops / FLOPS_PER_US + floats / FLOATS_PER_US;
}

const clock = (): number => performance.now();

type StartNumber = (n: number, ended: () => void) => Promise<Thread>;

export class Pool implements Team {
  readonly #size: number;
  readonly #kernels: Kernels;
  readonly #words: Int32Array;
  readonly #threads: (Thread | undefined)[];
  readonly #start: StartNumber;
  readonly #sleeps = maySleep();
  readonly #starting = new Set<number>();
  #closed = false;

  private constructor(kernels: Kernels, size: number, words: Int32Array, start: StartNumber) {
    this.#kernels = kernels;
    this.#size = size;
    this.#words = words;
    this.#start = start;
    this.#threads = new Array<Thread | undefined>(size - 1).fill(undefined);
  }

  /**
   * @param size threads, the calling one included
   * @throws Error where the host gives no thread
   */
  static async start(
    kernels: Kernels,
    size: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    source: WorkerSource,
  ): Promise<Pool> {
    const words = new Int32Array(new SharedArrayBuffer(4 * jobWords(size - 1)));
    const starter = new Starter(source);
    const pool = new Pool(kernels, size, words, (number, ended) => starter.start({ version, module, memory, words, number }, ended));
    try {
      // The first alone finds the way for all: what fails on it is reported once.
      await pool.#fill(0);
      await Promise.all(pool.#threads.slice(1).map((_, n) => pool.#fill(n + 1)));
    } catch (error) {
      pool.close();
      throw error;
    }
    return pool;
  }

  /** Threads that are there now, the calling one included. */
  get present(): number {
    return 1 + this.#threads.filter((thread) => thread !== undefined).length;
  }

  /** Why some of them are not there; undefined where all are. */
  get whyFewer(): string | undefined {
    if (this.#closed || this.present === this.#size) return undefined;
    return `${this.#size - this.present} of ${this.#size} threads ended before their time; the next call that is worth several starts others`;
  }

  /** Starts thread `n`. */
  async #fill(n: number): Promise<void> {
    this.#starting.add(n);
    Atomics.store(this.#words, slotOf(n), ABSENT);
    let own: Thread | undefined;
    const ended = (): void => {
      if (own !== undefined && this.#threads[n] === own) this.#threads[n] = undefined;
    };
    try {
      own = await this.#start(n, ended);
      if (this.#closed) own.end();
      else this.#threads[n] = own;
    } finally {
      this.#starting.delete(n);
    }
  }

  /** Threads that have ended get a successor, which helps from its first job on. A host that gives none is lived with. */
  #refill(): void {
    for (let n = 0; n < this.#threads.length; n++) {
      if (this.#threads[n] === undefined && !this.#starting.has(n)) this.#fill(n).catch(() => {});
    }
  }

  readonly crew = (cost: Cost): number => Math.max(1, Math.min(this.#size, Math.floor(timeOf(cost) / WORTH_WAKING_US)));

  /** Whether a call on arrays of so many bytes is done sooner by this thread alone, in a memory of its own. */
  isAloneSooner(cost: Cost, copied: number): boolean {
    const time = timeOf(cost);
    return time + copied / OWN_BYTES_PER_US < time / this.crew(cost) + copied / SHARED_BYTES_PER_US;
  }

  run(kernel: TaskKernel, { count, threads, together }: TaskCount, work: number, workBytes: number, ...pointers: readonly number[]): void {
    if (threads === 1 || count < 2) {
      this.#kernels[kernel](0, count, -1, work, ...pointers);
      return;
    }
    const grain = together * Math.max(1, Math.floor(count / (together * threads * TURNS)));
    // As many as keep all threads busy at the end are taken one by one.
    const bulk = Math.max(0, count - (count % grain) - threads * grain);
    const crew = Math.min(threads, count);
    this.#compute({ kernel: taskKernels.indexOf(kernel), tasks: count, grain, bulk, work, workBytes: align(workBytes), crew, pointers });
  }

  #compute(job: Job): void {
    const words = this.#words;
    const began = clock();
    this.#refill();
    open(words, job);
    try {
      takeAsCaller(words, this.#kernels, job);
    } finally {
      close(words);
      const patience = PATIENCE_MS + PATIENCE_TIMES * (clock() - began);
      const lost: number[] = [];
      for (let n = 0; n < this.#threads.length; n++) if (!this.#comesBack(n, patience)) lost.push(n);
      for (const n of lost) takeAgain(words, this.#kernels, announced(words, n));
    }
  }

  /** Waits until thread `n` is not inside. @returns false where it may have left tasks behind */
  #comesBack(n: number, patience: number): boolean {
    const words = this.#words;
    const slot = slotOf(n);
    for (let looks = LOOKS; looks > 0 && Atomics.load(words, slot) === INSIDE; looks--);
    const until = Atomics.load(words, slot) === INSIDE ? clock() + patience : 0;
    while (Atomics.load(words, slot) === INSIDE && clock() < until) {
      if (this.#sleeps) Atomics.wait(words, slot, INSIDE, Math.max(1, until - clock()));
    }
    const state = Atomics.compareExchange(words, slot, INSIDE, LOST);
    if (state !== INSIDE && state !== FAILED) return true;
    Atomics.store(words, slot, LOST);
    this.#threads[n]?.end();
    this.#threads[n] = undefined;
    return false;
  }

  close(): void {
    this.#closed = true;
    end(this.#words);
    for (const thread of this.#threads) thread?.end();
    this.#threads.fill(undefined);
  }
}
