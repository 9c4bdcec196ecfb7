/** Hosts that are missing are named, not forgotten. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Host, hosts, missingLines, thisNode } from './hosts.ts';

const none: Host = { name: 'Nowhere', files: [process.execPath, '/no/such/file'], install: 'make nowhere' };

it('names those that are missing, with what installs them', () => {
  expect(missingLines([thisNode])).toEqual([]);
  expect(missingLines([thisNode, none])).toEqual(['Not tested, for want of 1 of 2 hosts. What installs them:', '  Nowhere  make nowhere']);
});

it('installs every one of them in CI', () => {
  const lines = readFileSync(new URL('../../.ci/run', import.meta.url), 'utf8');
  const packages = (install: string) => install.split(/ && | /).filter((word) => !/^(-.*|apt-get|npm|install|ci)$/.test(word));
  for (const { name, install } of hosts) for (const word of packages(install)) expect(lines.split(/[\s)]+/), name).toContain(word);
});
