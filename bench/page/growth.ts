/** Growth as a chart: a flat curve is a layer whose time grows as its work does. */
import { growthRows, type Step } from '../growth.ts';
import type { LayerReport } from '../report.ts';
import { digits3 } from '../tables.ts';
import { takingPart } from './bars.ts';
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
import { type Kind, lookOf } from './contestants.ts';
import { spreadOut } from './place.ts';
import { shapeOf } from './results.ts';
import { logScale, tickText } from './scale.ts';
import { element, type Markup, polyline, text, textWidth } from './svg.ts';

/** What the layers have in common, in words. */
function layerWords([first]: readonly Step[]): string {
  if (!first) return '';
  const { axes, inC, outC, groups } = shapeOf(first.layer, first.layer.name);
  return `kernels of ${axes.map(({ kernel }) => kernel).join(' × ')}, ${inC} to ${outC} channels${groups > 1 ? ` in ${groups} groups` : ''}`;
}

/** The longest row of a set, of several as long the first; empty where there is none. */
export function growthOf(layers: readonly LayerReport[]): readonly Step[] {
  return [...growthRows(layers)].sort((a, b) => b.length - a.length)[0] ?? [];
}

interface Curve {
  readonly name: string;
  /** Picoseconds of one flop, at the median. */
  readonly costs: readonly (readonly [side: number, cost: number])[];
}

/** More than this times the cheapest, and the others would be pressed into one line: 20 % must be seen. */
const tooDear = 10;

function curvesOf(steps: readonly Step[], kind: Kind): Curve[] {
  const names = takingPart(
    steps.map(({ layer }) => layer),
    kind,
  );
  return names
    .map((name) => ({
      name,
      costs: steps.flatMap(({ side, layer }) =>
        layer.figures.filter((figure) => figure.name === name).map(({ gflops }) => [side, 1000 / gflops] as const),
      ),
    }))
    .filter(({ costs }) => costs.length > 0);
}

const least = ({ costs }: Curve): number => Math.min(...costs.map(([, cost]) => cost));

/** @returns undefined where the set has no such layers, or nobody took part */
export function growthChart(layers: readonly LayerReport[], kind: Kind, { slug, set, origin }: ChartSource): Chart | undefined {
  const steps = growthOf(layers);
  const all = curvesOf(steps, kind);
  if (all.length === 0) return undefined;
  const cheapest = Math.min(...all.map(least));
  const [curves, dear] = [
    all.filter((curve) => least(curve) <= tooDear * cheapest),
    all.filter((curve) => least(curve) > tooDear * cheapest),
  ];
  const title = `${set}: growth with image size, ${kind}`;
  const leftOut =
    dear.length > 0 ? ` Not drawn, over ${tooDear} times as dear: ${dear.map(({ name }) => lookOf(name).short).join(', ')}.` : '';
  const {
    heading,
    bodyTop,
    subtitle,
    bottom: below,
  } = head(title, `One layer, ${layerWords(steps)}. Time per flop: lower is faster, flat is the same at all sizes.${leftOut}`);

  const looks = curves.map(({ name }) => lookOf(name));
  const [legend, afterLegend] = markLegend(looks, below);
  const labelRoom = 22 + Math.max(...curves.map(({ name }) => textWidth(lookOf(name).short, fontSize)));
  const [left, right, top] = [margin + 38, width - margin - labelRoom, afterLegend + 2 * lineHeight];
  const bottom = top + Math.max(220, 20 * curves.length);
  const sides = steps.map(({ side }) => side);
  const costs = curves.flatMap((curve) => curve.costs.map(([, cost]) => cost));
  const [first, last] = [Math.min(...sides), Math.max(...sides)];
  const x = (side: number): number => left + 8 + ((right - left - 16) * Math.log(side / first)) / Math.log(last / first);
  const y = logScale(Math.min(...costs) / 1.05, Math.max(...costs) * 1.05, [bottom, top], 7);

  const ends = curves.map(({ costs: own }) => y.at(own.at(-1)?.[1] ?? cheapest));
  const heights = spreadOut(ends, lineHeight, top, bottom);
  const drawn = curves.map(({ name, costs: own }, i): Markup => {
    const look = lookOf(name);
    const points = own.map(([side, cost]) => [x(side), y.at(cost)] as const);
    const [endX, endY] = points.at(-1) ?? [right, bottom];
    const labelY = heights[i] as number;
    return [
      element('path', {
        d: polyline(points),
        class: `${look.family.id}-curve`,
        'stroke-dasharray': look.strength === 'light' ? '3 3' : undefined,
      }),
      element('path', {
        d: polyline([
          [endX + 7, endY],
          [right + 8, labelY],
        ]),
        class: 'tie',
      }),
      points.map(([px, py]) => mark(look, px, py, 4.5)).join(''),
      text(right + 12, labelY + 5, look.short),
    ].join('');
  });

  const ticks = sides.map((side) => [x(side), String(side)] as const);
  const [from, end] = paragraph(origin, bottom + 60, 'soft');
  const fromTo = curves.map(({ name, costs: own }) => {
    const [small, large] = [own[0], own.at(-1)].map((step) => digits3(step?.[1] ?? cheapest));
    return `${lookOf(name).long} ${small} and ${large}`;
  });
  const words = all.map(({ name, costs: own }) => `${name}: ${own.map(([side, cost]) => `${digits3(cost)} at ${side}`).join(', ')}.`);
  return {
    slug,
    title,
    description: `Curves, picoseconds per flop over the side of the image in pixels. ${words.join(' ')} ${origin}`,
    summary: `Picoseconds per flop of one layer, ${layerWords(steps)}, at images of ${first} and ${last} pixels a side: ${fromTo.join(', ')}.`,
    height: end - lineHeight + 10,
    heading,
    bodyTop,
    body: [
      subtitle,
      legend,
      xAxis(ticks, top, bottom, 'height and width of the image, pixels'),
      yAxis(
        y.ticks.map((tick) => [y.at(tick), tickText(tick)] as const),
        left,
        right,
        top,
        'picoseconds per flop',
      ),
      ...drawn,
      from,
    ].join(''),
  };
}
