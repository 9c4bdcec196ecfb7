/**
 * Roofline: speed over arithmetic intensity, under what the core can compute and what the memory can bring.
 * Williams, Waterman, Patterson, doi:10.1145/1498765.1498785
 */
import { dimsOf } from '../operations.ts';
import type { LayerReport } from '../report.ts';
import type { LayerShape } from '../shapes.ts';
import { median } from '../stats.ts';
import { digits3 } from '../tables.ts';
import {
  type Chart,
  type ChartSource,
  fontSize,
  head,
  lineHeight,
  margin,
  mark,
  markLegend,
  paragraph,
  width,
  xAxis,
  yAxis,
} from './chart.ts';
import { lookOf } from './contestants.ts';
import { type Box, placeLabels, roomiest } from './place.ts';
import { shapeOf } from './results.ts';
import { logScale, type Scale, tickText } from './scale.ts';
import { element, line, type Markup, polyline, text, textWidth, wrap } from './svg.ts';

/** Flops of the direct sum over the bytes of all operands and of the result, each counted once. */
export function intensityOf(shape: LayerShape, flops: number): number {
  const { operands, result } = dimsOf(shape);
  const values = [...operands, result].map((dims) => dims.reduce((a, b) => a * b, 1)).reduce((a, b) => a + b, 0);
  return flops / (Float32Array.BYTES_PER_ELEMENT * values);
}

export interface Roof {
  /** GB/s between memory and core; undefined where nobody measured it. */
  readonly bandwidth: number | undefined;
  /** How it is known. */
  readonly origin: string;
}

type Spot = readonly [x: number, y: number];

interface Entry {
  readonly number: number;
  readonly layer: LayerReport;
  readonly intensity: number;
  readonly speeds: readonly { readonly name: string; readonly gflops: number }[];
}

/** Without copies: what the kernels reach, not what carries the arrays in and out. */
const shown = ['nchw tensors', 'nhwc tensors'];

export function rooflineEntries(layers: readonly LayerReport[]): Entry[] {
  return layers.map((layer, i) => ({
    number: i + 1,
    layer,
    intensity: intensityOf(shapeOf(layer, layer.name), layer.flops),
    speeds: shown.flatMap((name) => layer.figures.filter((figure) => figure.name === name).map(({ gflops }) => ({ name, gflops }))),
  }));
}

/** Numbers and the layers they stand for, below the plot. */
function key(entries: readonly Entry[], top: number): readonly [markup: Markup, bottom: number] {
  let y = top;
  let markup = '';
  for (const { number, layer } of entries) {
    markup += text(margin + 22, y, String(number), { class: 'layer end' });
    for (const each of wrap(layer.name, width - 2 * margin - 30, fontSize)) {
      markup += text(margin + 30, y, each);
      y += lineHeight;
    }
  }
  return [markup, y];
}

/** The lower of both limits, within the plot. */
function roofPoints(ceiling: number, bandwidth: number | undefined, x: Scale, y: Scale): Spot[] {
  const [low, high] = x.domain;
  const ridge = bandwidth === undefined ? low : ceiling / bandwidth;
  const limit = (intensity: number): number => (bandwidth === undefined ? ceiling : Math.min(ceiling, bandwidth * intensity));
  // Below the plot the memory line is not drawn.
  const foot = bandwidth === undefined ? low : Math.min(Math.max(low, y.domain[0] / bandwidth), high);
  const corners = [foot, ridge, high].filter((intensity, i) => i !== 1 || (intensity > foot && intensity < high));
  return corners.map((intensity) => [x.at(intensity), y.at(limit(intensity))]);
}

interface LimitLabel {
  readonly content: string;
  readonly box: Box;
}

/** Names for both parts of the roof, above or below their lines, wherever no point is. */
function limitLabels(
  ceiling: number,
  bandwidth: number | undefined,
  roof: readonly Spot[],
  points: readonly Box[],
  plot: Box,
): LimitLabel[] {
  const size = (content: string): Pick<Box, 'width' | 'height'> => ({ width: textWidth(content, fontSize), height: lineHeight });
  const along = (from: Spot, to: Spot, part: number): Spot => [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
  const labels: LimitLabel[] = [];
  for (const [i, from] of roof.slice(0, -1).entries()) {
    const to = roof[i + 1] as Spot;
    const level = from[1] === to[1];
    const content = level ? `compute ${digits3(ceiling)}` : `memory ${digits3(bandwidth ?? 0)} GB/s`;
    const { width: wide, height } = size(content);
    const places = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9, 0, 1].flatMap((part) => {
      const [px, py] = along(from, to, part);
      // Beside a slope a label lies to the right and below, where the line does not run through it.
      const ways = level
        ? [-height - 2, 3, -height - 14, 15].flatMap((dy) => [-wide / 2, 0, -wide].map((dx) => [dx, dy] as const))
        : [2, -4, 16, 30, 44].map((dy) => [8, dy] as const);
      return ways.map(([dx, dy]) => ({ x: px + dx, y: py + dy, width: wide, height }));
    }) as [Box, ...Box[]];
    const box = roomiest(places, [...points, ...labels.map((label) => label.box)], plot);
    labels.push({ content, box });
  }
  return labels;
}

