/** For workerd: a worker that answers requests. */
import { createEngine } from 'wasm-conv';
import { answers } from './digits.js';

export default { fetch: async () => Response.json(await answers(createEngine)) };
