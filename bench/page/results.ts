/** `wasm-conv bench --json` → reports that are known to be whole: charts are drawn from these alone. */
import { readFileSync } from 'node:fs';
import { CommandError } from '../../cli/usage.ts';
import { copiesOf } from '../copies.ts';
import type { Machine } from '../machine.ts';
import type { Figure, LayerReport, Report } from '../report.ts';
import { naiveMost } from '../sets.ts';
import { type LayerShape, parseLayer } from '../shapes.ts';

export interface Results extends Report {
  /** GB/s between memory and core, where it was measured after the rounds. */
  readonly bandwidth?: number;
}

/** What is read is not what `wasm-conv bench` writes. */
export class ResultsError extends CommandError {
  override readonly name = 'ResultsError';
}

type Fields = Readonly<Record<string, unknown>>;

function fail(where: string, expected: string, got: unknown): never {
  throw new ResultsError(`${where} must be ${expected}, got ${got === undefined ? 'nothing' : JSON.stringify(got)?.slice(0, 60)}`);
}

function fields(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(where, 'an object', value);
  return value as Fields;
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) fail(where, 'a list that is not empty', value);
  return value;
}

function words(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') fail(where, 'a text', value);
  return value;
}

function above0(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) fail(where, 'a number above 0', value);
  return value;
}

function atLeast0(value: unknown, where: string): number {
  return value === 0 ? 0 : above0(value, where);
}

function textByName(value: unknown, where: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields(value, where)).map(([name, entry]) => [name, words(entry, `${where}.${name}`)]));
}

function machineOf(value: unknown, where: string): Machine {
  const { node, v8, browser, cpu, cores, date } = fields(value, where);
  return {
    node: words(node, `${where}.node`),
    v8: words(v8, `${where}.v8`),
    cpu: words(cpu, `${where}.cpu`),
    cores: above0(cores, `${where}.cores`),
    date: words(date, `${where}.date`),
    ...(browser === undefined ? {} : { browser: words(browser, `${where}.browser`) }),
  };
}

function engineOf(value: unknown, where: string): Results['engine'] {
  const { version, simd, threads } = fields(value, where);
  if (simd !== 'simd128' && simd !== 'relaxed') fail(`${where}.simd`, "'simd128' or 'relaxed'", simd);
  return { version: words(version, `${where}.version`), simd, threads: above0(threads, `${where}.threads`) };
}

function figureOf(value: unknown, where: string): Figure {
  const figure = fields(value, where);
  const number = (key: string): number => above0(figure[key], `${where}.${key}`);
  return {
    name: words(figure.name, `${where}.name`),
    best: number('best'),
    median: number('median'),
    spread: atLeast0(figure.spread, `${where}.spread`),
    gflops: number('gflops'),
    ofCeiling: number('ofCeiling'),
    rounds: list(figure.rounds, `${where}.rounds`).map((time, i) => above0(time, `${where}.rounds[${i}]`)),
  };
}

function layerOf(value: unknown, where: string): LayerReport {
  const layer = fields(value, where);
  const ceiling = fields(layer.ceiling, `${where}.ceiling`);
  if (!Array.isArray(layer.figures)) fail(`${where}.figures`, 'a list', layer.figures);
  if (!Array.isArray(layer.ratios)) fail(`${where}.ratios`, 'a list', layer.ratios);
  const checked = {
    set: words(layer.set, `${where}.set`),
    name: words(layer.name, `${where}.name`),
    words: words(layer.words, `${where}.words`),
    flops: above0(layer.flops, `${where}.flops`),
    ceiling: { median: above0(ceiling.median, `${where}.ceiling.median`), spread: atLeast0(ceiling.spread, `${where}.ceiling.spread`) },
    figures: layer.figures.map((figure, i) => figureOf(figure, `${where}.figures[${i}]`)),
    ratios: layer.ratios.map((entry, i) => {
      const { faster, than, times } = fields(entry, `${where}.ratios[${i}]`);
      const at = (key: string): string => `${where}.ratios[${i}].${key}`;
      return { faster: words(faster, at('faster')), than: words(than, at('than')), times: above0(times, at('times')) };
    }) as LayerReport['ratios'],
    wrong: textByName(layer.wrong, `${where}.wrong`),
  };
  // Not read: results from before it was said have the rounds too.
  return { ...checked, copies: copiesOf(shapeOf(checked, where), checked.figures) };
}

/** The layer in numbers. @throws ResultsError for words that are none of `shapes.ts` */
export function shapeOf({ words }: Pick<LayerReport, 'words'>, where: string): LayerShape {
  try {
    return parseLayer(words, `${where}.words`);
  } catch (cause) {
    throw new ResultsError(cause instanceof Error ? cause.message : String(cause));
  }
}

/**
 * @param json what `wasm-conv bench --json` printed
 * @param source said first in every error: a file
 * @throws ResultsError in one line
 */
export function parseResults(json: string, source: string): Results {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new ResultsError(`${source} is not JSON: ${cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : cause}`);
  }
  const report = fields(value, `${source}: the whole`);
  return {
    machine: machineOf(report.machine, `${source}: machine`),
    peers: textByName(report.peers, `${source}: peers`),
    rounds: above0(report.rounds, `${source}: rounds`),
    turn: above0(report.turn, `${source}: turn`),
    layers: list(report.layers, `${source}: layers`).map((layer, i) => layerOf(layer, `${source}: layers[${i}]`)),
    ...(report.engine === undefined ? {} : { engine: engineOf(report.engine, `${source}: engine`) }),
    ...(report.command === undefined ? {} : { command: words(report.command, `${source}: command`) }),
    ...(report.bandwidth === undefined ? {} : { bandwidth: above0(report.bandwidth, `${source}: bandwidth`) }),
  };
}

/** @throws ResultsError */
export function readResults(path: string): Results {
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ResultsError(`'${path}' cannot be read: ${cause instanceof Error ? cause.message : cause}`);
  }
  return parseResults(json, path);
}

/**
 * The command that makes such figures, from what the figures show: where they were measured, who took part and which sets. What they do not show is
 * `--layers`, and where a set's file lay.
 */
export function likelyCommand({ machine, layers, peers, rounds, turn }: Report): string {
  const took = (pattern: RegExp, among = layers): boolean =>
    among.some(({ figures, wrong }) => [...figures.map(({ name }) => name), ...Object.keys(wrong)].some((name) => pattern.test(name)));
  const sets = new Set(layers.map(({ set }) => set));
  const last = `--time ${Math.max(1, Math.round(rounds * turn))} --json`;
  if (machine.browser !== undefined) return ['npm run --silent bench:litert --', ...sets, last].join(' ');
  const long = layers.filter(({ flops }) => flops > naiveMost);
  const layouts = ['nchw', 'nhwc'].filter((layout) => took(new RegExp(`^${layout} `)));
  return [
    'wasm-conv bench',
    ...sets,
    ...(Object.keys(peers).length > 0 ? ['--peers'] : []),
    ...(took(/^naive$/, long) ? ['--naive'] : []),
    ...(layouts.length === 1 ? [`--layout ${layouts[0]}`] : []),
    last,
  ].join(' ');
}
