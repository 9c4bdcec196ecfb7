/** The second memory of an engine with threads: what is computed there, and that nobody can tell but by the clock. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEngine, type Engine, type Tensor } from '../src/index.ts';
import { build } from './engines.ts';
import { everyCall, splitOptions } from './every-call.ts';
import { filled } from './family.ts';

const MiB = 2 ** 20;

// Threads run the release binary, whatever is under test.
describe.runIf(build === 'release')('two threads', () => {
  let one: Engine;
  let two: Engine;
  beforeAll(async () => {
    one = await createEngine({ relaxedSimd: false });
    two = await createEngine({ relaxedSimd: false, threads: 2 });
  });
  afterAll(() => {
    one.dispose();
    two.dispose();
  });

  it.each(everyCall(true, 9).map(([op, given]) => ({ op, given })))(
    '$op: small arrays do not touch what threads share',
    async ({ op, given }) => {
      const own = await createEngine({ relaxedSimd: false, threads: 2 });
      const shared = own.alloc([4]).data.buffer;
      const [operands, options] = splitOptions(given);
      const call = (engine: Engine): Float32Array =>
        (engine[op] as unknown as (...all: readonly unknown[]) => Tensor)(...operands, options).data;
      const before = new Uint32Array(shared).slice();
      const first = own.info.memoryBytes;
      expect(call(own)).toEqual(call(one));
      expect(own.info.memoryBytes).toBeGreaterThan(first);
      expect(Buffer.compare(Buffer.from(new Uint32Array(shared).slice().buffer), Buffer.from(before.buffer))).toBe(0);
      own.dispose();
    },
  );

  it('a layer is packed once, and computes in either memory to the same bits', () => {
    const weight = filled([32, 32, 3, 3], 3);
    const [image, other] = [filled([1, 32, 9, 11]), filled([1, 32, 14, 8])];
    using want = one.conv2d.prepare(weight, { padding: 1 });
    using layer = two.conv2d.prepare(weight, { padding: 1 });
    using held = two.alloc(image.shape);
    held.data.set(image.data);
    for (const input of [image, held, other, image, held])
      expect(layer.run(input).data).toEqual(want.run(input === held ? image : input).data);
    using out = two.alloc([1, 32, 9, 11]);
    expect(layer.run(image, { out }).data).toEqual(want.run(image).data);
    const array = new Float32Array(32 * 14 * 8);
    expect(layer.run(other, { out: array }).data).toBe(array);
    expect(array).toEqual(want.run(other).data);
  });

  it('layers give back what they took in both', () => {
    const weight = filled([32, 32, 3, 3], 3);
    const image = filled([1, 32, 9, 11]);
    const round = (): number => {
      for (let n = 0; n < 20; n++) {
        using layer = two.conv2d.prepare(weight, { padding: 1 });
        layer.run(image);
      }
      return two.info.memoryBytes;
    };
    const after = round();
    expect(round()).toBe(after);
  });

  it('a layer plans once for a shape, wherever it runs', () => {
    using layer = two.conv2d.prepare(filled([8, 8, 3, 3], 3), { padding: 1 });
    const image = filled([1, 8, 9, 11]);
    layer.run(image);
    // Both round bytes up to lines of the cache; planning much more often.
    const from = vi.spyOn(Math, 'ceil');
    layer.run(image);
    const again = from.mock.calls.length;
    layer.run(filled([1, 8, 9, 12]));
    expect(from.mock.calls.length - again).toBeGreaterThan(1.5 * again);
    from.mockRestore();
  });

  it('many weights are there once', async () => {
    const own = await createEngine({ threads: 2, relaxedSimd: false });
    using layer = own.conv2d.prepare(filled([256, 512, 1, 1], 3));
    const prepared = own.info.memoryBytes;
    const image = filled([1, 512, 1, 1]);
    expect(layer.run(image).data).toEqual(one.conv2d(image, filled([256, 512, 1, 1], 3)).data);
    expect(own.info.memoryBytes).toBe(prepared);
    own.dispose();
  });

  it('both memories together stay within maxMemory, and a call finds room where the second has none', async () => {
    const tight = await createEngine({ threads: 2, relaxedSimd: false, maxMemory: 2 * MiB });
    const image = filled([1, 8, 100, 100]);
    // 640 kB of copies: more than the quarter that the second memory may have.
    expect(tight.channelShuffle(image, 4).data).toEqual(one.channelShuffle(image, 4).data);
    const small = filled([1, 8, 20, 20]);
    expect(tight.channelShuffle(small, 4).data).toEqual(one.channelShuffle(small, 4).data);
    expect(() => tight.channelShuffle(filled([1, 8, 300, 300]), 4)).toThrow(expect.objectContaining({ code: 'ERR_MEMORY' }));
    expect(tight.info.memoryBytes).toBeLessThanOrEqual(2 * MiB);
    tight.dispose();
  });

  it.each([1, 2, 32])('a first memory that fills all %i pages leaves none', async (pages) => {
    const full = await createEngine({ threads: 2, relaxedSimd: false, maxMemory: pages * 65536 });
    const most = full.alloc([(pages * 65536 - 8192) / 4]);
    const small = filled([1, 8, 4, 4]);
    expect(full.channelShuffle(small, 4).data).toEqual(one.channelShuffle(small, 4).data);
    expect(full.info.memoryBytes).toBe(pages * 65536);
    most.dispose();
    full.dispose();
  });

  it('what the second memory took, the first gets when it needs it; layers go on', async () => {
    const tight = await createEngine({ threads: 2, relaxedSimd: false, maxMemory: 4 * MiB });
    const weight = filled([16, 8, 3, 3], 3);
    using layer = tight.conv2d.prepare(weight, { padding: 1 });
    const image = filled([1, 8, 40, 40]);
    const want = one.conv2d(image, weight, { padding: 1 }).data;
    const planned = layer.plan([1, 8, 150, 150]);
    for (let round = 0; round < 3; round++) {
      tight.channelShuffle(filled([1, 8, 120, 100]), 2);
      expect(layer.run(image).data).toEqual(want);
      expect(layer.plan([1, 8, 150, 150])).toEqual(planned);
      const large = tight.alloc([970_000]);
      expect(tight.info.memoryBytes).toBeLessThanOrEqual(4 * MiB);
      expect(layer.run(image).data).toEqual(want);
      large.dispose();
    }
    tight.dispose();
  });

  it('is gone with its engine', async () => {
    const own = await createEngine({ threads: 2, relaxedSimd: false });
    const layer = own.conv2d.prepare(filled([4, 4, 1, 1]));
    layer.run(filled([1, 4, 3, 3]));
    expect(own.info.memoryBytes).toBe(2 * 65536);
    own.dispose();
    expect(own.info.memoryBytes).toBe(0);
    expect(() => layer.run(filled([1, 4, 3, 3]))).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    layer.dispose();
  });
});
