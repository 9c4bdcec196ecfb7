/** For hosts with a console. */
import { createEngine } from 'wasm-conv';
import { answers } from './digits.js';

console.log(JSON.stringify(await answers(createEngine)));
