/**
 * A kernel and its tasks, as the threads of an engine see them: words of shared memory, and the loop in which each thread takes tasks until there are none.
 *
 * The calling thread writes what is to be done, opens the job and wakes as many threads as shall help. Whoever wakes says first that it is inside, then looks
 * whether the job is open: so the caller, having closed it, knows from what each thread has said who may still be computing, and no thread
 * reads words that are being written. A thread announces the tasks that it is about to take before it takes them: where it dies, the caller knows
 * what may be missing, and computes it again, to the same bits. One that is only late, and comes back to words whose tasks are all taken, finds nothing to do
 * there: the caller has other words from then on, and other threads.
 */
import { type TaskKernels, taskKernels } from './task-kernels.ts';

/**
 * Words of a line of the cache. Those that many threads write have one to themselves.
 *
 * What follows from it is written out: a page that has no threads would carry sums and products, which bundlers do not drop, as they do numbers.
 */
const LINE = 16;

/** Counts the jobs; threads sleep on it. */
const JOB = 0;
/** 1 while tasks may be taken. */
const OPEN = 1;
/** 1 when the threads shall end. */
const ENDED = 2;
/** What is to be done. */
const KERNEL = 16;
const TASKS = 17;
/** Tasks taken at a time, up to task BULK; those behind it are taken one by one. */
const GRAIN = 18;
const BULK = 19;
const WORK = 20;
const WORK_BYTES = 21;
/** Threads for which there is workspace. */
const CREW = 22;
const POINTERS = 32;
/** The next task that nobody has taken. */
const NEXT = 48;
/** Threads that came to help: each takes the part of the workspace of its number. */
const TICKETS = 64;
/** For each thread its state, and the task that it announced last. */
const SLOTS = 80;

/** What a thread says of itself. */
const OUTSIDE = 0;
export const INSIDE = 1;
/** Its kernel threw. */
export const FAILED = 2;
/** Written by the caller, which waits no more for this thread: it must not touch anything. */
export const LOST = 3;
/** It has not yet begun. */
export const ABSENT = 4;
/** It was lost, and touches nothing any more. */
export const GONE = 5;

/** Looks for the next job before a thread sleeps, some 20 µs: layers follow each other. Depthwise 576 at 14², two threads over one: 1.28 → 1.46. */
const LOOKS = 3000;

/** Words for a job and `helpers` threads beside the caller. */
export function jobWords(helpers: number): number {
  return SLOTS + helpers * LINE;
}

/** Where thread `n` says what it does. */
export function slotOf(n: number): number {
  return SLOTS + n * LINE;
}

/** What the caller asks for. */
export interface Job {
  readonly kernel: number;
  readonly tasks: number;
  /** Tasks that are taken at a time, up to task `bulk`; the others are taken one by one, so that all threads are done at about the same time. */
  readonly grain: number;
  readonly bulk: number;
  readonly work: number;
  /** From the workspace of one thread to that of the next. */
  readonly workBytes: number;
  /** Threads for which there is workspace, the caller included. */
  readonly crew: number;
  readonly pointers: readonly number[];
}

/** Opens a job. Nobody is inside. */
export function open(words: Int32Array, job: Job): void {
  words[KERNEL] = job.kernel;
  words[TASKS] = job.tasks;
  words[GRAIN] = job.grain;
  words[BULK] = job.bulk;
  words[WORK] = job.work;
  words[WORK_BYTES] = job.workBytes;
  words[CREW] = job.crew;
  words[POINTERS] = job.pointers.length;
  words.set(job.pointers, POINTERS + 1);
  // The caller takes the first tasks before anybody else can.
  words[NEXT] = behind(words, 0);
  words[TICKETS] = 1;
  Atomics.store(words, OPEN, 1);
  Atomics.add(words, JOB, 1);
  Atomics.notify(words, JOB, job.crew - 1);
}

/** No more tasks are taken by threads that are not yet inside. */
export function close(words: Int32Array): void {
  Atomics.store(words, OPEN, 0);
}

