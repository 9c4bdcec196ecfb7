/** The digits network of `../digits/` on an engine of wasm-conv, for any host: nothing here is of Node, of a browser or of a worker. */
import { tensor } from 'wasm-conv';
import weights from '../digits/weights.json' with { type: 'json' };
import { centredDigit } from './ink.js';

/** Filters and options of each layer; the last one is the classifier, a number for each digit. */
const layers = /** @type {const} */ ([
  { shape: [8, 1, 5, 5], options: { padding: 2, activation: 'relu' } },
  { shape: [16, 8, 3, 3], options: { stride: 2, padding: 1, activation: 'relu' } },
  { shape: [32, 16, 3, 3], options: { padding: 1, activation: 'relu' } },
  { shape: [48, 32, 3, 3], options: { stride: 2, padding: 1, activation: 'relu' } },
  { shape: [10, 48, 7, 7], options: {} },
]);

/** @param {string} base64 of float32, little-endian */
function floats(base64) {
  return new Float32Array(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
}

/** e^(x − max) / Σ @param {Float32Array} logits */
function softmax(logits) {
  const powers = Array.from(logits, (logit) => Math.exp(logit - Math.max(...logits)));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** @typedef {{ digit: number, probabilities: number[], milliseconds: number }} Reading the time is that of the network alone; workerd's clock stands still meanwhile */

/**
 * Packs the weights, once.
 * @param {import('wasm-conv').Engine} engine
 * @returns {(picture: import('./ink.js').Picture) => Reading | undefined} reads the digit in a picture; undefined where nothing is drawn
 */
export function digitReader(engine) {
  const prepared = layers.map(({ shape, options }, i) => {
    const { weight = '', bias = '' } = weights.layers[i] ?? {};
    return engine.conv2d.prepare(tensor(floats(weight), shape), { ...options, bias: floats(bias) });
  });
  return (picture) => {
    const ink = centredDigit(picture);
    if (!ink) return undefined;
    const start = performance.now();
    const logits = prepared.reduce((map, layer) => layer.run(map), tensor(ink, [1, 1, 28, 28]));
    const milliseconds = performance.now() - start;
    const probabilities = softmax(logits.data);
    return { digit: probabilities.indexOf(Math.max(...probabilities)), probabilities, milliseconds };
  };
}
