import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contestantNames } from '../bench/contestant.ts';
import { takingPart } from '../bench/page/bars.ts';
import { families, kindsOf, lookOf } from '../bench/page/contestants.ts';
import { growthOf } from '../bench/page/growth.ts';
import { meansOf } from '../bench/page/overview.ts';
import { type ReportPage, reportPage } from '../bench/page/page.ts';
import { type Box, placeLabels, spreadOut } from '../bench/page/place.ts';
import { likelyCommand, parseResults, type Results, ResultsError } from '../bench/page/results.ts';
import { intensityOf, type Roof } from '../bench/page/roofline.ts';
import { linearScale, logScale, tickText } from '../bench/page/scale.ts';
import { coordinate, element, wrap } from '../bench/page/svg.ts';
import { layerReport } from '../bench/report.ts';
import { parseLayer, parseShapes } from '../bench/shapes.ts';
import { elementsOf } from './well-formed.ts';

/** Times in milliseconds by contestant; each gets three rounds around it. */
type Times = Readonly<Record<string, number>>;

function layer(set: string, line: string, times: Times, wrong: Readonly<Record<string, string>> = {}) {
  const entries = Object.entries(times).map(([name, time]) => ({ name, rounds: [time, 1.1 * time, 0.95 * time] }));
  return layerReport(set, parseLayer(line, set), { times: entries as never, ceiling: [40, 41, 42] }, new Map(Object.entries(wrong)));
}

const usual: Times = { 'nchw tensors': 2, 'nhwc tensors': 1.9, 'nchw arrays': 2.2, 'nhwc arrays': 2.1, 'tfjs tensors': 4, naive: 90 };

function results(...layers: ReturnType<typeof layer>[]): Results {
  return {
    machine: { node: '24.0.0', v8: '13.6', cpu: 'A <CPU> & more', cores: 2, date: '2026-01-02T03:04Z' },
    peers: { '@tensorflow/tfjs-backend-wasm': '4.22.0' },
    rounds: 3,
    turn: 2,
    layers,
  };
}

const roof: Roof = { bandwidth: 10, origin: 'made up' };
const draw = (...layers: ReturnType<typeof layer>[]): ReportPage => reportPage([{ results: results(...layers), roof }]);

const dense = layer('one', 'ic64ih56oc64oh56kh3ph1n"dense"', usual);
const sizes = [14, 28, 56].map((side) => layer('grows', `ic64ih${side}oc64kh3ph1n"side ${side}"`, { ...usual, 'opencv filter2D': 3 }));

const speedOf = ({ figures }: ReturnType<typeof layer>): number => figures.find(({ name }) => name === 'nchw tensors')?.gflops ?? 0;

/** The SVG of a file whose name ends so. */
function chart({ charts }: ReportPage, end: string): string {
  const found = charts.find(({ file }) => file.endsWith(end));
  if (!found) throw new Error(`no ${end} among ${charts.map(({ file }) => file).join(', ')}`);
  return found.svg;
}

