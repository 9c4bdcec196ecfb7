/** How much users load: the limits of scripts/sizes.ts hold, by more than one bundler, and a fresh engine takes little memory. */
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
