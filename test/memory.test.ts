import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { Heap, PAGE_BYTES } from '../src/memory.ts';
import * as reference from '../src/reference/index.ts';
import { roomIn } from '../src/room.ts';
import { integers, operands, problem } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';
import { usedBytes } from './used-bytes.ts';

describe('the heap', () => {
  const make = (pages = 8): Heap => new Heap(new WebAssembly.Memory({ initial: 1, maximum: pages }), 100, pages * PAGE_BYTES);

  it('gives aligned blocks that do not overlap, and takes them back in any order', () => {
    const heap = make();
    const blocks: { at: number; bytes: number }[] = [];
    const sizes = integers(300, 7);
    for (const [i, size] of sizes.entries()) {
      const bytes = (size + 5) * 40;
      const at = heap.take('test', bytes);
      expect(at % 64).toBe(0);
      expect(at).toBeGreaterThanOrEqual(100);
      expect(blocks.some((other) => at < other.at + other.bytes && other.at < at + bytes)).toBe(false);
      blocks.push({ at, bytes });
      if (i % 3 > 0) heap.release(blocks.splice((i * 7) % blocks.length, 1)[0]?.at ?? 0);
    }
    for (const { at } of blocks) heap.release(at);
    expect(usedBytes(heap)).toBe(0);
    // All of it is one gap again.
    expect(heap.take('test', heap.bytes - 128)).toBe(128);
  });

  it('grows by as few pages as will do, and no further than its maximum', () => {
    const heap = make(3);
    expect(heap.bytes).toBe(PAGE_BYTES);
    const first = heap.take('test', 2 * PAGE_BYTES);
    expect(heap.bytes).toBe(3 * PAGE_BYTES);
    expect(() => heap.take('test', PAGE_BYTES)).toThrow('test: 65536 more bytes of linear memory do not fit into maxMemory = 196608');
    heap.release(first);
    expect(heap.take('test', 2.9 * PAGE_BYTES)).toBe(first);
  });

  it('says which block is the largest that it could give, also after another', () => {
    for (const before of [0, 100, PAGE_BYTES, 3 * PAGE_BYTES, 4.5 * PAGE_BYTES]) {
      const heap = make();
      const blocks = [0.5, 0.4, 1.7, 0.3, 2].map((pages) => heap.take('test', pages * PAGE_BYTES));
      for (const i of [1, 2, 4]) heap.release(blocks[i] as number);
      const room = roomIn(heap, before);
      const first = before > 0 ? heap.take('test', before) : 0;
      expect(roomIn(heap)).toBe(room);
      expect(() => heap.take('test', room + 1)).toThrow('maxMemory');
      heap.release(heap.take('test', room));
      heap.release(first);
    }
    const full = make(1);
    full.take('test', PAGE_BYTES - 128);
    expect([roomIn(full), roomIn(full, 1)]).toEqual([0, 0]);
  });

  it('names what was asked for and what is allowed when the host refuses to grow', () => {
    const heap = new Heap(new WebAssembly.Memory({ initial: 1, maximum: 2 }), 100, 8 * PAGE_BYTES);
    expect(() => heap.take('test', 3 * PAGE_BYTES)).toThrow(
      expect.objectContaining({
        name: 'RangeError',
        code: 'ERR_MEMORY',
        message: 'test: the host refuses 196608 more bytes of linear memory, which has 65536 of maxMemory = 524288',
      }),
    );
    expect([usedBytes(heap), heap.bytes]).toEqual([0, PAGE_BYTES]);
    heap.take('test', PAGE_BYTES);
  });

  it('ignores what it never gave', () => {
    const heap = make();
    heap.release(12345);
    expect(usedBytes(heap)).toBe(0);
  });
});

it('starts at no more than 1 MiB', () => {
  expect(testEngine().info.memoryBytes).toBeLessThanOrEqual(2 ** 20);
});

it('ten thousand calls of changing shape leave the memory where the largest left it', () => {
  const engine = testEngine();
  const weight = { data: integers(8 * 3 * 9), shape: [8, 3, 3, 3] };
  const run = (h: number, w: number): void => {
    engine.conv2d({ data: new Float32Array(3 * h * w), shape: [1, 3, h, w] }, weight, { padding: 1 });
  };
  run(64, 64);
  const largest = engine.info.memoryBytes;
  for (let i = 0; i < 10_000; i++) run(1 + ((i * 37) % 64), 1 + ((i * 53) % 64));
  expect(engine.info.memoryBytes).toBe(largest);
});

