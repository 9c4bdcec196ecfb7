/** The ways a layer may be computed at one accuracy: what the planner takes when it is free to choose, and each algorithm asked for by name. */
import type { Accuracy, Algorithm, Engine, Plan } from '../../src/types.ts';
import { callsOf } from '../calls.ts';
import { ourTensors } from '../ours.ts';
import type { Layout, Problem } from '../problem.ts';

export const algorithms = ['direct', 'gemm', 'winograd', 'factored'] as const satisfies readonly Algorithm[];

export interface Way {
  readonly algorithm: Algorithm;
  /** Undefined for gradients: they prepare nothing. */
  readonly plan: Plan | undefined;
}

const unsupported = (cause: unknown): boolean => cause instanceof Error && 'code' in cause && cause.code === 'ERR_UNSUPPORTED';

/** @returns undefined where the algorithm cannot serve the layer */
function wayOf(engine: Engine, problem: Problem, layout: Layout, accuracy: Accuracy, algorithm: Algorithm): Way | undefined {
  try {
    const { plan } = callsOf(engine, problem, layout, { algorithm, accuracy });
    if (plan) return { algorithm, plan: plan() };
    // Only the call itself says whether it can be made.
    const contestant = ourTensors(engine, problem, layout, { algorithm, accuracy });
    try {
      contestant.run();
    } finally {
      contestant.dispose();
    }
    return { algorithm, plan: undefined };
  } catch (cause) {
    if (algorithm !== 'auto' && unsupported(cause)) return undefined;
    throw cause;
  }
}

const samePlan = (a: Plan | undefined, b: Plan | undefined): boolean =>
  a !== undefined && b !== undefined && a.algorithm === b.algorithm && a.variant === b.variant;

/** `'auto'`, and every algorithm that would compute the layer in another way than it does. */
export function waysOf(
  engine: Engine,
  problem: Problem,
  layout: Layout,
  accuracy: Accuracy,
): readonly [auto: Way, ...others: readonly Way[]] {
  const auto = wayOf(engine, problem, layout, accuracy, 'auto') as Way;
  const forced = algorithms.flatMap((algorithm) => wayOf(engine, problem, layout, accuracy, algorithm) ?? []);
  return [auto, ...forced.filter(({ plan }) => !samePlan(plan, auto.plan))];
}
