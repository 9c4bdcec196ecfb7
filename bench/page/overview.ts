/** Overview: every layer of a set on one logarithmic axis, a mark for each contestant. The bars say the same at length. */
import type { LayerReport } from '../report.ts';
import { geometricMean } from '../stats.ts';
import { digits3 } from '../tables.ts';
import { takingPart } from './bars.ts';
import { type Chart, type ChartSource, fontSize, head, lineHeight, margin, mark, markLegend, paragraph, width } from './chart.ts';
import { type Kind, lookOf } from './contestants.ts';
import { logScale, type Scale, tickText } from './scale.ts';
import { line, type Markup, text, textWidth } from './svg.ts';

/** Between the name of a layer and that of the next. */
const rowHeight = 36;

/** Measures of our own and second calls of a peer: the bars have them. */
const asides = / (one-shot|two calls|unfactored|forward|filter2D)$/;

/** Who is shown: of the JavaScript loops the better ones alone. */
export function inOverview(layers: readonly LayerReport[], kind: Kind): string[] {
  const names = takingPart(layers, kind).filter((name) => !asides.test(name));
  return names.filter((name) => name !== 'naive' || !names.includes('optimised js'));
}

interface Speed {
  readonly name: string;
  readonly gflops: number;
}

interface Row {
  readonly title: string;
  readonly speeds: readonly Speed[];
}

function rowOf(layer: LayerReport, names: readonly string[]): Row {
  const speeds = names.flatMap((name) => layer.figures.filter((figure) => figure.name === name).map(({ gflops }) => ({ name, gflops })));
  return { title: layer.name, speeds };
}

/** Over the layers that everybody computes: means over different layers could not be compared. */
export function meansOf(layers: readonly LayerReport[], names: readonly string[]): Row | undefined {
  const shared = layers.map((layer) => rowOf(layer, names)).filter(({ speeds }) => speeds.length === names.length);
  if (shared.length < 2) return undefined;
  const speeds = names.map((name, i) => ({ name, gflops: geometricMean(shared.map((row) => (row.speeds[i] as Speed).gflops)) }));
  return { title: `geometric mean of ${shared.length === layers.length ? 'all' : `the ${shared.length} that all have`}`, speeds };
}

/** Others first, so that a mark of ours is never hidden behind theirs; the reach from the slowest to the fastest is a line. */
function rowMarkup({ title, speeds }: Row, y: number, x: Scale, className: 'layer' | 'mean'): Markup {
  const at = y + 25;
  const places = speeds.map(({ gflops }) => x.at(gflops));
  const reach = places.length > 1 ? line(Math.min(...places), at, Math.max(...places), at, 'reach') : '';
  const marks = [...speeds].reverse().map(({ name, gflops }) => mark(lookOf(name), x.at(gflops), at, 5.5));
  return text(margin, y + 14, title, { class: className === 'mean' ? 'layer halo' : 'halo' }) + reach + marks.join('');
}

const inWords = ({ title, speeds }: Row): string =>
  `${title}: ${speeds.map(({ name, gflops }) => `${lookOf(name).long} ${digits3(gflops)}`).join(', ') || '–'}.`;

const what: Readonly<Record<Kind, string>> = {
  tensors: 'operands and results in a heap',
  arrays: 'from Float32Array to Float32Array',
};

/** @returns undefined where there is nothing to look over: one layer, or one contestant */
export function overviewChart(layers: readonly LayerReport[], kind: Kind, source: ChartSource): Chart | undefined {
  const names = inOverview(layers, kind);
  if (layers.length < 2 || names.length < 2) return undefined;
  const { slug, set, origin } = source;
  const rows = layers.map((layer) => rowOf(layer, names));
  const speeds = rows.flatMap((row) => row.speeds.map(({ gflops }) => gflops));
  if (speeds.length === 0) return undefined;
  const title = `${set} at a glance: ${kind}`;
  const gaps = rows.some((row) => row.speeds.length < names.length) ? ' No mark: no such operation, or not timed.' : '';
  const { heading, bodyTop, subtitle, bottom: below } = head(title, `GFLOP/s, ${what[kind]}; logarithmic. Further right is faster.${gaps}`);
  const [legend, afterLegend] = markLegend(names.map(lookOf), below);

  const axisTop = afterLegend + 2 * lineHeight;
  const x = logScale(Math.min(...speeds), Math.max(...speeds), [margin + 7, width - margin - 7], 7);
  const first = axisTop + 4;
  const mean = meansOf(layers, names);
  const end = first + (rows.length + (mean ? 1 : 0)) * rowHeight + (mean ? 8 : 0);
  const ticks = x.ticks.map((tick) => {
    const [at, label] = [x.at(tick), tickText(tick)];
    const half = textWidth(label, fontSize) / 2;
    const within = Math.min(Math.max(at, half), width - half);
    return (
      line(at, axisTop, at, end, 'grid') + [axisTop - 6, end + 16].map((y) => text(within, y, label, { class: 'soft middle' })).join('')
    );
  });
  const unit = [axisTop - 6 - lineHeight, end + 34].map((y) => text(width - margin, y, 'GFLOP/s', { class: 'soft end' })).join('');
  const body = rows.map((row, i) => rowMarkup(row, first + i * rowHeight, x, 'layer')).join('');
  const last = mean
    ? line(margin, first + rows.length * rowHeight + 4, width - margin, first + rows.length * rowHeight + 4, 'axis') +
      rowMarkup(mean, first + rows.length * rowHeight + 6, x, 'mean')
    : '';
  const [from, bottom] = paragraph(origin, end + 56, 'soft');
  return {
    slug,
    title,
    description: `GFLOP/s at the median, ${what[kind]}. ${[...(mean ? [mean] : []), ...rows].map(inWords).join(' ')} ${origin}`,
    summary: `GFLOP/s on the ${layers.length} layers of ${set}, ${what[kind]}${mean ? `; ${inWords(mean)}` : '.'}`,
    height: bottom - lineHeight + 10,
    heading,
    bodyTop,
    body: [subtitle, legend, ...ticks, unit, body, last, from].join(''),
  };
}