/** What must hold of every chart. */
function expectSound(svg: string): void {
  const elements = elementsOf(svg);
  expect(elements[0]).toMatchObject({ name: 'svg', attributes: { role: 'img', xmlns: 'http://www.w3.org/2000/svg' } });
  expect(elements.slice(1, 3).map(({ name }) => name)).toEqual(['title', 'desc']);
  const ids = elements.flatMap(({ attributes }) => attributes.id ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  expect(elements[0]?.attributes['aria-labelledby']?.split(' ').every((id) => ids.includes(id))).toBe(true);
  for (const { attributes } of elements) for (const value of Object.values(attributes)) expect(value).not.toMatch(/NaN|Infinity|undefined/);
  for (const [, id] of svg.matchAll(/url\(#([^)]*)\)/g)) expect(ids).toContain(id);
  expect(svg).not.toMatch(/<script|href=|@import/);
}

describe('charts', () => {
  const page = draw(dense, ...sizes);

  it('are one file for each set and kind, and sound', () => {
    const one = ['roofline', 'tensors', 'arrays'].map((kind) => `one-${kind}`);
    const several = ['overview-tensors', 'overview-arrays', 'roofline', 'growth-tensors', 'growth-arrays', 'tensors', 'arrays'];
    const wanted = [...one, ...several.map((kind) => `grows-${kind}`)];
    expect(page.charts.map(({ file }) => file)).toEqual(wanted.map((name) => `${name}.svg`));
    for (const { svg } of page.charts) expectSound(svg);
  });

  it('have every layer and contestant of their kind', () => {
    const tensors = chart(page, 'grows-tensors.svg');
    for (const word of [
      'side 14',
      'side 28',
      'side 56',
      '>nchw<',
      '>nhwc<',
      '>tfjs<',
      '>filter2D<',
      '>naive<',
      'GFLOP/s',
      'A &lt;CPU&gt; &amp; more',
    ])
      expect(tensors).toContain(word);
    const arrays = chart(page, 'grows-arrays.svg');
    expect(arrays).not.toMatch(/>(tfjs|filter2D)</);
    const roofline = chart(page, 'grows-roofline.svg');
    for (const word of ['side 14', 'side 56', '>3</text>', 'flop/byte', 'GFLOP/s', 'compute 41.0', 'memory 10.0 GB/s'])
      expect(roofline).toContain(word);
    const growth = chart(page, 'growth-tensors.svg');
    for (const word of ['>nchw<', '>tfjs<', '>14<', '>56<', 'picoseconds per flop', 'pixels', 'naive.']) expect(growth).toContain(word);
  });

  it('show everybody on each layer at a glance, whole names in the legend, and the mean of the layers that all have', () => {
    const peers = { ...usual, 'ort native': 1, 'optimised js': 30 };
    const layers = [7, 14, 28].map((side) => layer('set', `ic64ih${side}oc64kh3ph1n"side ${side}"`, peers));
    const { 'ort native': _, ...others } = peers;
    const few = layer('set', 'deconv ic64ih7oc64kh3ph1n"few"', others);
    const svg = chart(draw(...layers, few), 'set-overview-tensors.svg');
    expectSound(svg);
    const drawn = elementsOf(svg).map(({ name, attributes }) => `${name} ${attributes.class}`);
    // In the legend, in four rows and in that of the means; ONNX Runtime is not in one of the four.
    expect(drawn.filter((each) => each === 'circle outlined nchw-line nchw')).toHaveLength(6);
    expect(drawn.filter((each) => each === 'path hollow ort-curve')).toHaveLength(5);
    for (const words of [
      'wasm-conv nchw',
      'TensorFlow.js',
      'ONNX Runtime, native',
      'optimised JavaScript',
      'no such operation',
      'the 3 that all have',
    ])
      expect(svg).toContain(words);
    // The better of the JavaScript loops stands for both.
    expect(svg).not.toMatch(/naive \d|>naive</);
    expect(svg).toContain('A &lt;CPU&gt; &amp; more');
    expect(chart(draw(...layers), 'set-overview-tensors.svg')).not.toContain('no such operation');
    expect(meansOf(layers, ['nchw tensors', 'nowhere'])).toBeUndefined();
    const [mean] = meansOf([layers[0] as typeof few, few], ['nchw tensors'])?.speeds ?? [];
    expect(mean?.gflops).toBeCloseTo(Math.sqrt(speedOf(layers[0] as typeof few) * speedOf(few)), 9);
  });

  it('know LiteRT.js by a colour of its own, and what was measured in a browser from what was in Node', () => {
    const times = { 'nchw tensors': 2, 'nhwc tensors': 1.9, 'litert tensors': 4 };
    const layers = [7, 14].map((side) => layer('core', `ic64ih${side}oc64kh3ph1n"side ${side}"`, times));
    const browser = { ...results(...layers), peers: { '@litertjs/core': '2.5.3 (relaxed, one thread)' } };
    const machine = { ...browser.machine, browser: 'Chromium 1.2.3.4' };
    const both = reportPage([
      { results: results(layer('core', 'ic64ih7oc64kh3ph1', usual)), roof },
      { results: { ...browser, machine }, roof },
    ]);
    const files = ['overview-tensors', 'roofline', 'tensors'].map((kind) => `core-chromium-${kind}.svg`);
    expect(both.charts.map(({ file }) => file).slice(3)).toEqual(files);
    const overview = chart(both, 'core-chromium-overview-tensors.svg');
    for (const words of ['>LiteRT.js<', 'core in Chromium at a glance', 'Chromium 1.2.3.4, A &lt;CPU&gt;', '@litertjs/core 2.5.3'])
      expect(overview).toContain(words);
    expect(overview).toContain('bench:litert');
    for (const family of families) expect(lookOf('litert tensors').family.id === family.id).toBe(family.id === 'litert');
    expect(both.html).toContain('<h2 id="core-chromium">core in Chromium</h2>');
  });

  it('keep the line of the ceiling out of the digits', () => {
    // 41 GFLOP/s: the value of the one bar begins before it, that of the other after it.
    const svg = chart(draw(layer('one', 'ic64ih56oc64oh56kh3ph1n"dense"', { 'nchw tensors': 6, 'nhwc tensors': 1.5 })), 'one-tensors.svg');
    expect(svg.match(/class="limit-line"/g)).toHaveLength(1);
  });

  it('say that somebody was wrong, and who has no such operation', () => {
    const other = layer('one', 'ic64ih56oc64oh56kh5ph2n"odd"', { 'nchw tensors': 2 }, { 'tfjs tensors': 'at [0] got 3' });
    const drawn = draw(dense, other);
    const svg = chart(drawn, 'one-tensors.svg');
    expectSound(svg);
    expect(svg.match(/wrong, not timed/g)).toHaveLength(1);
    expect(svg).toContain('– nhwc, naive');
    expect(drawn.html).toContain('odd: tfjs tensors is wrong and was not timed: at [0] got 3');
    expect(drawn.html).toContain('<th scope="row">nhwc tensors</th><td>–</td>');
    expect(drawn.html).toContain('<th scope="row">tfjs tensors</th><td>wrong</td>');
  });

  it('stay sound with a layer nobody computed, and with a contestant nobody knows', () => {
    const empty = layer('one', 'ic1ih6oc2kh3n"empty"', {}, { 'nchw tensors': 'all of it' });
    const strange = layer('one', 'ic1ih6oc2kh3n"strange"', { 'newcomer arrays': 0.00001 });
    for (const drawn of [draw(empty), draw(strange), draw(empty, strange, dense)]) for (const { svg } of drawn.charts) expectSound(svg);
    expect(chart(draw(strange), 'one-arrays.svg')).toContain('>newcomer<');
    expect(draw(empty).charts.map(({ file }) => file)).toEqual(['one-tensors.svg']);
  });

  it('break a bar off that would dwarf the others, and say how long it is', () => {
    const svg = chart(draw(dense, layer('one', 'ic64ih56oc64oh56kh3ph1n"long"', { 'nchw tensors': 0.2 })), 'one-tensors.svg');
    expectSound(svg);
    expect(svg.match(/class="gap"/g)).toHaveLength(2);
    expect(svg).toMatch(/goes on.*>1156</);
    expect(chart(draw(dense), 'one-tensors.svg')).not.toContain('class="gap"');
  });

  it('escape every name', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ minLength: 1 }), (name, set) => {
        const drawn = draw({ ...dense, name, set });
        for (const { svg, file } of drawn.charts) {
          expectSound(svg);
          expect(file).toMatch(/^[a-z0-9-]+\.svg$/);
        }
      }),
      { numRuns: 50 },
    );
    const { html } = draw({ ...dense, name: '<b>&"' });
    expect(html).not.toContain('<b>&"');
    expect(html).toContain('&lt;b&gt;&amp;&quot;');
  });

  it('do not know the memory line where nobody measured it', () => {
    const run = { results: results(dense), roof: { bandwidth: undefined, origin: 'bandwidth not known' } };
    const svg = chart(reportPage([run]), 'roofline.svg');
    expectSound(svg);
    expect(svg).toContain('No memory line');
    expect(svg).not.toContain('GB/s');
  });

  it.each([0.01, 0.1, 1, 100, 1e4])('hold a roof of %d GB/s', (bandwidth) => {
    expectSound(chart(reportPage([{ results: results(dense, ...sizes), roof: { ...roof, bandwidth } }]), 'grows-roofline.svg'));
  });
});