it('layers and engine tensors that come and go leave no holes behind', () => {
  const engine = testEngine();
  const p = operands(problem('ic8ih12oc8kh3ph1'));
  const round = (): void => {
    const layers = Array.from({ length: 5 }, () => engine.conv2d.prepare(p.weight, p.options));
    const tensors = Array.from({ length: 7 }, (_, i) => engine.alloc([i + 1, 100]));
    for (const [i, layer] of layers.entries()) {
      layer.run(p.input);
      tensors[i]?.dispose();
      layer.dispose();
    }
    for (const t of tensors) t.dispose();
  };
  round();
  const size = engine.info.memoryBytes;
  for (let i = 0; i < 500; i++) round();
  expect(engine.info.memoryBytes).toBe(size);
});

it('maxMemory holds, and the engine goes on working', () => {
  const engine = testEngine({ maxMemory: 20 * PAGE_BYTES + 17 });
  const small = operands(problem('ic3ih9oc4kh3'));
  const large = operands(problem('ic3ih400oc4kh3'));
  expect(() => engine.channelShuffle(large.input, 3)).toThrow(expect.objectContaining({ name: 'RangeError', code: 'ERR_MEMORY' }));
  expect(() => engine.alloc([400_000])).toThrow(expect.objectContaining({ code: 'ERR_MEMORY' }));
  expectClose(engine.conv2d(small.input, small.weight), reference.conv2d(small.input, small.weight));
  expect(engine.info.memoryBytes).toBeLessThanOrEqual(20 * PAGE_BYTES);
});

it('engine tensors survive growth, and start as zeros whatever lay there', () => {
  const engine = testEngine();
  const { input, weight } = operands(problem('ic3ih30oc4kh3'));
  engine.conv2d(input, weight);
  const kept = engine.alloc([3, 50]);
  expect(kept.data.every((x) => x === 0)).toBe(true);
  kept.data.set(integers(150));
  const before = kept.data;
  engine.alloc([1, 2 ** 20]);
  expect(before.length).toBe(0);
  expect(kept.data).toEqual(integers(150));
});

it('what was forgotten comes back with the garbage collector', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const engine = testEngine({ maxMemory: 16 * PAGE_BYTES });
  const { weight, options } = operands(problem('ic8ih12oc8kh3ph1'));
  const forget = (): void => {
    // Together more than the memory holds; nothing keeps them.
    expect(() => {
      for (let i = 0; i < 400; i++) {
        engine.conv2d.prepare(weight, options);
        engine.alloc([256]);
      }
    }).toThrow(expect.objectContaining({ code: 'ERR_MEMORY' }));
  };
  forget();
  const most = [14 * (PAGE_BYTES / 4)];
  // No time is promised: callbacks of the collector come when the event loop turns.
  await vi.waitFor(
    () => {
      collect();
      engine.alloc(most).dispose();
    },
    { timeout: 5000, interval: 10 },
  );
  expect(engine.alloc(most).shape).toEqual(most);
});

it('the plan says how much memory a call takes', () => {
  for (const name of ['ic8ih20oc8kh3ph1', 'ic3ih40oc5kh5', 'ic300ih9oc20kh1', 'g8ic8ih30oc16kh3ph1']) {
    for (const inputLayout of ['nchw', 'nhwc'] as const) {
      for (const paddingMode of ['zeros', 'reflect'] as const) {
        const engine = testEngine();
        const { input, weight, options } = operands(problem(name), { inputLayout, paddingMode });
        const layer = engine.conv2d.prepare(weight, options);
        const { workspaceBytes, weightBytes } = layer.plan(input.shape);
        layer.run(input);
        // What the heap has beyond the two is less than the last page, and what packing left over.
        const least = Math.ceil((workspaceBytes + weightBytes) / PAGE_BYTES) * PAGE_BYTES;
        expect(engine.info.memoryBytes).toBeGreaterThanOrEqual(least - PAGE_BYTES);
        expect(engine.info.memoryBytes).toBeLessThanOrEqual(least + weight.data.length * 4 + PAGE_BYTES);
      }
    }
  }
});
