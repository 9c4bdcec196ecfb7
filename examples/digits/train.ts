/**
 * Trains the network of network.ts on the MNIST training digits with the library's own kernels, and writes weights.json.
 *
 * Epochs, rate and distortions were chosen by the 5,000 training digits that are held out. The test digits are looked at once, at the end.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine } from '../../src/index.ts';
import { answerUsage, readFlags, UsageError, wholeNumber } from './command-line.ts';
import { loadTestDigits, loadTrainingDigits, part } from './data.ts';
import { parameterCount, weightsFile, weightsText } from './network.ts';
import { Progress } from './progress.ts';
import { accuracyOf, type Standing, train } from './training.ts';

const usage = `npm run train -- [options]

Trains the digit recogniser from random weights with convolution kernels in WebAssembly,
forwards and backwards, in about a minute and a half on one core. The same options
give the same weights to the bit.

  --epochs <n>   how often every training digit is seen (default 3)
  --seed <n>     of the first weights, the order and the distortions (default 1)
  --batch <n>    digits to a step (default 32)
  --limit <n>    train with only the first n digits (default 55000)
  --out <path>   where the weights are written (default examples/digits/weights.json)
  --json         one line of JSON on standard output
  --help         this text`;

const HELD_OUT = 5000;

interface Flags {
  readonly epochs: number;
  readonly seed: number;
  readonly batch: number;
  readonly limit: number;
  readonly out: string;
  readonly json: boolean;
  readonly help: boolean;
}

function commandLine(): Flags {
  const { values } = readFlags(() =>
    parseArgs({
      options: {
        epochs: { type: 'string', default: '3' },
        seed: { type: 'string', default: '1' },
        batch: { type: 'string', default: '32' },
        limit: { type: 'string', default: '55000' },
        out: { type: 'string', default: fileURLToPath(weightsFile) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }),
  );
  return {
    epochs: wholeNumber('--epochs', values.epochs, 1),
    seed: wholeNumber('--seed', values.seed, 0),
    batch: wholeNumber('--batch', values.batch, 1),
    limit: wholeNumber('--limit', values.limit, 1),
    out: resolve(values.out),
    json: values.json,
    help: values.help,
  };
}

/** Tells before two minutes of training, not after them, that the weights have no place to go. */
function checkTarget(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`the weights cannot be written: ${path} is a folder`);
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw new UsageError(`the weights cannot be written: ${(error as Error).message}`);
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** One bar for every epoch. */
function watcher(epochs: number): (standing: Standing) => void {
  let progress: Progress | undefined;
  return ({ epoch, step, steps, loss, accuracy }) => {
    if (step === 1) progress = new Progress(`epoch ${epoch} of ${epochs}`, steps);
    progress?.show(step, `, loss ${loss.toFixed(4)}, ${percent(accuracy).padStart(8)} read right`);
  };
}

async function main(): Promise<void> {
  const { epochs, seed, batch, limit, out, json, help } = commandLine();
  if (help) {
    console.log(usage);
    return;
  }
  checkTarget(out);
  const start = performance.now();
  const all = loadTrainingDigits();
  const most = all.count - HELD_OUT;
  if (limit > most) throw new UsageError(`--limit must be at most ${most}, got '${limit}'`);
  if (batch > limit) throw new UsageError(`--batch must be at most ${limit}, the digits to train with, got '${batch}'`);
  // Plain SIMD: fused multiply-add, where the host has it, would end in other bits.
  const engine = await createEngine({ relaxedSimd: false });
  process.stderr.write(`${parameterCount} parameters, ${limit} digits, batches of ${batch}, seed ${seed}\n`);

  const layers = train(engine, part(all, 0, limit), { seed, epochs, batch }, watcher(epochs));
  const heldOut = accuracyOf(engine, layers, part(all, most, all.count));
  const test = loadTestDigits();
  const accuracy = accuracyOf(engine, layers, test);
  const text = weightsText({ seed, epochs, accuracy, layers });
  writeFileSync(out, text);
  const seconds = (performance.now() - start) / 1000;

  process.stderr.write(`${percent(heldOut)} of the ${HELD_OUT} digits held out, ${percent(accuracy)} of the ${test.count} test digits\n`);
  process.stderr.write(`${seconds.toFixed(1)} s; weights in ${relative(process.cwd(), out)}\n`);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const result = { accuracy, heldOut, digits: limit, epochs, batch, seed, seconds: Number(seconds.toFixed(1)), sha256 };
  if (json) console.log(JSON.stringify(result));
}

try {
  await main();
} catch (error) {
  answerUsage(error, usage);
}