describe('page', () => {
  const { html } = draw(dense, ...sizes);

  it('is one file: no script, nothing from elsewhere', () => {
    expect(html).not.toMatch(/<script|<link rel="stylesheet"|@import|src=|https?:/);
    expect(html.match(/href="[^"#][^"]*"/g)).toEqual(['href="data:,"']);
  });

  it('has the figures in tables, ids once, headings in order', () => {
    const tables = html.match(/<table[ >]/g)?.length;
    expect(html.match(/<caption>/g)).toHaveLength(tables ?? 0);
    expect(tables).toBe(6);
    expect(html).not.toMatch(/<th>/);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const levels = [...html.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    expect(levels.every((level, i) => i === 0 || (level > 1 && level <= (levels[i - 1] as number) + 1))).toBe(true);
  });

  it('names machine, engine, peers, rounds, noise and command', () => {
    for (const words of [
      'A &lt;CPU&gt; &amp; more',
      'Node 24.0.0, V8 13.6',
      '2026-01-02T03:04Z',
      'tfjs-backend-wasm 4.22.0',
      '3, turns of 2 ms',
      'spread of the rounds',
    ])
      expect(html).toContain(words);
    expect(html).toContain('as far as the results tell');
    expect(likelyCommand(results(dense))).toBe('wasm-conv bench one --peers --time 6 --json');
    // More flops than naive loops are timed on unasked.
    const large = layer('one', 'ic64ih112oc64oh112kh3ph1n"large"', usual);
    expect(likelyCommand(results(large))).toBe('wasm-conv bench one --peers --naive --time 6 --json');
    const machine = { ...results(dense).machine, browser: 'Chromium 1.2.3.4' };
    expect(likelyCommand({ ...results(dense), machine })).toBe('npm run --silent bench:litert -- one --time 6 --json');
    const command = "wasm-conv bench one --layers '3x3 <' --json";
    const named = reportPage([{ results: { ...results(dense), command }, roof }]).html;
    expect(named).toContain('wasm-conv bench one --layers &#39;3x3 &lt;&#39; --json</code>');
    expect(named).not.toContain('as far as the results tell');
  });

  it('keeps the same set of two runs apart', () => {
    const run = { results: results(dense), roof };
    const { charts, html: both } = reportPage([run, run]);
    expect(charts.map(({ file }) => file)).toContain('one-2-tensors.svg');
    const ids = [...both.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('axes', () => {
  it('have round ticks, and end where the values end', () => {
    expect(linearScale(46.7, [0, 100], 6).ticks).toEqual([0, 10, 20, 30, 40]);
    expect(linearScale(0.3, [0, 100], 6).ticks).toEqual([0, 0.1, 0.2, 0.3]);
    expect(linearScale(201, [0, 100], 6).ticks).toEqual([0, 50, 100, 150, 200]);
    expect(linearScale(0.45, [0, 100], 3).ticks).toEqual([0, 0.2, 0.4]);
    expect(linearScale(46.7, [0, 100], 6).at(46.7)).toBe(100);
    expect(logScale(3, 700, [0, 100], 9).ticks).toEqual([5, 10, 20, 50, 100, 200, 500]);
    expect(logScale(1, 1e6, [0, 100], 8).ticks).toEqual([1, 10, 100, 1000, 1e4, 1e5, 1e6]);
    expect(logScale(50, 50, [0, 100], 9).domain).toEqual([25, 100]);
    expect(logScale(3, 700, [0, 100], 9).at(700)).toBe(100);
    expect([0.05, 1.5, 200, 20_000].map(tickText)).toEqual(['0.05', '1.5', '200', '20k']);
    expect(logScale(1, 100, [300, 100], 9).at(10)).toBeCloseTo(200, 9);
  });

  it('do so for any values', () => {
    const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(positive, positive, fc.integer({ min: 3, max: 12 }), (a, b, atMost) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        for (const scale of [logScale(low, high, [0, 100], atMost), linearScale(high, [0, 100], atMost)]) {
          expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
          expect([...scale.ticks]).toEqual([...new Set(scale.ticks)].sort((x, y) => x - y));
          expect(scale.at(high)).toBeLessThanOrEqual(100.001);
          expect(scale.at(low)).toBeGreaterThanOrEqual(-0.001);
          for (const tick of scale.ticks) expect(scale.at(tick)).toBeGreaterThanOrEqual(-0.001);
          for (const tick of scale.ticks) expect(scale.at(tick)).toBeLessThanOrEqual(100.001);
        }
        expect(linearScale(high, [0, 100], atMost).ticks.length).toBeLessThanOrEqual(atMost);
      }),
    );
  });

  it('refuse what has no place', () => {
    expect(() => logScale(0, 1, [0, 1], 5)).toThrow(RangeError);
    expect(() => linearScale(Number.NaN, [0, 1], 5)).toThrow(RangeError);
    expect(() => coordinate(Number.NaN)).toThrow('svg: a coordinate must be finite, got NaN');
    expect(() => element('rect', { x: Number.POSITIVE_INFINITY })).toThrow(RangeError);
    expect([1.005, -0.001, 12].map(coordinate)).toEqual(['1', '0', '12']);
  });
});

describe('layout', () => {
  it('puts labels where there is room', () => {
    const points = [0, 4, 8, 12].map((x) => ({ x: 100 + x, y: 100 }));
    const size = points.map(() => ({ width: 10, height: 15 }));
    const bounds: Box = { x: 0, y: 0, width: 200, height: 200 };
    const boxes = placeLabels(points, size, [], bounds).map(({ x, y }) => ({ left: x - 5, top: y - 7.5 }));
    for (const [i, a] of boxes.entries())
      for (const b of boxes.slice(i + 1)) expect(Math.abs(a.left - b.left) >= 10 - 1e-3 || Math.abs(a.top - b.top) >= 15 - 1e-3).toBe(true);
    expect(spreadOut([50, 50, 51], 18, 0, 200).sort((a, b) => a - b)).toEqual([50, 68, 86]);
    expect(spreadOut([199, 198], 18, 0, 200)).toEqual([200, 182]);
  });

  it('breaks lines at spaces, and long words where it must', () => {
    expect(wrap('a bb ccc dddd', 7 * 0.55 * 10, 10)).toEqual(['a bb', 'ccc', 'dddd']);
    expect(wrap('x'.repeat(9), 4 * 0.55 * 10, 10)).toEqual(['xxxx', 'xxxx', 'x']);
    expect(wrap('', 100, 10)).toEqual([]);
  });

  it('counts each operand once', () => {
    // 2 · 4 · 9 · 16 flops; 4 · 16 + 4 · 4 · 9 + 4 · 16 values of 4 bytes.
    expect(intensityOf(parseLayer('ic4ih4oc4kh3ph1', 'here'), 1000)).toBeCloseTo(1000 / (4 * (64 + 144 + 64)), 12);
  });

  it('finds the layers that differ in the image alone', () => {
    expect(growthOf([dense, ...sizes].reverse()).map(({ side }) => side)).toEqual([14, 28, 56]);
    expect(growthOf(sizes.slice(1))).toEqual([]);
    const file = new URL('../bench/shapes/sizes.txt', import.meta.url);
    expect(existsSync(file)).toBe(true);
    const steps = parseShapes(readFileSync(file, 'utf8'), 'sizes.txt').map(({ words }) => layer('sizes', words, usual));
    expect(growthOf(steps).map(({ side }) => side)).toEqual([14, 28, 56, 112, 224, 448, 896]);
    // Where not all of them have room, the last one has, and as many before it as stand evenly.
    const crowded = steps.map(({ words }) => layer('sizes', words, { ...usual, 'ort native': 1 }));
    const numbers = [...chart(draw(...crowded), 'growth-tensors.svg').matchAll(/class="soft middle">(\d+)</g)];
    expect(numbers.map(([, number]) => number)).toEqual(['14', '56', '224', '896']);
  });

  it('holds like against like', () => {
    const all = layer('one', 'ic1ih6oc2kh3', {
      ...usual,
      'ort arrays': 1,
      'nchw one-shot': 1,
      'nchw out': 1,
      'nchw forward': 1,
      'opencv filter2D': 1,
      quick: 1,
    });
    expect(takingPart([all], 'tensors')).toEqual([
      'nchw tensors',
      'nhwc tensors',
      'nchw forward',
      'tfjs tensors',
      'opencv filter2D',
      'naive',
      'quick',
    ]);
    expect(takingPart([all], 'arrays')).toEqual(['nchw arrays', 'nhwc arrays', 'nchw one-shot', 'ort arrays', 'naive', 'quick']);
    expect(['naive', 'nchw out'].map(kindsOf)).toEqual([['tensors', 'arrays'], []]);
    // Whoever is added to the benchmark gets a look of its own.
    for (const name of contestantNames) expect(lookOf(name).family.id, name).not.toBe('other');
    expect(lookOf('quick')).toMatchObject({ family: { id: 'other' }, long: 'quick' });
    expect([lookOf('ort arrays'), lookOf('ort native')].map(({ strength, long }) => [strength, long])).toEqual([
      ['full', 'ONNX Runtime Web'],
      ['light', 'ONNX Runtime, native'],
    ]);
    expect([lookOf('nchw tensors').family, lookOf('nchw one-shot').strength]).toEqual([lookOf('nchw arrays').family, 'light']);
  });
});

describe('results', () => {
  const good = results(dense, ...sizes);
  const json = JSON.stringify(good);

  it('come back as they were', () => {
    expect(parseResults(json, 'x')).toEqual(JSON.parse(json));
    const machine = { ...good.machine, browser: 'Chromium 1.2.3.4' };
    expect(parseResults(JSON.stringify({ ...good, machine }), 'x').machine).toEqual(machine);
    expect(parseResults(JSON.stringify({ ...good, command: 'c', bandwidth: 9 }), 'x')).toMatchObject({ command: 'c', bandwidth: 9 });
  });

  it.each<[string, (report: typeof good) => unknown, string]>([
    ['a list', () => [], 'x: the whole must be an object, got []'],
    ['no machine', (report) => ({ ...report, machine: undefined }), 'x: machine must be an object, got nothing'],
    ['no layers', (report) => ({ ...report, layers: [] }), 'x: layers must be a list that is not empty, got []'],
    ['words of nobody', (report) => ({ ...report, layers: [{ ...dense, words: 'ic1' }] }), "x: layers[0].words: 'ih' is missing"],
    [
      'a figure without time',
      (report) => ({ ...report, layers: [{ ...dense, figures: [{ ...dense.figures[0], median: null }] }] }),
      'x: layers[0].figures[0].median must be a number above 0, got null',
    ],
    [
      'no rounds',
      (report) => ({ ...report, layers: [{ ...dense, figures: [{ ...dense.figures[0], rounds: [] }] }] }),
      'x: layers[0].figures[0].rounds must be a list that is not empty, got []',
    ],
    [
      'no ceiling',
      (report) => ({ ...report, layers: [{ ...dense, ceiling: { median: 0, spread: 0 } }] }),
      'x: layers[0].ceiling.median must be a number above 0, got 0',
    ],
    [
      'wrong as a text',
      (report) => ({ ...report, layers: [{ ...dense, wrong: 'all' }] }),
      'x: layers[0].wrong must be an object, got "all"',
    ],
  ])('refuse %s', (_, change, message) => {
    const parse = () => parseResults(JSON.stringify(change(good)), 'x');
    expect(parse).toThrow(ResultsError);
    expect(parse).toThrow(message);
  });

  it('refuse what is not JSON, in one line', () => {
    expect(() => parseResults('{"machine":\n1', 'x')).toThrow(/^x is not JSON: [^\n]+$/);
  });
});
