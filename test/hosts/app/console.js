/** For hosts with a console. */
import * as library from 'wasm-conv';
import { answers } from './digits.js';

console.log(JSON.stringify(await answers(library)));

// Nobody disposes of it: the process has to end all the same.
await library.createEngine({ threads: 2 });
