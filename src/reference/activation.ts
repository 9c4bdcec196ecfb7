/** Activations in float64. */
import type { ActivationSetting } from '../options.ts';

export function activate(x: number, { name, low, high }: ActivationSetting): number {
  switch (name) {
    case 'clamp':
      // Not Math.max: each comparison with NaN is false, so NaN stays.
      return x < low ? low : x > high ? high : x;
    case 'leakyRelu':
      return x < 0 ? x * low : x;
    case 'elu':
      return x > 0 ? x : low * Math.expm1(x);
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x));
    case 'tanh':
      return Math.tanh(x);
    case 'silu':
      return x / (1 + Math.exp(-x));
    case 'hardSwish':
      return (x * (x < -3 ? 0 : x > 3 ? 6 : x + 3)) / 6;
  }
}
