/** Bars: how fast each contestant is on each layer of a set. */
import { contestantNames } from '../contestant.ts';
import type { Figure, LayerReport } from '../report.ts';
import { median } from '../stats.ts';
import { digits3 } from '../tables.ts';
import { box, type Chart, type ChartSource, fontSize, head, lineHeight, margin, paragraph, width } from './chart.ts';
import { belongsToFew, isOurs, type Kind, kindsOf, lookOf } from './contestants.ts';
import { linearScale, type Scale, tickText } from './scale.ts';
import { coordinate, element, line, type Markup, text, textWidth, wrap } from './svg.ts';

const rowHeight = 20;
/** What a figure of three digits needs to the right of its bar. */
const valueRoom = textWidth('00.0', fontSize) + 6;

/** Who took part in a kind of comparison, right or wrong, in the order of the tables; names that the tables do not know come last. */
export function takingPart(layers: readonly LayerReport[], kind: Kind): string[] {
  const names = new Set(layers.flatMap(({ figures, wrong }) => [...figures.map(({ name }) => name), ...Object.keys(wrong)]));
  const order = [...contestantNames.filter((name) => names.delete(name)), ...names];
  return order.filter((name) => kindsOf(name).includes(kind));
}

/** GFLOP/s at the ends of the middle half of the rounds: medians of the slower and of the faster half, the middle round in both. */
export function middleHalf({ rounds }: Figure, flops: number): readonly [low: number, high: number] {
  const sorted = [...rounds].sort((a, b) => a - b);
  const half = Math.ceil(sorted.length / 2);
  return [flops / median(sorted.slice(-half)) / 1e6, flops / median(sorted.slice(0, half)) / 1e6];
}

function whisker([low, high]: readonly [number, number], scale: Scale, y: number): Markup {
  const [from, to] = [scale.at(low), scale.at(high)];
  // A halo first, so that it is seen on the bar as well as beside it.
  const strokes = [
    line(from - 1, y, to + 1, y, 'under'),
    line(from, y, to, y, ''),
    line(from, y - 4, from, y + 4, ''),
    line(to, y - 4, to, y + 4, ''),
  ].join('');
  return element('g', { class: 'whisker' }, strokes);
}

interface Rows {
  readonly slug: string;
  readonly scale: Scale;
  readonly gutter: number;
}

/** Two gaps across a bar: it goes on beyond the axis. */
function breakMark(x: number, y: number): Markup {
  return [x, x + 7]
    .map((at) => element('path', { d: `M${coordinate(at)} ${coordinate(y + rowHeight)}l5 -${rowHeight}`, class: 'gap' }))
    .join('');
}

/** One contestant on one layer: what lies under the ceiling's line, and what lies over it. */
function row(layer: LayerReport, name: string, y: number, { slug, scale, gutter }: Rows): readonly [under: Markup, over: Markup] {
  const look = lookOf(name);
  const label = text(gutter - 5, y + 15, look.short, { class: 'end' });
  const figure = layer.figures.find((entry) => entry.name === name);
  if (!figure) return ['', label + text(gutter + 5, y + 15, 'wrong, not timed', { class: 'limit' })];
  const ends = middleHalf(figure, layer.flops);
  const whole = ends[1] <= scale.domain[1];
  const [from, to] = [scale.at(0), scale.at(Math.min(figure.gflops, scale.domain[1]))];
  const [value, at] = [digits3(figure.gflops), (whole ? Math.max(to, scale.at(ends[1])) : to) + 5];
  // A dash between digits would look like one of them.
  const x = scale.at(layer.ceiling.median);
  const ceiling = x < at - 3 || x > at + textWidth(value, fontSize) + 3 ? line(x, y, x, y + rowHeight, 'limit-line') : '';
  const bar = box(slug, look, from, y + 3, Math.max(to - from, 1), rowHeight - 6);
  return [
    bar + ceiling,
    label + (whole ? whisker(ends, scale, y + rowHeight / 2) : breakMark(to - 16, y)) + text(at, y + 15, value, { class: 'halo' }),
  ];
}

