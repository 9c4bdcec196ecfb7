/** `wasm-conv bench`: layers from files, contestants in turns, figures as text, JSON or markdown. */

import { growths } from '../bench/growth.ts';
import { engineLine, machineLine, thisMachine } from '../bench/machine.ts';
import { flopsOf } from '../bench/operations.ts';
import type { Layout } from '../bench/problem.ts';
import { progressBar } from '../bench/progress.ts';
import { type LayerReport, oursWrong, type Report } from '../bench/report.ts';
import { defaultSets, naiveMost, setNames, setNotes } from '../bench/sets.ts';
import { growthText, layerText, markdown, remarks } from '../bench/tables.ts';
import { commandLine } from './command-line.ts';
import { oneOf, readArgs, say, UsageError, wholeNumber } from './usage.ts';
import { workOf } from './work.ts';

export const benchHelp = `Usage: wasm-conv bench [set or file …] [options]

Times layers: WebAssembly against JavaScript, all in turns, next to the 128-bit multiply + add ceiling of the core, measured in the same rounds.
The sets (${defaultSets.join(', ')} when none is named):

${setNames.map((name) => `  ${name.padEnd(17)}  ${setNotes[name as keyof typeof setNotes]}`).join('\n')}

A file has one layer per line, such as g2ic64ih56oc64oh56kh3ph1: bench/README.md of the repository explains the words.

  --set <name>         this set; as often as there are sets
  --layers <text>      only layers whose name or words hold the text
  --layout <which>     nchw, nhwc or both (default both)
  --threads <n|auto>   of the engine (default 1)
  --time <ms>          how long each contestant is timed on a layer, about, in all (default 300); a call that takes longer is made 15 times
  --naive              naive JavaScript loops are timed on every layer (slow), not only where a call has at most ${naiveMost / 1e6} Mflop; optimised ones
                       always are, on convolutions
  --peers              TensorFlow.js, ONNX Runtime and others too, where they are installed
  --json               one JSON object on standard output
  --markdown           the tables of bench/README.md on standard output
  --help               this text

Everything but the figures goes to standard error. Exit code: 0, 1 when something failed or a result of ours was wrong, 2 for a wrong option.
`;

function readOptions(args: readonly string[]) {
  return readArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      set: { type: 'string', multiple: true, default: [] },
      layers: { type: 'string', default: '' },
      layout: { type: 'string', default: 'both' },
      threads: { type: 'string', default: '1' },
      time: { type: 'string', default: '300' },
      naive: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
}

const layoutsOf = (which: Layout | 'both'): Layout[] => (which === 'both' ? ['nchw', 'nhwc'] : [which]);

/** @returns the exit code */
export async function bench(args: readonly string[]): Promise<number> {
  const { values, positionals } = readOptions(args);
  if (values.help) {
    process.stdout.write(benchHelp);
    return 0;
  }
  if (values.json && values.markdown) throw new UsageError('--json and --markdown exclude each other');
  for (const name of values.set) oneOf('set', name, setNames);
  const time = wholeNumber('time', values.time);
  const layouts = layoutsOf(oneOf('layout', values.layout, ['nchw', 'nhwc', 'both']));
  const threads = values.threads === 'auto' ? 'auto' : wholeNumber('threads', values.threads);
  const named = [...values.set, ...positionals];
  const work = workOf(named.length > 0 ? named : defaultSets, values.layers);

  // Only now: help and wrong options need neither the engine nor what measures it.
  const [{ createEngine }, { ceilingProbe }, { settlingTime, turnsOf }, { runLayer }, { loadPeers }] = await Promise.all([
    import('../src/index.ts'),
    import('../bench/ceiling-probe.ts'),
    import('../bench/contest.ts'),
    import('../bench/runner.ts'),
    import('../bench/peers.ts'),
  ]);
  const { rounds, turn } = turnsOf(time);
  const peers = values.peers ? await loadPeers(work.map(({ shape }) => shape)) : [];
  const engine = await createEngine({ threads });
  const ceiling = await ceilingProbe();
  const machine = thisMachine();
  const quiet = values.json || values.markdown;
  say(machineLine(machine));
  say(engineLine(engine.info));
  const bar = progressBar(process.stderr, work.length);
  const layers: LayerReport[] = [];
  for (const { set, shape } of work) {
    bar.show(layers.length, `${set}: ${shape.name}`);
    const layer = await runLayer(set, shape, {
      engine,
      ceiling,
      layouts,
      naive: values.naive || flopsOf(shape) <= naiveMost,
      peers,
      rounds,
      turn,
      warmup: settlingTime,
    });
    layers.push(layer);
    bar.clear();
    if (!quiet) process.stdout.write(`${layerText(layer)}\n\n`);
    for (const remark of remarks(layer)) say(remark);
  }
  const { version, simd, threads: running } = engine.info;
  engine.dispose();

  // From its sources it is run by npm, which finds the peers of bench/.
  const fromSources = import.meta.url.endsWith('.ts');
  const command = fromSources ? commandLine(args, 'npm run --silent bench --') : commandLine(['bench', ...args]);
  const report: Report = {
    machine,
    engine: { version, simd, threads: running },
    peers: Object.fromEntries(peers.map((peer) => [peer.name, peer.version])),
    rounds,
    turn,
    layers,
    command,
  };
  const growth = growths(layers);
  if (values.json) process.stdout.write(`${JSON.stringify({ ...report, growth })}\n`);
  if (values.markdown) process.stdout.write(`${markdown(report, command)}\n`);
  if (!quiet && growth.length > 0) process.stdout.write(`${growthText(growth)}\n`);
  return layers.some(oursWrong) ? 1 : 0;
}
