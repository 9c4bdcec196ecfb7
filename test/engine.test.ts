import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { conv2d, createEngine, createEngineSync, defaultEngine } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { operands, problem } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
const file = new URL('../dist/kernels.wasm', import.meta.url);
const bytes = readFileSync(file);
const { input, weight } = operands(problem('ic3ih9oc4kh3'));
const want = reference.conv2d(input, weight);

describe('createEngine', () => {
  it.each([
    ['nothing', undefined],
    ['bytes', bytes],
    ['an ArrayBuffer', new Uint8Array(bytes).buffer],
    ['a module', new WebAssembly.Module(bytes)],
    ['a promise', Promise.resolve(bytes)],
    ['a Response', new Response(bytes)],
    ['a file URL', file],
    ['a data URL', new URL(`data:application/wasm;base64,${bytes.toString('base64')}`)],
    ['a function', (name: string) => new URL(`../dist/${name}`, import.meta.url)],
    ['a function of a promise', (name: string) => Promise.resolve(readFileSync(new URL(`../dist/${name}`, import.meta.url)))],
  ])('from %s', async (_, wasm) => {
    const engine = await createEngine({ wasm });
    expectClose(engine.conv2d(input, weight), want);
    engine.dispose();
  });

  it('rejects what is no binary of this version', async () => {
    await expect(createEngine({ wasm: new Uint8Array(3) })).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_ARGUMENT' });
    await expect(createEngine({ wasm: new URL('no-such-file.wasm', import.meta.url) })).rejects.toMatchObject({ code: 'ERR_HOST' });
    await expect(createEngine({ wasm: new Response('', { status: 404 }) })).rejects.toMatchObject({ code: 'ERR_HOST' });
    const no = new Error('no');
    const failed = { name: 'Error', code: 'ERR_HOST', cause: no };
    await expect(createEngine({ wasm: Promise.reject(no) })).rejects.toMatchObject(failed);
    await expect(createEngine({ wasm: () => Promise.reject(no) })).rejects.toMatchObject(failed);
    const throws = () => {
      throw no;
    };
    await expect(createEngine({ wasm: throws })).rejects.toMatchObject(failed);
    expect(() => createEngineSync({ wasm: throws })).toThrow(expect.objectContaining(failed));
    // A source that gives nothing is not the same as none.
    const nothing = (() => undefined) as unknown as () => ArrayBuffer;
    await expect(createEngine({ wasm: nothing })).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_ARGUMENT' });
    expect(() => createEngineSync({ wasm: nothing })).toThrow(TypeError);
    // The version is the only constant of its value; changing it makes the binary one of another version.
    const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
    const other = new Uint8Array(bytes);
    const leb = (value: number): number[] => (value < 64 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);
    const needle = Buffer.from([127, 0, 65, ...leb(major * 1e6 + minor * 1e3 + patch), 11]);
    const at = bytes.indexOf(needle);
    expect(at).toBeGreaterThan(0);
    other[at + 3] = (other[at + 3] as number) ^ 1;
    await expect(createEngine({ wasm: other })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/^createEngine: wasm is a binary of version \d+\.\d+\.\d+, this is version/) as string,
    });
  });

  it('rejects with ERR_HOST where SIMD or compiling is missing', async () => {
    const { validate, Module } = WebAssembly;
    try {
      WebAssembly.validate = () => false;
      await expect(createEngine()).rejects.toMatchObject({ code: 'ERR_HOST', message: expect.stringContaining('128-bit') as string });
      WebAssembly.validate = validate;
      WebAssembly.Module = class {
        constructor() {
          throw new WebAssembly.CompileError('blocked by policy');
        }
      } as unknown as typeof Module;
      expect(() => createEngineSync({ wasm: bytes })).toThrow(expect.objectContaining({ code: 'ERR_HOST' }));
    } finally {
      WebAssembly.validate = validate;
      WebAssembly.Module = Module;
    }
    expectClose(createEngineSync().conv2d(input, weight), want);
  });
});

describe('createEngineSync', () => {
  it.each([
    ['nothing', undefined],
    ['bytes', bytes],
    ['a module', new WebAssembly.Module(bytes)],
    ['a function', (name: string) => readFileSync(new URL(`../dist/${name}`, import.meta.url))],
  ])('from %s', (_, wasm) => {
    expectClose(createEngineSync({ wasm }).conv2d(input, weight), want);
  });
});

describe('engine.info', () => {
  it('is a fresh object', () => {
    const engine = testEngine();
    expect(engine.info).toEqual({ simd: 'simd128', threads: 1, memoryBytes: 65536, version });
    expect(engine.info).not.toBe(engine.info);
    engine.alloc([65536]);
    expect(engine.info.memoryBytes).toBeGreaterThan(65536 * 4);
  });

  it('says why there is one thread', () => {
    for (const threads of [2, 'auto'] as const) {
      const { info } = testEngine({ threads });
      expect(info.threads).toBe(1);
      expect(info.threadsReason).toMatch(/thread/);
    }
    expect(testEngine({ threads: 1 }).info.threadsReason).toBeUndefined();
  });

  it('relaxedSimd: fused multiply-add where the host has it, unless it is forbidden', async () => {
    const [wanted, forbidden] = [await createEngine({ relaxedSimd: true }), await createEngine({ relaxedSimd: false })];
    const byItself = await createEngine();
    expect(forbidden.info.simd).toBe('simd128');
    expect(byItself.info.simd).toBe(wanted.info.simd);
    const asked: string[] = [];
    const wasm = (file: string): Uint8Array<ArrayBuffer> => {
      asked.push(file);
      return new Uint8Array(readFileSync(new URL(`../dist/${file}`, import.meta.url)));
    };
    await createEngine({ wasm });
    expect(asked).toEqual([wanted.info.simd === 'relaxed' ? 'kernels-relaxed.wasm' : 'kernels.wasm']);
    // A build that is given is taken as it is.
    expect((await createEngine({ wasm: bytes, relaxedSimd: true })).info.simd).toBe('simd128');
  });
});

describe('dispose', () => {
  it('twice is once, and `using` does it', () => {
    const engine = testEngine();
    engine.dispose();
    engine.dispose();
    expect(engine.info.memoryBytes).toBe(0);
    let kept: ReturnType<typeof testEngine>;
    {
      using scoped = testEngine();
      kept = scoped;
      using held = scoped.alloc([4]);
      using layer = scoped.conv2d.prepare(weight);
      layer.run(input);
      expect(held.data.length).toBe(4);
    }
    expect(() => kept.alloc([1])).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });

  it('of a tensor or a layer after its engine does nothing', () => {
    const engine = testEngine();
    const held = engine.alloc([4]);
    const layer = engine.conv2d.prepare(weight);
    engine.dispose();
    held.dispose();
    layer.dispose();
  });
});

describe('the default engine', () => {
  it('is one for all and never disposed', async () => {
    const engine = await defaultEngine();
    expect(await defaultEngine()).toBe(engine);
    engine.dispose();
    expectClose(await conv2d(input, weight), want);
    expectClose(engine.conv2d(input, weight), want);
  });
});
