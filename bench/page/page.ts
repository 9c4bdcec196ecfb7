/** report.html: results → one file that needs neither server, network nor script. */
import { contestantNotes } from '../contestant.ts';
import { machineLine } from '../machine.ts';
import type { LayerReport } from '../report.ts';
import { median } from '../stats.ts';
import { digits3, percent, threadsText, versionsOf } from '../tables.ts';
import { barsChart } from './bars.ts';
import { box, type Chart, type ChartSource, chartStyle, drawing, mark, patternsOf } from './chart.ts';
import { kinds, lookOf } from './contestants.ts';
import { growthChart } from './growth.ts';
import { overviewChart } from './overview.ts';
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
  /** Number of its run, from 1 on. */
  readonly run: number;
  readonly command: string;
  readonly layers: readonly LayerReport[];
  /** What is seen at once, then bar by bar. */
  readonly charts: readonly [short: readonly Chart[], long: readonly Chart[]];
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

/** A set, and where it was measured if not in Node: the same layers of two engines are two things. */
function placeOf(set: string, { machine }: Results): readonly [title: string, slug: string] {
  const browser = machine.browser?.split(' ')[0];
  return browser === undefined ? [set, slugOf(set)] : [`${set} in ${browser}`, slugOf(`${set} ${browser}`)];
}

const setsOf = ({ layers }: Results): string[] => [...new Set(layers.map(({ set }) => set))];

const commandOf = (results: Results): string => results.command ?? likelyCommand(results);

function sectionsOf(runs: readonly Run[]): Section[] {
  const slugs = new Map<string, number>();
  const titles = runs.flatMap(({ results }) => setsOf(results).map((set) => placeOf(set, results)[0]));
  return runs.flatMap(({ results, roof }, i) => {
    const command = commandOf(results);
    const origin = `${[machineLine(results.machine), ...versionsOf(results)].join('; ')}. ${command}`;
    return setsOf(results).map((set): Section => {
      const [title, base] = placeOf(set, results);
      const turn = (slugs.get(base) ?? 0) + 1;
      slugs.set(base, turn);
      const id = turn === 1 ? base : `${base}-${turn}`;
      const layers = results.layers.filter((layer) => layer.set === set);
      const source = (what: string): ChartSource => ({ slug: `${id}-${what}`, set: title, origin });
      const short = [
        ...kinds.map((kind) => overviewChart(layers, kind, source(`overview-${kind}`))),
        rooflineChart(layers, roof, source('roofline')),
        ...kinds.map((kind) => growthChart(layers, kind, source(`growth-${kind}`))),
      ];
      const long = kinds.map((kind) => barsChart(layers, kind, source(kind)));
      const there = (charts: readonly (Chart | undefined)[]): Chart[] => charts.filter((chart) => chart !== undefined);
      const alone = titles.filter((other) => other === title).length === 1;
      return { id, title: alone ? title : `${title}, run ${i + 1}`, run: i + 1, command, layers, charts: [there(short), there(long)] };
    });
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
  const { machine, engine, peers, rounds, turn, layers, command } = results;
  const versions = versionsOf({ peers });
  const ceiling = median(layers.map((layer) => layer.ceiling.median));
  const rows: readonly (readonly [string, string])[] = [
    ['Machine', `${machine.cpu}, ${machine.cores} cores`],
    ['Engine', machine.browser ?? `Node ${machine.node}, V8 ${machine.v8}`],
    ['Date', machine.date],
    ...(engine ? [['wasm-conv', `${engine.version}, ${engine.simd}, ${threadsText(engine.threads)}`] as const] : []),
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
    element('h2', { id }, several ? `Run ${number}: where its figures come from` : 'Where the figures come from'),
    element('dl', { class: 'facts' }, list),
    element('p', {}, label),
    element('pre', { tabindex: '0', role: 'group', 'aria-label': 'Command' }, element('code', {}, escaped(commandOf(results)))),
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

function panel(chart: Chart): Markup {
  const heading = `${chart.slug}-heading`;
  const figure = element('figure', { tabindex: '0', 'aria-labelledby': heading }, drawing(chart, 'page'));
  return element('div', {}, element('h3', { id: heading }, escaped(chart.title)), figure);
}

function sectionMarkup({ id, title, run, command, layers, charts }: Section, several: boolean): Markup {
  // Broken between words alone, not within --peers.
  const words = command
    .split(' ')
    .map((word) => element('span', {}, escaped(word)))
    .join(' ');
  const link = element('a', { href: `#run-${run}` }, several ? `run ${run}` : 'where they come from');
  return element(
    'section',
    { 'aria-labelledby': id },
    element('h2', { id }, escaped(title)),
    element('p', {}, `Figures of <code>${words}</code>: ${link}.`),
    wrongList(layers),
    ...charts.filter((some) => some.length > 0).map((some) => element('div', { class: 'charts' }, ...some.map(panel))),
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
  readonly charts: readonly { readonly file: string; readonly svg: string; readonly summary: string }[];
}

export function reportPage(runs: readonly Run[]): ReportPage {
  const several = runs.length > 1;
  const sections = sectionsOf(runs);
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
<p>${count} layers, contestants in turns, measured by the benchmark of <b>wasm-conv</b>, convolution in SIMD WebAssembly. Longer, and further right, is faster.
<b>nchw</b> (channels first) and <b>nhwc</b> (channels last) are this library’s.</p>
<nav aria-label="Contents"><ul>${links.join('')}<li><a href="#legend">How to read it</a></li><li><a href="#run-1">Where the figures come from</a></li></ul></nav>
</header>
<main>
${sections.map((section) => sectionMarkup(section, several)).join('\n')}
${legend(runs)}
${runs.map((run, i) => facts(run, i + 1, several)).join('\n')}
</main>
</body>
</html>
`;
  const charts = sections
    .flatMap(({ charts: [short, long] }) => [...short, ...long])
    .map((chart) => ({ file: `${chart.slug}.svg`, svg: `${drawing(chart, 'file')}\n`, summary: chart.summary ?? chart.title }));
  return { html, charts };
}
