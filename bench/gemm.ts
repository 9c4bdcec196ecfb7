/** The command: layers by the GEMM against its bare register tile, in turns. `--help` says how. */
import { failure, readArgs, say, UsageError, wholeNumber } from '../cli/usage.ts';
import { workOf } from '../cli/work.ts';
import { createEngine } from '../src/index.ts';
import { bareTile } from './bare-tile.ts';
import { callsOf } from './calls.ts';
import { contest, settlingTime, turnsOf } from './contest.ts';
import { engineLine, machineLine, thisMachine } from './machine.ts';
import { flopsOf } from './operations.ts';
import { onTensors } from './ours.ts';
import { type Layout, makeProblem } from './problem.ts';
import type { LayerShape } from './shapes.ts';
import { median, spread } from './stats.ts';
import { alignedTable, digits3, percent, timeText } from './tables.ts';

const help = `Usage: npm run bench:gemm -- [set or file …] [options]

Times convolutions on engine tensors with algorithm 'gemm', in turns with the register tile that they are made of, alone in L1.
Layers whose matrices have less than 64 rows, columns or products to a sum are left out; without a set: core.

  --layers <text>      only layers whose name or words hold the text
  --time <ms>          how long each is timed, about, in all (default 300)
  --json               one JSON object on standard output
  --help               this text

Exit code: 0, 1 when something failed, 2 for a wrong option.
`;

/** What is too small to fill the tile. */
const least = 64;

function isLarge({ operation, groups, inC, outC, axes }: LayerShape): boolean {
  const pixels = axes.reduce((product, { output }) => product * output, 1);
  const taps = axes.reduce((product, { kernel }) => product * kernel, 1);
  return operation === 'conv' && groups === 1 && Math.min(pixels, outC, inC * taps) >= least;
}

async function main(): Promise<number> {
  const { values, positionals } = readArgs({
    allowPositionals: true,
    options: {
      layers: { type: 'string', default: '' },
      time: { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const time = wholeNumber('time', values.time);
  const work = workOf(positionals.length > 0 ? positionals : ['core'], values.layers).filter(({ shape }) => isLarge(shape));
  if (work.length === 0) throw new UsageError(`no such layer has matrices of ${least} and more`);
  const engine = await createEngine();
  const tile = await bareTile(engine.info.simd === 'relaxed');
  const machine = thisMachine();
  say(machineLine(machine));
  say(engineLine(engine.info));
  const rows: { layer: string; layout: Layout; milliseconds: number; gflops: number; ofTile: number; spread: number }[] = [];
  for (const { shape } of work) {
    const problem = makeProblem(shape);
    for (const layout of ['nchw', 'nhwc'] as const) {
      const contestant = onTensors(engine, `${layout} tensors`, problem, layout, callsOf(engine, problem, layout, { algorithm: 'gemm' }));
      const { times, ceiling } = await contest([contestant], tile, { ...turnsOf(time), warmup: settlingTime });
      contestant.dispose();
      const [{ rounds } = { rounds: [] }] = times;
      const flops = flopsOf(shape);
      const ofTile = median(rounds.map((milliseconds, i) => flops / milliseconds / 1e6 / (ceiling[i] as number)));
      const milliseconds = median(rounds);
      rows.push({ layer: shape.name, layout, milliseconds, gflops: flops / milliseconds / 1e6, ofTile, spread: spread(rounds) });
    }
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, engine: engine.info, layers: rows })}\n`);
  else {
    const heads = ['layer', 'layout', 'median', 'spread', 'GFLOP/s', 'of bare tile'];
    const cells = rows.map((row) => [
      row.layer,
      row.layout,
      timeText(row.milliseconds),
      percent(row.spread),
      digits3(row.gflops),
      percent(row.ofTile),
    ]);
    process.stdout.write(`${alignedTable([heads, ...cells])}\n`);
  }
  return 0;
}

process.exitCode = await main().catch((error) => failure(error, help));
