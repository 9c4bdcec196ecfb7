/** The command: several threads against one, in turns, on engine tensors and on arrays. `--help` says how. */
import { failure, oneOf, readArgs, say, wholeNumber } from '../cli/usage.ts';
import { workOf } from '../cli/work.ts';
import { createEngine } from '../src/index.ts';
import { ceilingProbe } from './ceiling-probe.ts';
import { contest, settlingTime, turnsOf } from './contest.ts';
import { engineLine, machineLine, thisMachine } from './machine.ts';
import { flopsOf } from './operations.ts';
import { ourArrays, ourTensors } from './ours.ts';
import { type Layout, makeProblem } from './problem.ts';
import { progressBar } from './progress.ts';
import { setNames } from './sets.ts';
import { geometricMean, median, ratiosOf } from './stats.ts';
import { alignedTable, digits3, timeText } from './tables.ts';

const help = `Usage: npm run bench:threads -- [set or file …] [options]

Times each layer, prepared, on one thread and on several, in turns: on engine tensors, and from arrays to a fresh array.

  set or file          ${setNames.join(', ')}, or a path (default resnet50)
  --threads <n|auto>   of the other engine, the calling one included (default auto)
  --layers <text>      only layers whose name or words hold the text
  --layout <which>     nchw, nhwc or both (default both)
  --time <ms>          how long each is timed on a layer, about, in all (default 300)
  --json               one JSON object on standard output
  --help               this text

Everything but the figures goes to standard error. Exit code: 0, 1 when something failed, 2 for a wrong option.
`;

/** From this work on a layer is large. */
const LARGE = 100e6;

interface Row {
  readonly layer: string;
  readonly layout: Layout;
  readonly flops: number;
  /** Milliseconds of a call on one thread, and how many times as fast the others are: by rounds, their median. */
  readonly tensors: number;
  readonly tensorsRatio: number;
  readonly arrays: number;
  readonly arraysRatio: number;
}

function means(rows: readonly Row[]) {
  const large = rows.filter(({ flops }) => flops >= LARGE);
  const mean = (of: readonly Row[], ratio: (row: Row) => number): number => geometricMean(of.map(ratio));
  return {
    tensors: mean(rows, (row) => row.tensorsRatio),
    arrays: mean(rows, (row) => row.arraysRatio),
    ...(large.length > 0 ? { largeTensors: mean(large, (row) => row.tensorsRatio) } : {}),
    least: Math.min(...rows.map((row) => row.tensorsRatio)),
  };
}

async function main(): Promise<number> {
  const { values, positionals } = readArgs({
    allowPositionals: true,
    options: {
      threads: { type: 'string', default: 'auto' },
      layers: { type: 'string', default: '' },
      layout: { type: 'string', default: 'both' },
      time: { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const which = oneOf('layout', values.layout, ['nchw', 'nhwc', 'both']);
  const layouts: readonly Layout[] = which === 'both' ? ['nchw', 'nhwc'] : [which];
  const turns = turnsOf(wholeNumber('time', values.time));
  const threads = values.threads === 'auto' ? 'auto' : wholeNumber('threads', values.threads);
  const layers = workOf(positionals.length > 0 ? positionals : ['resnet50'], values.layers);
  const work = layers.flatMap(({ shape }) => layouts.map((layout) => ({ shape, layout })));
  const [one, several, ceiling, machine] = [await createEngine(), await createEngine({ threads }), await ceilingProbe(), thisMachine()];
  say(machineLine(machine));
  say(engineLine(several.info));
  const bar = progressBar(process.stderr, work.length);
  const rows: Row[] = [];
  for (const { shape, layout } of work) {
    bar.show(rows.length, `${shape.name}, ${layout}`);
    const problem = makeProblem(shape);
    const contestants = [one, several].flatMap((engine) => [ourTensors(engine, problem, layout), ourArrays(engine, problem, layout)]);
    // Contestants of one name are told apart by their place.
    const named = contestants.map(({ run }, i) => ({ name: String(i), run }));
    const { times } = await contest(named, ceiling, { ...turns, warmup: settlingTime });
    for (const contestant of contestants) contestant.dispose();
    const [tensors = [], arrays = [], tensorsOfSeveral = [], arraysOfSeveral = []] = times.map(({ rounds }) => rounds);
    rows.push({
      layer: shape.name,
      layout,
      flops: flopsOf(shape),
      tensors: median(tensors),
      tensorsRatio: median(ratiosOf(tensors, tensorsOfSeveral)),
      arrays: median(arrays),
      arraysRatio: median(ratiosOf(arrays, arraysOfSeveral)),
    });
    bar.clear();
  }
  const { info } = several;
  one.dispose();
  several.dispose();
  const all = means(rows);
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ machine, engine: info, layers: rows, means: all })}\n`);
    return 0;
  }
  const heads = ['layer', 'layout', 'tensors', `${info.threads} threads ×`, 'arrays', `${info.threads} threads ×`];
  const cells = rows.map((row) => [
    row.layer,
    row.layout,
    timeText(row.tensors),
    digits3(row.tensorsRatio),
    timeText(row.arrays),
    digits3(row.arraysRatio),
  ]);
  const large = all.largeTensors === undefined ? '' : `, of layers above 100 Mflop ${digits3(all.largeTensors)}`;
  process.stdout.write(`${alignedTable([heads, ...cells])}\n
geometric mean: tensors ${digits3(all.tensors)}${large}, arrays ${digits3(all.arrays)}; least on tensors ${digits3(all.least)}\n`);
  return 0;
}

process.exitCode = await main().catch((error) => failure(error, help));
