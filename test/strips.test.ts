/** Calls that the memory does not hold whole: the same bits in strips, in as much memory as the plan said. */

import { afterAll, describe, expect, it } from 'vitest';
import { extras } from '../src/extras.ts';
import { createEngine, createEngineSync, type Engine, type Layer, type Plan, type Tensor } from '../src/index.ts';
import { instantiate } from '../src/kernels.ts';
import { Heap, PAGE_BYTES } from '../src/memory.ts';
import { operationsOf } from '../src/operations.ts';
import { soloTeam } from '../src/team.ts';
import { moduleSync } from '../src/wasm-source.ts';
import { fractions, guarded, integers } from './cases.ts';
import { expectClose } from './close.ts';
import { build, testBinary, testEngine } from './engines.ts';
import { elements, filled, laidOut, layoutTag, type Options, type Shape } from './family.ts';
import { usedBytes } from './used-bytes.ts';

const roomy = testEngine();
const random = (shape: Shape, seed: number): Tensor => filled(shape, seed, fractions);
const outOfMemory = expect.objectContaining({ name: 'RangeError', code: 'ERR_MEMORY' });

function expectBits(got: Tensor, want: Tensor): void {
  expect(got.shape).toEqual(want.shape);
  const [a, b] = [got, want].map(({ data }) => new Uint32Array(data.slice().buffer)) as [Uint32Array, Uint32Array];
  const at = a.findIndex((x, i) => x !== b[i]);
  if (at >= 0) expect.fail(`float ${at} of ${b.length} is ${got.data[at]}, not ${want.data[at]}`);
}

type Op = 'conv1d' | 'conv2d' | 'conv3d' | 'depthwiseConv2d';

function prepare(engine: Engine, op: Op, weight: Tensor, options: Options): Layer {
  return (engine[op] as unknown as { prepare(weight: Tensor, options: Options): Layer }).prepare(weight, options);
}

/** Bytes for the weights, what packs them, and a part of what a call takes. */
function bytesFor(plan: Plan, weights: number, part: number): number {
  return plan.weightBytes + weights * 4 + 4096 + Math.ceil(plan.workspaceBytes * part);
}

interface Cut {
  readonly tight: Engine;
  readonly layer: Layer;
  readonly plan: Plan;
  readonly input: Tensor;
  /** As an engine with memory for the whole computes it. */
  readonly want: Tensor;
}

/** A layer whose call takes more memory than there is: `part` of it. */
function cutLayer(what: string, op: Op, image: Shape, weight: Tensor, options: Options, last: boolean, part: number): Cut {
  const input = random(laidOut(image, last), 1);
  const all = { bias: fractions(weight.shape[0] as number, 3), inputLayout: layoutTag((image.length - 2) as 1 | 2 | 3, last), ...options };
  const whole = prepare(roomy, op, weight, all);
  const tight = testEngine({ maxMemory: bytesFor(whole.plan(input.shape), weight.data.length, part) + PAGE_BYTES });
  const layer = prepare(tight, op, weight, all);
  const plan = layer.plan(input.shape);
  expect(plan.variant).toMatch(new RegExp(`, in strips of \\d+ ${what.slice(0, -1)}s?$`));
  expect({ ...plan, variant: '', reason: '', workspaceBytes: 0 }).toEqual({
    ...whole.plan(input.shape),
    variant: '',
    reason: '',
    workspaceBytes: 0,
  });
  const want = whole.run(input);
  whole.dispose();
  return { tight, layer, plan, input, want };
}

const everyMode = ['zeros', 'replicate', 'circular', 'reflect'];

