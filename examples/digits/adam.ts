/** Adam (arXiv 1412.6980) over a list of parameter arrays. */
export class Adam {
  readonly #parameters: readonly Float32Array[];
  readonly #mean: readonly Float32Array[];
  readonly #square: readonly Float32Array[];
  #step = 0;

  constructor(parameters: readonly Float32Array[]) {
    this.#parameters = parameters;
    this.#mean = parameters.map((p) => new Float32Array(p.length));
    this.#square = parameters.map((p) => new Float32Array(p.length));
  }

  /** Moves every parameter against its gradient. */
  update(gradients: readonly Float32Array[], rate: number): void {
    const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
    this.#step++;
    const scale = (rate * Math.sqrt(1 - beta2 ** this.#step)) / (1 - beta1 ** this.#step);
    this.#parameters.forEach((parameter, n) => {
      const gradient = gradients[n] as Float32Array;
      const mean = this.#mean[n] as Float32Array;
      const square = this.#square[n] as Float32Array;
      for (let i = 0; i < parameter.length; i++) {
        const g = gradient[i] as number;
        const m = beta1 * (mean[i] as number) + (1 - beta1) * g;
        const s = beta2 * (square[i] as number) + (1 - beta2) * g * g;
        mean[i] = m;
        square[i] = s;
        parameter[i] = (parameter[i] as number) - (scale * m) / (Math.sqrt(s) + epsilon);
      }
    });
  }
}
