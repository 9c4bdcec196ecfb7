/** Every error about memory, disposed things, prepared layers, tensors and engines. */
import { createEngineSync, tensor } from '../src/index.ts';
import { integers } from './cases.ts';
import { testEngine } from './engines.ts';
import { conv2d, describeErrors, detached, engine, gone, loose, maxMemory, other, type Table, w, want, x } from './errors-subject.ts';

const table: Table = {
  'memory and disposed things': [
    [
      "conv2d: input.data is a plain view of an engine's memory, which moves when it grows: give the engine tensor itself",
      'TypeError',
      () => {
        using t = engine.alloc(x.shape);
        return conv2d({ data: t.data, shape: x.shape }, w);
      },
    ],
    [
      "conv2d: weight.data is a plain view of an engine's memory, which moves when it grows: give the engine tensor itself",
      'TypeError',
      () => {
        using t = other.alloc(w.shape);
        return conv2d(x, { data: t.data, shape: w.shape });
      },
    ],
    [
      "conv2d: out is a plain view of an engine's memory, which moves when it grows: give the engine tensor itself",
      'TypeError',
      () => {
        using t = engine.alloc(want.shape);
        return conv2d(x, w, { out: t.data });
      },
    ],
    ['conv2d: input was disposed', 'Error', () => conv2d(gone(engine.alloc(x.shape)), w), 'ERR_DISPOSED'],
    ['conv2d: weight was disposed', 'Error', () => conv2d(x, gone(engine.alloc(w.shape))), 'ERR_DISPOSED'],
    ['conv2d: bias was disposed', 'Error', () => conv2d(x, w, { bias: gone(engine.alloc([6])) }), 'ERR_DISPOSED'],
    ['conv2d: out was disposed', 'Error', () => conv2d(x, w, { out: gone(engine.alloc(want.shape)) }), 'ERR_DISPOSED'],
    ['EngineTensor: data was disposed', 'Error', () => gone(engine.alloc([1])).data, 'ERR_DISPOSED'],
    ['conv2d: the layer was disposed', 'Error', () => gone(conv2d.prepare(w)).run(x), 'ERR_DISPOSED'],
    ['conv2d: the layer was disposed', 'Error', () => gone(conv2d.prepare(w)).plan(x.shape), 'ERR_DISPOSED'],
    ['conv2d: the engine was disposed', 'Error', () => gone(testEngine()).conv2d(x, w), 'ERR_DISPOSED'],
    ['conv2d: the engine was disposed', 'Error', () => gone(testEngine()).conv2d.prepare(w), 'ERR_DISPOSED'],
    ['alloc: the engine was disposed', 'Error', () => gone(testEngine()).alloc([1]), 'ERR_DISPOSED'],
    [
      'conv2d: the engine was disposed',
      'Error',
      () => {
        const e = testEngine();
        const layer = e.conv2d.prepare(w);
        e.dispose();
        layer.dispose();
        return e.conv2d(x, w);
      },
      'ERR_DISPOSED',
    ],
    [
      'conv2d: the engine was disposed',
      'Error',
      () => {
        const e = testEngine();
        const layer = e.conv2d.prepare(w);
        e.dispose();
        return layer.run(x);
      },
      'ERR_DISPOSED',
    ],
    [
      'EngineTensor: data was disposed',
      'Error',
      () => {
        const e = testEngine();
        const t = e.alloc([1]);
        e.dispose();
        return t.data;
      },
      'ERR_DISPOSED',
    ],
    [
      'alloc: 17179869184 more bytes of linear memory do not fit into maxMemory = 4294967296',
      'RangeError',
      () => other.alloc([65536, 65536]),
      'ERR_MEMORY',
    ],
    [
      `alloc: 18446744073709552000 more bytes of linear memory do not fit into maxMemory = ${maxMemory}`,
      'RangeError',
      () => engine.alloc([2 ** 31, 2 ** 31]),
      'ERR_MEMORY',
    ],
    ['alloc: shape must be an array of sizes, got undefined', 'TypeError', () => engine.alloc(loose(undefined))],
    ['alloc: shape[1] must be an integer of at least 1, got 0', 'RangeError', () => engine.alloc([1, 0])],
  ],
  'prepare, run and plan': [
    ['conv2d: unknown option out', 'TypeError', () => conv2d.prepare(w, loose({ out: new Float32Array(1) }))],
    ['conv2d: weight must be a tensor { data, shape }, got undefined', 'TypeError', () => conv2d.prepare(loose(undefined))],
    [
      'conv2d: unknown option padding',
      'TypeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run(x, loose({ padding: 1 }));
      },
    ],
    [
      'conv2d: weight.shape[1] must be inChannels / groups = 5, got 4',
      'RangeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run({ data: integers(150), shape: [1, 5, 6, 5] });
      },
    ],
    [
      'conv2d: out.length must be 144, the size of [2, 6, 4, 3], got 0',
      'RangeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run(x, { out: new Float32Array(0) });
      },
    ],
    ['conv2d: options must be an object, got null', 'TypeError', () => conv2d.prepare(w, loose(null))],
    ['depthwiseConv2d: unknown option groups', 'TypeError', () => engine.depthwiseConv2d.prepare(w, loose({ groups: 4 }))],
    [
      'conv2d: options must be an object, got []',
      'TypeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run(x, loose([]));
      },
    ],
    [
      'conv2d: input must be a tensor { data, shape }, got undefined',
      'TypeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run(loose(undefined));
      },
    ],
    [
      'conv2d: input was disposed',
      'Error',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run(gone(engine.alloc(x.shape)));
      },
      'ERR_DISPOSED',
    ],
    [
      'conv2d: out was disposed',
      'Error',
      () => {
        using layer = conv2d.prepare(w);
        return layer.run(x, { out: gone(engine.alloc(want.shape)) });
      },
      'ERR_DISPOSED',
    ],
    [
      'conv2d: out must not be a tensor of another engine',
      'RangeError',
      () => {
        using layer = conv2d.prepare(w);
        using out = other.alloc(want.shape);
        return layer.run(x, { out });
      },
    ],
    [
      'conv2d: out must not be an input as well',
      'RangeError',
      () => {
        using layer = conv2d.prepare({ data: integers(16), shape: [4, 4, 1, 1] });
        using both = engine.alloc(x.shape);
        return layer.run(both, { out: both });
      },
    ],
    [
      'conv2d: input.shape must be an array of sizes, got undefined',
      'TypeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.plan(loose(undefined));
      },
    ],
    [
      'conv2d: input.shape.length must be 4: batch, channels and 2 spatial, got 2',
      'RangeError',
      () => {
        using layer = conv2d.prepare(w);
        return layer.plan([1, 4]);
      },
    ],
  ],
  tensor: [
    ['tensor: data must be a Float32Array, got undefined', 'TypeError', () => tensor(loose(undefined), [1])],
    ['tensor: data must be a Float32Array, got Float64Array', 'TypeError', () => tensor(loose(new Float64Array(1)), [1])],
    ["tensor: data[1] must be a number, got 'b'", 'TypeError', () => tensor(loose([1, 'b']), [2])],
    ['tensor: data.length must be the product of shape = 6, got 5', 'RangeError', () => tensor([1, 2, 3, 4, 5], [2, 3])],
    ['tensor: shape[1] must be an integer of at least 1, got 0', 'RangeError', () => tensor([], [1, 0])],
    ['tensor: data has a detached buffer', 'TypeError', () => tensor(detached(), [240])],
  ],
  'engine options': [
    ['createEngineSync: unknown option thread, did you mean threads?', 'TypeError', () => createEngineSync(loose({ thread: 2 }))],
    ['createEngineSync: options must be an object, got 4', 'TypeError', () => createEngineSync(loose(4))],
    ["createEngineSync: threads must be one of 'auto', got 'all'", 'RangeError', () => createEngineSync({ threads: loose('all') })],
    ['createEngineSync: threads must be an integer of at least 1, got 0', 'RangeError', () => createEngineSync({ threads: 0 })],
    ["createEngineSync: relaxedSimd must be true, false or 'auto', got 1", 'TypeError', () => createEngineSync({ relaxedSimd: loose(1) })],
    [
      'createEngineSync: maxMemory must be an integer of at least 65536, got 1000',
      'RangeError',
      () => createEngineSync({ maxMemory: 1000 }),
    ],
    ["createEngineSync: maxMemory must be a number, got '1GB'", 'TypeError', () => createEngineSync({ maxMemory: loose('1GB') })],
    ['createEngineSync: worker must be a URL or a function, got true', 'TypeError', () => createEngineSync({ worker: loose(true) })],
    [
      'createEngineSync: wasm must be a WebAssembly.Module or bytes, got Promise',
      'TypeError',
      () => createEngineSync({ wasm: loose(Promise.resolve(new Uint8Array(8))) }),
    ],
    [
      'createEngineSync: wasm must be a WebAssembly binary, got Uint8Array',
      'TypeError',
      () => createEngineSync({ wasm: new Uint8Array(8) }),
    ],
    [
      'createEngineSync: wasm must be a binary of wasm-conv, got WebAssembly.Module',
      'TypeError',
      () => createEngineSync({ wasm: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) }),
    ],
  ],
};

describeErrors(table);
