/** What is asked for its fields may change, or take away what was read before: each is read once, and all is looked at again before it is used. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createEngine, type Engine, factorKernel, type Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { integers } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';

const loose = (value: unknown): never => value as never;
const coded = (code: string, message?: string): unknown =>
  expect.objectContaining(message === undefined ? { code } : { code, message: expect.stringContaining(message) as string });
const made = (shape: readonly number[], seed = 1): Tensor => ({
  data: integers(
    shape.reduce((a, b) => a * b, 1),
    seed,
  ),
  shape,
});
const [image, weight] = [made([1, 1, 6, 6]), made([1, 1, 3, 3], 2)];

/** After the refusal the engine computes as before. */
function refuses(engine: Engine, call: () => unknown, error: unknown): void {
  expect(call).toThrow(loose(error));
  expectClose(engine.conv2d(image, weight), reference.conv2d(image, weight));
}

describe('arrays and options', () => {
  const engine = testEngine();
  it.each(['stride', 'dilation', 'padding'])('%s with holes', (field) => {
    refuses(
      engine,
      () => engine.conv2d(image, weight, { [field]: new Array(2) }),
      coded('ERR_ARGUMENT', `conv2d: ${field}[0] must be a number`),
    );
  });
  it('a pair of padding, an output size, a kernel size with holes', () => {
    refuses(engine, () => engine.conv2d(image, weight, { padding: [1, loose(new Array(2))] }), coded('ERR_ARGUMENT', 'padding[1][0]'));
    refuses(engine, () => engine.convTranspose2d(image, weight, { outputSize: new Array(2) }), coded('ERR_ARGUMENT', 'outputSize[0]'));
    refuses(engine, () => engine.unfold(image, new Array(2)), coded('ERR_ARGUMENT', 'unfold: kernelSize[0] must be a number'));
  });
  it('null is not absent', () => {
    refuses(engine, () => engine.conv2d(image, weight, loose({ padding: null })), coded('ERR_ARGUMENT', 'conv2d: padding must be'));
    refuses(engine, () => engine.conv2d(image, weight, loose({ inputLayout: null })), coded('ERR_ARGUMENT', 'conv2d: inputLayout must be'));
    expect(() => factorKernel(made([3, 3]), loose({ tolerance: null }))).toThrow(loose(coded('ERR_ARGUMENT', 'tolerance must be')));
  });
  it.each(['same', 'valid', [[1, 0], 0]])('unfold pads by numbers: %j', (padding) => {
    refuses(engine, () => engine.unfold(image, 2, loose({ padding })), coded('ERR_ARGUMENT', 'unfold: padding'));
  });
  it('a kernel size that is another when it is read again', () => {
    const kernel = [2, 2];
    let reads = 0;
    Object.defineProperty(kernel, 0, { get: () => (reads++ < 1 ? 2 : 4), enumerable: true });
    const columns = made([1, 8, 25]);
    expectClose(engine.fold(columns, [6, 6], kernel), reference.fold(columns, [6, 6], 2));
  });
});

