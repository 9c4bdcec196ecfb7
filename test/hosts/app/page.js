/** For pages. */

import * as library from 'wasm-conv';
import { answers } from './digits.js';
import { report } from './report.js';

report(answers(library));
