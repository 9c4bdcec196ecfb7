/** Times of a contest → the figures that are shown. */
import type { EngineInfo } from '../src/types.ts';
import type { ContestResult, Times } from './contest.ts';
import { type ContestantName, contestantNames } from './contestant.ts';
import { type Copies, copiesOf } from './copies.ts';
import type { Machine } from './machine.ts';
import { flopsOf } from './operations.ts';
import type { Layout } from './problem.ts';
import type { LayerShape } from './shapes.ts';
import { geometricMean, median, medianRatio, spread } from './stats.ts';

/** One contestant on one layer. Times are milliseconds of one call. */
export interface Figure {
  readonly name: string;
  readonly best: number;
  readonly median: number;
  /** Width of the middle half of the rounds over the median: 0.05 is 5 %. */
  readonly spread: number;
  /** At the median: flops of the direct sum over the time. */
  readonly gflops: number;
  /** Median over rounds of the speed over the ceiling of the same round: 1 is all of it. */
  readonly ofCeiling: number;
  readonly rounds: readonly number[];
}

/** How many times faster the one contestant is than the other: median over rounds. */
export interface Ratio {
  readonly faster: ContestantName;
  readonly than: Rival;
  readonly times: number;
}

/** Of each layer the fastest peer in WebAssembly, from arrays to fresh arrays: none has them written to one that is given. */
const bestWasm = 'best WASM peer';
const wasmPeers: readonly Rival[] = ['tfjs arrays', 'ort arrays'];

export type Rival = ContestantName | typeof bestWasm;

export interface LayerReport {
  readonly set: string;
  readonly name: string;
  readonly words: string;
  readonly flops: number;
  /** GFLOP/s, median and spread over the rounds. */
  readonly ceiling: { readonly median: number; readonly spread: number };
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
  /** For each layout whose arrays and tensors were both timed. */
  readonly copies: readonly Copies[];
  /** Contestants that computed something else, and what; they were not timed. */
  readonly wrong: Readonly<Record<string, string>>;
}

export interface Report {
  readonly machine: Machine;
  /** Ours; results kept from before it was said do not have it. */
  readonly engine?: Pick<EngineInfo, 'version' | 'simd' | 'threads'>;
  /** Package and version, for each peer that took part. */
  readonly peers: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** Milliseconds of one turn. */
  readonly turn: number;
  readonly layers: readonly LayerReport[];
  /** What made all of this; results kept from before it was said do not have it. */
  readonly command?: string;
}

/** Whether a result of ours was wrong: a peer's is its own affair. */
export const oursWrong = ({ wrong }: LayerReport): boolean => Object.keys(wrong).some((name) => /^n(chw|hwc) /.test(name));

/** Rounds that differ by more than this mean that somebody else uses the machine: in calm runs nearly all stay below half of it. */
const noisy = 0.1;

/** Whose rounds differed too much. The ceiling alone does not tell: it needs no memory, and a moment of quiet is enough for it. */
export function disturbed({ ceiling, figures }: LayerReport): readonly { readonly name: string; readonly spread: number }[] {
  return [{ name: 'ceiling', spread: ceiling.spread }, ...figures].filter(({ spread }) => spread > noisy);
}

/**
 * Who is held against whom: only those who do the same work. The JavaScript loops read and write arrays in place: they are held against both. What has
 * no pair of tensors or arrays is a measure of its own: our two calls, our plain sum, our convolution forward.
 */
const pairs: readonly (readonly [ContestantName, Rival])[] = (['nchw', 'nhwc'] as const satisfies readonly Layout[]).flatMap((layout) => [
  [`${layout} tensors`, 'tfjs tensors'],
  [`${layout} arrays`, 'tfjs arrays'],
  [`${layout} arrays`, 'ort arrays'],
  [`${layout} arrays`, bestWasm],
  [`${layout} out`, bestWasm],
  [`${layout} tensors`, 'ort native'],
  [`${layout} tensors`, 'litert tensors'],
  [`${layout} tensors`, 'opencv tensors'],
  [`${layout} arrays`, 'opencv arrays'],
  [`${layout} tensors`, 'opencv filter2D'],
  [`${layout} tensors`, `${layout} two calls`],
  [`${layout} tensors`, `${layout} unfactored`],
  [`${layout} tensors`, `${layout} forward`],
  [`${layout} tensors`, 'optimised js'],
  [`${layout} arrays`, 'optimised js'],
  [`${layout} tensors`, 'naive'],
  [`${layout} arrays`, 'naive'],
]);

/** A ratio over all layers that have it. */
export interface Overall {
  readonly faster: ContestantName;
  readonly than: Rival;
  readonly layers: number;
  readonly geometricMean: number;
  readonly lowest: { readonly times: number; readonly layer: string };
}

export function overall(layers: readonly LayerReport[]): Overall[] {
  return pairs.flatMap(([faster, than]): Overall[] => {
    const found = layers.flatMap(({ name, ratios }) =>
      ratios.filter((ratio) => ratio.faster === faster && ratio.than === than).map(({ times }) => ({ times, layer: name })),
    );
    const [first] = found;
    if (!first) return [];
    const lowest = found.reduce((low, each) => (each.times < low.times ? each : low), first);
    return [{ faster, than, layers: found.length, geometricMean: geometricMean(found.map(({ times }) => times)), lowest }];
  });
}

function figureOf({ name, rounds }: Times, ceiling: readonly number[], flops: number): Figure {
  const middle = median(rounds);
  const ceilingTimes = ceiling.map((gflops) => flops / gflops / 1e6);
  const ofCeiling = medianRatio(ceilingTimes, rounds);
  return { name, best: Math.min(...rounds), median: middle, spread: spread(rounds), gflops: flops / middle / 1e6, ofCeiling, rounds };
}

export function layerReport(set: string, shape: LayerShape, result: ContestResult, wrong: ReadonlyMap<string, string>): LayerReport {
  const flops = flopsOf(shape);
  const { times, ceiling } = result;
  const place = (name: string): number => (contestantNames as readonly string[]).indexOf(name);
  const figures = [...times].sort((a, b) => place(a.name) - place(b.name)).map((entry) => figureOf(entry, ceiling, flops));
  const roundsOf = (name: string): readonly number[] | undefined => times.find((entry) => entry.name === name)?.rounds;
  const timesFaster = (faster: ContestantName, than: Rival): number | undefined => {
    if (than === bestWasm) {
      const times = wasmPeers.map((peer) => timesFaster(faster, peer)).filter((each) => each !== undefined);
      return times.length > 0 ? Math.min(...times) : undefined;
    }
    const [mine, theirs] = [roundsOf(faster), roundsOf(than)];
    return mine && theirs && medianRatio(theirs, mine);
  };
  const ratios = pairs.flatMap(([faster, than]): Ratio[] => {
    const times = timesFaster(faster, than);
    return times === undefined ? [] : [{ faster, than, times }];
  });
  return {
    set,
    name: shape.name,
    words: shape.words,
    flops,
    ceiling: { median: median(ceiling), spread: spread(ceiling) },
    figures,
    ratios,
    copies: copiesOf(shape, times),
    wrong: Object.fromEntries(wrong),
  };
}
