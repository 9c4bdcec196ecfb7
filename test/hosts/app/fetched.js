/** For workerd: a worker that answers requests. */
import * as library from 'wasm-conv';
import { answers } from './digits.js';

export default { fetch: async () => Response.json(await answers(library)) };