/** Images channels first, of half a megabyte with their results. */
const calls: readonly [what: string, op: Op, image: Shape, weight: Shape, options: Options, modes?: readonly string[]][] = [
  ['rows', 'conv2d', [1, 3, 90, 101], [8, 3, 3, 3], { padding: 1 }],
  [
    'rows',
    'conv2d',
    [1, 5, 150, 87],
    [12, 5, 4, 3],
    {
      stride: [2, 1],
      dilation: [3, 2],
      padding: [
        [5, 0],
        [1, 4],
      ],
      activation: 'silu',
    },
  ],
  // Windows that see nothing but the border, at either end.
  [
    'rows',
    'conv2d',
    [1, 4, 31, 90],
    [16, 4, 3, 3],
    {
      padding: [
        [40, 50],
        [1, 1],
      ],
      dilation: [2, 1],
    },
    ['zeros', 'replicate'],
  ],
  ['rows', 'conv2d', [1, 12, 81, 63], [18, 4, 3, 2], { groups: 3, padding: 2, stride: [1, 2] }],
  ['rows', 'conv2d', [1, 8, 175, 81], [16, 2, 3, 3], { groups: 4, padding: 'same', stride: 2 }],
  ['rows', 'conv2d', [1, 6, 121, 77], [14, 3, 3, 3], { groups: 2, padding: 1, activation: 'silu' }],
  ['rows', 'conv2d', [1, 24, 61, 43], [24, 24, 1, 1], { activation: 'relu', shuffle: 3 }, ['zeros']],
  ['rows', 'conv2d', [1, 24, 101, 40], [24, 24, 1, 1], { stride: 2 }, ['zeros']],
  ['rows', 'depthwiseConv2d', [1, 12, 83, 70], [12, 1, 3, 3], { padding: 1 }],
  ['rows', 'depthwiseConv2d', [1, 16, 83, 70], [16, 1, 3, 3], { padding: 1 }],
  ['rows', 'depthwiseConv2d', [1, 16, 83, 71], [16, 1, 3, 3], { padding: 2, dilation: 2 }],
  ['rows', 'depthwiseConv2d', [1, 16, 101, 64], [16, 1, 3, 3], { padding: 3, dilation: 3, activation: 'silu' }],
  ['rows', 'depthwiseConv2d', [1, 5, 190, 90], [5, 1, 3, 3], { padding: 1 }],
  ['rows', 'depthwiseConv2d', [1, 512, 40, 5], [512, 1, 3, 3], { padding: 1 }],
  ['rows', 'depthwiseConv2d', [1, 32, 83, 32], [32, 1, 3, 3], { padding: 1, activation: 'silu' }],
  ['rows', 'depthwiseConv2d', [1, 32, 83, 32], [32, 1, 3, 3], { padding: 2, dilation: 2 }],
  ['rows', 'depthwiseConv2d', [1, 12, 150, 44], [12, 1, 5, 5], { padding: 2 }],
  ['rows', 'depthwiseConv2d', [1, 12, 144, 90], [12, 1, 3, 3], { padding: 1, stride: 2, activation: 'relu' }],
  ['rows', 'depthwiseConv2d', [1, 9, 83, 71], [18, 1, 3, 3], { padding: 2, dilation: [3, 1], activation: 'silu' }],
  // Positions by fours and singly, under grids that sum by turns.
  ['rows', 'depthwiseConv2d', [1, 12, 150, 90], [12, 1, 5, 5], { padding: 2, stride: 2 }],
  ['rows', 'depthwiseConv2d', [1, 12, 150, 90], [12, 1, 4, 4], { padding: 2 }],
  ['rows', 'depthwiseConv2d', [1, 9, 83, 91], [18, 1, 5, 4], { padding: 'same-lower', stride: [1, 2], shuffle: 2 }],
  // Less than a vector of channels; few filters.
  ['rows', 'depthwiseConv2d', [1, 3, 190, 211], [3, 1, 5, 4], { padding: 2, stride: [1, 2], activation: 'silu' }],
  ['rows', 'depthwiseConv2d', [1, 1, 301, 310], [2, 1, 3, 3], { padding: 1, dilation: 2 }],
  ['columns', 'conv1d', [1, 2, 30001], [2, 1, 7], { groups: 2, stride: 3, padding: 3 }],
  ['rows', 'conv2d', [1, 10, 90, 101], [3, 10, 3, 3], { padding: 1 }],
  ['columns', 'conv1d', [1, 9, 15001], [1, 9, 7], { stride: 2, padding: 4 }],
  ['columns', 'conv2d', [1, 20, 1, 4001], [20, 20, 1, 4], { padding: [0, 2] }],
  ['columns', 'conv1d', [1, 6, 15001], [5, 6, 5], { stride: 2, padding: 'same', dilation: 3 }],
  ['columns', 'conv1d', [1, 6, 9001], [6, 1, 3], { groups: 6, padding: [[0, 7]] }],
  ['slices', 'conv3d', [1, 3, 17, 25, 31], [6, 3, 3, 3, 3], { padding: 1 }],
  ['slices', 'conv3d', [1, 4, 25, 31, 40], [8, 2, 2, 3, 1], { groups: 2, stride: [2, 1, 2], dilation: [1, 2, 1], padding: 2 }],
  ['rows', 'conv3d', [1, 4, 2, 70, 101], [4, 4, 1, 3, 3], { padding: [0, 1, 1] }],
  ['images', 'conv2d', [5, 4, 50, 43], [6, 4, 3, 3], { padding: 1 }],
  ['images', 'conv1d', [7, 3, 1501], [9, 3, 3], { padding: 1 }],
  [
    'rows',
    'conv2d',
    [2, 3, 101, 110],
    [15, 3, 3, 3],
    {
      stride: [3, 2],
      padding: [
        [0, 2],
        [2, 0],
      ],
    },
  ],
];

