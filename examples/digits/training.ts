/**
 * Mini-batches in a new order each epoch, every digit a little different each time, Adam, and a rate that rises and falls once.
 *
 * Between the same seed and the same weights, to the bit, stand only the engine (`relaxedSimd: false`) and +, −, ×, ÷ and √.
 */
import type { Engine } from '../../src/index.ts';
import { Adam } from './adam.ts';
import { augment } from './augment.ts';
import { type Digits, PIXELS } from './data.ts';
import { argmax, CLASSES, type LayerWeights, Network } from './network.ts';
import { randomNumbers, shuffled } from './random.ts';
import { initialWeights, Trainer } from './trainer.ts';

export interface Schedule {
  readonly seed: number;
  readonly epochs: number;
  /** Digits to a step. What does not fill one at the end of an epoch is left out of it. */
  readonly batch: number;
}

/** How training stands. */
export interface Standing {
  /** From 1. */
  readonly epoch: number;
  /** Done in this epoch, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Mean over the last hundred steps, as `accuracy`. */
  readonly loss: number;
  /** Part of the digits read right before the step that they were part of. */
  readonly accuracy: number;
}

/** The highest rate of Adam. */
const RATE = 0.003;

/** Part of the whole training in which the rate rises from 0, in a straight line as the fall back to 0 (arXiv 1708.07120). */
const RISE = 0.2;

function rateAt(done: number): number {
  return RATE * (done < RISE ? done / RISE : (1 - done) / (1 - RISE));
}

/** Mean of the last hundred values. */
class Recent {
  readonly #values: number[] = [];

  add(value: number): number {
    this.#values.push(value);
    if (this.#values.length > 100) this.#values.shift();
    return this.#values.reduce((a, b) => a + b, 0) / this.#values.length;
  }
}

/** Weights that read `digits`, from random ones. `watch` is called after every step. */
export function train(engine: Engine, digits: Digits, schedule: Schedule, watch: (standing: Standing) => void): LayerWeights[] {
  const { seed, epochs, batch } = schedule;
  const random = randomNumbers(seed);
  const trainer = new Trainer(engine, initialWeights(random), batch);
  const adam = new Adam(trainer.parameters);
  const steps = Math.floor(digits.count / batch);
  const [losses, hits] = [new Recent(), new Recent()];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(digits.count, random);
    for (let step = 0; step < steps; step++) {
      const chosen = order.slice(step * batch, (step + 1) * batch);
      const images = trainer.images.data;
      for (const [i, d] of chosen.entries()) {
        augment(digits.images.subarray(d * PIXELS, (d + 1) * PIXELS), images.subarray(i * PIXELS, (i + 1) * PIXELS), random);
      }
      const { loss, right } = trainer.step(chosen.map((d) => digits.labels[d] as number));
      adam.update(trainer.gradients, rateAt((epoch * steps + step + 1) / (epochs * steps)));
      watch({ epoch: epoch + 1, step: step + 1, steps, loss: losses.add(loss), accuracy: hits.add(right / batch) });
    }
  }
  const weights = trainer.weights();
  trainer.dispose();
  return weights;
}

/** Part of the digits that a network of these weights reads right. */
export function accuracyOf(engine: Engine, weights: readonly LayerWeights[], { count, images, labels }: Digits): number {
  const network = new Network(engine, { layers: weights });
  const logits = network.logits(images, count);
  network.dispose();
  return labels.filter((label, i) => argmax(logits.subarray(i * CLASSES, (i + 1) * CLASSES)) === label).length / count;
}
