/** report.html: results → one file that needs neither server, network nor script. */
import { contestantNotes } from '../contestant.ts';
import { machineLine } from '../machine.ts';
import type { LayerReport } from '../report.ts';
import { median } from '../stats.ts';
import { digits3, percent } from '../tables.ts';
import { barsChart } from './bars.ts';
import { box, type Chart, type ChartSource, chartStyle, drawing, mark, patternsOf } from './chart.ts';
import { kinds, lookOf } from './contestants.ts';
import { growthChart } from './growth.ts';
import { likelyCommand, type Results } from './results.ts';
import { type Roof, rooflineChart } from './roofline.ts';
import { pageStyle } from './style.ts';
import { element, escaped, type Markup } from './svg.ts';
import { intensityTable, ratioTable, speedTable, wrongList } from './tables.ts';

/** The results of one run, and what its rooflines stand under. */
export interface Run {
  readonly results: Results;
  readonly roof: Roof;
}

/** One set of one run. */
interface Section {
  readonly id: string;
  readonly title: string;
  readonly layers: readonly LayerReport[];
  readonly charts: readonly Chart[];
}

/** Safe in a file name, an id and a link. */
function slugOf(set: string): string {
  return (
    set
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'set'
  );
}

function sectionsOf({ results, roof }: Run, slugs: Map<string, number>, several: boolean): Section[] {
  const machine = machineLine(results.machine);
  const command = results.command ?? likelyCommand(results);
  return [...new Set(results.layers.map(({ set }) => set))].map((set) => {
    const base = slugOf(set);
    const turn = (slugs.get(base) ?? 0) + 1;
    slugs.set(base, turn);
    const id = turn === 1 ? base : `${base}-${turn}`;
    const layers = results.layers.filter((layer) => layer.set === set);
    const source = (what: string): ChartSource => ({ slug: `${id}-${what}`, set, machine, command });
    const charts = [
      ...kinds.map((kind) => barsChart(layers, kind, source(kind))),
      rooflineChart(layers, roof, source('roofline')),
      ...kinds.map((kind) => growthChart(layers, kind, source(`growth-${kind}`))),
    ].filter((chart) => chart !== undefined);
    return { id, title: several ? `${set}, ${results.machine.browser ?? `Node ${results.machine.node}`}` : set, layers, charts };
  });
}

/** Spread above which the machine was not ours alone; `wasm-conv bench` asks to repeat such layers. */
const noisy = 0.1;

function noiseOf({ layers }: Results): string {
  const ceiling = Math.max(...layers.map((layer) => layer.ceiling.spread));
  const spreads = layers.flatMap(({ figures }) => figures.map(({ spread }) => spread));
  if (spreads.length === 0) return `spread of the ceiling at most ${percent(ceiling)}; nobody else was timed`;
  const over = layers.filter((layer) => [layer.ceiling, ...layer.figures].some(({ spread }) => spread > noisy));
  const disturbed =
    over.length > 0
      ? `; above ${percent(noisy)} somewhere on ${over.length} of ${layers.length} layers: ${over.map(({ name }) => name).join(', ')}`
      : `; nowhere above ${percent(noisy)}`;
  return `spread of the rounds ${percent(median(spreads))} at the median, ${percent(Math.max(...spreads))} at most; of the ceiling at most ${percent(ceiling)}${disturbed}`;
}

function facts({ results, roof }: Run, number: number, several: boolean): Markup {
  const { machine, peers, rounds, turn, layers, command } = results;
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  const ceiling = median(layers.map((layer) => layer.ceiling.median));
  const rows: readonly (readonly [string, string])[] = [
    ['Machine', `${machine.cpu}, ${machine.cores} cores, one thread used`],
    ['Engine', machine.browser ?? `Node ${machine.node}, V8 ${machine.v8}`],
    ['Date', machine.date],
    ['Peers', versions.length > 0 ? versions.join(', ') : 'none took part'],
    ['Rounds', `${rounds}, turns of ${turn} ms`],
    ['Noise', noiseOf(results)],
    ['Compute ceiling', `${digits3(ceiling)} GFLOP/s: 128-bit multiplies and adds in registers, in the same rounds`],
    ['Memory', roof.bandwidth === undefined ? roof.origin : `${digits3(roof.bandwidth)} GB/s, ${roof.origin}`],
  ];
  const id = `run-${number}`;
  const label =
    command === undefined ? 'Command, as far as the results tell (they do not name it):' : 'Command that made every figure of this run:';
  const list = rows.map(([name, value]) => element('dt', {}, name) + element('dd', {}, escaped(value))).join('');
  return element(
    'section',
    { 'aria-labelledby': id },
    element('h2', { id }, several ? `Run ${number}` : 'Where the figures come from'),
    element('dl', { class: 'facts' }, list),
    element('p', {}, label),
    element(
      'pre',
      { tabindex: '0', role: 'group', 'aria-label': 'Command' },
      element('code', {}, escaped(command ?? likelyCommand(results))),
    ),
  );
}