describe.each([false, true])('channels last: %s', (last) => {
  it.each(calls)('%s of %s %j %j %j', (what, op, image, weight, options, modes = everyMode) => {
    for (const paddingMode of modes) {
      const more = { ...options, paddingMode, accuracy: 'exact' };
      const { tight, layer, plan, input, want } = cutLayer(what, op, image, random(weight, 2), more, last, what === 'images' ? 0.5 : 0.3);
      expectBits(layer.run(input), want);
      // Beyond what was promised: what packing left over, and less than two pages.
      const size = tight.info.memoryBytes;
      expect(size).toBeLessThan(plan.workspaceBytes + plan.weightBytes + elements(weight) * 4 + 2 * PAGE_BYTES);
      expect(size).toBeGreaterThanOrEqual(plan.workspaceBytes);
      // Records and memory are as they were.
      expectBits(layer.run(input), want);
      expect(tight.info.memoryBytes).toBe(size);
      layer.dispose();
    }
  });

  it.each<[tile: string, image: Shape, weight: Shape, options: Options]>([
    ['F(4×4, 3×3)', [1, 32, 70, 65], [32, 32, 3, 3], { padding: 1 }],
    ['F(4×4, 3×3)', [1, 24, 83, 67], [32, 24, 3, 3], { dilation: 2, padding: 2, paddingMode: 'reflect' }],
    ['F(6×6, 3×3)', [1, 128, 79, 65], [32, 128, 3, 3], { padding: 1, accuracy: 'fast' }],
    [
      'F(4×4, 2×2)',
      [1, 16, 149, 111],
      [16, 16, 3, 3],
      {
        stride: 2,
        paddingMode: 'circular',
        padding: [
          [0, 3],
          [4, 2],
        ],
      },
    ],
    ['F(4, 3)', [1, 32, 1, 6001], [32, 32, 1, 3], { padding: [0, 1] }],
  ])('tiles of %s, %j %j %j: strips end where they do', (tile, image, weight, options) => {
    const what = image[2] === 1 ? 'columns' : 'rows';
    const { layer, plan, input, want } = cutLayer(
      what,
      'conv2d',
      image,
      random(weight, 2),
      { algorithm: 'winograd', ...options },
      last,
      0.6,
    );
    expect(plan.algorithm).toBe('winograd');
    expect(plan.variant.startsWith(tile)).toBe(true);
    expectBits(layer.run(input), want);
  });

  it('rows that are summed in pairs or alone, columns in vectors or one by one', () => {
    for (const options of [{}, { activation: 'silu' }]) {
      // Five rows in pairs, and sizes of which few columns are left over.
      const rows = { padding: 1, ...options };
      const made = cutLayer('rows', 'depthwiseConv2d', [1, 12, 5, 1500], random([12, 1, 3, 3], 2), rows, last, 0.75);
      expectBits(made.layer.run(made.input), made.want);
      // Of rows whose border is part of them or beside them, by their width.
      for (let width = 1501; width < 1505; width++) {
        for (const channels of [10, 16]) {
          const weight = random([channels, 1, 3, 3], 2);
          const { layer, input, want } = cutLayer('columns', 'depthwiseConv2d', [1, channels, 6, width], weight, rows, last, 0.2);
          expectBits(layer.run(input), want);
        }
      }
      for (let width = 57; width < 73; width++) {
        const far = { padding: [40, 1], dilation: [40, 1], ...options };
        for (const channels of [9, 16]) {
          const weight = random([channels, 1, 3, 3], 2);
          const { layer, input, want } = cutLayer('columns', 'depthwiseConv2d', [1, channels, 83, width], weight, far, last, 0.2);
          expectBits(layer.run(input), want);
        }
      }
    }
  });

  // A part has another border than the whole, and so may be read in place where the whole is copied, or copied where it is in place.
  it.each([
    { padding: 2 },
    { padding: 1, stride: 2 },
    { padding: 2, stride: 2 },
    { padding: 1, dilation: 2 },
    { padding: 2, dilation: 2 },
    { padding: 3, dilation: 2 },
    { padding: 3, dilation: 3 },
    { padding: 4, dilation: 4 },
    { padding: [12, 5], dilation: 12 },
    { padding: 12, dilation: 12 },
    { padding: 6, dilation: 6 },
    { padding: [4, 2], dilation: [4, 2] },
    { padding: 4, dilation: 2, kernel: 5 },
    { padding: 8, dilation: 4, kernel: 5 },
    { padding: 6, dilation: 2, kernel: 7 },
  ])('a part of a depthwise convolution that is computed another way: %j', ({ kernel = 3, ...options }) => {
    const weight = random([16, 1, kernel, kernel], 2);
    const farthest = Math.max(...[options.dilation ?? 1].flat());
    for (const applied of [{}, { activation: 'relu' }, { activation: 'silu' }])
      for (const width of [57, 64, 70]) {
        const made = cutLayer('rows', 'depthwiseConv2d', [1, 16, 83, width], weight, { ...options, ...applied }, last, 0.4);
        expectBits(made.layer.run(made.input), made.want);
        // Of so many rows that the whole is in place where its padding lets it.
        const wide: Shape = [1, 16, Math.max(9, 2 * farthest + 1), 20 * width];
        const { layer, input, want } = cutLayer('columns', 'depthwiseConv2d', wide, weight, { ...options, ...applied }, last, 0.12);
        expectBits(layer.run(input), want);
      }
  });

  it('one tap, in panels of pixels as the whole, however few there are', () => {
    const image = [1, 2400, 12, 23];
    const { layer, plan, input, want } = cutLayer('rows', 'conv2d', image, random([1, 2400, 1, 1], 2), { algorithm: 'gemm' }, last, 0.2);
    expect(plan.variant.startsWith(last ? 'pointwise, dot products' : 'pointwise, panels of pixels')).toBe(true);
    expect(plan.variant).toMatch(/[12] rows?$/);
    expectBits(layer.run(input), want);
  });

  it('one tap, a last strip of fewer pixels than a panel has', () => {
    const weight = random([3, 191, 1], 2);
    const options: Options = { inputLayout: layoutTag(1, last), algorithm: 'gemm' };
    const tight = testEngine({ maxMemory: 3 * PAGE_BYTES });
    const layers = [roomy, tight].map((engine) => prepare(engine, 'conv1d', weight, options)) as [Layer, Layer];
    const rests = Array.from({ length: 24 }, (_width, i) => {
      const input = random(last ? [1, 225 + i, 191] : [1, 191, 225 + i], 1);
      const [whole, parts] = layers.map((layer) => layer.run(input)) as [Tensor, Tensor];
      expectBits(parts, whole);
      const size = Number(/strips of (\d+) columns?$/.exec(layers[1].plan(input.shape).variant)?.[1]);
      return (225 + i) % size;
    });
    expect(rests.filter((rest) => rest > 0 && rest < 8).length).toBeGreaterThan(3);
    for (const layer of layers) layer.dispose();
  });

  it('down, then along', () => {
    const [column, row] = [fractions(12 * 7, 5), fractions(12 * 6, 6)];
    const data = Float32Array.from(
      { length: 12 * 42 },
      (_, i) => (column[Math.floor(i / 6)] as number) * (row[Math.floor(i / 42) * 6 + (i % 6)] as number),
    );
    for (const paddingMode of everyMode) {
      const options = { algorithm: 'factored', padding: 3, paddingMode, stride: [1, 1] };
      const weight = { data, shape: [12, 1, 7, 6] };
      const { layer, plan, input, want } = cutLayer('rows', 'depthwiseConv2d', [1, 12, 83, 77], weight, options, last, 0.4);
      expect(plan.algorithm).toBe('factored');
      expectBits(layer.run(input), want);
    }
    // Rows that no longer end with a whole period of their weights.
    const odd = {
      data: Float32Array.from({ length: 5 * 15 }, (_, i) => (column[i % 5] as number) * (row[Math.floor(i / 5) % 3] as number)),
      shape: [5, 1, 3, 5],
    };
    const { layer, input, want } = cutLayer(
      'columns',
      'depthwiseConv2d',
      [1, 5, 3, 7001],
      odd,
      {
        algorithm: 'factored',
        padding: [
          [0, 0],
          [0, 7],
        ],
      },
      last,
      0.3,
    );
    expectBits(layer.run(input), want);
  });
});

