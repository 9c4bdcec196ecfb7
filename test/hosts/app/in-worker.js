/** The module worker of page-of-worker.js. */
import * as library from 'wasm-conv';
import { answers } from './digits.js';

answers(library).then(postMessage, (error) => postMessage({ error: String(error) }));
