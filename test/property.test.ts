/** Random calls of every operation over its whole option space: equal to the plain loops bit for bit, or refused with the same words. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as reference from '../src/reference/index.ts';
import { anyCall } from './any-call.arbitrary.ts';
import { difference, type Op } from './any-call.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();

/** A fixed seed, so that a failure is the same tomorrow; fast-check prints the smallest counter-example. `npm run fuzz` goes on from here. */
const parameters = { seed: 20261123, numRuns: 600 };

it.each(Object.keys(reference) as Op[])('%s: every option with every other', (op) => {
  fc.assert(
    fc.property(anyCall(op), (call) => {
      expect(difference(engine, call), JSON.stringify(call)).toBeUndefined();
    }),
    parameters,
  );
});