/** An engine that holds neither operand whole, a call of it, and its result. */
function tightCall(pages = 8): { tight: Engine; input: Tensor; weight: Tensor; options: { padding: number }; want: Tensor } {
  const [input, weight, options] = [random([1, 6, 150, 151], 1), random([6, 6, 3, 3], 2), { padding: 1 }];
  return { tight: testEngine({ maxMemory: pages * PAGE_BYTES }), input, weight, options, want: roomy.conv2d(input, weight, options) };
}

describe('a call that is cut', () => {
  it('writes to out and nowhere else, also over its own input', () => {
    const { tight, input, weight, options, want } = tightCall();
    expectBits(tight.conv2d(input, weight, options), want);
    const { out, intact } = guarded(want.data.length);
    expect(tight.conv2d(input, weight, { ...options, out }).data).toBe(out);
    expectBits({ data: out, shape: want.shape }, want);
    expect(intact()).toBe(true);
    const length = want.data.length;
    for (const [from, to] of [
      [0, 0],
      [0, 1000],
      [1000, 0],
    ] as const) {
      for (const buffer of [new ArrayBuffer(4 * length + 4000), new SharedArrayBuffer(4 * length + 4000)]) {
        const data = new Float32Array(buffer as ArrayBuffer, from * 4, length);
        data.set(input.data);
        const over = new Float32Array(buffer as ArrayBuffer, to * 4, length);
        expectBits(tight.conv2d({ data, shape: input.shape }, weight, { ...options, out: over }), want);
      }
    }
  });

  it('takes and gives engine tensors, of its own engine and of others', () => {
    const { tight, input, weight, options, want } = tightCall(14);
    const held = tight.alloc(input.shape);
    held.data.set(input.data);
    // Beside one tensor, there is no room for the other whole.
    expect(() => tight.alloc(want.shape)).toThrow(outOfMemory);
    expectBits(tight.conv2d(held, weight, options), want);
    expect(held.data).toEqual(input.data);
    held.dispose();
    const out = tight.alloc(want.shape);
    expect(tight.conv2d(input, weight, { ...options, out })).toBe(out);
    expectBits(out, want);
    const foreign = roomy.alloc(input.shape);
    foreign.data.set(input.data);
    out.data.fill(NaN);
    expect(tight.conv2d(foreign, weight, { ...options, out })).toBe(out);
    expectBits(out, want);
    foreign.dispose();
  });

  it('leaves nothing behind, and no larger call says that it fits', () => {
    const { tight, input, weight, options } = tightCall();
    tight.conv2d(input, weight, options);
    const size = tight.info.memoryBytes;
    using layer = tight.conv2d.prepare(weight, options);
    for (const height of [150, 20, 151, 400]) {
      const image = random([1, 6, height, 151], 1);
      expectBits(layer.run(image), roomy.conv2d(image, weight, options));
      expect(tight.info.memoryBytes).toBe(size);
    }
  });

  it('is whole again as soon as there is room', () => {
    const { tight, input, weight, options, want } = tightCall(40);
    const layer = tight.conv2d.prepare(weight, options);
    const variant = (): string => layer.plan(input.shape).variant;
    for (let n = 0; n < 2; n++) {
      expect(variant()).not.toContain('strips');
      expectBits(layer.run(input), want);
      const held = tight.alloc([32 * (PAGE_BYTES / 4)]);
      expect(variant()).toContain('strips');
      expectBits(layer.run(input), want);
      held.dispose();
    }
    expectBits(layer.run(input), want);
  });

  it('throws with out untouched where nothing is small enough, and names the bytes', () => {
    const { tight, input, weight } = tightCall();
    const out = new Float32Array(6 * 301 * 303).fill(7);
    const message = /^\w+: \d+ more bytes of linear memory do not fit into maxMemory = 524288$/;
    const refused = expect.objectContaining({ name: 'RangeError', code: 'ERR_MEMORY', message: expect.stringMatching(message) as string });
    // One image of a transposed convolution stays whole.
    expect(() => tight.convTranspose2d(input, weight, { stride: 2, out })).toThrow(refused);
    expect(out.every((x) => x === 7)).toBe(true);
    // One pixel with so many channels.
    const deep = { data: new Float32Array(600_000), shape: [1, 600_000, 1, 1] };
    expect(() => tight.depthwiseConv2d(deep, { data: integers(600_000), shape: [600_000, 1, 1, 1] })).toThrow(refused);
    expect(() => tight.channelShuffle(input, 2)).toThrow(refused);
  });

  it('is computed again in smaller strips where the host refuses to grow', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 6 });
    const kernels = instantiate('test', moduleSync('test', testBinary(), build === 'relaxed'), memory);
    const heap = new Heap(memory, Number(kernels.heapBase.value), 64 * PAGE_BYTES);
    const { conv2d, channelShuffle } = operationsOf({ heap, kernels, team: soloTeam(kernels), extras });
    const { input, weight, options, want } = tightCall();
    // The memory may have all that the call takes.
    using layer = conv2d.prepare(weight, options);
    expect(layer.plan(input.shape).variant).not.toContain('strips');
    expectBits(layer.run(input), want);
    expectBits(conv2d(input, weight, options), want);
    expect(() => channelShuffle(input, 2)).toThrow(
      expect.objectContaining({
        name: 'RangeError',
        code: 'ERR_MEMORY',
        message: expect.stringMatching(
          /^channelShuffle: the host refuses 1087232 more bytes of linear memory, which has \d+ of maxMemory = 4194304$/,
        ),
      }),
    );
    layer.dispose();
    expect(usedBytes(heap)).toBe(0);
  });
});