/** Ends all threads that wait for a job. */
export function end(words: Int32Array): void {
  Atomics.store(words, ENDED, 1);
  Atomics.add(words, JOB, 1);
  Atomics.notify(words, JOB);
}

/** The first of the tasks that thread `n` announced last, which it may have computed or not. */
export function announced(words: Int32Array, n: number): number {
  return Atomics.load(words, slotOf(n) + 1);
}

/** Behind the tasks that are taken together with `first`. */
function behind(words: Int32Array, first: number): number {
  const bulk = words[BULK] as number;
  return first < bulk ? Math.min(bulk, first + (words[GRAIN] as number)) : first + 1;
}

/** `first` and the tasks that are taken with it. */
function compute(words: Int32Array, kernels: TaskKernels, pointers: readonly number[], work: number, first: number, before: number): void {
  const last = behind(words, first);
  if (first < (words[TASKS] as number))
    kernels[taskKernels[words[KERNEL] as number] as keyof TaskKernels](first, last, before, work, ...pointers);
}

function pointersOf(words: Int32Array): number[] {
  const count = words[POINTERS] as number;
  return Array.from(words.subarray(POINTERS + 1, POINTERS + 1 + count));
}

/** Any tasks that are left. */
function takeRest(
  words: Int32Array,
  kernels: TaskKernels,
  pointers: readonly number[],
  work: number,
  done: number,
  announce: (first: number) => void,
): void {
  const tasks = words[TASKS] as number;
  let before = done;
  for (;;) {
    const first = Atomics.load(words, NEXT);
    if (first >= tasks) return;
    announce(first);
    const next = behind(words, first);
    if (Atomics.compareExchange(words, NEXT, first, next) !== first) continue;
    compute(words, kernels, pointers, work, first, before);
    before = next - 1;
  }
}

/** The tasks that the caller has taken already, and any that are left. */
export function takeAsCaller(words: Int32Array, kernels: TaskKernels, { pointers }: Job): void {
  const work = words[WORK] as number;
  compute(words, kernels, pointers, work, 0, -1);
  takeRest(words, kernels, pointers, work, behind(words, 0) - 1, () => {});
}

/** Tasks that a lost thread may not have computed, by the caller. */
export function takeAgain(words: Int32Array, kernels: TaskKernels, first: number): void {
  compute(words, kernels, pointersOf(words), words[WORK] as number, first, -1);
}

/** Any tasks that are left, by thread `n`. */
function take(words: Int32Array, kernels: TaskKernels, n: number): void {
  const ticket = Atomics.add(words, TICKETS, 1);
  if (ticket >= (words[CREW] as number)) return;
  const work = (words[WORK] as number) + ticket * (words[WORK_BYTES] as number);
  const slot = slotOf(n) + 1;
  takeRest(words, kernels, pointersOf(words), work, -1, (first) => Atomics.store(words, slot, first));
}

/** The life of thread `n`: sleeps until there is a job, helps, and returns when it shall end. */
export function serve(words: Int32Array, kernels: TaskKernels, n: number): void {
  const slot = slotOf(n);
  let seen = Atomics.load(words, JOB);
  Atomics.compareExchange(words, slot, ABSENT, OUTSIDE);
  for (;;) {
    for (let looks = LOOKS; looks > 0 && Atomics.load(words, JOB) === seen; looks--);
    Atomics.wait(words, JOB, seen);
    seen = Atomics.load(words, JOB);
    if (Atomics.load(words, ENDED) === 1 || Atomics.compareExchange(words, slot, OUTSIDE, INSIDE) !== OUTSIDE) return;
    let state = OUTSIDE;
    try {
      if (Atomics.load(words, OPEN) === 1) take(words, kernels, n);
    } catch {
      state = FAILED;
    }
    const before = Atomics.compareExchange(words, slot, INSIDE, state);
    if (before === LOST) Atomics.store(words, slot, GONE);
    Atomics.notify(words, slot);
    if (before !== INSIDE || state === FAILED) return;
  }
}
