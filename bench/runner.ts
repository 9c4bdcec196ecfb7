/** One layer from its shape to its report: contestants are made, held against each other, timed, and given up. */
import type { Engine } from '../src/types.ts';
import { type Ceiling, type ContestOptions, compareResults, contest } from './contest.ts';
import type { Contestant } from './contestant.ts';
import { naiveContestant } from './naive.ts';
import { optimisedContestant } from './optimised.ts';
import { ourContestants } from './ours.ts';
import type { Peer } from './peer.ts';
import { type Layout, makeProblem, type Problem } from './problem.ts';
import { type LayerReport, layerReport } from './report.ts';
import type { LayerShape } from './shapes.ts';

export interface RunnerOptions extends ContestOptions {
  readonly engine: Engine;
  readonly ceiling: Ceiling;
  readonly layouts: readonly Layout[];
  /** Whether the naive loops are timed. They compute in any case: they say what is right. */
  readonly naive: boolean;
  readonly peers: readonly Peer[];
}

/** What the naive loops find, computed once for each problem. */
function naiveOracle(): (problem: Problem) => Float32Array {
  const found = new Map<Problem, Float32Array>();
  return (problem) => {
    const known = found.get(problem);
    if (known) return known;
    const naive = naiveContestant(problem);
    naive.run();
    const result = naive.result();
    found.set(problem, result);
    return result;
  };
}

/**
 * Times every contestant that computes what the naive loops compute.
 * @throws whatever a contestant throws; all are disposed of in any case
 */
export async function runContest(
  set: string,
  problem: Problem,
  contestants: readonly Contestant[],
  ceiling: Ceiling,
  options: ContestOptions & { readonly naive: boolean },
): Promise<LayerReport> {
  try {
    const wrong = await compareResults(problem, contestants, naiveOracle());
    const right = contestants.filter(({ name }) => !wrong.has(name));
    const times = await contest(options.naive ? [...right, naiveContestant(problem)] : right, ceiling, options);
    return layerReport(set, problem.shape, times, wrong);
  } finally {
    for (const contestant of contestants) await contestant.dispose();
  }
}

export async function runLayer(set: string, shape: LayerShape, options: RunnerOptions): Promise<LayerReport> {
  const problem = makeProblem(shape);
  const contestants: Contestant[] = ourContestants(options.engine, problem, options.layouts);
  const optimised = optimisedContestant(problem);
  if (optimised) contestants.push(optimised);
  for (const peer of options.peers) contestants.push(...(await peer.contestants(problem)));
  return runContest(set, problem, contestants, options.ceiling, options);
}
