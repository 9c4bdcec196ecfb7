/** Several threads: the same bits as one, whatever happens to the others; why there are none; what is left of them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Worker as NodeWorker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, createEngineSync, type Engine, type Tensor } from '../src/index.ts';
import { workerSource } from '../src/worker-source.ts';
import type { Op } from './any-call.ts';
import { fractions } from './cases.ts';
import { build, testEngine } from './engines.ts';
import { filled, laidOut, layoutTag, type Options, type Shape } from './family.ts';

const relaxedSimd = build === 'relaxed';
const one = testEngine();
type Anything = (...given: readonly unknown[]) => Tensor;
const random = (shape: Shape, seed: number): Tensor => filled(shape, seed, fractions);
const call = (engine: Engine, op: Op, given: readonly unknown[]): Tensor => (engine[op] as unknown as Anything)(...given);

function expectBits(got: Tensor, want: Tensor): void {
  const [a, b] = [got, want].map(({ data }) => new Uint32Array(data.slice().buffer)) as [Uint32Array, Uint32Array];
  const at = a.findIndex((x, i) => x !== b[i]);
  if (at >= 0) expect.fail(`float ${at} of ${b.length} is ${got.data[at]}, not ${want.data[at]}`);
}

function isTensor(operand: unknown): operand is Tensor {
  return (operand as Partial<Tensor> | undefined)?.data instanceof Float32Array;
}

function heldBy(engine: Engine, { data, shape }: Tensor): Tensor {
  const held = engine.alloc(shape);
  held.data.set(data);
  return held;
}

/** Every operation, on tensors that are worth several threads. */
function callsOf(last: boolean): [Op, unknown[]][] {
  const image = (shape: Shape, seed: number): Tensor => random(laidOut(shape, last), seed);
  const options = (more: Options = {}, rank: 1 | 2 | 3 = 2): Options => ({ inputLayout: layoutTag(rank, last), ...more });
  return [
    ['conv2d', [image([1, 64, 28, 28], 1), random([64, 64, 3, 3], 2), options({ padding: 1 })]],
    ['conv2d', [image([1, 128, 14, 14], 1), random([256, 128, 1, 1], 2), options({ activation: 'silu' })]],
    ['conv2d', [image([2, 3, 64, 64], 1), random([32, 3, 7, 7], 2), options({ stride: 2, padding: 3, paddingMode: 'reflect' })]],
    ['conv2d', [image([1, 64, 40, 40], 1), random([64, 4, 3, 3], 2), options({ groups: 16, padding: 1, shuffle: 4 })]],
    ['conv1d', [image([4, 32, 900], 1), random([48, 32, 5], 2), options({ stride: 2 }, 1)]],
    ['conv3d', [image([1, 8, 9, 20, 20], 1), random([24, 8, 3, 3, 3], 2), options({ padding: 1 }, 3)]],
    ['depthwiseConv2d', [image([1, 96, 56, 56], 1), random([96, 1, 3, 3], 2), options({ padding: 1 })]],
    ['depthwiseConv2d', [image([1, 48, 56, 56], 1), random([96, 1, 5, 5], 2), options({ stride: 2, padding: 2 })]],
    ['convTranspose2d', [image([1, 64, 16, 16], 1), random([64, 48, 4, 4], 2), options({ stride: 2, padding: 1 })]],
    ['convTranspose2d', [image([1, 256, 4, 4], 1), random([256, 128, 4, 4], 2), options({ stride: 2, padding: 1, algorithm: 'gemm' })]],
    ['separableConv2d', [image([1, 64, 56, 56], 1), random([64, 1, 3, 3], 2), random([48, 64, 1, 1], 3), options({ padding: 1 })]],
    ['spatialSeparableConv2d', [image([1, 16, 64, 64], 1), random([24, 16, 5, 1], 2), random([16, 24, 1, 5], 3), options({ padding: 2 })]],
    [
      'flattenedConv2d',
      [
        image([1, 32, 64, 64], 1),
        { channel: random([32, 32], 2), vertical: random([32, 3], 3), horizontal: random([32, 3], 4) },
        options({ padding: 1 }),
      ],
    ],
    ['channelShuffle', [image([2, 64, 56, 56], 1), 8, options()]],
    [
      'conv2dInputGrad',
      [image([1, 64, 28, 28], 1), random([64, 32, 3, 3], 2), laidOut([1, 32, 56, 56], last), options({ stride: 2, padding: 1 })],
    ],
    ['conv2dWeightGrad', [image([2, 32, 28, 28], 1), image([2, 64, 28, 28], 2), [64, 32, 3, 3], options({ padding: 1 })]],
    ['convTranspose2dWeightGrad', [image([2, 24, 20, 20], 1), image([2, 16, 41, 41], 2), [24, 16, 3, 3], options({ stride: 2 })]],
    ['biasGrad', [image([4, 64, 56, 56], 1), options()]],
    ...(last
      ? []
      : ([
          ['unfold', [random([1, 16, 64, 64], 1), 3, { padding: 1 }]],
          ['fold', [random([1, 16 * 9, 64 * 64], 1), [64, 64], 3, { padding: 1 }]],
        ] as [Op, unknown[]][])),
  ];
}