describe('other operations are cut into images', () => {
  const options = (last: boolean): Options => ({ inputLayout: layoutTag(2, last) });
  it.each<[op: string, image: Shape, call: (engine: Engine, image: Tensor, last: boolean) => Tensor]>([
    [
      'convTranspose2d',
      [6, 41, 30],
      (engine, image, last) => engine.convTranspose2d(image, filled([6, 5, 3, 3], 2), { stride: 2, ...options(last) }),
    ],
    [
      'separableConv2d',
      [8, 60, 61],
      (engine, image, last) =>
        engine.separableConv2d(image, filled([8, 1, 3, 3], 2), filled([6, 8, 1, 1], 3), { padding: 1, ...options(last) }),
    ],
    [
      'spatialSeparableConv2d',
      [8, 60, 61],
      (engine, image, last) => engine.spatialSeparableConv2d(image, filled([6, 8, 3, 1], 2), filled([6, 6, 1, 3], 3), options(last)),
    ],
    [
      'conv2dInputGrad',
      [8, 60, 61],
      (engine, image, last) => engine.conv2dInputGrad(image, filled([8, 6, 3, 3], 2), laidOut([7, 6, 62, 63], last), options(last)),
    ],
  ])('%s', (_, image, call) => {
    for (const last of [false, true]) {
      const given = filled(laidOut([7, ...image], last));
      const tight = testEngine({ maxMemory: 12 * PAGE_BYTES });
      expectClose(call(tight, given, last), call(roomy, given, last));
      expect(tight.info.memoryBytes).toBeLessThanOrEqual(12 * PAGE_BYTES);
    }
  });

  it('but the gradient of a transposed convolution, which is a convolution, into rows', () => {
    const [given, weight, inputShape] = [filled([1, 4, 161, 163], 1), filled([5, 4, 3, 3], 2), [1, 5, 80, 81]];
    const tight = testEngine({ maxMemory: 6 * PAGE_BYTES });
    const [got, want] = [tight, roomy].map((engine) => engine.convTranspose2dInputGrad(given, weight, inputShape, { stride: 2 }));
    expectClose(got as Tensor, want as Tensor);
  });
});

