/** Axes: from values to places, and which values get a tick. */

export interface Scale {
  /** The values at both ends. */
  readonly domain: readonly [low: number, high: number];
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** Place of the first and the last value. */
type Range = readonly [from: number, to: number];

/** From 0 to `max`, which need not be round: a phone has no room for what no value needs. @param atMost ticks, 3 or more */
export function linearScale(max: number, [from, to]: Range, atMost: number): Scale {
  const step = roundStep(max, atMost);
  return {
    domain: [0, max],
    ticks: Array.from({ length: stepsIn(max, step) + 1 }, (_, i) => tidy(i * step)),
    at: (value) => from + ((to - from) * value) / max,
  };
}

const stepsIn = (max: number, step: number): number => Math.floor(tidy(max / step));

/** The smallest of 1, 2, 5 × 10ⁿ of which fewer than `atMost` fit into `max`. */
function roundStep(max: number, atMost: number): number {
  if (!(max > 0 && Number.isFinite(max))) throw new RangeError(`linearScale: the largest value must be above 0, got ${max}`);
  const decade = 10 ** Math.floor(Math.log10(max / atMost));
  return [1, 2, 5, 10, 20].map((mantissa) => mantissa * decade).find((step) => stepsIn(max, step) < atMost) ?? 50 * decade;
}

/** Without the digits that binary fractions leave behind: 0.30000000000000004 is 0.3. */
const tidy = (value: number): number => Number(value.toPrecision(12));

/** Which mantissas get a tick, from few ticks to many. */
const mantissas: readonly (readonly number[])[] = [
  [1],
  [1, 3],
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9],
];

/** m × 10ⁿ between both ends, the ends among them where they are such. */
function marks(of: readonly number[], low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)) - 1, Math.ceil(Math.log10(high)) + 1];
  const decades = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  const slack = 1 + 1e-9;
  return decades
    .flatMap((decade) => of.map((mantissa) => tidy(mantissa * decade)))
    .filter((value) => value >= low / slack && value <= high * slack);
}

/**
 * Logarithmic, from `low` to `high`, which need not be round.
 * @param low, high above 0, the ends of the values
 * @param atMost ticks
 */
export function logScale(low: number, high: number, [from, to]: Range, atMost: number): Scale {
  if (!(low > 0 && high >= low && Number.isFinite(high))) throw new RangeError(`logScale: expected 0 < low ≤ high, got ${low} and ${high}`);
  // One value alone stands in the middle: an axis has two ends.
  const [bottom, top] = low === high ? [low / 2, high * 2] : [low, high];
  const choices = mantissas.map((of) => marks(of, bottom, top)).filter((ticks) => ticks.length >= 2);
  const fitting = choices.filter((ticks) => ticks.length <= atMost);
  return {
    domain: [bottom, top],
    ticks: fitting.at(-1) ?? choices[0] ?? [bottom, top],
    at: (value) => from + ((to - from) * Math.log(value / bottom)) / Math.log(top / bottom),
  };
}

/** Without needless digits: 0.05, 1.5, 200, 20k. */
export function tickText(value: number): string {
  return value >= 10_000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(3)));
}
