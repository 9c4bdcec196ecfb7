/** Adam (arXiv 1412.6980) over a list of parameters, which may lie in an engine's memory. */
import type { Tensor } from '../../src/index.ts';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

export class Adam {
  readonly #parameters: readonly Tensor[];
  readonly #mean: readonly Float32Array[];
  readonly #square: readonly Float32Array[];
  /** β₁ᵗ and β₂ᵗ of step t. As products: what `**` gives is left to the host, and would be the only such number here. */
  #power1 = 1;
  #power2 = 1;

  constructor(parameters: readonly Tensor[]) {
    this.#parameters = parameters;
    this.#mean = parameters.map(({ data }) => new Float32Array(data.length));
    this.#square = parameters.map(({ data }) => new Float32Array(data.length));
  }

  /** Moves every parameter against its gradient. */
  update(gradients: readonly Tensor[], rate: number): void {
    this.#power1 *= BETA1;
    this.#power2 *= BETA2;
    const scale = (rate * Math.sqrt(1 - this.#power2)) / (1 - this.#power1);
    this.#parameters.forEach((parameter, n) => {
      const values = parameter.data;
      const gradient = (gradients[n] as Tensor).data;
      const mean = this.#mean[n] as Float32Array;
      const square = this.#square[n] as Float32Array;
      for (let i = 0; i < values.length; i++) {
        const g = gradient[i] as number;
        const m = BETA1 * (mean[i] as number) + (1 - BETA1) * g;
        const s = BETA2 * (square[i] as number) + (1 - BETA2) * g * g;
        mean[i] = m;
        square[i] = s;
        values[i] = (values[i] as number) - (scale * m) / (Math.sqrt(s) + EPSILON);
      }
    });
  }
}
