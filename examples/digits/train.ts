/**
 * Trains the network of network.ts on the 60,000 MNIST training digits with the library's own kernels, and writes weights.json.
 *
 * Weights are chosen by nothing but the number of epochs: 5,000 training digits are held out to watch the progress, and the test digits
 * are looked at once, at the end.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createEngine, type Engine, type Tensor, tensor } from '../../src/index.ts';
import { Adam } from './adam.ts';
import { augment } from './augment.ts';
import { type Digits, loadTestDigits, loadTrainingDigits, PIXELS, SIDE } from './data.ts';
import { biasGradient, inputGradient, weightGradient } from './gradients.ts';
import {
  argmax,
  CLASSES,
  type LayerWeights,
  layers,
  Network,
  parameterCount,
  softmax,
  type WeightsFile,
  weightCount,
  weightsFile,
} from './network.ts';
import { normal, randomNumbers } from './random.ts';

const usage = `npm run train -- [--epochs 12] [--seed 1] [--batch 64]

Trains the digit recogniser and writes examples/digits/weights.json. About a minute an epoch on one core.`;

const HELD_OUT = 5000;
const PEAK_RATE = 0.002;

/** Normal with deviation √(2 / fan-in) (arXiv 1502.01852), biases 0. */
export function initialWeights(random: () => number): LayerWeights[] {
  return layers.map((spec) => {
    const deviation = Math.sqrt(2 / (spec.inC * spec.kernel * spec.kernel));
    return {
      weight: Float32Array.from({ length: weightCount(spec) }, () => deviation * normal(random)),
      bias: new Float32Array(spec.outC),
    };
  });
}

/** Mean cross-entropy of a batch, and the gradient of every weight and bias in the order of the layers. */
export function lossAndGradients(
  engine: Engine,
  weights: readonly LayerWeights[],
  images: Float32Array,
  labels: ArrayLike<number>,
): { loss: number; gradients: Float32Array[] } {
  const batch = labels.length;
  const maps: Tensor[] = [tensor(images, [batch, 1, SIDE, SIDE])];
  layers.forEach((spec, i) => {
    const { weight, bias } = weights[i] as LayerWeights;
    const { outC, inC, kernel, stride, padding, relu } = spec;
    const options = { bias, stride, padding, activation: relu ? ('relu' as const) : undefined };
    maps.push(engine.conv2d(maps[i] as Tensor, tensor(weight, [outC, inC, kernel, kernel]), options));
  });
  const logits = (maps[layers.length] as Tensor).data;
  let gradient = new Float32Array(logits.length);
  let loss = 0;
  for (let b = 0; b < batch; b++) {
    const probabilities = softmax(logits.subarray(b * CLASSES, (b + 1) * CLASSES));
    const label = labels[b] as number;
    loss -= Math.log(Math.max(probabilities[label] as number, 1e-30)) / batch;
    probabilities.forEach((p, c) => {
      gradient[b * CLASSES + c] = (p - (c === label ? 1 : 0)) / batch;
    });
  }
  const gradients: Float32Array[] = [];
  for (let i = layers.length - 1; i >= 0; i--) {
    const spec = layers[i] as (typeof layers)[number];
    const output = (maps[i + 1] as Tensor).data;
    if (spec.relu) gradient = gradient.map((g, n) => ((output[n] as number) > 0 ? g : 0));
    gradients.unshift(weightGradient(engine, spec, batch, (maps[i] as Tensor).data, gradient), biasGradient(spec, batch, gradient));
    if (i > 0) gradient = Float32Array.from(inputGradient(engine, spec, batch, gradient, (weights[i] as LayerWeights).weight));
  }
  return { loss, gradients };
}

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

async function train(epochs: number, seed: number, batch: number): Promise<void> {
  const engine = await createEngine();
  const random = randomNumbers(seed);
  const digits: Digits = loadTrainingDigits();
  const weights = initialWeights(random);
  const adam = new Adam(weights.flatMap(({ weight, bias }) => [weight, bias]));
  const order = shuffled(digits.count, random);
  const heldOut = order.splice(0, HELD_OUT);
  const heldImages = new Float32Array(HELD_OUT * PIXELS);
  for (const [i, d] of heldOut.entries()) heldImages.set(digits.images.subarray(d * PIXELS, (d + 1) * PIXELS), i * PIXELS);
  const heldLabels = Uint8Array.from(heldOut, (d) => digits.labels[d] as number);
  const steps = Math.floor(order.length / batch);
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
  writeFileSync(weightsFile, `${JSON.stringify(file, null, 1)}\n`);
  process.stderr.write(
    `seed ${seed}, ${epochs} epochs: ${(100 * reached).toFixed(2)} % of the ${test.count} test digits; weights.json written\n`,
  );
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) {
  const { values } = parseArgs({
    options: {
      epochs: { type: 'string', default: '12' },
      seed: { type: 'string', default: '1' },
      batch: { type: 'string', default: '64' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) console.log(usage);
  else await train(Number(values.epochs), Number(values.seed), Number(values.batch));
}
