/** One layer from its shape to its report: contestants are made, held against each other, timed, and given up. */
import type { Engine, InputLayout } from '../src/types.ts';
import { type Ceiling, type ContestOptions, compareResults, contest } from './contest.ts';
import type { Contestant } from './contestant.ts';
import { naiveConv } from './naive.ts';
import { ourContestants } from './ours.ts';
import { makeProblem, type Problem } from './problem.ts';
import { type LayerReport, layerReport } from './report.ts';
import type { LayerShape } from './shapes.ts';
import { type Tfjs, tfjsContestants } from './tfjs.ts';

export interface RunnerOptions extends ContestOptions {
  readonly engine: Engine;
  readonly ceiling: Ceiling;
  readonly layouts: readonly InputLayout[];
  /** Whether the naive loops are timed. They compute in any case: they say what is right. */
  readonly naive: boolean;
  readonly tfjs?: Tfjs | undefined;
}

export function naiveContestant({ shape, input, weight }: Problem): Contestant {
  const output = new Float32Array(shape.batch * shape.outC * shape.height.output * shape.width.output);
  return {
    name: 'naive',
    run: () => naiveConv(shape, input, weight, output),
    result: () => output,
    dispose: () => {},
  };
}

/**
 * Times every contestant that computes what the naive loops compute.
 * @throws whatever a contestant throws; all are disposed of in any case
 */
export function runContest(
  set: string,
  problem: Problem,
  contestants: readonly Contestant[],
  ceiling: Ceiling,
  options: ContestOptions & { readonly naive: boolean },
): LayerReport {
  const naive = naiveContestant(problem);
  try {
    naive.run();
    const wrong = compareResults(problem.shape, contestants, naive.result());
    const right = contestants.filter(({ name }) => !wrong.has(name));
    const times = contest(options.naive ? [...right, naive] : right, ceiling, options);
    return layerReport(set, problem.shape, times, wrong);
  } finally {
    for (const contestant of contestants) contestant.dispose();
  }
}

export function runLayer(set: string, shape: LayerShape, options: RunnerOptions): LayerReport {
  const problem = makeProblem(shape);
  const ours = ourContestants(options.engine, problem, options.layouts);
  const theirs = options.tfjs ? tfjsContestants(options.tfjs, problem) : [];
  return runContest(set, problem, [...ours, ...theirs], options.ceiling, options);
}
