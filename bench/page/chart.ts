/** What all charts share: their frame, colours, patterns and marks, by day and by night, in the page and as files of their own. */
import { families, type Look } from './contestants.ts';
import { coordinate, element, escaped, line, type Markup, text, textWidth, wrap } from './svg.ts';

/** Of every chart, in its own units: on the narrowest phones (320 px) a unit is 0.9 px. */
export const width = 340;
/** So that text has 12 px there. */
export const fontSize = 14;
const titleSize = 16;
export const lineHeight = 18;
export const margin = 8;

export interface Chart {
  /** Name of its file without the end, and the beginning of its ids. */
  readonly slug: string;
  readonly title: string;
  /** What a person sees who sees the chart, in words. */
  readonly description: string;
  /** The same in a sentence, where an image has no room for more. */
  readonly summary?: string;
  /** The title in the drawing, and where the body begins: a page has headings of its own. */
  readonly heading: Markup;
  readonly bodyTop: number;
  readonly height: number;
  readonly body: Markup;
}

/** Where the figures of a chart come from, and what tells it from others. */
export interface ChartSource {
  readonly slug: string;
  readonly set: string;
  /** Machine, date, versions, and the command that made the figures: a chart as a file of its own has them too. */
  readonly origin: string;
}

const theme = (of: 'light' | 'dark'): string =>
  families.map((family) => `--${family.id}: ${family[of][0]}; --${family.id}-line: ${family[of][1]};`).join(' ');

/** For the page and for each file. */
export const chartStyle = `
.chart { --ink: #1b1b1f; --soft: #53535e; --ground: #fff; --grid: #dcdce4; --mark: #a83c06; ${theme('light')} }
@media (prefers-color-scheme: dark) { .chart { --ink: #ececf1; --soft: #b4b4c0; --ground: #16161a; --grid: #393943; --mark: #ff9a5c; ${theme('dark')} } }
.chart text { font: ${fontSize}px system-ui, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
.chart text.title { font-size: ${titleSize}px; font-weight: 700; } .chart text.layer { font-weight: 700; } .chart text.soft { fill: var(--soft); }
.chart text.halo { paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
.chart text.end { text-anchor: end; } .chart text.middle { text-anchor: middle; } .chart text.limit { fill: var(--mark); }
.chart .ground { fill: var(--ground); }
.chart line, .chart path { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.chart line.grid { stroke: var(--grid); stroke-width: 1; } .chart line.axis { stroke: var(--soft); }
.chart line.under { stroke: var(--ground); stroke-width: 4; }
.chart path.gap { stroke: var(--ground); stroke-width: 3; }
.chart line.reach { stroke: var(--grid); stroke-width: 3; }
.chart line.leader { stroke: var(--soft); stroke-width: 1; }
.chart .limit-line { stroke: var(--mark); stroke-width: 2; stroke-dasharray: 5 4; } .chart .roof { stroke: var(--mark); stroke-width: 2.5; stroke-linejoin: round; }
.chart .light { fill-opacity: .5; }
${families.map(({ id }) => `.chart .${id} { fill: var(--${id}); } .chart .${id}-line { stroke: var(--${id}-line); } .chart .${id}-curve { stroke: var(--${id}); stroke-width: 2.5; }`).join('\n')}
.chart .outlined { stroke-width: 1.25; } .chart .hollow { fill: var(--ground); stroke-width: 2; }`;

/** Lines over a tile of 6 × 6. */
const hatches = {
  solid: '',
  stripes: 'M-1 1L1 -1M-1 7L7 -1M5 7L7 5',
  dots: 'M1.5 1.5h.01M4.5 4.5h.01',
  lines: 'M0 3H6',
  checks: 'M0 0L6 6M6 0L0 6',
  bars: 'M3 0V6',
  steps: 'M0 1.5H3V4.5H6',
  waves: 'M0 3L1.5 1.5L4.5 4.5L6 3',
  dashes: 'M0 1.5H2M3 4.5H5',
} as const;

/** The patterns of the families, as fills of this chart alone: ids are the document's. */
export function patternsOf(slug: string, used: (id: string) => boolean = () => true): Markup {
  return families
    .filter(({ id }) => used(fillId(slug, id)))
    .map(({ id, pattern }) => {
      const tile = element('rect', { width: 6, height: 6, class: id });
      // As a style: the rule for paths would win over an attribute.
      const style = pattern === 'dots' ? 'stroke-width:2.2;stroke-linecap:round' : 'stroke-width:1.2';
      const hatch = hatches[pattern] === '' ? '' : element('path', { d: hatches[pattern], class: `${id}-line`, style });
      return element('pattern', { id: fillId(slug, id), width: 6, height: 6, patternUnits: 'userSpaceOnUse' }, tile, hatch);
    })
    .join('');
}

const fillId = (slug: string, family: string): string => `${slug}-fill-${family}`;

/** A box in a contestant's colour and pattern. */
export function box(slug: string, { family, strength }: Look, x: number, y: number, boxWidth: number, height: number): Markup {
  const className = `outlined ${family.id}-line${strength === 'light' ? ' light' : ''}`;
  const fill = `fill:url(#${fillId(slug, family.id)})`;
  return element('rect', { x, y, width: boxWidth, height, class: className, style: fill });
}

