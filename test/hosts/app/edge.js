/** For edge functions, in the form that edge-runtime takes. */
import { createEngine } from 'wasm-conv';
import { answers } from './digits.js';

addEventListener('fetch', (event) => event.respondWith(answers(createEngine).then((found) => Response.json(found))));
