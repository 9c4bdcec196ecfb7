/** The main job: recognises the 10,000 test digits of MNIST, or one in an image file, and shows what each kernel sees. */
import { writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine } from '../../src/index.ts';
import { answerUsage, readFlags, UsageError, wholeNumber } from './command-line.ts';
import { loadTestDigits, PIXELS, SIDE } from './data.ts';
import { ImageError, readDigit } from './image.ts';
import { argmax, layers, loadWeights, Network, parameterCount, softmax, type Weights } from './network.ts';
import { digitsPage } from './page.ts';
import { bar, blockPicture, sideBySide } from './picture.ts';
import { PlainNetwork } from './plain-js.ts';
import { race } from './race.ts';
import { readTestSet } from './test-set.ts';

const usage = `npm start -- [options]

Recognises the 10,000 handwritten test digits of MNIST with convolution kernels in
WebAssembly, compares the speed with plain JavaScript, and writes digits.html.

  --digit <path>   recognise the digit in a PNG or JPEG file instead
  --index <n>      the test digit that is shown (default 0)
  --limit <n>      recognise only the first n test digits
  --page <path>    where the page is written (default digits.html in the repository)
  --json           one line of JSON on standard output, and nothing else
  --help           this text`;

interface Flags {
  readonly digit: string | undefined;
  readonly index: number;
  readonly limit: number;
  readonly page: string;
  readonly json: boolean;
  readonly help: boolean;
}

function commandLine(): Flags {
  const { values } = readFlags(() =>
    parseArgs({
      options: {
        digit: { type: 'string' },
        index: { type: 'string', default: '0' },
        limit: { type: 'string', default: '10000' },
        page: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }),
  );
  return {
    ...values,
    digit: values.digit,
    index: wholeNumber('--index', values.index, 0),
    limit: wholeNumber('--limit', values.limit, 1),
    page: values.page === undefined ? fileURLToPath(new URL('../../digits.html', import.meta.url)) : resolve(values.page),
  };
}

type Say = (text: string) => void;

function showProbabilities(probabilities: Float32Array, say: Say): void {
  say(`This is a ${argmax(probabilities)}.\n`);
  probabilities.forEach((p, digit) => {
    say(`  ${digit} ${bar(p, 40)} ${(100 * p).toFixed(2).padStart(6)} %`);
  });
}

function showFeatureMaps(maps: Float32Array, say: Say): void {
  const pictures = Array.from({ length: maps.length / PIXELS }, (_, c) => ({
    title: `kernel ${c}`,
    lines: blockPicture(maps.subarray(c * PIXELS, (c + 1) * PIXELS), SIDE),
  }));
  say('\nWhat the kernels of the first layer see in it:\n');
  for (let i = 0; i < pictures.length; i += 3) say(`${sideBySide(pictures.slice(i, i + 3))}\n`);
}

async function oneDigit(path: string, network: Network, json: boolean, say: Say): Promise<void> {
  const image = await readDigit(path);
  const probabilities = softmax(network.logits(image, 1));
  say(blockPicture(image, SIDE).join('\n'));
  showProbabilities(probabilities, say);
  const rounded = [...probabilities].map((p) => Number(p.toFixed(6)));
  if (json) console.log(JSON.stringify({ label: argmax(probabilities), probabilities: rounded }));
}

function writePage(path: string, html: string): void {
  try {
    writeFileSync(path, html);
  } catch (error) {
    throw new UsageError(`the page cannot be written: ${(error as Error).message}`);
  }
}

async function testSet(weights: Weights, network: Network, { index, limit, page, json }: Flags, say: Say): Promise<void> {
  const digits = loadTestDigits();
  if (index >= digits.count) throw new UsageError(`--index must be below ${digits.count}, got '${index}'`);
  const image = digits.images.subarray(index * PIXELS, (index + 1) * PIXELS);
  const label = digits.labels[index] as number;
  const featureMaps = network.featureMaps(image);
  const probabilities = softmax(featureMaps[layers.length - 1] as Float32Array);
  say(`Test digit ${index} of MNIST, labelled ${label}:\n`);
  say(blockPicture(image, SIDE).join('\n'));
  showFeatureMaps(featureMaps[0] as Float32Array, say);
  showProbabilities(probabilities, say);
  const { seed, epochs } = weights;
  say(`\n${layers.length} convolutions, ${parameterCount} parameters, trained with seed ${seed} for ${epochs} epochs.\n`);

  const reading = readTestSet(network, digits, Math.min(limit, digits.count));
  const { count, accuracy, misread } = reading;
  const rates = race(network, new PlainNetwork(weights), digits.images, count);
  const ratio = rates.wasm / rates.js;
  const each = (rate: number): string => `${Math.round(rate).toLocaleString('en-US').padStart(8)} images a second`;
  const turns = (n: number): string => `(best of ${rates.rounds} turns of ${n} images)`;
  say(`\n${count - misread.length} of ${count} digits read right: ${(100 * accuracy).toFixed(2)} %`);
  say(`WebAssembly      ${each(rates.wasm)} ${turns(rates.wasmDigits)}`);
  say(`plain JavaScript ${each(rates.js)} ${turns(rates.jsDigits)}`);
  say(`ratio            ${ratio.toFixed(1).padStart(8)}`);

  writePage(page, await digitsPage({ weights, index, image, label, probabilities, featureMaps, reading, rates }));
  say(`\nOpen ${relative(process.cwd(), page)} in a browser to see every kernel and every feature map.`);
  const rounded = (n: number, digitsBehind: number): number => Number(n.toFixed(digitsBehind));
  const result = {
    accuracy: rounded(accuracy, 6),
    digits: count,
    imagesPerSecond: rounded(rates.wasm, 1),
    jsImagesPerSecond: rounded(rates.js, 1),
    ratio: rounded(ratio, 2),
  };
  if (json) console.log(JSON.stringify(result));
}

async function main(): Promise<void> {
  const flags = commandLine();
  if (flags.help) {
    console.log(usage);
    return;
  }
  // What people read goes out of the way of the one line of JSON.
  const say: Say = (text) => (flags.json ? process.stderr : process.stdout).write(`${text}\n`);
  const weights = loadWeights();
  const network = new Network(await createEngine(), weights);
  if (flags.digit === undefined) await testSet(weights, network, flags, say);
  else await oneDigit(flags.digit, network, flags.json, say);
}

try {
  await main();
} catch (error) {
  if (error instanceof ImageError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else answerUsage(error, usage);
}
