/** What training makes smaller: the mean cross-entropy of a batch of logits. */
import { CLASSES } from './network.ts';

/**
 * e^x for x ≤ 0, with a relative error below 1e-11: (e^(x / 1024))^1024, the inner power by its series.
 *
 * Unlike `Math.exp`, whose last bits are left to the host, this is made of operations that IEEE 754 prescribes to the bit: the gradient,
 * and with it the weights that training ends with, is the same everywhere.
 */
export function power(x: number): number {
  // Below it float32 holds no normal number.
  if (x < -87) return 0;
  const r = x / 1024;
  let sum = 1;
  for (let n = 8; n > 0; n--) sum = 1 + (sum * r) / n;
  for (let n = 0; n < 10; n++) sum *= sum;
  return sum;
}

export interface Loss {
  /** Mean of −log(probability of the label). */
  readonly loss: number;
  /** Rows whose largest logit is that of the label. */
  readonly right: number;
}

/** The loss of `logits` [batch, 10] against `labels`, whose length is the batch; writes its derivative by each logit to `gradient`. */
export function crossEntropy(logits: Float32Array, labels: ArrayLike<number>, gradient: Float32Array): Loss {
  const batch = labels.length;
  const powers = new Float64Array(CLASSES);
  let loss = 0;
  let right = 0;
  for (let b = 0; b < batch; b++) {
    const row = b * CLASSES;
    const label = labels[b] as number;
    let best = 0;
    for (let c = 1; c < CLASSES; c++) if ((logits[row + c] as number) > (logits[row + best] as number)) best = c;
    const top = logits[row + best] as number;
    let sum = 0;
    for (let c = 0; c < CLASSES; c++) sum += powers[c] = power((logits[row + c] as number) - top);
    for (let c = 0; c < CLASSES; c++) gradient[row + c] = ((powers[c] as number) / sum - (c === label ? 1 : 0)) / batch;
    // Only shown, and steers nothing: the host's logarithm will do.
    loss += (Math.log(sum) + top - (logits[row + label] as number)) / batch;
    if (best === label) right++;
  }
  return { loss, right };
}