/** WASM_CONV_LARGE=1 runs the largest, whose result is an array of 2.1 GB. */
const LARGE = 4096;
const sizes = process.env.WASM_CONV_LARGE === undefined ? [LARGE / 8] : [LARGE / 8, LARGE];

describe.each(sizes)('%i² pixels of 3 channels under 3×3×3×32', (size) => {
  it.each(['nchw', 'nhwc'] as const)('%s, in 64 MiB for 4096²', (inputLayout) => {
    const last = inputLayout === 'nhwc';
    const maxMemory = (64 * 2 ** 20 * size ** 2) / LARGE ** 2;
    const tight = testEngine({ maxMemory });
    const input = filled(laidOut([1, 3, size, size], last));
    const weight = filled([3, 3, 3, 32], 2);
    const layer = tight.conv2d.prepare(weight, { padding: 1, inputLayout, filterLayout: 'hwio' });
    const plan = layer.plan(input.shape);
    const { data } = layer.run(input);
    expect(tight.info.memoryBytes).toBeLessThanOrEqual(Math.min(maxMemory, plan.workspaceBytes + plan.weightBytes + 2 * PAGE_BYTES));
    const at = (channels: number, c: number, h: number, w: number): number =>
      last ? (h * size + w) * channels + c : (c * size + h) * size + w;
    // Primes: every row that a strip may begin with, and all columns and channels.
    for (let n = 0; n < 2 * size; n++) {
      const [h, w, oc] = [n % size, (n * 1009) % size, (n * 7) % 32];
      let sum = 0;
      for (let tap = 0; tap < 27; tap++) {
        const [ic, y, x] = [tap % 3, h + (Math.floor(tap / 3) % 3) - 1, w + Math.floor(tap / 9) - 1];
        if (y < 0 || y >= size || x < 0 || x >= size) continue;
        const cell = ((y - h + 1) * 3 + (x - w + 1)) * 3 + ic;
        sum += (input.data[at(3, ic, y, x)] as number) * (weight.data[cell * 32 + oc] as number);
      }
      if (data[at(32, oc, h, w)] !== sum) expect.fail(`[${oc}, ${h}, ${w}] is ${data[at(32, oc, h, w)]}, not ${sum}`);
    }
  });
});

describe('several threads', () => {
  const engines: Engine[] = [];
  afterAll(() => {
    for (const engine of engines) engine.dispose();
  });

  it('give the same bits in strips', async () => {
    const relaxedSimd = build === 'relaxed';
    const pages = 40;
    const threaded = await createEngine({ threads: 2, relaxedSimd, maxMemory: pages * PAGE_BYTES });
    engines.push(threaded);
    expect(threaded.info.threads).toBe(2);
    const one = createEngineSync({ relaxedSimd });
    for (const inputLayout of ['nchw', 'nhwc'] as const)
      for (const accuracy of ['exact', 'normal'] as const) {
        const input = random(laidOut([1, 16, 150, 149], inputLayout === 'nhwc'), 1);
        const [weight, options] = [random([32, 16, 3, 3], 2), { padding: 1, inputLayout, accuracy }];
        using layer = threaded.conv2d.prepare(weight, options);
        const plan = layer.plan(input.shape);
        expect(plan.variant).toContain('in strips of');
        expectBits(layer.run(input), one.conv2d.prepare(weight, options).run(input));
        expect(threaded.info.memoryBytes).toBeLessThanOrEqual(pages * PAGE_BYTES);
      }
  });
});
