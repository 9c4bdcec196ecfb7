/** How much users load: the limits of scripts/sizes.ts hold, by more than one bundler, and a fresh engine takes little memory. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { conv2dPage, gzipBytes, isTooLarge, mostBytes, ourPackages, ourSizes, type Size } from '../scripts/sizes.ts';
import { userBundlers, withoutBinaries } from '../scripts/user-bundle.ts';

describe('gzip', () => {
  let sizes: Size[];
  beforeAll(async () => {
    sizes = await ourSizes();
  });

  it('of each build and of a page is at most what it may be', () => {
    expect(sizes.filter(({ most }) => most !== undefined)).toHaveLength(6);
    expect(sizes.filter(isTooLarge)).toEqual([]);
  });

  it('is not that of something else', () => {
    const bytes = Object.fromEntries(sizes.map((size) => [size.name, size.bytes]));
    expect(Math.min(...sizes.map((size) => size.bytes))).toBeGreaterThan(5_000);
    // A page holds a build, and JavaScript.
    expect(bytes['page with conv2d']).toBeGreaterThan(bytes['kernels.wasm'] as number);
    expect(bytes['page with everything']).toBeGreaterThan(bytes['page with conv2d'] as number);
  });

  it('of a page is alike from Vite', async () => {
    const { text } = await userBundlers.Vite(ourPackages, conv2dPage);
    expect(gzipBytes(text)).toBeLessThanOrEqual(mostBytes.page);
    expect(gzipBytes(withoutBinaries(text))).toBeLessThanOrEqual(mostBytes.pageScript);
  });

  // `npm run bench:start -- --readme` writes the table.
  it('is what the README says, within 3 %', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const told = (row: string): number => Number(readme.split(`\n| ${row}`)[1]?.match(/([\d.]+) kB/)?.[1]) * 1000;
    const bytes = (name: string): number => sizes.find((size) => size.name === name)?.bytes ?? Number.NaN;
    const rows: [row: string, bytes: number][] = [
      ['page with conv2d, gzip', bytes('page with conv2d')],
      ['its JavaScript, without the binaries, gzip', bytes('its JavaScript, without the binaries')],
      ['page with everything, gzip', bytes('page with everything')],
      ['each build of the kernels, gzip', Math.max(bytes('kernels.wasm'), bytes('kernels-relaxed.wasm'))],
    ];
    for (const [row, actual] of rows) expect(Math.abs(told(row) / actual - 1), row).toBeLessThan(0.03);
  });

  it('is too much where a limit is passed by a byte', () => {
    expect([9, 10, 11].map((bytes) => isTooLarge({ name: 'a', bytes, most: 10 }))).toEqual([false, false, true]);
    expect(isTooLarge({ name: 'a', bytes: 1e9 })).toBe(false);
  });
});

it('an engine starts with a MiB or less', async () => {
  const { createEngine } = (await import(ourPackages['wasm-conv'])) as typeof import('../src/index.ts');
  const engine = await createEngine();
  expect(engine.info.memoryBytes).toBeGreaterThan(0);
  expect(engine.info.memoryBytes).toBeLessThanOrEqual(2 ** 20);
  engine.dispose();
});