describe.each([2, 3, 8])('%i threads', (threads) => {
  const engine = createEngine({ threads, relaxedSimd });
  afterAll(async () => (await engine).dispose());

  it('are there', async () => {
    const { info } = await engine;
    expect(info).toMatchObject({ threads, simd: relaxedSimd ? 'relaxed' : 'simd128' });
    expect(info.threadsReason).toBeUndefined();
  });

  const calls = [false, true].flatMap((last) => callsOf(last).map(([op, given]) => [op, last ? 'last' : 'first', given] as const));
  it.each(calls)('find the bits of one: %s, channels %s', async (op, _, given) => {
    const want = call(one, op, given);
    const own = await engine;
    for (let i = 0; i < 3; i++) expectBits(call(own, op, given), want);
    // On arrays some are sooner done by one thread.
    const held = given.map((operand) => (isTensor(operand) ? heldBy(own, operand) : operand));
    const out = own.alloc(want.shape);
    const options = held.findLastIndex((operand) => typeof operand === 'object' && !Array.isArray(operand) && !isTensor(operand));
    if (op !== 'flattenedConv2d' && options > 0) held[options] = { ...(held[options] as Options), out };
    expectBits(call(own, op, held), want);
    for (const operand of [...held, out]) (operand as { dispose?: () => void }).dispose?.();
  });

  it('serve layers, engine tensors and several sizes by turns', async () => {
    const own = await engine;
    const weight = random([48, 32, 3, 3], 5);
    using layer = own.conv2d.prepare(weight, { padding: 1 });
    using alone = one.conv2d.prepare(weight, { padding: 1 });
    for (const size of [40, 7, 56, 1, 40]) {
      using image = own.alloc([1, 32, size, size]);
      image.data.set(fractions(image.data.length, size));
      using out = own.alloc([1, 48, size, size]);
      expect(layer.run(image, { out })).toBe(out);
      expectBits(out, alone.run({ data: image.data.slice(), shape: image.shape }));
    }
  });
});

/** Our worker, whose kernels now and then do something else before or after they compute. */
function faulty(kernel: string, terminated: (worker: NodeWorker) => void = (worker) => void worker.terminate()): () => Worker {
  const text = `const Instance = WebAssembly.Instance;
WebAssembly.Instance = function (module, imports) {
  const { exports } = new Instance(module, imports);
  return { exports: new Proxy({}, { get: (_, name) => (...given) => { const run = () => exports[name](...given); ${kernel} } }) };
};
${workerSource}`;
  return () => {
    const worker = new NodeWorker(new URL(`data:text/javascript,${encodeURIComponent(text)}`));
    const [postMessage, unref, on] = [worker.postMessage, worker.unref, worker.on].map((method) => method.bind(worker));
    return { postMessage, unref, on, terminate: () => terminated(worker) } as unknown as Worker;
  };
}

