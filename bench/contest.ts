/**
 * Contestants take turns: in every round each computes for a short while, and the bare multiply + add loop of ceiling.ts with
 * them, so that what a busy or throttled machine takes, it takes from all. tinybench holds the clock.
 * Who only has a promise to give is awaited in its turn: nobody else computes meanwhile.
 */
import { Bench } from 'tinybench';
import type { Contestant } from './contestant.ts';
import { difference, type Problem } from './problem.ts';

export interface ContestOptions {
  readonly rounds: number;
  /** Milliseconds of one contestant's turn; a call that takes longer is made once. */
  readonly turn: number;
  /** Milliseconds that a contestant computes before it is timed: V8 compiles anew, in the background, what is hot. */
  readonly warmup: number;
  /** Milliseconds that a sample lasts at least: shorter calls are timed many at once. Default: what Node's clock asks for. */
  readonly sample?: number;
}

/** Everybody's turns on a layer: many, so that a spread can be told, and of at least the millisecond that a clock needs. */
export function turnsOf(time: number): Pick<ContestOptions, 'rounds' | 'turn'> {
  const rounds = Math.min(15, time);
  return { rounds, turn: time / rounds };
}

/** Milliseconds: twice what the slowest to settle took on the layers of shapes/ to come within 5 % of its last speed (78 ms, Node 20). */
export const settlingTime = 150;

/** What bounds every contestant: a loop of known cost. */
export interface Ceiling {
  readonly flops: number;
  run(): void;
}

/** Times in milliseconds of one call, round by round. */
export interface Times {
  readonly name: string;
  readonly rounds: readonly number[];
}

export interface ContestResult {
  readonly times: readonly Times[];
  /** GFLOP/s of the ceiling, round by round. */
  readonly ceiling: readonly number[];
}

/** A reading of Node's clock costs 0.05 µs. */
const nodeSample = 0.1;

/** What is timed. Only who is asynchronous pays for a promise. */
type Call = { readonly run: () => void } | { readonly runAsync: () => Promise<void> };

/** Who takes turns: a contestant, or anything else that has a name of its own. */
type Timed = Call & { readonly name: string };

/** Milliseconds of so many calls in a row. */
function timed(run: () => void, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return performance.now() - start;
}

async function timedAsync(run: () => Promise<void>, calls: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < calls; i++) await run();
  return performance.now() - start;
}

/** Calls until the compilers are done, then says how many calls make one sample. */
async function warmUp(call: Call, time: number, sample: number): Promise<number> {
  const begin = performance.now();
  let fastest = Number.POSITIVE_INFINITY;
  let together = 1;
  for (let calls = 0; calls < 2 || fastest === Number.POSITIVE_INFINITY || performance.now() - begin < time; calls += together) {
    const spent = 'run' in call ? timed(call.run, together) : await timedAsync(call.runAsync, together);
    // A clock of few digits tells nothing of so little: what looks fast may be nothing but the time between two of its ticks.
    if (spent < sample / 4) together *= 2;
    else fastest = Math.min(fastest, spent / together);
  }
  return Math.max(1, Math.ceil(sample / fastest));
}

/** Computes for one turn and says how long a call took: the median of the turn's samples, in milliseconds. */
type Turn = () => Promise<number>;

/** A task of tinybench whose samples are means over as many calls as make up the time of a sample. */
async function turns(bench: Bench, name: string, call: Call, { warmup, sample: time = nodeSample }: ContestOptions): Promise<Turn> {
  const calls = await warmUp(call, warmup, time);
  let made = 0;
  const sample = (spent: number) => {
    made++;
    return { overriddenDuration: spent / calls, overriddenIterationCost: spent };
  };
  if ('run' in call) bench.add(name, () => sample(timed(call.run, calls)), { async: false });
  else bench.add(name, async () => sample(await timedAsync(call.runAsync, calls)), { async: true });
  const task = bench.getTask(name);
  if (!task) throw new Error(`tinybench has lost the task '${name}'`);
  return async () => {
    // A task that has run is not run again: it would hand out the first turn's figure in every round.
    task.reset();
    const before = made;
    if ('run' in call) task.runSync();
    else await task.run();
    const { result } = task;
    if (result.state !== 'completed' || made === before) throw new Error(`'${name}' has not computed in its turn: ${result.state}`);
    return result.latency.p50;
  };
}

/**
 * Every contestant computes once, and what it finds is held against the result that `oracle` has for what it computes.
 * @returns what is wrong, by contestant; empty when all agree
 */
export async function compareResults(
  problem: Problem,
  contestants: readonly Contestant[],
  oracle: (problem: Problem) => Float32Array,
): Promise<Map<string, string>> {
  const wrong = new Map<string, string>();
  for (const contestant of contestants) {
    const computed = contestant.computes ?? problem;
    if ('run' in contestant) contestant.run();
    else await contestant.runAsync();
    const found = difference(computed, contestant.result(), oracle(computed), contestant.errorTimes);
    if (found !== undefined) wrong.set(contestant.name, found);
  }
  return wrong;
}

/** @throws whatever a contestant throws */
export async function contest(contestants: readonly Timed[], ceiling: Ceiling, options: ContestOptions): Promise<ContestResult> {
  const bench = new Bench({ time: options.turn, iterations: 1, warmup: false, throws: true });
  const ceilingTurn = await turns(bench, 'ceiling', ceiling, options);
  const entries: { name: string; turn: Turn; rounds: number[] }[] = [];
  for (const contestant of contestants)
    entries.push({ name: contestant.name, turn: await turns(bench, contestant.name, contestant, options), rounds: [] });
  const ceilings: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    ceilings.push(ceiling.flops / (await ceilingTurn()) / 1e6);
    // Another begins each time: nobody always finds the caches as the same neighbour left them.
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(i + round) % entries.length];
      entry?.rounds.push(await entry.turn());
    }
  }
  return { times: entries.map(({ name, rounds }) => ({ name, rounds })), ceiling: ceilings };
}