/** Outlines within ±1 around a point. */
const outlines = {
  square: 'M-.9 -.9H.9V.9H-.9Z',
  triangle: 'M0 -1.1L1.05 .9H-1.05Z',
  diamond: 'M0 -1.25L1.25 0L0 1.25L-1.25 0Z',
  saltire: 'M.57 -1.13L1.13 -.57L.57 0L1.13 .57L.57 1.13L0 .57L-.57 1.13L-1.13 .57L-.57 0L-1.13 -.57L-.57 -1.13L0 -.57Z',
  cross: 'M-.4 -1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z',
  wedge: 'M0 1.1L1.05 -.9H-1.05Z',
  pentagon: 'M0 -1.15L1.1 -.35L.7 .95H-.7L-1.1 -.35Z',
  star: 'M0 -1.4L.5 -.5L1.4 0L.5 .5L0 1.4L-.5 .5L-1.4 0L-.5 -.5Z',
} as const;

/** A contestant's mark at a point; a lighter one is hollow. */
export function mark({ family, strength }: Look, x: number, y: number, radius = 5): Markup {
  const hollow = strength === 'light';
  const className = hollow ? `hollow ${family.id}-curve` : `outlined ${family.id}-line ${family.id}`;
  if (family.mark === 'circle') return element('circle', { cx: x, cy: y, r: radius, class: className });
  return element('path', {
    d: outlines[family.mark],
    transform: `translate(${coordinate(x)} ${coordinate(y)}) scale(${radius})`,
    class: className,
    // As it is scaled with the outline.
    style: `stroke-width:${coordinate((hollow ? 2 : 1.25) / radius)}px`,
  });
}

/** Text in lines of its own, from a first baseline on. @returns the markup and the baseline that would come next */
export function paragraph(content: string, y: number, className: 'title' | 'layer' | 'soft'): readonly [markup: Markup, next: number] {
  const lines = wrap(content, width - 2 * margin, className === 'title' ? titleSize : fontSize, className === 'soft' ? 'normal' : 'bold');
  return [lines.map((each, i) => text(margin, y + i * lineHeight, each, { class: className })).join(''), y + lines.length * lineHeight];
}

interface Head extends Pick<Chart, 'heading' | 'bodyTop'> {
  readonly subtitle: Markup;
  /** The first free y. */
  readonly bottom: number;
}

/** Title and what is shown. */
export function head(title: string, shown: string): Head {
  const [heading, next] = paragraph(title, 22, 'title');
  const [subtitle, after] = paragraph(shown, next, 'soft');
  return { heading, bodyTop: next - lineHeight + 3, subtitle, bottom: after - lineHeight + 8 };
}

/** Contestants with their marks and whole names, as many in a line as fit. */
export function markLegend(looks: readonly Look[], top: number): readonly [markup: Markup, bottom: number] {
  let [x, y] = [margin, top + lineHeight - 4];
  let markup = '';
  for (const look of looks) {
    const needed = 18 + textWidth(look.long, fontSize) + 10;
    if (x > margin && x + needed > width) [x, y] = [margin, y + lineHeight + 2];
    markup += mark(look, x + 6, y - 5) + text(x + 17, y, look.long);
    x += needed;
  }
  return [markup, y + 8];
}

/** Ticks of an axis below, each with its line across the plot; where numbers would touch, every second has one, or every third, and the last. */
export function xAxis(ticks: readonly (readonly [x: number, label: string])[], top: number, bottom: number, label: string): Markup {
  const lines = ticks.map(([x]) => line(x, top, x, bottom, 'grid')).join('');
  const places = ticks.map(([x, content]) => {
    const half = textWidth(content, fontSize) / 2;
    return { content, half, at: Math.min(x, width - half) };
  });
  const each = (step: number): typeof places => places.filter((_, i) => (places.length - 1 - i) % step === 0);
  const clear = (some: typeof places): boolean =>
    some.every(({ at, half }, i) => {
      const before = some[i - 1];
      return !before || before.at + before.half + 3 <= at - half;
    });
  const steps = places.map((_, i) => i + 1);
  const labels = each(steps.find((step) => clear(each(step))) ?? 1)
    .map(({ at, content }) => text(at, bottom + 20, content, { class: 'soft middle' }))
    .join('');
  return lines + labels + text(width - margin, bottom + 38, label, { class: 'soft end' });
}

/** Ticks of an axis at the left; its name and unit stand above, where they need no turning of the head. */
export function yAxis(
  ticks: readonly (readonly [y: number, label: string])[],
  left: number,
  right: number,
  top: number,
  label: string,
): Markup {
  const lines = ticks.map(([y]) => line(left, y, right, y, 'grid')).join('');
  const labels = ticks.map(([y, content]) => text(left - 5, y + 5, content, { class: 'soft end' })).join('');
  return lines + labels + text(margin, top - 12, label, { class: 'soft' });
}

/** @param form in a page, whose head has the style; or a file of its own, which brings style and ground along */
export function drawing({ slug, title, description, heading, bodyTop, height, body }: Chart, form: 'page' | 'file'): Markup {
  const own = form === 'file' ? element('style', {}, chartStyle) + element('rect', { width, height, class: 'ground' }) : '';
  const size = form === 'file' ? { xmlns: 'http://www.w3.org/2000/svg', width, height } : {};
  return element(
    'svg',
    {
      ...size,
      viewBox: form === 'file' ? `0 0 ${width} ${Math.ceil(height)}` : `0 ${bodyTop} ${width} ${Math.ceil(height - bodyTop)}`,
      class: 'chart',
      role: 'img',
      'aria-labelledby': `${slug}-title ${slug}-desc`,
    },
    element('title', { id: `${slug}-title` }, escaped(title)),
    element('desc', { id: `${slug}-desc` }, escaped(description)),
    own,
    element(
      'defs',
      {},
      patternsOf(slug, (id) => body.includes(`url(#${id})`)),
    ),
    form === 'file' ? heading : '',
    body,
  );
}
