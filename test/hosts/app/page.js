/** For pages. */

import { createEngine } from 'wasm-conv';
import { answers } from './digits.js';
import { report } from './report.js';

report(answers(createEngine));