/** Everybody who took part: colour, pattern, mark, and what is in the timed part. */
function legend(runs: readonly Run[]): Markup {
  const layers = runs.flatMap(({ results }) => results.layers);
  const present = new Set(layers.flatMap(({ figures, wrong }) => [...figures.map(({ name }) => name), ...Object.keys(wrong)]));
  const known = contestantNotes as Readonly<Record<string, string>>;
  const names = [...Object.keys(known).filter((name) => present.delete(name)), ...present];
  const items = names.map((name) => {
    const look = lookOf(name);
    const swatch = element(
      'svg',
      { viewBox: '0 0 56 24', class: 'chart', 'aria-hidden': 'true' },
      box('legend', look, 2, 5, 30, 14),
      mark(look, 46, 12, 6),
    );
    return element('li', {}, swatch, element('span', {}, element('b', {}, escaped(name)), `: ${escaped(noteOf(name, known))}`));
  });
  const patterns = element(
    'svg',
    { class: 'chart', width: '0', height: '0', style: 'position:absolute', 'aria-hidden': 'true' },
    element('defs', {}, patternsOf('legend')),
  );
  return element(
    'section',
    { 'aria-labelledby': 'legend' },
    element('h2', { id: 'legend' }, 'How to read it'),
    element(
      'p',
      {},
      '<b>GFLOP/s</b> are 2 × the multiply-adds of the direct sum over the median time, whatever the algorithm: one that needs fewer products (Winograd’s) can stand above the ceiling. The whisker is the middle half of the rounds. Only like is held against like: operands that lie in a heap against such, <code>Float32Array</code>s, with all copies timed, against such. “–”: no such operation, “wrong”: another result than the plain loops’, so not timed.',
    ),
    element(
      'p',
      {},
      '<b>Arithmetic intensity</b> is flops over the bytes of all operands and of the result, each once. A layer whose operands fit a cache may stand above the memory line. <b>Growth</b>: layers that differ in the size of the image alone; 10 ps per flop are 100 GFLOP/s.',
    ),
    patterns,
    element('ul', { class: 'legend' }, ...items),
  );
}

/** Some notes of `contestant.ts` say "the same": as the one before, which here may stand elsewhere. */
function noteOf(name: string, known: Readonly<Record<string, string>>): string {
  const note = known[name];
  if (note === undefined) return 'a contestant that this page has no words for';
  if (!note.startsWith('the same')) return note;
  const before = Object.keys(known)[Object.keys(known).indexOf(name) - 1] ?? name;
  return note.replace('the same', `as ${before}`);
}

function sectionMarkup({ id, title, layers, charts }: Section): Markup {
  const panels = charts.map((chart) => {
    const heading = `${chart.slug}-heading`;
    const figure = element('figure', { tabindex: '0', 'aria-labelledby': heading }, drawing(chart, 'page'));
    return element('div', {}, element('h3', { id: heading }, escaped(chart.title)), figure);
  });
  return element(
    'section',
    { 'aria-labelledby': id },
    element('h2', { id }, escaped(title)),
    wrongList(layers),
    element('div', { class: 'charts' }, ...panels),
    ratioTable(title, layers),
    element(
      'details',
      {},
      element('summary', {}, escaped(`All figures of ${title}`)),
      speedTable(title, layers),
      intensityTable(title, layers),
    ),
  );
}

export interface ReportPage {
  readonly html: string;
  /** Each as a file of its own. */
  readonly charts: readonly { readonly file: string; readonly svg: string }[];
}

export function reportPage(runs: readonly Run[]): ReportPage {
  const several = runs.length > 1;
  const slugs = new Map<string, number>();
  const sections = runs.flatMap((run) => sectionsOf(run, slugs, several));
  const links = sections.map(({ id, title }) => element('li', {}, element('a', { href: `#${id}` }, escaped(title))));
  const count = sections.reduce((sum, { layers }) => sum + layers.length, 0);
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wasm-conv: how fast each layer is</title>
<link rel="icon" href="data:,">
<style>${pageStyle}${chartStyle}</style>
</head>
<body>
<header>
<h1>How fast each layer is</h1>
<p>${count} layers, one thread, contestants in turns, measured by the benchmark of <b>wasm-conv</b>, convolution in SIMD WebAssembly.</p>
<nav aria-label="Contents"><ul>${links.join('')}<li><a href="#legend">How to read it</a></li></ul></nav>
</header>
<main>
${runs.map((run, i) => facts(run, i + 1, several)).join('\n')}
${legend(runs)}
${sections.map(sectionMarkup).join('\n')}
</main>
</body>
</html>
`;
  const charts = sections
    .flatMap((section) => section.charts)
    .map((chart) => ({ file: `${chart.slug}.svg`, svg: `${drawing(chart, 'file')}\n` }));
  return { html, charts };
}
