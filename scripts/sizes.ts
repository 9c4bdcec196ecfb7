/** Sizes of what users load, each with the most that it may be. They are of the built package, dist/. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { kernelFiles } from './kernel-files.ts';
import { userBundlers, withoutBinaries } from './user-bundle.ts';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));

export interface Size {
  readonly name: string;
  /** Of the file as gzip -9 makes it. */
  readonly bytes: number;
  /** None where a size is only told. */
  readonly most?: number;
}

/** kB are a thousand bytes, here and wherever a size is said. */
export const mostBytes = {
  kernels: 40_000,
  /** With both builds. */
  page: 90_000,
  /** Of that, what is no binary. */
  pageScript: 15_000,
} as const;

export const ourPackages = { 'wasm-conv': join(dist, 'index.js'), 'wasm-conv/reference': join(dist, 'reference.js') };

/** The page of the sizes: an operation that nobody calls would be dropped. */
export const conv2dPage = `import { conv2d } from 'wasm-conv'; globalThis.use = conv2d;`;
export const wholePage = `import * as all from 'wasm-conv'; globalThis.use = all;`;

export const gzipBytes = (content: string | Uint8Array): number => gzipSync(content, { level: 9 }).length;

export async function ourSizes(): Promise<Size[]> {
  const page = (await userBundlers.esbuild(ourPackages, conv2dPage)).text;
  const whole = (await userBundlers.esbuild(ourPackages, wholePage)).text;
  return [
    ...kernelFiles.map((name) => ({ name, bytes: gzipBytes(readFileSync(join(dist, name))), most: mostBytes.kernels })),
    { name: 'page with conv2d', bytes: gzipBytes(page), most: mostBytes.page },
    { name: 'its JavaScript, without the binaries', bytes: gzipBytes(withoutBinaries(page)), most: mostBytes.pageScript },
    { name: 'page with everything', bytes: gzipBytes(whole) },
  ];
}

export const isTooLarge = ({ bytes, most }: Size): boolean => most !== undefined && bytes > most;