// Whatever the kernels are; each death is waited for.
describe.runIf(build === 'release')('threads that die', () => {
  const image = random([1, 32, 40, 40], 1);
  const weight = random([64, 32, 3, 3], 2);
  const given = [image, weight, { padding: 1, algorithm: 'gemm' }];
  const want = call(one, 'conv2d', given);

  it.each([
    ['before they compute', 'if (Math.random() < 0.02) process.exit(); run();'],
    ['after they computed', 'run(); if (Math.random() < 0.02) process.exit();'],
    ['by an exception', "if (Math.random() < 0.02) throw new Error('a fault'); run();"],
    ['never, but hang', 'if (Math.random() < 0.01) for (;;); run();'],
  ])(
    '%s',
    async (_, kernel) => {
      const engine = await createEngine({ threads: 3, relaxedSimd, worker: faulty(kernel) });
      let fewest = 3;
      for (let i = 0; i < 250; i++) {
        const got = call(engine, 'conv2d', given);
        const { threads, threadsReason } = engine.info;
        fewest = Math.min(fewest, threads);
        expect(threadsReason === undefined).toBe(threads === 3);
        expectBits(got, want);
        // Their ends and their successors are events.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      engine.dispose();
      // None died: the test would show nothing.
      expect(fewest).toBeLessThan(3);
    },
    120_000,
  );

  it.each([
    ['ended at once', (worker: NodeWorker) => void worker.terminate()],
    // As in Chromium, which gives a worker two seconds.
    ['ended late', (worker: NodeWorker) => void setTimeout(() => worker.terminate(), 2000)],
  ])(
    'not at all, but are given up, and come back when something else is computed: %s',
    async (_, terminated) => {
      const worker = faulty(
        'if (Math.random() < 0.004) { const until = performance.now() + 700; while (performance.now() < until); } run();',
        terminated,
      );
      const engine = await createEngine({ threads: 3, relaxedSimd, worker });
      const calls: [Op, unknown[]][] = [
        ['conv2d', given],
        ['conv2d', [random([1, 16, 64, 64], 3), random([48, 16, 3, 3], 4), { padding: 1, algorithm: 'gemm' }]],
        ['conv2d', [random([1, 64, 28, 28], 5), random([64, 64, 1, 1], 6), {}]],
        ['depthwiseConv2d', [random([1, 96, 56, 56], 7), random([96, 1, 3, 3], 8), { padding: 1 }]],
      ];
      const wanted = calls.map(([op, operands]) => call(one, op, operands));
      let fewest = 3;
      for (let i = 0; i < 600; i++) {
        const [op, operands] = calls[i % calls.length] as [Op, unknown[]];
        expectBits(call(engine, op, operands), wanted[i % calls.length] as Tensor);
        fewest = Math.min(fewest, engine.info.threads);
        // Seldom: who was given up is there meanwhile, and whoever starts has not been heard of.
        if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      engine.dispose();
      expect(fewest).toBe(1);
    },
    120_000,
  );

  it('by terminate(), and are replaced', async () => {
    const workers: NodeWorker[] = [];
    const url = new URL(`data:text/javascript,${encodeURIComponent(workerSource)}`);
    const worker = (): Worker => {
      const made = new NodeWorker(url);
      workers.push(made);
      return made as unknown as Worker;
    };
    const engine = await createEngine({ threads: 3, relaxedSimd, worker });
    for (let i = 0; i < 100; i++) {
      if (i % 10 === 0) void workers.at(-1 - (i % 20) / 10)?.terminate();
      expectBits(call(engine, 'conv2d', given), want);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(workers.length).toBeGreaterThan(3);
    expect(engine.info.threads).toBeGreaterThan(1);
    engine.dispose();
  });
});

describe('where threads cannot be had', () => {
  const missing = 'data:text/javascript,throw new Error("refused")';
  it.each([
    ['a worker that fails', { worker: new URL(missing) }, /no thread could be started: refused/],
    [
      'a function that throws',
      {
        worker: () => {
          throw new Error('worker-src');
        },
      },
      /no thread could be started: worker-src/,
    ],
    ['a function that gives no worker', { worker: () => undefined as unknown as Worker }, /gave no Worker/],
    [
      'a worker that cannot be sent to',
      {
        worker: () => {
          const worker = new NodeWorker(new URL('data:text/javascript,'));
          return Object.assign(worker, {
            postMessage: () => {
              throw new Error('not cloned');
            },
          }) as unknown as Worker;
        },
      },
      /no thread could be started: not cloned/,
    ],
    [
      'a worker of another version',
      { worker: new URL(`data:text/javascript,${encodeURIComponent(workerSource.replaceAll(one.info.version, '0.0.0'))}`) },
      /the worker is of version 0\.0\.0, the engine of /,
    ],
  ])('%s: one thread computes, and says why', async (_, options, reason) => {
    const engine = await createEngine({ threads: 4, relaxedSimd, ...options });
    expect(engine.info.threads).toBe(1);
    expect(engine.info.threadsReason).toMatch(reason);
    expectBits(
      engine.conv2d(random([1, 3, 9, 9], 1), random([4, 3, 3, 3], 2)),
      one.conv2d(random([1, 3, 9, 9], 1), random([4, 3, 3, 3], 2)),
    );
    engine.dispose();
  });

  it('at once', () => {
    const engine = createEngineSync({ threads: 2 });
    expect(engine.info).toMatchObject({ threads: 1, threadsReason: expect.stringContaining('createEngine') });
    engine.dispose();
  });
});

describe.skipIf(build === 'debug')('a binary that is given', () => {
  const bytes = (file: string): Uint8Array<ArrayBuffer> => readFileSync(new URL(`../dist/${file}`, import.meta.url));
  const [plain, threaded] = relaxedSimd
    ? ['kernels-relaxed.wasm', 'kernels-threads-relaxed.wasm']
    : ['kernels.wasm', 'kernels-threads.wasm'];
  const given = [random([1, 32, 40, 40], 1), random([64, 32, 3, 3], 2), { padding: 1 }];
  const want = call(one, 'conv2d', given);

  it('is asked for by the name of the build', async () => {
    const asked: string[] = [];
    const wasm = (file: string): BufferSource => {
      asked.push(file);
      return bytes(file);
    };
    const engine = await createEngine({ threads: 2, relaxedSimd, wasm });
    expect(asked).toEqual([threaded]);
    expect(engine.info).toMatchObject({ threads: 2, simd: relaxedSimd ? 'relaxed' : 'simd128' });
    expectBits(call(engine, 'conv2d', given), want);
    engine.dispose();
  });

  it.each([
    ['as bytes', bytes(threaded)],
    ['as a module', new WebAssembly.Module(bytes(threaded))],
    ['as a promise', Promise.resolve(bytes(threaded))],
  ])('for threads, %s, serves several and one', async (_, wasm) => {
    for (const threads of [2, 1]) {
      const engine = await createEngine({ threads, relaxedSimd: relaxedSimd ? 'auto' : false, wasm });
      expect(engine.info.threads).toBe(threads);
      expectBits(call(engine, 'conv2d', given), want);
      engine.dispose();
    }
  });

  it('for one thread limits the threads, and info says so', async () => {
    const engine = await createEngine({ threads: 2, relaxedSimd: relaxedSimd ? 'auto' : false, wasm: bytes(plain) });
    expect(engine.info).toMatchObject({ threads: 1, threadsReason: expect.stringMatching(/^the binary does not run on shared memory: /) });
    expectBits(call(engine, 'conv2d', given), want);
    engine.dispose();
  });
});

/** Runs a module in a process of its own. */
function inProcess(text: string): { status: number | null; stdout: string; stderr: string } {
  const prelude = `import { createEngine } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
const tensor = (shape) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape });
const compute = (engine) => engine.conv2d(tensor([1, 64, 40, 40]), tensor([64, 64, 3, 3]), { padding: 1, accuracy: 'exact' }).data[0];
`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', prelude + text], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

describe.runIf(build === 'release')('a process', () => {
  it('ends while threads wait', () => {
    const { status, stdout, stderr } = inProcess(
      'const engine = await createEngine({ threads: 4 });\nconsole.log(compute(engine), engine.info.threads);',
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '256 4\n', stderr: '' });
  });

  // Fewer are left where what the process began with has ended meanwhile.
  it('keeps nothing of an engine that was disposed of', () => {
    const { stdout } = inProcess(`
const before = process.getActiveResourcesInfo().length;
for (let i = 0; i < 5; i++) {
  const engine = await createEngine({ threads: 3 });
  compute(engine);
  engine.dispose();
  engine.dispose();
}
await new Promise((resolve) => setTimeout(resolve, 300));
console.log(Math.max(0, process.getActiveResourcesInfo().length - before));`);
    expect(stdout).toBe('0\n');
  });

  it('does not compute while nothing is asked for', () => {
    const { stdout } = inProcess(`
const engine = await createEngine({ threads: 4 });
compute(engine);
await new Promise((resolve) => setTimeout(resolve, 100));
const before = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, 1000));
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1e6 < 0.5);`);
    expect(stdout).toBe('true\n');
  });
});