/** A layer's name, its rows, its ceiling, and who has no figure. @returns the markup and the first free y */
function group(layer: LayerReport, names: readonly string[], top: number, rows: Rows): readonly [markup: Markup, bottom: number] {
  const [name, next] = paragraph(layer.name, top + 14, 'layer');
  const first = next - lineHeight + 5;
  const there = names.filter((each) => each in layer.wrong || layer.figures.some((figure) => figure.name === each));
  const bars = there.map((each, i) => row(layer, each, first + i * rowHeight, rows));
  let bottom = first + there.length * rowHeight;
  const absent = names.filter((each) => !there.includes(each) && !belongsToFew(each)).map((each) => lookOf(each).short);
  let missing = '';
  if (absent.length > 0) {
    for (const each of wrap(`– ${absent.join(', ')}`, width - rows.gutter - margin, fontSize)) {
      missing += text(rows.gutter + 5, bottom + 15, each, { class: 'soft' });
      bottom += lineHeight;
    }
  }
  return [[name, ...bars.map(([under]) => under), ...bars.map(([, over]) => over), missing].join(''), bottom + 10];
}

function inWords(layer: LayerReport, names: readonly string[]): string {
  const each = names.flatMap((name) => {
    const figure = layer.figures.find((entry) => entry.name === name);
    if (figure) return [`${name} ${digits3(figure.gflops)}`];
    return name in layer.wrong ? [`${name} wrong`] : [];
  });
  return `${layer.name}: ${each.join(', ') || '–'}, ceiling ${digits3(layer.ceiling.median)}.`;
}

const titles: Readonly<Record<Kind, string>> = {
  tensors: 'operands and results in a heap',
  arrays: 'from array to array',
};

/**
 * Bars of more than so many ceilings are broken off where all others are less than half as long: Winograd's, which save up to four products of five,
 * stay whole, and so does native code beside them.
 */
const tooLong = 4;

/** @returns undefined where nobody took part in such a comparison */
export function barsChart(layers: readonly LayerReport[], kind: Kind, { slug, set, origin }: ChartSource): Chart | undefined {
  const names = takingPart(layers, kind);
  if (names.length === 0) return undefined;
  const title = `${set}: ${titles[kind]}`;
  const rounds = Math.max(...layers.flatMap(({ figures }) => figures.map((figure) => figure.rounds.length)), 0);
  const shown = layers.flatMap((layer) =>
    layer.figures.filter(({ name }) => names.includes(name)).map((figure) => middleHalf(figure, layer.flops)[1]),
  );
  const ceiling = Math.max(...layers.map((layer) => layer.ceiling.median));
  // One layer that saves nearly all of its products would press the bars of the others together.
  const within = shown.filter((speed) => speed <= tooLong * ceiling);
  const broken = within.length > 0 && Math.max(...shown) > 2 * Math.max(...within, ceiling);
  const most = Math.max(...(broken ? within : shown), ceiling);
  const gutter = margin + Math.max(...names.map((name) => textWidth(lookOf(name).short, fontSize))) + 5;
  const scale = linearScale(most, [gutter, width - margin - valueRoom], 6);
  const {
    heading,
    bodyTop,
    subtitle,
    bottom: top,
  } = head(
    title,
    `GFLOP/s at the median of ${rounds} rounds: longer is faster. Whisker: middle half of the rounds. Dashed: ceiling of multiply + add.${broken ? ' A bar with a gap goes on beyond the axis.' : ''}${names.some(isOurs) ? ' nchw, nhwc: this library.' : ''}`,
  );
  const axisTop = top + 2 * lineHeight + 2;
  let y = axisTop + 4;
  let groups = '';
  for (const layer of layers) {
    const [markup, bottom] = group(layer, names, y, { slug, scale, gutter });
    groups += markup;
    y = bottom;
  }
  const ticks = scale.ticks.map((tick) => {
    const [x, label] = [scale.at(tick), tickText(tick)];
    return line(x, axisTop, x, y, 'grid') + [axisTop - 6, y + 16].map((at) => text(x, at, label, { class: 'soft middle' })).join('');
  });
  const unit =
    text(width - margin, top + lineHeight - 4, 'GFLOP/s', { class: 'soft end' }) +
    text(width - margin, y + 34, 'GFLOP/s', { class: 'soft end' });
  const [source, end] = paragraph(origin, y + 56, 'soft');
  return {
    slug,
    title,
    description: `Bars, GFLOP/s at the median. ${layers.map((layer) => inWords(layer, names)).join(' ')} ${origin}`,
    height: end - lineHeight + 10,
    heading,
    bodyTop,
    body: subtitle + ticks.join('') + unit + groups + source,
  };
}
