/** Times of a contest → whether the planner chose well. */
import type { Algorithm } from '../../src/types.ts';
import type { Times } from '../contest.ts';
import type { Layout } from '../problem.ts';
import { median, quantile, ratiosOf, spread } from '../stats.ts';
import type { Way } from './ways.ts';

/** How much longer than the best algorithm `'auto'` may take. */
export const tolerated = 1.05;

/** One way on one layer. Times are milliseconds of one call. */
export interface Measured {
  readonly algorithm: Algorithm;
  /** What it is planned as; gradients do not say. */
  readonly planned?: { readonly algorithm: Algorithm; readonly variant: string };
  /** Absent where there was nothing to time it against. */
  readonly median?: number;
  readonly spread?: number;
  readonly rounds?: readonly number[];
}

/** The time of `'auto'` over that of another algorithm in the same round: its middle half. */
export interface Lag {
  readonly behind: Algorithm;
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/**
 * `'behind'`: more than 5 % in three of four rounds at least, so that a disturbed round or two cannot have made it; `'perhaps'`: at the median alone.
 * `'alone'`: every algorithm that serves the layer computes it as `'auto'` does.
 */
export type Judgement = 'alone' | 'within' | 'perhaps' | 'behind';

export interface Verdict {
  readonly set: string;
  readonly name: string;
  readonly words: string;
  readonly layout: Layout;
  /** `'auto'` first. */
  readonly ways: readonly Measured[];
  /** Behind, or ahead of, the best of the others; absent where there is none. */
  readonly lag?: Lag;
  readonly judgement: Judgement;
}

/** What `'auto'` is to the best of the others; undefined where there is none. */
export function lagOf([auto, ...others]: readonly Times[]): Lag | undefined {
  const lags = others.map(({ name, rounds }): Lag => {
    const ratios = ratiosOf(auto?.rounds ?? [], rounds);
    return { behind: name as Algorithm, low: quantile(ratios, 0.25), median: median(ratios), high: quantile(ratios, 0.75) };
  });
  return lags.sort((a, b) => b.median - a.median)[0];
}

export function judge(lag: Lag | undefined): Judgement {
  if (!lag) return 'alone';
  if (lag.median <= tolerated) return 'within';
  return lag.low > tolerated ? 'behind' : 'perhaps';
}

export function verdictOf(
  layer: Pick<Verdict, 'set' | 'name' | 'words' | 'layout'>,
  ways: readonly Way[],
  times: readonly Times[],
): Verdict {
  const lag = lagOf(times);
  const measured = ways.map(({ algorithm, plan }): Measured => {
    const rounds = times.find(({ name }) => name === algorithm)?.rounds;
    return {
      algorithm,
      ...(plan ? { planned: { algorithm: plan.algorithm, variant: plan.variant } } : {}),
      ...(rounds ? { median: median(rounds), spread: spread(rounds), rounds } : {}),
    };
  });
  return { ...layer, ways: measured, ...(lag ? { lag } : {}), judgement: judge(lag) };
}

/** The milder of two: who is behind only once was disturbed, or lay badly in the memory. */
export function milder(a: Verdict, b: Verdict): Verdict {
  return (b.lag?.low ?? 0) < (a.lag?.low ?? 0) ? b : a;
}

export interface Summary {
  /** A layer in one layout is one. */
  readonly checked: number;
  /** Of these, where there was nothing to choose. */
  readonly alone: number;
  readonly behind: number;
  readonly perhaps: number;
  /** The largest lag, where anything was timed. */
  readonly worst?: Pick<Verdict, 'set' | 'name' | 'layout'> & { readonly lag: Lag };
}

export function summary(verdicts: readonly Verdict[]): Summary {
  const count = (which: Judgement): number => verdicts.filter(({ judgement }) => judgement === which).length;
  const timed = verdicts.flatMap(({ set, name, layout, lag }) => (lag ? [{ set, name, layout, lag }] : []));
  const worst = timed.sort((a, b) => b.lag.median - a.lag.median)[0];
  return {
    checked: verdicts.length,
    alone: count('alone'),
    behind: count('behind'),
    perhaps: count('perhaps'),
    ...(worst ? { worst } : {}),
  };
}
