/** One layer in one layout: `'auto'` and its rivals in turns, and once more where it comes out behind. */
import type { Accuracy, Engine } from '../../src/types.ts';
import { type Ceiling, type ContestOptions, contest, type Times } from '../contest.ts';
import type { SyncContestant } from '../contestant.ts';
import { ourTensors } from '../ours.ts';
import { difference, type Layout, makeProblem, type Problem } from '../problem.ts';
import type { LayerShape } from '../shapes.ts';
import { milder, type Verdict, verdictOf } from './verdict.ts';
import { type Way, waysOf } from './ways.ts';

export interface RaceOptions extends ContestOptions {
  readonly engine: Engine;
  readonly ceiling: Ceiling;
  readonly accuracy: Accuracy;
}

/** Times the error of direct sums that an accuracy grants: two results may err in opposite ways. */
const errorTimes: Readonly<Record<Accuracy, number>> = { exact: 2, normal: 8, fast: 20 };

interface Entry {
  readonly name: string;
  readonly contestant: SyncContestant;
}

/** A way that is fast because it computes something else would be no reproach. @throws Error */
function checkAlike(problem: Problem, entries: readonly Entry[], accuracy: Accuracy): void {
  for (const { contestant } of entries) contestant.run();
  const [auto, ...others] = entries;
  const want = auto?.contestant.result() ?? new Float32Array();
  for (const { name, contestant } of others) {
    const found = difference(problem, contestant.result(), want, errorTimes[accuracy]);
    if (found !== undefined) throw new Error(`${problem.shape.words}: '${name}' and 'auto' differ: ${found}`);
  }
}

async function timesOf(problem: Problem, layout: Layout, ways: readonly Way[], options: RaceOptions): Promise<readonly Times[]> {
  const { engine, accuracy, ceiling } = options;
  const entries: Entry[] = [];
  try {
    for (const { algorithm } of ways) {
      entries.push({ name: algorithm, contestant: ourTensors(engine, problem, layout, { algorithm, accuracy }) });
    }
    checkAlike(problem, entries, accuracy);
    const timed = entries.map(({ name, contestant }) => ({ name, run: () => contestant.run() }));
    return (await contest(timed, ceiling, options)).times;
  } finally {
    for (const { contestant } of entries) contestant.dispose();
  }
}

/**
 * @throws Error where two algorithms find different results, and whatever a call throws
 */
export async function raceLayer(set: string, shape: LayerShape, layout: Layout, options: RaceOptions): Promise<Verdict> {
  const problem = makeProblem(shape);
  const ways = waysOf(options.engine, problem, layout, options.accuracy);
  const layer = { set, name: shape.name, words: shape.words, layout };
  if (ways.length === 1) return verdictOf(layer, ways, []);
  const measure = async (): Promise<Verdict> => verdictOf(layer, ways, await timesOf(problem, layout, ways, options));
  const first = await measure();
  if (first.judgement === 'within') return first;
  return milder(first, await measure());
}
