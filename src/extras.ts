/** What the operations of an engine can do beyond those of the module: layers, and calls that the memory does not hold. */
import type { Extras } from './call.ts';
import { computeCut } from './cut-call.ts';
import { ProgramLayer } from './layer.ts';

export const extras: Extras = { prepare: (program, context) => new ProgramLayer(program, context), computeCut };
