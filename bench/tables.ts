/** A report as text: for a terminal, and for a README. */
import { type ContestantName, contestantNames, contestantNotes } from './contestant.ts';
import type { Copies } from './copies.ts';
import { type Growth, growths, wideFrom } from './growth.ts';
import { machineLine } from './machine.ts';
import { disturbed, type Figure, type LayerReport, type Overall, type Report, type Rival } from './report.ts';
import { geometricMean, medianRatio } from './stats.ts';

/** Three digits that mean something: 0.123, 1.23, 12.3, 123, 1234. */
export function digits3(value: number): string {
  return Math.abs(value) < 999.5 ? value.toPrecision(3) : value.toFixed(0);
}

/** @param milliseconds of one call */
export function timeText(milliseconds: number): string {
  return milliseconds < 1 ? `${digits3(milliseconds * 1000)} µs` : `${digits3(milliseconds)} ms`;
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(part < 0.0995 ? 1 : 0)} %`;
}

function figureCells({ name, best, median, spread, gflops, ofCeiling }: Figure): string[] {
  return [name, timeText(best), timeText(median), percent(spread), digits3(gflops), percent(ofCeiling)];
}

const figureHeads = ['contestant', 'best', 'median', 'spread', 'GFLOP/s', 'of ceiling'];

/** Columns as wide as they need; the first stands left, the others, which are figures, right, unless they are words. */
export function alignedTable(rows: readonly (readonly string[])[], others: 'left' | 'right' = 'right'): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number): string => {
    const width = widths[column] ?? 0;
    return column === 0 || others === 'left' ? text.padEnd(width) : text.padStart(width);
  };
  return rows.map((row) => `  ${row.map(cell).join('  ').trimEnd()}`).join('\n');
}

/** As people count it: 1 kB is 1000 bytes. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 999.5e3 ? `${digits3(bytes / 1e3)} kB` : `${digits3(bytes / 1e6)} MB`;
}

export function work(flops: number): string {
  return flops < 1e6 ? `${digits3(flops / 1e3)} kflop` : `${digits3(flops / 1e6)} Mflop`;
}

/** Loops in JavaScript, the better ones first: what a table for a terminal holds everybody against. */
const measures: readonly ContestantName[] = ['optimised js', 'naive'];

/** At what speed the copies of a layout's arrays were made, if that can be told. */
function copiesText({ layout, bytes, milliseconds, gigabytesPerSecond }: Copies): string {
  const time =
    gigabytesPerSecond === undefined ? 'less time than rounds differ by' : `${timeText(milliseconds)}, ${digits3(gigabytesPerSecond)} GB/s`;
  return `  copies of ${layout} arrays: ${bytesText(bytes)} in ${time}`;
}

/** One layer, for a terminal: the last columns are how many times faster a contestant is than each of the JavaScript loops. */
export function layerText(layer: LayerReport): string {
  const { median, spread } = layer.ceiling;
  const against = measures.flatMap((name) => layer.figures.filter((figure) => figure.name === name));
  const heads = [...figureHeads, ...against.map(({ name }) => `× ${name}`)];
  const row = (figure: Figure): string[] => [
    ...figureCells(figure),
    ...against.map(({ rounds }) => digits3(medianRatio(rounds, figure.rounds))),
  ];
  const lines = [
    `${layer.set}: ${layer.name} (${layer.words}), ${work(layer.flops)}, ceiling ${digits3(median)} GFLOP/s, spread ${percent(spread)}`,
    alignedTable([heads, ...layer.figures.map(row)]),
    ...layer.ratios
      .filter(({ than }) => !(measures as readonly Rival[]).includes(than))
      .map(({ faster, than, times }) => `  ${faster} is ${digits3(times)} × ${than}`),
    ...layer.copies.map(copiesText),
    ...Object.entries(layer.wrong).map(([name, text]) => `  ${name} is wrong: ${text}`),
  ];
  return lines.join('\n');
}

/** What one should know before one believes the figures of a layer. */
export function remarks(layer: LayerReport): string[] {
  const where = `${layer.set}: ${layer.name}`;
  const spreads = disturbed(layer).map(({ name, spread }) => `${name} ${percent(spread)}`);
  const busy = spreads.length > 0 ? [`${where}: the machine was busy, repeat this; spread of ${spreads.join(', ')}`] : [];
  const wrong = Object.entries(layer.wrong).map(([name, text]) => `${where}: ${name} is wrong and was not timed: ${text}`);
  return [...busy, ...wrong];
}

/** A line for each pair of contestants. */
export function overallText(pairs: readonly Overall[]): string {
  const line = ({ faster, than, layers, geometricMean, lowest }: Overall): string =>
    `${faster} over ${than}, ${layers} ${layers === 1 ? 'layer' : 'layers'}: geometric mean ${digits3(geometricMean)}, lowest ${digits3(lowest.times)} (${lowest.layer})`;
  return pairs.map(line).join('\n');
}

/** A line for each of ours and of the peers that has computed all sizes of a row. */
export function growthText(all: readonly Growth[]): string {
  const line = ({ set, words, contestant, all: { ratio, dearest, cheapest }, wide }: Growth): string => {
    const first = `${set}: ${words}, ${contestant}: a flop costs ${digits3(ratio)} times as much at ${dearest} as at ${cheapest}`;
    return wide ? `${first}; from ${wideFrom} on ${digits3(wide.ratio)} times (${wide.dearest}, ${wide.cheapest})` : first;
  };
  return all.map(line).join('\n');
}

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** First column left, the others right. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [markdownRow(heads), markdownRow(heads.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(markdownRow)].join('\n');
}

type RatioKey = readonly [faster: ContestantName, than: Rival];

function ratioOf(layer: LayerReport, [faster, than]: RatioKey): number | undefined {
  return layer.ratios.find((ratio) => ratio.faster === faster && ratio.than === than)?.times;
}

/** Speeds of one set: a row per layer, a column per contestant that took part. */
function speedTable(layers: readonly LayerReport[]): string {
  const present = contestantNames.filter((name) =>
    layers.some(({ figures, wrong }) => name in wrong || figures.some((figure) => figure.name === name)),
  );
  const row = (layer: LayerReport): string[] => {
    const cell = (name: string): string => {
      const figure = layer.figures.find((entry) => entry.name === name);
      if (!figure) return name in layer.wrong ? 'wrong' : '–';
      return name.endsWith('tensors') ? `${digits3(figure.gflops)} (${percent(figure.ofCeiling)})` : digits3(figure.gflops);
    };
    return [layer.name, digits3(layer.flops / 1e6), digits3(layer.ceiling.median), ...present.map(cell)];
  };
  return markdownTable(['layer', 'Mflop', 'ceiling', ...present], layers.map(row));
}

/** Ratios of one set, with their geometric mean and the lowest as last rows; undefined when nobody was there to be held against. */
function ratioTable(layers: readonly LayerReport[]): string | undefined {
  const keys = new Map<string, RatioKey>();
  for (const { ratios } of layers) for (const { faster, than } of ratios) keys.set(`${faster} ÷ ${than}`, [faster, than]);
  if (keys.size === 0) return undefined;
  const columns = [...keys.values()];
  const rows = layers.map((layer) => [layer.name, ...columns.map((key) => digitsOrDash(ratioOf(layer, key)))]);
  const over = (figure: (values: number[]) => number): string[] =>
    columns.map((key) => digits3(figure(layers.map((layer) => ratioOf(layer, key)).filter((value) => value !== undefined))));
  const last = [
    ['**geometric mean**', ...over(geometricMean)],
    ['**lowest**', ...over((values) => Math.min(...values))],
  ];
  return markdownTable(['times faster', ...keys.keys()], [...rows, ...last]);
}

function digitsOrDash(value: number | undefined): string {
  return value === undefined ? '–' : digits3(value);
}

function timesTable(layers: readonly LayerReport[]): string {
  const rows = layers.flatMap((layer) => layer.figures.map((figure) => [layer.name, ...figureCells(figure)]));
  return markdownTable(['layer', ...figureHeads], rows);
}

/** One row of layers: what a flop costs at each size over what it costs at the cheapest. */
function growthTable(row: readonly Growth[]): string {
  const [first] = row;
  const sides = first?.costs.map(({ side }) => String(side)) ?? [];
  const cells = ({ contestant, costs, all, wide }: Growth): string[] => {
    const least = Math.min(...costs.map(({ picosecondsPerFlop }) => picosecondsPerFlop));
    const each = costs.map(({ picosecondsPerFlop }) => digits3(picosecondsPerFlop / least));
    return [contestant, ...each, digits3(all.ratio), digitsOrDash(wide?.ratio)];
  };
  return markdownTable([`${first?.words}: cost of a flop ÷ cheapest`, ...sides, 'dearest', `dearest from ${wideFrom} on`], row.map(cells));
}

function growthTables(layers: readonly LayerReport[]): string[] {
  const all = growths(layers);
  return [...new Set(all.map(({ words }) => words))].map((words) => growthTable(all.filter((growth) => growth.words === words)));
}

/** Speeds of copies of one set; undefined when nobody's arrays and tensors were both timed. */
function copiesTable(layers: readonly LayerReport[]): string | undefined {
  const layouts = (['nchw', 'nhwc'] as const).filter((layout) =>
    layers.some(({ copies }) => copies.some((entry) => entry.layout === layout)),
  );
  if (layouts.length === 0) return undefined;
  const row = ({ name, copies }: LayerReport): string[] => {
    const cell = (layout: string): string => digitsOrDash(copies.find((entry) => entry.layout === layout)?.gigabytesPerSecond);
    return [name, copies[0] ? digits3(copies[0].bytes / 1e6) : '–', ...layouts.map(cell)];
  };
  return markdownTable(['copies, GB/s', 'MB', ...layouts], layers.map(row));
}

function folded(summary: string, table: string): string {
  return `<details><summary>${summary}</summary>\n\n${table}\n\n</details>`;
}

export const threadsText = (count: number): string => (count === 1 ? 'one thread' : `${count} threads`);

/** Everybody's, ours first; of ours what the kernels are compiled for, and the threads. */
export function versionsOf({ engine, peers }: Pick<Report, 'engine' | 'peers'>): string[] {
  const ours = engine ? [`wasm-conv ${engine.version} (${engine.simd}, ${threadsText(engine.threads)})`] : [];
  return [...ours, ...Object.entries(peers).map(([name, version]) => `${name} ${version}`)];
}

/** The tables of README.md, with the machine and the command that made them. */
export function markdown(report: Report, command: string): string {
  const { machine, rounds, turn, layers } = report;
  const versions = versionsOf(report);
  const taking = contestantNames.filter((name) => layers.some(({ figures }) => figures.some((figure) => figure.name === name)));
  const parts = [
    `\`\`\`\n${command}\n\`\`\``,
    `${machineLine(machine)}; ${rounds} rounds, turns of ${turn} ms${versions.length > 0 ? `; ${versions.join(', ')}` : ''}.`,
    'GFLOP/s at the median; in brackets the share of the 128-bit multiply + add ceiling of the same rounds.',
    taking.map((name) => `- **${name}**: ${contestantNotes[name]}`).join('\n'),
  ];
  for (const set of new Set(layers.map((layer) => layer.set))) {
    const members = layers.filter((layer) => layer.set === set);
    const ratios = ratioTable(members);
    parts.push(`### ${set}`, speedTable(members));
    if (ratios) parts.push(ratios);
    parts.push(...growthTables(members));
    parts.push(folded(`Times of ${set}`, timesTable(members)));
    const copies = copiesTable(members);
    if (copies) parts.push(folded(`Copies of ${set}: arrays' time less tensors'`, copies));
  }
  return parts.join('\n\n');
}