/** @returns undefined where this library has no figure between tensors */
export function rooflineChart(layers: readonly LayerReport[], { bandwidth, origin }: Roof, source: ChartSource): Chart | undefined {
  const entries = rooflineEntries(layers).filter(({ speeds }) => speeds.length > 0);
  if (entries.length === 0) return undefined;
  const { slug, set } = source;
  const ceiling = median(entries.map(({ layer }) => layer.ceiling.median));
  const title = `${set}: roofline`;
  const memory = bandwidth === undefined ? 'No memory line: its bandwidth is not known.' : `Memory: ${digits3(bandwidth)} GB/s, ${origin}.`;
  const {
    heading,
    bodyTop,
    subtitle,
    bottom: below,
  } = head(title, `Speed over arithmetic intensity, both logarithmic. Compute: multiply + add in registers, same rounds. ${memory}`);
  const present = shown.filter((name) => entries.some(({ speeds }) => speeds.some((speed) => speed.name === name)));
  const [legend, afterLegend] = markLegend(present.map(lookOf), below);

  const [left, right, top] = [margin + 38, width - margin - 4, afterLegend + 2 * lineHeight];
  const bottom = top + 280;
  const intensities = entries.map(({ intensity }) => intensity);
  const ridge = bandwidth === undefined ? undefined : ceiling / bandwidth;
  // The corner of the roof is shown too, unless it is so far off that the points would be pressed together.
  const corner =
    ridge !== undefined && ridge > Math.min(...intensities) / 16 && ridge < Math.max(...intensities) * 16 ? [ridge / 1.5, ridge * 1.5] : [];
  const speeds = entries.flatMap((entry) => entry.speeds.map(({ gflops }) => gflops));
  const xs = [...intensities.map((value) => value / 1.15), ...intensities.map((value) => value * 1.15), ...corner];
  const x = logScale(Math.min(...xs), Math.max(...xs), [left, right], 7);
  const y = logScale(Math.min(...speeds, ceiling) / 1.3, Math.max(...speeds, ceiling) * 1.3, [bottom, top], 9);
  const marks = entries.flatMap((entry) =>
    entry.speeds.map((speed) => ({ entry, ...speed, px: x.at(entry.intensity), py: y.at(speed.gflops) })),
  );
  const anchors = entries.map((entry) => {
    const own = marks.filter((each) => each.entry === entry);
    return { x: own[0]?.px ?? left, y: Math.min(...own.map(({ py }) => py)) };
  });
  const points = marks.map(({ px, py }): Box => ({ x: px - 6, y: py - 6, width: 12, height: 12 }));
  const plot: Box = { x: left, y: top, width: right - left, height: bottom - top };
  const roof = roofPoints(ceiling, bandwidth, x, y);
  const limits = limitLabels(ceiling, bandwidth, roof, points, plot);
  const taken = [...points, ...limits.map(({ box }) => box)];
  const sizes = entries.map(({ number }) => ({ width: textWidth(String(number), fontSize) + 2, height: 15 }));
  const places = placeLabels(anchors, sizes, taken, plot);
  const labels = entries.map(({ number }, i) => {
    const [from, to] = [anchors[i] as { x: number; y: number }, places[i] as { x: number; y: number }];
    const far = Math.hypot(to.x - from.x, to.y - from.y) > 16;
    return {
      line: far ? line(from.x, from.y, to.x, to.y, 'leader') : '',
      text: text(to.x, to.y + 5, String(number), { class: 'layer middle halo' }),
    };
  });
  const pairs = entries.map((entry) => {
    const own = marks.filter((each) => each.entry === entry).map(({ px, py }) => [px, py] as const);
    return own.length > 1 ? element('path', { d: polyline(own), class: 'pair' }) : '';
  });
  const [names, afterNames] = key(entries, bottom + 60);
  const [from, end] = paragraph(source.origin, afterNames + 6, 'soft');
  const words = entries.map(
    ({ number, layer, intensity, speeds: own }) =>
      `${number}, ${layer.name}: ${digits3(intensity)} flop/byte, ${own.map(({ name, gflops }) => `${name} ${digits3(gflops)} GFLOP/s`).join(', ')}.`,
  );
  return {
    slug,
    title,
    description: `Roofline. Compute ceiling ${digits3(ceiling)} GFLOP/s. ${memory} ${words.join(' ')} ${source.origin}`,
    height: end - lineHeight + 10,
    heading,
    bodyTop,
    body: [
      subtitle,
      legend,
      xAxis(
        x.ticks.map((tick) => [x.at(tick), tickText(tick)] as const),
        top,
        bottom,
        'flop/byte',
      ),
      yAxis(
        y.ticks.map((tick) => [y.at(tick), tickText(tick)] as const),
        left,
        right,
        top,
        'GFLOP/s',
      ),
      element('path', { d: polyline(roof), class: 'roof' }),
      limits.map(({ box, content }) => text(box.x, box.y + 14, content, { class: 'limit halo' })).join(''),
      labels.map((label) => label.line).join(''),
      pairs.join(''),
      marks.map(({ name, px, py }) => mark(lookOf(name), px, py)).join(''),
      labels.map((label) => label.text).join(''),
      names,
      from,
    ].join(''),
  };
}
