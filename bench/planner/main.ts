/** The command: what the planner chooses against every algorithm forced by hand, on each layer. `--help` says how. */
import { commandLine } from '../../cli/command-line.ts';
import { failure, oneOf, readArgs, say, UsageError, wholeNumber } from '../../cli/usage.ts';
import { workOf } from '../../cli/work.ts';
import { settlingTime, turnsOf } from '../contest.ts';
import { engineLine, machineLine, thisMachine } from '../machine.ts';
import type { Layout } from '../problem.ts';
import { progressBar } from '../progress.ts';
import { setNames } from '../sets.ts';
import { markdown, summaryText, verdictText } from './tables.ts';
import { summary, type Verdict } from './verdict.ts';

/** Of the networks those whose calls all together are below 10 Gflop: seconds of computing for each contestant, whatever its turns. */
const usualSets = ['core', 'digits', 'resnet50', 'mobilenetv2', 'efficientnet-b0', 'shufflenet', 'dcgan'];

const help = `Usage: npm run bench:planner -- [set or file …] [options]

Times each layer as the planner computes it ('auto') and by every algorithm that serves it and computes it otherwise, in turns: prepared, on
engine tensors. A layer on which 'auto' comes out more than 5 % behind the best of them is measured once more, with everything made anew, and
the milder result counts.

  set or file          ${setNames.join(', ')}, or a path (default ${usualSets.join(', ')})
  --layers <text>      only layers whose name or words hold the text
  --layout <which>     nchw, nhwc or both (default both)
  --accuracy <name>    exact, normal or fast (default normal)
  --time <ms>          how long each contestant is timed on a layer, about, in all (default 300); a call that takes longer is made 15 times
  --json               one JSON object on standard output
  --markdown           a table on standard output
  --help               this text

Everything but the figures goes to standard error. Exit code: 0, 1 when something failed, or 'auto' was more than 5 % behind in three of four
rounds at least, both times; 2 for a wrong option.
`;

function readOptions() {
  return readArgs({
    allowPositionals: true,
    options: {
      layers: { type: 'string', default: '' },
      layout: { type: 'string', default: 'both' },
      accuracy: { type: 'string', default: 'normal' },
      time: { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
}

async function main(): Promise<number> {
  const { values, positionals } = readOptions();
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.json && values.markdown) throw new UsageError('--json and --markdown exclude each other');
  const accuracy = oneOf('accuracy', values.accuracy, ['exact', 'normal', 'fast']);
  const which = oneOf('layout', values.layout, ['nchw', 'nhwc', 'both']);
  const layouts: readonly Layout[] = which === 'both' ? ['nchw', 'nhwc'] : [which];
  const { rounds, turn } = turnsOf(wholeNumber('time', values.time));
  const layers = workOf(positionals.length > 0 ? positionals : usualSets, values.layers);
  const work = layers.flatMap((layer) => layouts.map((layout) => ({ ...layer, layout })));
  const quiet = values.json || values.markdown;

  // Only now: help and wrong options need neither the engine nor what measures it.
  const [{ createEngine }, { ceilingProbe }, { raceLayer }] = await Promise.all([
    import('../../src/index.ts'),
    import('../ceiling-probe.ts'),
    import('./race.ts'),
  ]);
  const [engine, ceiling, machine] = [await createEngine(), await ceilingProbe(), thisMachine()];
  say(machineLine(machine));
  say(engineLine(engine.info));
  const bar = progressBar(process.stderr, work.length);
  const verdicts: Verdict[] = [];
  for (const { set, shape, layout } of work) {
    bar.show(verdicts.length, `${set}: ${shape.name}, ${layout}`);
    const verdict = await raceLayer(set, shape, layout, { engine, ceiling, accuracy, rounds, turn, warmup: settlingTime });
    verdicts.push(verdict);
    bar.clear();
    if (!quiet) process.stdout.write(`${verdictText(verdict)}\n`);
  }
  const { version, simd } = engine.info;
  engine.dispose();

  const all = summary(verdicts);
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ machine, engine: { version, simd }, accuracy, rounds, turn, layers: verdicts, summary: all })}\n`,
    );
  } else if (values.markdown) {
    const what = `wasm-conv ${version} (${simd}), accuracy '${accuracy}', ${rounds} rounds, turns of ${turn} ms`;
    process.stdout.write(`${markdown(machine, what, verdicts, commandLine(process.argv.slice(2), 'npm run --silent bench:planner --'))}\n`);
  } else process.stdout.write(`\n${summaryText(verdicts)}\n`);
  return all.behind > 0 ? 1 : 0;
}

process.exitCode = await main().catch((error) => failure(error, help));
