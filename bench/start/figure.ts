/** A time, or a difference of times, from many rounds. */
import { median, quantile } from '../stats.ts';

/** Milliseconds. */
export interface Figure {
  readonly median: number;
  /** The middle half of the rounds lies between these. */
  readonly low: number;
  readonly high: number;
}

export function figureOf(samples: readonly number[]): Figure {
  return { median: median(samples), low: quantile(samples, 0.25), high: quantile(samples, 0.75) };
}

/** Of what each round took over another contestant of the same round: a machine that changes its speed between rounds changes both. */
export function figureOver(samples: readonly number[], over: readonly number[]): Figure {
  if (samples.length !== over.length) throw new RangeError(`figureOver: ${samples.length} rounds against ${over.length}`);
  return figureOf(samples.map((value, i) => value - (over[i] as number)));
}
