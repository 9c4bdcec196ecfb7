/** The test digits through the network: what was read, and what was read wrong. */
import { type Digits, PIXELS } from './data.ts';
import { argmax, CLASSES, type Network, softmax } from './network.ts';
import { Progress } from './progress.ts';

export interface Misread {
  readonly index: number;
  readonly image: Float32Array;
  readonly label: number;
  readonly read: number;
  /** Of the digit that was read. */
  readonly probability: number;
}

export interface Reading {
  readonly count: number;
  /** Part of the digits read right. */
  readonly accuracy: number;
  /** [true label][digit read] */
  readonly confusion: readonly (readonly number[])[];
  readonly misread: readonly Misread[];
}

/** Digits between two steps of the progress bar. */
const STEP = 250;

/** Reads the first `count` digits. */
export function readTestSet(network: Network, { images, labels }: Digits, count: number): Reading {
  const progress = new Progress('recognising', count);
  const confusion = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  const misread: Misread[] = [];
  for (let first = 0; first < count; first += STEP) {
    const size = Math.min(STEP, count - first);
    const logits = network.logits(images.subarray(first * PIXELS, (first + size) * PIXELS), size);
    for (let i = 0; i < size; i++) {
      const index = first + i;
      const probabilities = softmax(logits.subarray(i * CLASSES, (i + 1) * CLASSES));
      const read = argmax(probabilities);
      const label = labels[index] as number;
      const row = confusion[label] as number[];
      row[read] = (row[read] as number) + 1;
      if (read === label) continue;
      const image = images.subarray(index * PIXELS, (index + 1) * PIXELS);
      misread.push({ index, image, label, read, probability: probabilities[read] as number });
    }
    progress.show(first + size);
  }
  return { count, accuracy: (count - misread.length) / count, confusion, misread };
}
