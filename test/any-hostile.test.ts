/** Random calls with values that nobody should give: refused in the one form, or right; and the engine goes on, holding nothing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyHostileCall, hostileSubjects } from './any-hostile.arbitrary.ts';
import { Hostility } from './any-hostile.ts';

const hostility = new Hostility();

/** As in test/property.test.ts; `npm run fuzz -- --hostile` goes on from here. */
const parameters = { seed: 20261125, numRuns: 70 };

it.each(hostileSubjects)('%s', (subject) => {
  fc.assert(
    fc.property(anyHostileCall(subject), (call) => {
      expect(hostility.fault(call), JSON.stringify(call)).toBeUndefined();
    }),
    parameters,
  );
});
