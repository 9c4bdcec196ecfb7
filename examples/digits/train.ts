/**
 * Trains the network of network.ts on the 60,000 MNIST training digits with the library's own kernels, and writes weights.json.
 *
 * Weights are chosen by nothing but the number of epochs: 5,000 training digits are held out to watch the progress, and the test digits
 * are looked at once, at the end.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine, type Engine } from '../../src/index.ts';
import { Adam } from './adam.ts';
import { augment } from './augment.ts';
import { answerUsage, readFlags, UsageError, wholeNumber } from './command-line.ts';
import { loadTestDigits, loadTrainingDigits, PIXELS } from './data.ts';
import { initialWeights, lossAndGradients } from './loss.ts';
import { argmax, CLASSES, type LayerWeights, layers, Network, parameterCount, type WeightsFile, weightsFile } from './network.ts';
import { randomNumbers } from './random.ts';

const usage = `npm run train -- [options]

Trains the digit recogniser with the library's own kernels. About 80 seconds an epoch on one core: a quarter of an hour in all.

  --epochs <n>   how often every training digit is seen (default 10)
  --seed <n>     of the first weights, the order and the distortions (default 1)
  --batch <n>    digits to a step (default 64)
  --out <path>   where the weights are written (default examples/digits/weights.json)
  --help         this text`;

const HELD_OUT = 5000;
const PEAK_RATE = 0.002;

function accuracy(engine: Engine, weights: readonly LayerWeights[], images: Float32Array, labels: Uint8Array): number {
  const network = new Network(engine, { seed: 0, epochs: 0, accuracy: 0, layers: weights });
  const logits = network.logits(images, labels.length);
  network.dispose();
  return labels.filter((label, i) => argmax(logits.subarray(i * CLASSES, (i + 1) * CLASSES)) === label).length / labels.length;
}

function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

async function train(epochs: number, seed: number, batch: number, to: URL): Promise<void> {
  const engine = await createEngine();
  const random = randomNumbers(seed);
  const digits = loadTrainingDigits();
  const weights = initialWeights(random);
  const adam = new Adam(weights.flatMap(({ weight, bias }) => [weight, bias]));
  const order = shuffled(digits.count, random);
  const heldOut = order.splice(0, HELD_OUT);
  const heldImages = new Float32Array(HELD_OUT * PIXELS);
  for (const [i, d] of heldOut.entries()) heldImages.set(digits.images.subarray(d * PIXELS, (d + 1) * PIXELS), i * PIXELS);
  const heldLabels = Uint8Array.from(heldOut, (d) => digits.labels[d] as number);
  const steps = Math.floor(order.length / batch);
  if (steps === 0) throw new UsageError(`--batch must be at most ${order.length}, the digits to train with`);
  const total = epochs * steps;
  process.stderr.write(`${parameterCount} parameters, ${order.length} digits, ${epochs} epochs of ${steps} steps, seed ${seed}\n`);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const turn = shuffled(order.length, random);
    const images = new Float32Array(batch * PIXELS);
    let mean = 0;
    const start = performance.now();
    for (let step = 0; step < steps; step++) {
      const chosen = turn.slice(step * batch, (step + 1) * batch).map((i) => order[i] as number);
      for (const [i, d] of chosen.entries()) {
        augment(digits.images.subarray(d * PIXELS, (d + 1) * PIXELS), images.subarray(i * PIXELS, (i + 1) * PIXELS), random);
      }
      const { loss, gradients } = lossAndGradients(
        engine,
        weights,
        images,
        chosen.map((d) => digits.labels[d] as number),
      );
      const done = (epoch * steps + step) / total;
      adam.update(gradients, PEAK_RATE * Math.min(1, done * 20) * 0.5 * (1 + Math.cos(Math.PI * done)));
      mean += loss / steps;
      if (process.stderr.isTTY && step % 20 === 0)
        process.stderr.write(`\repoch ${epoch + 1}: ${((100 * step) / steps).toFixed(0)} %, loss ${loss.toFixed(3)}   `);
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const held = accuracy(engine, weights, heldImages, heldLabels);
    process.stderr.write(
      `\repoch ${epoch + 1} of ${epochs}: loss ${mean.toFixed(4)}, held out ${(100 * held).toFixed(2)} %, ${seconds} s\n`,
    );
  }
  const test = loadTestDigits();
  const reached = accuracy(engine, weights, test.images, test.labels);
  const text = (values: Float32Array): string => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
  const file: WeightsFile = {
    seed,
    epochs,
    accuracy: reached,
    layers: layers.map(({ name }, i) => ({
      name,
      weight: text((weights[i] as LayerWeights).weight),
      bias: text((weights[i] as LayerWeights).bias),
    })),
  };
  writeFileSync(to, `${JSON.stringify(file, null, 1)}\n`);
  process.stderr.write(
    `seed ${seed}, ${epochs} epochs: ${(100 * reached).toFixed(2)} % of the ${test.count} test digits; written to ${fileURLToPath(to)}\n`,
  );
}

try {
  const { values } = readFlags(() =>
    parseArgs({
      options: {
        epochs: { type: 'string', default: '10' },
        seed: { type: 'string', default: '1' },
        batch: { type: 'string', default: '64' },
        out: { type: 'string' },
        help: { type: 'boolean' },
      },
    }),
  );
  if (values.help) console.log(usage);
  else {
    await train(
      wholeNumber('--epochs', values.epochs, 1),
      wholeNumber('--seed', values.seed, 0),
      wholeNumber('--batch', values.batch, 1),
      values.out === undefined ? weightsFile : pathToFileURL(values.out),
    );
  }
} catch (error) {
  answerUsage(error, usage);
}
