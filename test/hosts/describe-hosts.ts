/** Tests that need hosts: skipped where one is missing, failed there with REQUIRE_HOSTS=1. */
import { describe, expect, it } from 'vitest';
import { type Host, isFound } from './hosts.ts';

export function describeHosts(needed: readonly Host[], tests: () => void, title: string = needed.map(({ name }) => name).join(', ')): void {
  const missing = needed.filter((host) => !isFound(host));
  describe.skipIf(missing.length > 0)(title, tests);
  if (process.env.REQUIRE_HOSTS !== '1') return;
  for (const { name, install } of missing) it(`${title}: ${name} is there`, () => expect.fail(`${name} is not installed: run ${install}`));
}
