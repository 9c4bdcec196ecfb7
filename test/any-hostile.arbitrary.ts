/** Random calls with values that nobody should give. */
import fc from 'fast-check';
import * as reference from '../src/reference/index.ts';
import type { Op } from './any-call.ts';
import { basesOf, constantCount, type HostileCall, ofOperations, otherTargets, valueCount } from './any-hostile.ts';

/** Operations, and functions that are none. */
export const hostileSubjects = [...(Object.keys(reference) as Op[]), ...otherTargets];

const from = (first: number, end: number): fc.Arbitrary<number> => fc.integer({ min: first, max: end - 1 });
const value = fc.oneof(from(0, constantCount), from(constantCount, valueCount));
const change = fc.tuple(from(0, 1000), value);
/** Mostly one thing that is wrong: the first that is found hides the others. */
const changes = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(change) },
  { weight: 1, arbitrary: fc.array(change, { minLength: 2, maxLength: 4 }) },
);

export function anyHostileCall(subject: (typeof hostileSubjects)[number]): fc.Arbitrary<HostileCall> {
  const other = otherTargets.find((target) => target === subject);
  if (other !== undefined) return fc.record({ target: fc.constant(other), base: fc.constant(0), changes });
  return fc.record({ target: fc.constantFrom(...ofOperations), base: fc.constantFrom(...basesOf(subject as Op)), changes });
}
