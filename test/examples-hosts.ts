/** The hosts that the examples need: where each is looked for, and what installs it. Where one is missing its tests are skipped, and with REQUIRE_HOSTS=1 fail. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { howToInstall, usualChromium } from '../bench/chromium.ts';

interface Host {
  readonly name: string;
  readonly program: string;
  readonly install: string;
}

const runtimes = new URL('./runtimes/', import.meta.url);

/** From the package.json of test/runtimes. @param path in node_modules there */
function runtime(name: string, path: string): Host {
  return { name, program: fileURLToPath(new URL(`node_modules/${path}`, runtimes)), install: 'npm ci --prefix test/runtimes' };
}

export const deno = runtime('Deno', '@deno/linux-x64-glibc/deno');
export const bun = runtime('Bun', '@oven/bun-linux-x64/bin/bun');
export const workerd = runtime('workerd', 'miniflare/package.json');
export const edgeRuntime = runtime('edge-runtime', 'edge-runtime/package.json');
export const chromium: Host = { name: 'Chromium', program: usualChromium, install: howToInstall };

export function describeHosts(needed: readonly Host[], tests: () => void): void {
  const missing = needed.filter(({ program }) => !existsSync(program));
  const title = needed.map(({ name }) => name).join(' in ');
  describe.skipIf(missing.length > 0)(title, tests);
  if (process.env.REQUIRE_HOSTS !== '1') return;
  for (const { name, install } of missing) it(`${title}: ${name} is there`, () => expect.fail(`${name} is not installed: run ${install}`));
}

/** @param T what is used of the library: its own types are there only where it is */
export function requireRuntime<T>(name: string): T {
  return createRequire(new URL('package.json', runtimes))(name) as T;
}