describe('operands that go away', () => {
  it('out as the weight of a layer that is taken apart', () => {
    const engine = testEngine();
    const held = engine.alloc([1, 1, 5, 5]);
    held.data.fill(1);
    const call = (): Tensor => engine.conv2d(made([1, 1, 5, 5]), held, { padding: 2, algorithm: 'factored', out: held });
    refuses(engine, call, coded('ERR_ARGUMENT', 'out must not be an input'));
    expect([...held.data]).toEqual(new Array(25).fill(1));
    engine.dispose();
  });
  it.each(['unfold', 'biasGrad'] as const)('%s: the option that disposes of its input', (op) => {
    const engine = testEngine();
    const given = engine.alloc([1, 1, 4, 4]);
    const options = {
      get out(): undefined {
        given.dispose();
        engine.alloc(given.shape).data.fill(99);
        return undefined;
      },
    };
    refuses(engine, () => (op === 'unfold' ? engine.unfold(given, 1, options) : engine.biasGrad(given, options)), coded('ERR_DISPOSED'));
    engine.dispose();
  });
  it('a shape that disposes of the tensor read before it', () => {
    const engine = testEngine();
    const grad = engine.alloc([1, 1, 4, 4]);
    const shape = [1, 1, 6, 6];
    Object.defineProperty(shape, 0, {
      enumerable: true,
      get: () => {
        grad.dispose();
        return 1;
      },
    });
    refuses(engine, () => engine.conv2dInputGrad(grad, weight, shape), coded('ERR_DISPOSED'));
    engine.dispose();
  });
  it('a tensor that disposes of the layer it is given to', () => {
    const engine = testEngine();
    const layer = engine.conv2d.prepare(weight);
    const { data } = image;
    let taken: Tensor | undefined;
    const given = {
      data,
      get shape(): number[] {
        layer.dispose();
        taken = engine.alloc([64]);
        taken.data.fill(7);
        return [1, 1, 6, 6];
      },
    };
    refuses(engine, () => layer.run(given), coded('ERR_DISPOSED'));
    expect(taken?.data.every((value) => value === 7)).toBe(true);
    engine.dispose();
  });
  it('an option that disposes of the engine', () => {
    const engine = testEngine();
    const options = {
      get out(): undefined {
        engine.dispose();
        return undefined;
      },
    };
    expect(() => engine.conv2d(image, weight, options)).toThrow(loose(coded('ERR_DISPOSED')));
  });
  it('an option that sends the buffer of the input away', () => {
    const engine = testEngine();
    const given = made([1, 1, 6, 6]);
    const options = {
      get out(): undefined {
        structuredClone(given.data.buffer, { transfer: [given.data.buffer as ArrayBuffer] });
        return undefined;
      },
    };
    refuses(engine, () => engine.unfold(given, 2, options), coded('ERR_ARGUMENT', 'detached'));
    engine.dispose();
  });
});

describe('a gradient that is not finite reaches what its windows hold, and no tap that sees only the border', () => {
  const engine = testEngine();
  it.each([NaN, Infinity, -Infinity])('%d', (value) => {
    for (const inC of [1, 3, 20]) {
      const [x, grad] = [made([1, inC, 6, 7]), made([1, 5, 6, 7], 2)];
      grad.data[0] = value;
      const shape = [5, inC, 3, 3];
      expectClose(engine.conv2dWeightGrad(x, grad, shape, { padding: 1 }), reference.conv2dWeightGrad(x, grad, shape, { padding: 1 }));
      const [small, large] = [made([1, inC, 3]), made([1, 2, 3], 2)];
      small.data[0] = value;
      const taps = [inC, 2, 3];
      const got = engine.convTranspose1dWeightGrad(small, large, taps, { padding: 1 });
      expectClose(got, reference.convTranspose1dWeightGrad(small, large, taps, { padding: 1 }));
    }
  });
});

it('a binary with instructions that the host does not know', async () => {
  const wasm = readFileSync(new URL('../dist/kernels-relaxed.wasm', import.meta.url));
  if (WebAssembly.validate(wasm)) expect((await createEngine({ wasm })).info.simd).toBe('relaxed');
  else await expect(createEngine({ wasm })).rejects.toThrow(loose(coded('ERR_HOST')));
});

it.each(['stride', 'dilation', 'padding'])('%s that says it has four thousand million entries', (field) => {
  const engine = testEngine();
  const endless = new Array(2 ** 32 - 1);
  refuses(engine, () => engine.conv2d(image, weight, { [field]: endless }), coded('ERR_ARGUMENT', `${field}.length must be 2`));
  refuses(engine, () => engine.conv2dInputGrad(image, weight, endless), coded('ERR_ARGUMENT', 'inputShape.length must be at most'));
  refuses(engine, () => engine.conv2d({ data: image.data, shape: endless }, weight), coded('ERR_ARGUMENT', 'input.shape.length'));
  engine.dispose();
});
