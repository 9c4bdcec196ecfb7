/** Two engines on the same layers, in turns, on engine tensors and from arrays to a fresh array: what their commands share. */
import { oneOf, readArgs, say, wholeNumber } from '../cli/usage.ts';
import { workOf } from '../cli/work.ts';
import type { Engine } from '../src/index.ts';
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

export const sharedHelp = `  set or file          ${setNames.join(', ')}, or a path`;

export const sharedOptionsHelp = `  --layers <text>      only layers whose name or words hold the text
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
  /** Milliseconds of a call on the first engine, and how many times as fast the second is: by rounds, their median. */
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

export interface TwoEngines {
  readonly help: string;
  /** Sets, where none is named. */
  readonly sets: readonly string[];
  /** An option of this command alone, and what it is without. */
  readonly own?: { readonly name: string; readonly default: string };
  /** @param own what was given for that option */
  open(own: string): Promise<readonly [first: Engine, second: Engine]>;
  /** What the second is called in the heads of the table. */
  title(second: Engine): string;
}

/** The whole command. @returns its exit code */
export async function compareEngines({ help, sets, own, open, title }: TwoEngines): Promise<number> {
  const { values, positionals } = readArgs({
    allowPositionals: true,
    options: {
      ...(own === undefined ? {} : { [own.name]: { type: 'string', default: own.default } as const }),
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
  const layers = workOf(positionals.length > 0 ? positionals : sets, values.layers);
  const work = layers.flatMap(({ shape }) => layouts.map((layout) => ({ shape, layout })));
  const given = (values as Readonly<Record<string, unknown>>)[own?.name ?? ''];
  const engines = await open(typeof given === 'string' ? given : '');
  const [ceiling, machine] = [await ceilingProbe(), thisMachine()];
  const [, { info }] = engines;
  say(machineLine(machine));
  say(engineLine(info));
  const bar = progressBar(process.stderr, work.length);
  const rows: Row[] = [];
  for (const { shape, layout } of work) {
    bar.show(rows.length, `${shape.name}, ${layout}`);
    const problem = makeProblem(shape);
    const contestants = engines.flatMap((engine) => [ourTensors(engine, problem, layout), ourArrays(engine, problem, layout)]);
    // Contestants of one name are told apart by their place.
    const named = contestants.map(({ run }, i) => ({ name: String(i), run }));
    const { times } = await contest(named, ceiling, { ...turns, warmup: settlingTime });
    for (const contestant of contestants) contestant.dispose();
    const [tensors = [], arrays = [], tensorsOfSecond = [], arraysOfSecond = []] = times.map(({ rounds }) => rounds);
    rows.push({
      layer: shape.name,
      layout,
      flops: flopsOf(shape),
      tensors: median(tensors),
      tensorsRatio: median(ratiosOf(tensors, tensorsOfSecond)),
      arrays: median(arrays),
      arraysRatio: median(ratiosOf(arrays, arraysOfSecond)),
    });
    bar.clear();
  }
  const all = means(rows);
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, engine: info, layers: rows, means: all })}\n`);
  else {
    const ratio = `${title(engines[1])} ×`;
    const cells = rows.map((row) => [
      row.layer,
      row.layout,
      timeText(row.tensors),
      digits3(row.tensorsRatio),
      timeText(row.arrays),
      digits3(row.arraysRatio),
    ]);
    const large = all.largeTensors === undefined ? '' : `, of layers above 100 Mflop ${digits3(all.largeTensors)}`;
    process.stdout.write(`${alignedTable([['layer', 'layout', 'tensors', ratio, 'arrays', ratio], ...cells])}\n
geometric mean: tensors ${digits3(all.tensors)}${large}, arrays ${digits3(all.arrays)}; least on tensors ${digits3(all.least)}\n`);
  }
  for (const engine of engines) engine.dispose();
  return 0;
}
