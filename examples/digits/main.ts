/** The main job: recognises the 10,000 test digits of MNIST, or one in an image file, and shows what each kernel sees. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine } from '../../src/index.ts';
import { type Digits, loadTestDigits, PIXELS, SIDE } from './data.ts';
import { ImageError, readDigit } from './image.ts';
import { argmax, CLASSES, layers, loadWeights, Network, parameterCount, softmax, type Weights } from './network.ts';
import { digitsPage, type Misread } from './page.ts';
import { bar, blockPicture, sideBySide } from './picture.ts';
import { PlainNetwork } from './plain-js.ts';
import { Progress } from './progress.ts';

const usage = `npm start -- [options]

Recognises the 10,000 handwritten test digits of MNIST with convolution kernels in
WebAssembly, compares the speed with plain JavaScript, and writes digits.html.

  --digit <path>   recognise the digit in a PNG or JPEG file instead
  --index <n>      the test digit that is shown (default 0)
  --limit <n>      recognise only the first n test digits
  --json           one line of JSON on standard output, and nothing else
  --help           this text`;

/** Everything people read; out of the way of the one line of JSON. */
function say(text: string, json: boolean): void {
  (json ? process.stderr : process.stdout).write(`${text}\n`);
}

function showDigit(image: Float32Array, maps: Float32Array | undefined, logits: Float32Array, json: boolean): void {
  say(blockPicture(image, SIDE).join('\n'), json);
  if (maps) {
    const pictures = Array.from({ length: layers[0]?.outC ?? 0 }, (_, c) => ({
      title: `kernel ${c}`,
      lines: blockPicture(maps.subarray(c * PIXELS, (c + 1) * PIXELS), SIDE),
    }));
    say('\nWhat the kernels of the first layer see in it:\n', json);
    for (let i = 0; i < pictures.length; i += 3) say(`${sideBySide(pictures.slice(i, i + 3))}\n`, json);
  }
  const probabilities = softmax(logits);
  const best = argmax(probabilities);
  say(`This is a ${best}.\n`, json);
  probabilities.forEach((p, digit) => {
    say(`  ${digit} ${bar(p, 40)} ${(100 * p).toFixed(2).padStart(6)} %`, json);
  });
}

/** Images a second of both, best of several short turns taken one after the other; copies in and out included. */
function race(network: Network, plain: PlainNetwork, images: Float32Array, count: number): { wasm: number; js: number } {
  const rate = (contestant: Network | PlainNetwork, n: number): number => {
    const start = performance.now();
    contestant.logits(images, n);
    return (1000 * n) / (performance.now() - start);
  };
  const progress = new Progress('measuring the speed', 12);
  let [wasm, js] = [0, 0];
  for (let round = 0; round < 12; round++) {
    wasm = Math.max(wasm, rate(network, Math.min(count, 1000)));
    js = Math.max(js, rate(plain, Math.min(count, 200)));
    progress.show(round + 1);
  }
  return { wasm, js };
}

function recognise(network: Network, { images }: Digits, count: number): Float32Array {
  const progress = new Progress('recognising', count);
  const logits = new Float32Array(count * CLASSES);
  for (let first = 0; first < count; first += 250) {
    const size = Math.min(250, count - first);
    logits.set(network.logits(images.subarray(first * PIXELS, (first + size) * PIXELS), size), first * CLASSES);
    progress.show(first + size);
  }
  return logits;
}

async function oneDigit(path: string, network: Network, json: boolean): Promise<void> {
  const image = await readDigit(path);
  const logits = network.logits(image, 1);
  showDigit(image, undefined, logits, json);
  const probabilities = softmax(logits);
  if (json)
    console.log(JSON.stringify({ digit: argmax(probabilities), probabilities: [...probabilities].map((p) => Number(p.toFixed(6))) }));
}

