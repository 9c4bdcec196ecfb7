/** Figures from samples. */

/** The value that `part` of the sorted samples lie below, interpolated. */
export function quantile(samples: readonly number[], part: number): number {
  if (samples.length === 0) throw new RangeError('quantile: no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** Width of the middle half of the samples over their median. */
export function spread(samples: readonly number[]): number {
  return (quantile(samples, 0.75) - quantile(samples, 0.25)) / median(samples);
}

/** What two contestants' times are to each other, round by round: a machine that changes its speed between rounds changes both. */
export function ratiosOf(over: readonly number[], under: readonly number[]): number[] {
  if (over.length !== under.length) throw new RangeError(`ratiosOf: ${over.length} rounds against ${under.length}`);
  return over.map((value, i) => value / (under[i] as number));
}

/** The median of those. */
export function medianRatio(over: readonly number[], under: readonly number[]): number {
  return median(ratiosOf(over, under));
}

export function geometricMean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('geometricMean: no values');
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
