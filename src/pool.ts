/** The threads of an engine: a job at a time, in which the calling thread takes part. */
import { maySleep, Starter, type Thread, type WorkerSource } from './host.ts';
import {
  ABSENT,
  announced,
  close,
  end,
  FAILED,
  GONE,
  INSIDE,
  type Job,
  jobWords,
  LOST,
  open,
  slotOf,
  takeAgain,
  takeAsCaller,
} from './job.ts';
import type { Kernels } from './kernels.ts';
import { align } from './memory.ts';
import type { ConvShape } from './shape.ts';
import { type TaskKernel, taskKernels } from './task-kernels.ts';
import { costOf, sharedBand, shareOf } from './tasks.ts';
import type { Cost, TaskCount, Team } from './team.ts';
import { version } from './wasm-binary.ts';

/** Tasks are taken so many times by each thread: often enough that none waits long for another, seldom enough that taking them costs nothing. */
const TURNS = 8;

/** How long the caller, who has nothing left to do, waits for a thread that says nothing before it computes its tasks again: so many times what its own took, and this. */
const PATIENCE_MS = 250;
const PATIENCE_TIMES = 2;

/** Browsers do not say when a worker that was ended is gone. Chromium gives it two seconds. */
const SURELY_GONE_MS = 10_000;

/** Looks at a thread that is about to be ready before the caller sleeps, which costs more. */
const LOOKS = 2000;

/**
 * Bytes that are copied in a microsecond between arrays and memory: of one thread's own, and shared by several, of whose results some lie in the caches of
 * other cores. What sharing takes besides, and what part of the time below was left where threads could save it: depthwise layers of MobileNetV2, the median of
 * bench:threads.
 */
const OWN_BYTES_PER_US = 34_000;
const SHARED_BYTES_PER_US = 22_000;
const SHARING_US = 10;
const SAVED = 0.65;

/** About what a thread does in a microsecond, and what a thread should have to do that is woken for it: waking it and its caches take a good part of that. */
const FLOPS_PER_US = 50_000;
const FLOATS_PER_US = 10_000;
const WORTH_WAKING_US = 30;

/** Of one thread, in microseconds. */
function timeOf({ flops, floats }: Cost): number {
  return flops / FLOPS_PER_US + floats / FLOATS_PER_US;
}

const clock = (): number => performance.now();

type StartThread = (words: Int32Array, number: number, made: (thread: Thread) => void, ended: () => void) => Promise<Thread>;

/** Threads that share words. When one of them is lost, they are given up: it may come back, and must not find a job that is not its own. */
interface Crew {
  readonly words: Int32Array;
  /** Those that have answered. */
  readonly threads: (Thread | undefined)[];
  /** All that were made, to be ended. */
  readonly made: (Thread | undefined)[];
  readonly starting: Set<number>;
  /** Those that the host says have ended. */
  readonly ended: Set<Thread>;
}

function newCrew(helpers: number): Crew {
  const none = (): undefined[] => new Array<undefined>(helpers).fill(undefined);
  return {
    words: new Int32Array(new SharedArrayBuffer(4 * jobWords(helpers))),
    threads: none(),
    made: none(),
    starting: new Set(),
    ended: new Set(),
  };
}

export class Pool implements Team {
  readonly #size: number;
  readonly #kernels: Kernels;
  readonly #start: StartThread;
  readonly #sleeps = maySleep();
  #crew: Crew;
  #closed = false;
  /** Told when a thread was lost that may still write to what the job was given, until `isGone` says that it does not. */
  onLost: ((isGone: () => boolean) => void) | undefined;

