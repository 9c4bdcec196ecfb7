/** The figures of the charts as HTML tables: for who hears the page, searches it, or wants the digits. */
import { type ContestantName, contestantNames } from '../contestant.ts';
import type { LayerReport, Rival } from '../report.ts';
import { geometricMean } from '../stats.ts';
import { digits3, percent, timeText } from '../tables.ts';
import { rooflineEntries } from './roofline.ts';
import { element, escaped, type Markup } from './svg.ts';

const columnHead = (name: string): Markup => element('th', { scope: 'col' }, escaped(name));
const cell = (content: string): Markup => element('td', {}, escaped(content));

/** A table that moves within its own box where the screen is narrower, by touch and by keyboard. */
function table(caption: string, heads: readonly string[], body: Markup, className?: string): Markup {
  const inner = element(
    'table',
    { class: className },
    element('caption', {}, escaped(caption)),
    element('thead', {}, element('tr', {}, ...heads.map(columnHead))),
    body,
  );
  return element('div', { class: 'scroll', role: 'group', tabindex: '0', 'aria-label': caption }, inner);
}

const speedHeads = ['layer', 'contestant', 'GFLOP/s', 'spread', 'of ceiling', 'median', 'best'];

/** Every figure of a set: a body per layer, whose first cell is the layer's name. */
export function speedTable(set: string, layers: readonly LayerReport[]): Markup {
  const everyone = new Set(layers.flatMap(({ figures, wrong }) => [...figures.map(({ name }) => name), ...Object.keys(wrong)]));
  const names = [...contestantNames.filter((name) => everyone.delete(name)), ...everyone];
  const bodies = layers.map((layer) => {
    const cells = (name: string): readonly string[] => {
      const figure = layer.figures.find((entry) => entry.name === name);
      if (!figure) return [name in layer.wrong ? 'wrong' : '–', '–', '–', '–', '–'];
      const { gflops, spread, ofCeiling, median, best } = figure;
      return [digits3(gflops), percent(spread), percent(ofCeiling), timeText(median), timeText(best)];
    };
    const ceiling = ['ceiling', digits3(layer.ceiling.median), percent(layer.ceiling.spread), '100 %', '–', '–'];
    const rows = [...names.map((name) => [name, ...cells(name)]), ceiling].map(([name = '', ...values], i) => {
      const first =
        i === 0 ? element('th', { scope: 'rowgroup', rowspan: String(names.length + 1), class: 'layer' }, escaped(layer.name)) : '';
      return element('tr', {}, first, element('th', { scope: 'row' }, escaped(name)), ...values.map(cell));
    });
    return element('tbody', {}, ...rows);
  });
  return table(`Speed and time on each layer of ${set}`, speedHeads, bodies.join(''));
}

/** What was computed wrong, in the words of the comparison; nothing where all was right. */
export function wrongList(layers: readonly LayerReport[]): Markup {
  const items = layers.flatMap(({ name, wrong }) =>
    Object.entries(wrong).map(([who, what]) => element('li', {}, escaped(`${name}: ${who} is wrong and was not timed: ${what}`))),
  );
  return items.length === 0 ? '' : element('ul', { class: 'wrong' }, ...items);
}

/** Who is how many times faster than whom, with the geometric mean and the lowest; nothing where nobody was there to be held against. */
export function ratioTable(set: string, layers: readonly LayerReport[]): Markup {
  const keys = new Map<string, readonly [ContestantName, Rival]>();
  for (const { ratios } of layers) for (const { faster, than } of ratios) keys.set(`${faster} ÷ ${than}`, [faster, than]);
  if (keys.size === 0) return '';
  const columns = [...keys.values()];
  const times = (layer: LayerReport, [faster, than]: readonly [string, string]): number | undefined =>
    layer.ratios.find((ratio) => ratio.faster === faster && ratio.than === than)?.times;
  const row = (name: string, values: readonly (number | undefined)[]): Markup =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, escaped(name)),
      ...values.map((value) => cell(value === undefined ? '–' : digits3(value))),
    );
  const over = (figure: (values: number[]) => number): number[] =>
    columns.map((key) => figure(layers.map((layer) => times(layer, key)).filter((value) => value !== undefined)));
  const rows = layers.map((layer) =>
    row(
      layer.name,
      columns.map((key) => times(layer, key)),
    ),
  );
  const last = [
    row('geometric mean', over(geometricMean)),
    row(
      'lowest',
      over((values) => Math.min(...values)),
    ),
  ];
  const body = element('tbody', {}, ...rows) + element('tbody', { class: 'total' }, ...last);
  return table(`Times faster on ${set}: median of the ratios within each round`, ['layer', ...keys.keys()], body, 'ratios');
}

/** The points of the roofline. */
export function intensityTable(set: string, layers: readonly LayerReport[]): Markup {
  const rows = rooflineEntries(layers).map(({ number, layer, intensity, speeds }) => {
    const of = (name: string): string => {
      const speed = speeds.find((entry) => entry.name === name);
      return speed ? digits3(speed.gflops) : '–';
    };
    const values = [layer.name, digits3(layer.flops / 1e6), digits3(intensity), of('nchw tensors'), of('nhwc tensors')];
    const [name = '', ...others] = values;
    return element('tr', {}, cell(String(number)), element('th', { scope: 'row' }, escaped(name)), ...others.map(cell));
  });
  const heads = ['number', 'layer', 'Mflop', 'flop/byte', 'nchw tensors, GFLOP/s', 'nhwc tensors, GFLOP/s'];
  return table(`Points of the roofline of ${set}`, heads, element('tbody', {}, ...rows));
}
