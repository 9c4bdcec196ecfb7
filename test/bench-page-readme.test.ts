/** The charts that the README shows: which they are, what stands around them, and that those that are committed are whole. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { pickCharts, readmeBlock, readmeCharts, readmeFolder, withBlock } from '../bench/page/readme.ts';
import type { Results } from '../bench/page/results.ts';
import { layerReport } from '../bench/report.ts';
import { parseLayer } from '../bench/shapes.ts';
import { elementsOf } from './well-formed.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'wasm-conv-readme-'));
afterAll(() => rmSync(home, { recursive: true }));

function layersOf(set: string, ...names: string[]) {
  return [14, 28, 56].map((side) => {
    const shape = parseLayer(`ic64ih${side}oc64kh3ph1n"side ${side}"`, set);
    const times = names.map((name, i) => ({ name, rounds: [(i + 1) * side] }));
    return layerReport(set, shape, { times: times as never, ceiling: [40] }, new Map());
  });
}

const machine = { node: '24.0.0', v8: '13.6', cpu: 'A CPU', cores: 2, date: '2026-01-02T03:04Z' };
const common = { machine, peers: {}, rounds: 1, turn: 2, bandwidth: 10 };
const node: Results = {
  ...common,
  layers: [...layersOf('core', 'nchw arrays', 'ort arrays'), ...layersOf('sizes', 'nchw tensors', 'ort native')],
  command: 'wasm-conv bench core sizes --peers --json',
};
const chromium: Results = {
  ...common,
  machine: { ...machine, browser: 'Chromium 1.2.3.4' },
  layers: layersOf('core', 'nhwc tensors', 'litert tensors'),
  command: 'npm run --silent bench:litert -- core --json',
};

function kept(name: string, results: Results): string {
  const file = join(home, name);
  writeFileSync(file, JSON.stringify(results));
  return file;
}

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/page/charts.ts', ...args], { cwd: folder, encoding: 'utf8' });

describe('bench:charts', () => {
  const old = '# x\n\n<!-- charts: begin, written by npm run bench:charts -->\nold\n<!-- charts: end -->\nrest\n';

  const oldTables = ['litert', 'figures']
    .map((name) => `<!-- ${name}: begin, written by npm run bench:charts -->\nold\n<!-- ${name}: end -->\n`)
    .join('between\n');
  const tables = join(home, 'bench', 'README.md');

  it('prints help', () => {
    const { status, stdout, stderr } = run('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: npm run bench:charts /);
  });

  it.each([
    [['--tim', '3'], "Unknown option '--tim'"],
    [['core'], "'core' is no option"],
    [['--time', '0'], "--time must be a whole number of at least 1, got '0'"],
    [['--folder', join(home, 'none')], 'no README.md in '],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('draws kept results, and writes the part of the README that shows them, again to the letter', () => {
    const readme = join(home, 'README.md');
    writeFileSync(readme, old);
    mkdirSync(join(home, 'bench'), { recursive: true });
    writeFileSync(tables, oldTables);
    const args = ['--folder', home, '--from', kept('node.json', node), '--from', kept('chromium.json', chromium)];
    const { status, stdout, stderr } = run(...args);
    expect(status, stderr).toBe(0);
    const written = stdout.trim().split('\n');
    for (const file of [...readmeCharts.map((name) => `${readmeFolder}/${name}`), 'bench/report.html', 'README.md'])
      expect(written).toContain(join(home, file));
    for (const file of written) expect(existsSync(file), file).toBe(true);
    const text = readFileSync(readme, 'utf8');
    expect(text).toMatch(/^# x\n\n<!-- charts: begin[\s\S]*<!-- charts: end -->\nrest\n$/);
    expect(text).not.toContain('old');
    expect(text.match(/<img src="docs\/charts\/[^"]+" width="340" align="top" alt="[^"]{40,}">/g)).toHaveLength(readmeCharts.length);
    for (const words of [node.command, chromium.command, 'LiteRT.js', 'ONNX Runtime Web', 'ONNX Runtime, native', '14 and 56 pixels'])
      expect(text).toContain(words);
    const [inChromium, inNode] = readFileSync(tables, 'utf8').split('between\n') as [string, string];
    expect(inChromium).toContain(`\`\`\`\n${chromium.command}\n\`\`\``);
    expect(inNode).toContain(`\`\`\`\n${node.command}\n\`\`\``);
    expect(inNode).toMatch(/\n### .*\n\n\| layer \| Mflop \|/);
    expect(inChromium + inNode).not.toContain('old');
    expect(run(...args).status).toBe(0);
    expect(readFileSync(readme, 'utf8')).toBe(text);
    expect(readFileSync(tables, 'utf8')).toBe(`${inChromium}between\n${inNode}`);
  });

  it('changes nothing where a chart is missing, or the part of the README', () => {
    const readme = join(home, 'README.md');
    writeFileSync(readme, old);
    const lacking = run('--folder', home, '--from', kept('node.json', node));
    expect([lacking.status, lacking.stdout]).toEqual([1, '']);
    expect(lacking.stderr).toBe('these results give no core-chromium-overview-tensors.svg, which README.md shows\n');
    expect(readFileSync(readme, 'utf8')).toBe(old);
    writeFileSync(readme, '# x\n');
    const bare = run('--folder', home, '--from', join(home, 'node.json'));
    expect([bare.status, bare.stdout]).toEqual([1, '']);
    expect(bare.stderr).toContain("README has no part between '<!-- charts: begin");
    writeFileSync(readme, old);
    writeFileSync(tables, 'x\n');
    const bareTables = run('--folder', home, '--from', join(home, 'node.json'));
    expect([bareTables.status, bareTables.stdout]).toEqual([1, '']);
    expect(bareTables.stderr).toContain("README has no part between '<!-- figures: begin");
    expect(readFileSync(readme, 'utf8')).toBe(old);
  });

  it('escapes what a result says', () => {
    const charts = [{ file: 'a.svg', svg: '', summary: 'a "b" <c>' }];
    expect(readmeBlock(charts, [node])).toContain('alt="a &quot;b&quot; &lt;c&gt;"');
    expect(() => withBlock('nothing', '')).toThrow('has no part between');
    expect(() => pickCharts({ html: '', charts })).toThrow('these results give no core-overview-arrays.svg');
  });
});

describe('README', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const shown = [...readme.matchAll(/<img src="([^"]+)"[^>]* alt="([^"]+)"/g)].map(([, src, alt]) => ({ src: src ?? '', alt: alt ?? '' }));

  it('shows the charts, in words too, with the commands that made them', () => {
    expect(shown.map(({ src }) => src)).toEqual(readmeCharts.map((file) => `${readmeFolder}/${file}`));
    for (const { alt } of shown) expect(alt).toMatch(/wasm-conv nchw \d/);
    expect(readme).toMatch(
      /```\nnpm run --silent bench -- core sizes --peers .*--json\nnpm run --silent bench:litert -- core .*--json\n```\n<!-- charts: end -->/,
    );
    expect(readme).toContain('`npm run bench:charts`');
  });

  it.each(readmeCharts)('has %s, small, sound, by day and by night, and from those commands', (file) => {
    const svg = readFileSync(join(folder, readmeFolder, file), 'utf8');
    expect(Buffer.byteLength(svg)).toBeLessThan(60_000);
    const elements = elementsOf(svg);
    expect(elements.slice(0, 3).map(({ name }) => name)).toEqual(['svg', 'title', 'desc']);
    expect(svg).toContain('prefers-color-scheme: dark');
    // An image in a page may load nothing.
    expect(svg).not.toMatch(/<script|href=|@import|url\((?!#)/);
    const [, command] = svg.match(/<desc[^>]*>[^<]*\. ((?:wasm-conv|npm run) [^<]*)<\/desc>/) ?? [];
    expect(readme).toContain(`\n${command}\n`);
  });
});
