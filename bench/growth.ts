/** Growth: what a flop costs as the image grows, for layers that differ in nothing else. */
import type { ContestantName } from './contestant.ts';
import type { LayerReport } from './report.ts';
import { type LayerShape, parseLayer } from './shapes.ts';

export interface Step {
  /** Pixels along each axis of the image. */
  readonly side: number;
  readonly layer: LayerReport;
}

/** Everything but the image. */
function signature({ operation, batch, groups, inC, outC, axes }: LayerShape): string {
  const window = axes.map(({ kernel, stride, dilation, padBegin }) => [kernel, stride, dilation, padBegin]);
  return JSON.stringify([operation, batch, groups, inC, outC, window]);
}

/** Fewer are no curve. */
const fewest = 3;

/** Layers alike in all but the size of a square image, three sizes at least, the smallest first; rows in the order in which they begin. */
export function growthRows(layers: readonly LayerReport[]): readonly (readonly Step[])[] {
  const rows = new Map<string, Map<number, Step>>();
  for (const layer of layers) {
    const shape = parseLayer(layer.words, layer.name);
    const side = shape.axes[0]?.input ?? 0;
    if (shape.axes.some(({ input }) => input !== side)) continue;
    const id = signature(shape);
    const row = rows.get(id) ?? new Map<number, Step>();
    rows.set(id, row.set(side, { side, layer }));
  }
  const long = [...rows.values()].filter(({ size }) => size >= fewest);
  return long.map((row) => [...row.values()].sort((a, b) => a.side - b.side));
}

/** From this side on a flop should cost the same within 20 %. Smaller images have a few tiles, and their edges cost as much as they do. */
export const wideFrom = 56;

interface Range {
  readonly dearest: number;
  readonly cheapest: number;
  /** What a flop costs at the one side over what it costs at the other. */
  readonly ratio: number;
}

/** One contestant on one row. */
export interface Growth {
  readonly set: string;
  /** The words of the layer without its image. */
  readonly words: string;
  readonly contestant: ContestantName;
  readonly costs: readonly { readonly side: number; readonly picosecondsPerFlop: number }[];
  /** Over all sides, and over those from `wideFrom` on, where there are two. */
  readonly all: Range;
  readonly wide?: Range;
}

function rangeOf(costs: Growth['costs']): Range | undefined {
  const sorted = [...costs].sort((a, b) => a.picosecondsPerFlop - b.picosecondsPerFlop);
  const [cheapest, dearest] = [sorted[0], sorted.at(-1)];
  if (!cheapest || !dearest || cheapest === dearest) return undefined;
  return { dearest: dearest.side, cheapest: cheapest.side, ratio: dearest.picosecondsPerFlop / cheapest.picosecondsPerFlop };
}

function growthsOfRow(row: readonly Step[]): Growth[] {
  const [first] = row;
  if (!first) return [];
  const names = first.layer.figures.map(({ name }) => name as ContestantName);
  return names.flatMap((contestant): Growth[] => {
    const costs = row.flatMap(({ side, layer }) =>
      layer.figures.filter(({ name }) => name === contestant).map(({ gflops }) => ({ side, picosecondsPerFlop: 1000 / gflops })),
    );
    const all = costs.length === row.length ? rangeOf(costs) : undefined;
    if (!all) return [];
    const wide = rangeOf(costs.filter(({ side }) => side >= wideFrom));
    const words = first.layer.words.replace(/[io][dhw]\d+/g, '');
    return [{ set: first.layer.set, words, contestant, costs, all, ...(wide ? { wide } : {}) }];
  });
}

/** Everybody who computed all of a row, on each row of each set. */
export function growths(layers: readonly LayerReport[]): Growth[] {
  const sets = [...new Set(layers.map(({ set }) => set))];
  return sets.flatMap((set) => growthRows(layers.filter((layer) => layer.set === set)).flatMap(growthsOfRow));
}
