/** A progress bar on standard error: redrawn on a terminal, a line every quarter elsewhere. */
import { bar } from './picture.ts';

export class Progress {
  readonly #label: string;
  readonly #total: number;
  #quarter = 0;

  constructor(label: string, total: number) {
    this.#label = label;
    this.#total = total;
  }

  /** `done` of the total are finished. What `note` adds must not become shorter, or its end stays on the terminal. */
  show(done: number, note = ''): void {
    const part = done / this.#total;
    const text = `${this.#label} ${bar(part, 30)} ${done} of ${this.#total}${note}`;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r${text}${done === this.#total ? '\n' : ''}`);
      return;
    }
    const quarter = Math.floor(part * 4);
    if (quarter > this.#quarter) process.stderr.write(`${text}\n`);
    this.#quarter = quarter;
  }
}
