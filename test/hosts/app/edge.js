/** For edge functions, in the form that edge-runtime takes. */
import * as library from 'wasm-conv';
import { answers } from './digits.js';

addEventListener('fetch', (event) => event.respondWith(answers(library).then((found) => Response.json(found))));
