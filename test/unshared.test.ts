/** The second memory of an engine with threads: what is computed there, and that nobody can tell but by the clock. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

  it('both memories together stay within maxMemory, and a small call finds room where the second has none', async () => {
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