async function testSet(weights: Weights, network: Network, index: number, limit: number, json: boolean): Promise<void> {
  const digits = loadTestDigits();
  if (index >= digits.count) throw new RangeError(`--index must be below ${digits.count}`);
  const count = Math.min(limit, digits.count);
  const image = digits.images.subarray(index * PIXELS, (index + 1) * PIXELS);
  const featureMaps = network.featureMaps(image);
  say(`Test digit ${index} of MNIST, labelled ${digits.labels[index]}:\n`, json);
  const shown = featureMaps[layers.length - 1] as Float32Array;
  showDigit(image, featureMaps[0], shown, json);

  say(
    `\n${layers.length} convolutions, ${parameterCount} parameters, trained with seed ${weights.seed} for ${weights.epochs} epochs.\n`,
    json,
  );
  const logits = recognise(network, digits, count);
  const confusion = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  const misread: Misread[] = [];
  for (let i = 0; i < count; i++) {
    const probabilities = softmax(logits.subarray(i * CLASSES, (i + 1) * CLASSES));
    const read = argmax(probabilities);
    const label = digits.labels[i] as number;
    const row = confusion[label] as number[];
    row[read] = (row[read] as number) + 1;
    if (read !== label) {
      misread.push({
        index: i,
        image: digits.images.subarray(i * PIXELS, (i + 1) * PIXELS),
        label,
        read,
        probability: probabilities[read] as number,
      });
    }
  }
  const { wasm, js } = race(network, new PlainNetwork(weights), digits.images, count);
  const accuracy = 1 - misread.length / count;
  const rate = (n: number): string => `${Math.round(n).toLocaleString('en-US').padStart(8)} images a second`;
  say(`\n${count - misread.length} of ${count} digits read right: ${(100 * accuracy).toFixed(2)} %`, json);
  say(`WebAssembly      ${rate(wasm)}\nplain JavaScript ${rate(js)}\nratio            ${(wasm / js).toFixed(1).padStart(8)}`, json);

  const page = fileURLToPath(new URL('../../digits.html', import.meta.url));
  const html = await digitsPage({
    weights,
    index,
    image,
    label: digits.labels[index] as number,
    probabilities: softmax(shown),
    featureMaps,
    digits: count,
    confusion,
    misread,
    imagesPerSecond: wasm,
    jsImagesPerSecond: js,
  });
  writeFileSync(page, html);
  say(`\nOpen ${relative(process.cwd(), page)} in a browser to see every kernel and every feature map.`, json);
  if (json) {
    const rounded = (n: number, digitsBehind: number): number => Number(n.toFixed(digitsBehind));
    console.log(
      JSON.stringify({
        accuracy: rounded(accuracy, 6),
        digits: count,
        imagesPerSecond: rounded(wasm, 1),
        jsImagesPerSecond: rounded(js, 1),
        ratio: rounded(wasm / js, 2),
      }),
    );
  }
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`${name} must be a whole number of at least ${least}, got '${text}'`);
  return value;
}

function commandLine(): { digit?: string; index: number; limit: number; json: boolean; help: boolean } {
  const { values } = parseArgs({
    options: {
      digit: { type: 'string' },
      index: { type: 'string', default: '0' },
      limit: { type: 'string', default: '10000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, index: wholeNumber('--index', values.index, 0), limit: wholeNumber('--limit', values.limit, 1) };
}

async function main(): Promise<void> {
  const { digit, index, limit, json, help } = commandLine();
  if (help) {
    console.log(usage);
    return;
  }
  const weights = loadWeights();
  const engine = await createEngine();
  const network = new Network(engine, weights);
  if (digit !== undefined) await oneDigit(digit, network, json);
  else await testSet(weights, network, index, limit, json);
}

try {
  await main();
} catch (error) {
  // What the user gave is answered in a line; anything else is a fault of ours and keeps its stack.
  const given =
    error instanceof RangeError || (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  if (error instanceof ImageError) process.stderr.write(`${error.message}\n`);
  else if (given) process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
  else throw error;
  process.exitCode = given ? 2 : 1;
}
