/** The module worker of page-of-worker.js. */
import { createEngine } from 'wasm-conv';
import { answers } from './digits.js';

answers(createEngine).then(postMessage, (error) => postMessage({ error: String(error) }));
