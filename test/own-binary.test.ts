/** The binaries that the package carries are those of its files, however a host unpacks them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ownBinary, ownBinaryLater } from '../src/own-binary.ts';

const { compare } = Buffer;

function expectFile(binary: unknown, relaxed: boolean): void {
  expect(compare(binary as Uint8Array, readFileSync(`dist/kernels${relaxed ? '-relaxed' : ''}.wasm`))).toBe(0);
}

/** Where globals have other values. They are back before anything that is awaited. */
function elsewhere<T>(globals: Readonly<Record<string, unknown>>, run: () => T): T {
  const given = Object.fromEntries(Object.keys(globals).map((name) => [name, (globalThis as Record<string, unknown>)[name]]));
  Object.assign(globalThis, globals);
  try {
    return run();
  } finally {
    Object.assign(globalThis, given);
  }
}

const page = { Buffer: undefined, process: undefined };

describe.each([false, true])('relaxed: %s', (relaxed) => {
  it('in Node', async () => {
    expectFile(ownBinary(relaxed), relaxed);
    expectFile(await ownBinaryLater(relaxed), relaxed);
  });

  it('at once in a page, by our own means', () => {
    const binary = elsewhere({ ...page, DecompressionStream: undefined }, () => ownBinary(relaxed));
    expectFile(binary, relaxed);
  });

  it('later in a page, by its own means', async () => {
    const { DecompressionStream: Given } = globalThis;
    const formats: string[] = [];
    class Counted extends Given {
      constructor(format: CompressionFormat) {
        super(format);
        formats.push(format);
      }
    }
    const binary = await elsewhere({ ...page, DecompressionStream: Counted }, () => ownBinaryLater(relaxed));
    expect(formats).toEqual(['deflate-raw']);
    expectFile(binary, relaxed);
  });

  it.each([
    ['has none', undefined],
    [
      'knows other formats alone',
      class {
        constructor(format: string) {
          throw new TypeError(`Unsupported compression format: '${format}'`);
        }
      },
    ],
  ])('later in a page that %s', async (_, DecompressionStream) => {
    expectFile(await elsewhere({ ...page, DecompressionStream }, () => ownBinaryLater(relaxed)), relaxed);
  });
});
