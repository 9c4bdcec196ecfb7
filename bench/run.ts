/** The command: layers from files, contestants in turns, figures as text, JSON or markdown. `--help` says how. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { machineLine, thisMachine } from './machine.ts';
import type { Layout } from './problem.ts';
import { progressBar } from './progress.ts';
import type { LayerReport, Report } from './report.ts';
import { type LayerShape, parseShapes } from './shapes.ts';
import { layerText, markdown, percent } from './tables.ts';

const help = `Usage: node --import tsx bench/run.ts [set or file …] [options]

Times layers one thread, contestants in turns, next to the 128-bit multiply + add ceiling of the same rounds.
A set is a file of bench/shapes without its .txt (resnet, depthwise, digits, others, family); all of them when none is named.

  --peers              @tensorflow/tfjs-backend-wasm, onnxruntime-web and OpenCV.js too (first: cd bench && npm ci)
  --naive              plain JavaScript loops too (slow: they take most of the time)
  --layout <which>     nchw, nhwc or both (default both)
  --layers <text>      only layers whose name or words hold the text
  --rounds <n>         how often everybody has a turn (default 15)
  --turn <ms>          how long a turn is (default 20); a call that takes longer is made once
  --json               one JSON object on standard output
  --markdown           the tables of bench/README.md on standard output
  --help               this text

Everything but the figures goes to standard error. Exit code: 0, 1 when something failed or a result of ours was wrong, 2 for a wrong option.
`;

const sets = ['resnet', 'depthwise', 'digits', 'others', 'family'];

class UsageError extends Error {}

function readOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        peers: { type: 'boolean', default: false },
        naive: { type: 'boolean', default: false },
        layout: { type: 'string', default: 'both' },
        layers: { type: 'string', default: '' },
        rounds: { type: 'string', default: '15' },
        turn: { type: 'string', default: '20' },
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause));
  }
}

function atLeastOne(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} must be a whole number of at least 1, got '${text}'`);
  return value;
}

function layoutsOf(text: string): Layout[] {
  if (text === 'both') return ['nchw', 'nhwc'];
  if (text === 'nchw' || text === 'nhwc') return [text];
  throw new UsageError(`--layout must be nchw, nhwc or both, got '${text}'`);
}

/** @param name a set, or a path */
function readSet(name: string): { set: string; layers: LayerShape[] } {
  const file = sets.includes(name) ? new URL(`shapes/${name}.txt`, import.meta.url) : name;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`'${name}' is neither a set (${sets.join(', ')}) nor a file that can be read`);
  }
  const set = basename(name, '.txt');
  return { set, layers: parseShapes(text, `${set}.txt`) };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Milliseconds: twice what the slowest to settle took on the layers of shapes/ to come within 5 % of its last speed (78 ms, Node 20). */
const warmup = 150;

/** Rounds that differ by more than this mean that somebody else uses the machine: in calm runs nearly all stay below half of it. */
const noisy = 0.1;

/** Whose rounds differed too much. The ceiling alone does not tell: it needs no memory, and a moment of quiet is enough for it. */
function disturbed({ ceiling, figures }: LayerReport): string[] {
  const all = [{ name: 'ceiling', spread: ceiling.spread }, ...figures];
  return all.filter(({ spread }) => spread > noisy).map(({ name, spread }) => `${name} ${percent(spread)}`);
}

async function main(): Promise<number> {
  const { values, positionals } = readOptions();
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.json && values.markdown) throw new UsageError('--json and --markdown exclude each other');
  const [rounds, turn, layouts] = [atLeastOne('rounds', values.rounds), atLeastOne('turn', values.turn), layoutsOf(values.layout)];
  const work = (positionals.length > 0 ? positionals : sets)
    .map(readSet)
    .flatMap(({ set, layers }) => layers.map((shape) => ({ set, shape })))
    .filter(({ shape }) => shape.name.includes(values.layers) || shape.words.includes(values.layers));
  if (work.length === 0) throw new UsageError(`no layer holds '${values.layers}'`);

  // Only now: help and wrong options need neither the engine nor the compiler.
  const [{ createEngine }, { ceilingProbe }, { runLayer }, { loadPeers }] = await Promise.all([
    import('../src/index.ts'),
    import('./ceiling-probe.ts'),
    import('./runner.ts'),
    import('./peers.ts'),
  ]);
  const peers = values.peers ? await loadPeers(work.map(({ shape }) => shape)) : [];
  const engine = await createEngine({ threads: 1 });
  const ceiling = await ceilingProbe();
  const machine = thisMachine();
  const quiet = values.json || values.markdown;
  say(machineLine(machine));
  const bar = progressBar(process.stderr, work.length);
  const layers: LayerReport[] = [];
  for (const { set, shape } of work) {
    bar.show(layers.length, `${set}: ${shape.name}`);
    const layer = await runLayer(set, shape, { engine, ceiling, layouts, naive: values.naive, peers, rounds, turn, warmup });
    layers.push(layer);
    bar.clear();
    if (!quiet) process.stdout.write(`${layerText(layer)}\n\n`);
    const spreads = disturbed(layer);
    if (spreads.length > 0) say(`${set}: ${shape.name}: the machine was busy, repeat this; spread of ${spreads.join(', ')}`);
    for (const [name, text] of Object.entries(layer.wrong)) say(`${set}: ${shape.name}: ${name} is wrong and was not timed: ${text}`);
  }
  engine.dispose();

  const report: Report = { machine, peers: Object.fromEntries(peers.map(({ name, version }) => [name, version])), rounds, turn, layers };
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  if (values.markdown)
    process.stdout.write(`${markdown(report, ['node --import tsx bench/run.ts', ...process.argv.slice(2)].join(' '))}\n`);
  const oursWrong = layers.some(({ wrong }) => Object.keys(wrong).some((name) => /^n(chw|hwc) /.test(name)));
  return oursWrong ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof UsageError) {
    say(`${error.message}\n\n${help}`);
    process.exitCode = 2;
  } else {
    say(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    process.exitCode = 1;
  }
}
