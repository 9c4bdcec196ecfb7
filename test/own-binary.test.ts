/** The binaries that the package carries are those of its files, however a host unpacks them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
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

const pagesWithout: [what: string, DecompressionStream: unknown][] = [
  ['has no DecompressionStream', undefined],
  [
    'knows other formats alone',
    class {
      constructor(format: string) {
        throw new TypeError(`Unsupported compression format: '${format}'`);
      }
    },
  ],
];

describe.each([false, true])('relaxed: %s', (relaxed) => {
  it('in Node', async () => {
    expectFile(ownBinary(relaxed), relaxed);
    expectFile(await ownBinaryLater(relaxed), relaxed);
  });

  it('at once in a page, by our own means', () => {
    const binary = elsewhere({ ...page, DecompressionStream: undefined }, () => ownBinary(relaxed));
    expectFile(binary, relaxed);
  });

  // Node's own Response needs Buffer.
  it('later in a page, by its own means', async () => {
    const { DecompressionStream: Given } = globalThis;
    const formats: string[] = [];
    class Counted extends Given {
      constructor(format: CompressionFormat) {
        super(format);
        formats.push(format);
      }
    }
    const binary = await elsewhere({ process: undefined, DecompressionStream: Counted }, () => ownBinaryLater(relaxed));
    expect(formats).toEqual(['deflate']);
    expectFile(binary, relaxed);
  });

  it.each(pagesWithout)('not later in a page that %s', async (_, DecompressionStream) => {
    await expect(elsewhere({ ...page, DecompressionStream }, () => ownBinaryLater(relaxed))).rejects.toThrow();
  });
});

describe.each(pagesWithout)('in a page that %s', (_, DecompressionStream) => {
  /** Modules that have compiled nothing yet, and a page that lasts until `run` is done. */
  async function fresh<T>(run: (library: typeof import('../src/index.ts')) => Promise<T>): Promise<T> {
    vi.resetModules();
    const library = await import('../src/index.ts');
    const hidden = { DecompressionStream, Buffer: undefined, process: undefined };
    for (const [name, value] of Object.entries(hidden)) vi.stubGlobal(name, value);
    try {
      return await run(library);
    } finally {
      vi.unstubAllGlobals();
    }
  }

  it('an engine unpacks by our own means', async () => {
    const simd = await fresh(async ({ createEngine }) => {
      const engine = await createEngine({ relaxedSimd: false });
      const { info } = engine;
      engine.dispose();
      return info.simd;
    });
    expect(simd).toBe('simd128');
  });

  it('a function of the module says what is missing', async () => {
    const failure = await fresh(({ conv2d, tensor }) =>
      conv2d(tensor([1], [1, 1, 1, 1]), tensor([1], [1, 1, 1, 1])).catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({ code: 'ERR_HOST', message: 'conv2d: no DecompressionStream here; an engine of your own needs none' });
  });
});
