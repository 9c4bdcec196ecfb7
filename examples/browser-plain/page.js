/** A page without a bundler: what is drawn, or a chosen picture, is read by the network in the page itself. */
import { createEngine } from 'wasm-conv';
import { digitReader } from '../digit-reader/reader.js';

const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const canvas = /** @type {HTMLCanvasElement} */ (find('canvas'));
const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
const read = digitReader(await createEngine());
const rounded = (/** @type {string} */ _, /** @type {unknown} */ value) => (typeof value === 'number' ? +value.toFixed(4) : value);
function show() {
  const reading = read(pen.getImageData(0, 0, 280, 280));
  find('output').textContent = reading ? `${reading.digit}` : '–';
  find('pre').textContent = JSON.stringify(reading ?? { error: 'there is no digit' }, rounded, 1);
}
function clear() {
  pen.reset();
  Object.assign(pen, { lineWidth: 20, lineCap: 'round', lineJoin: 'round' });
  show();
}
canvas.addEventListener('pointerdown', ({ offsetX, offsetY }) => {
  pen.beginPath();
  pen.moveTo(offsetX, offsetY);
});
canvas.addEventListener('pointermove', ({ buttons, offsetX, offsetY }) => {
  if (buttons === 0) return;
  pen.lineTo(offsetX, offsetY);
  pen.stroke();
  show();
});
find('input').addEventListener('change', async ({ target }) => {
  const [file] = /** @type {HTMLInputElement} */ (target).files ?? [];
  const picture = file && (await createImageBitmap(file).catch(() => undefined));
  clear();
  if (picture) pen.drawImage(picture, 0, 0, 280, 280);
  show();
});
find('button').addEventListener('click', clear);
clear();
