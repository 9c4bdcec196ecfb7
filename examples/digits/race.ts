/** The same digits through WebAssembly and through plain JavaScript, against the clock. */
import type { Network } from './network.ts';
import type { PlainNetwork } from './plain-js.ts';
import { Progress } from './progress.ts';

const ROUNDS = 12;

/** Digits of one turn: about a quarter of a second and half a second, so that a disturbance spoils one turn and not the result. */
const WASM_DIGITS = 1000;
const JS_DIGITS = 200;

export interface Rates {
  /** Images a second. */
  readonly wasm: number;
  readonly js: number;
  /** Images of one turn. */
  readonly wasmDigits: number;
  readonly jsDigits: number;
  readonly rounds: number;
}

/** Both take turns, and the best turn of each counts. Copying images in and results out is part of the time. */
export function race(network: Network, plain: PlainNetwork, images: Float32Array, count: number): Rates {
  const rate = (contestant: Network | PlainNetwork, n: number): number => {
    const start = performance.now();
    contestant.logits(images, n);
    return (1000 * n) / (performance.now() - start);
  };
  const [wasmDigits, jsDigits] = [Math.min(count, WASM_DIGITS), Math.min(count, JS_DIGITS)];
  const progress = new Progress('measuring the speed', ROUNDS);
  let [wasm, js] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    wasm = Math.max(wasm, rate(network, wasmDigits));
    js = Math.max(js, rate(plain, jsDigits));
    progress.show(round + 1);
  }
  return { wasm, js, wasmDigits, jsDigits, rounds: ROUNDS };
}
