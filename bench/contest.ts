/**
 * Contestants take turns: in every round each computes for a short while, and the bare multiply + add loop of ceiling.ts with
 * them, so that what a busy or throttled machine takes, it takes from all. tinybench holds the clock.
 */
import { Bench } from 'tinybench';
import type { Contestant } from './contestant.ts';
import { difference } from './problem.ts';
import type { LayerShape } from './shapes.ts';

export interface ContestOptions {
  readonly rounds: number;
  /** Milliseconds of one contestant's turn; a call that takes longer is made once. */
  readonly turn: number;
  /** Milliseconds that a contestant computes before it is timed: V8 compiles anew, in the background, what is hot. */
  readonly warmup: number;
}

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

/** A clock reading costs 0.05 µs: short calls are timed many at once, for at least this many milliseconds. */
const sampleTime = 0.1;

/** Calls until the compilers are done, then says how many calls make one sample. */
function warmUp(run: () => void, time: number): number {
  const begin = performance.now();
  let fastest = Number.POSITIVE_INFINITY;
  for (let calls = 0; calls < 2 || performance.now() - begin < time; calls++) {
    const start = performance.now();
    run();
    fastest = Math.min(fastest, performance.now() - start);
  }
  return Math.max(1, Math.ceil(sampleTime / Math.max(fastest, 1e-4)));
}

/** Computes for one turn and says how long a call took: the median of the turn's samples, in milliseconds. */
type Turn = () => number;

/** A task of tinybench whose samples are means over as many calls as make up `sampleTime`. */
function turns(bench: Bench, name: string, run: () => void, warmup: number): Turn {
  const calls = warmUp(run, warmup);
  let made = 0;
  const sample = () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    const spent = performance.now() - start;
    made++;
    return { overriddenDuration: spent / calls, overriddenIterationCost: spent };
  };
  bench.add(name, sample, { async: false });
  const task = bench.getTask(name);
  if (!task) throw new Error(`tinybench has lost the task '${name}'`);
  return () => {
    // A task that has run is not run again: it would hand out the first turn's figure in every round.
    task.reset();
    const before = made;
    task.runSync();
    const { result } = task;
    if (result.state !== 'completed' || made === before) throw new Error(`'${name}' has not computed in its turn: ${result.state}`);
    return result.latency.p50;
  };
}

/**
 * Every contestant computes once, and what it finds is held against `want`.
 * @returns what is wrong, by contestant; empty when all agree
 */
export function compareResults(shape: LayerShape, contestants: readonly Contestant[], want: Float32Array): Map<string, string> {
  const wrong = new Map<string, string>();
  for (const contestant of contestants) {
    contestant.run();
    const found = difference(shape, contestant.result(), want);
    if (found !== undefined) wrong.set(contestant.name, found);
  }
  return wrong;
}

/** @throws whatever a contestant throws */
export function contest(contestants: readonly Contestant[], ceiling: Ceiling, options: ContestOptions): ContestResult {
  const bench = new Bench({ time: options.turn, iterations: 1, warmup: false, throws: true });
  const ceilingTurn = turns(bench, 'ceiling', ceiling.run, options.warmup);
  const entries = contestants.map(({ name, run }) => ({ name, turn: turns(bench, name, run, options.warmup), rounds: [] as number[] }));
  const ceilings: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    ceilings.push(ceiling.flops / ceilingTurn() / 1e6);
    // Another begins each time: nobody always finds the caches as the same neighbour left them.
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(i + round) % entries.length];
      entry?.rounds.push(entry.turn());
    }
  }
  return { times: entries.map(({ name, rounds }) => ({ name, rounds })), ceiling: ceilings };
}