  private constructor(kernels: Kernels, size: number, start: StartThread) {
    this.#kernels = kernels;
    this.#size = size;
    this.#start = start;
    this.#crew = newCrew(size - 1);
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
    const starter = new Starter(source);
    const pool = new Pool(kernels, size, (words, number, made, ended) =>
      starter.start({ version, module, memory, words, number }, made, ended),
    );
    try {
      // The first alone finds the way for all: what fails on it is reported once.
      await pool.#fill(0);
      await Promise.all(pool.#crew.threads.slice(1).map((_, n) => pool.#fill(n + 1)));
    } catch (error) {
      pool.close();
      throw error;
    }
    return pool;
  }

  /** Threads that are there now, the calling one included. */
  get present(): number {
    return 1 + this.#crew.threads.filter((thread) => thread !== undefined).length;
  }

  /** Why some of them are not there; undefined where all are. */
  get whyFewer(): string | undefined {
    if (this.#closed || this.present === this.#size) return undefined;
    return `${this.#size - this.present} of ${this.#size} threads ended before their time; the next call that is worth several starts others`;
  }

  /** Starts thread `n`. */
  async #fill(n: number): Promise<void> {
    const crew = this.#crew;
    crew.starting.add(n);
    Atomics.store(crew.words, slotOf(n), ABSENT);
    const made = (thread: Thread): void => {
      crew.made[n] = thread;
    };
    const ended = (): void => {
      const thread = crew.made[n];
      if (thread === undefined) return;
      crew.ended.add(thread);
      if (crew.threads[n] === thread) crew.threads[n] = undefined;
    };
    try {
      const own = await this.#start(crew.words, n, made, ended);
      if (this.#closed || crew !== this.#crew) own.end();
      else crew.threads[n] = own;
    } finally {
      crew.starting.delete(n);
    }
  }

  /** Threads that have ended get a successor, which helps from its first job on. A host that gives none is lived with. */
  #refill(): void {
    const { threads, starting } = this.#crew;
    for (let n = 0; n < threads.length; n++) {
      if (threads[n] === undefined && !starting.has(n)) this.#fill(n).catch(() => {});
    }
  }

  readonly bands = sharedBand;
  readonly share = shareOf;

  readonly crew = (cost: Cost): number => Math.max(1, Math.min(this.#size, Math.floor(timeOf(cost) / WORTH_WAKING_US)));

  readonly crewOf = (shapes: readonly ConvShape[]): number => this.crew(costOf(shapes));

  /** Whether a call on arrays of so many bytes is done sooner by this thread alone, in a memory of its own. */
  isAloneSooner(cost: Cost, copied: number): boolean {
    const crew = this.crew(cost);
    const slower = copied / SHARED_BYTES_PER_US - copied / OWN_BYTES_PER_US;
    return crew === 1 || SAVED * timeOf(cost) * (1 - 1 / crew) < slower + SHARING_US;
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
    this.#refill();
    const { words, threads } = this.#crew;
    const began = clock();
    open(words, job);
    try {
      takeAsCaller(words, this.#kernels, job);
    } finally {
      close(words);
      const until = clock() + PATIENCE_MS + PATIENCE_TIMES * (clock() - began);
      const lost: number[] = [];
      for (let n = 0; n < threads.length; n++) if (!this.#comesBack(n, until)) lost.push(n);
      if (lost.length > 0) this.#giveUp(lost);
    }
  }

  /** Waits until thread `n` is not inside. @returns false where it may have left tasks behind */
  #comesBack(n: number, until: number): boolean {
    const { words } = this.#crew;
    const slot = slotOf(n);
    for (let looks = LOOKS; looks > 0 && Atomics.load(words, slot) === INSIDE; looks--);
    while (Atomics.load(words, slot) === INSIDE && clock() < until) {
      if (this.#sleeps) Atomics.wait(words, slot, INSIDE, Math.max(1, until - clock()));
    }
    const state = Atomics.compareExchange(words, slot, INSIDE, LOST);
    return state !== INSIDE && state !== FAILED;
  }

  /** Computes what the lost threads have left, and does without all of them: others start with the next job. */
  #giveUp(lost: readonly number[]): void {
    const crew = this.#crew;
    const { words, made, ended } = crew;
    const late = lost.filter((n) => Atomics.load(words, slotOf(n)) !== FAILED);
    for (const n of lost) made[n]?.end();
    end(words);
    this.#crew = newCrew(made.length);
    if (late.length > 0) {
      const threads = late.map((n) => ({ slot: slotOf(n), thread: made[n] }));
      const since = clock();
      this.onLost?.(() => {
        if (clock() - since > SURELY_GONE_MS) return true;
        return threads.every(({ slot, thread }) => Atomics.load(words, slot) === GONE || thread === undefined || ended.has(thread));
      });
    }
    for (const n of lost) takeAgain(words, this.#kernels, announced(words, n));
  }

  close(): void {
    this.#closed = true;
    const { words, made } = this.#crew;
    end(words);
    for (const thread of made) thread?.end();
    this.#crew.threads.fill(undefined);
  }
}
