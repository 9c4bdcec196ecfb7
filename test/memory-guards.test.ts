/**
 * Nothing is read before it is written, and nothing beyond an operand or the workspace of the plan: every block is dirty with NaN before,
 * stands between blocks whose values must stay, and what can lies at the very end of the memory, where a load too many traps.
 */
import { describe, expect, it } from 'vitest';
import type { ConvOptions, Engine, EngineTensor, Tensor } from '../src/index.ts';
import { PAGE_BYTES } from '../src/memory.ts';
import * as reference from '../src/reference/index.ts';
import { integers, operands, problem } from './cases.ts';
import { expectClose, sumBound } from './close.ts';
import { testEngine } from './engines.ts';

/** With a bias throughout. */
const problems: [name: string, options: ConvOptions][] = [
  ['ic3ih9iw11oc7kh3ph1', {}],
  ['ic3ih9iw11oc7kh3ph1', { paddingMode: 'reflect' }],
  ['ic3ih30iw11oc7kh3sh2', { activation: 'relu' }],
  ['mb2ic20ih9iw7oc13kh3ph1', {}],
  ['mb2ic20ih9iw7oc13kh2kw3dh2', {}],
  ['ic40ih11oc21kh1', { shuffle: 3 }],
  ['ic600ih3oc6kh1', {}],
  ['g2ic6ih12oc10kh3ph1', { shuffle: 2 }],
  ['ic1ih33oc5kh5ph2', {}],
  ['g5ic5ih13oc5kh3ph1', {}],
  ['g5ic5ih13oc15kh3ph1sh2', { shuffle: 5 }],
  ['mb2g6ic6ih40iw33oc6kh3ph1', { shuffle: 3 }],
  ['g2ic6ih12iw13oc36kh3ph1', { shuffle: 18 }],
  ['g18ic18ih9iw13oc18kh5ph2', { activation: { leakyRelu: 0.5 } }],
  ['g18ic18ih40iw50oc18kh3ph1', { paddingMode: 'circular' }],
  ['g4ic4ih9oc4kh3dh3dw2ph1', {}],
  ['g4ic4ih20iw17oc4kh3dh3ph3', {}],
  ['g16ic16ih70iw33oc16kh3dh2ph2', { activation: 'relu' }],
  ['g512ic512ih24iw33oc512kh3ph1', {}],
  // Rows of an odd number of vectors.
  ['g4ic4ih12oc4kh7ph3', {}],
  ['g4ic4ih4iw12oc4kh7ph3', {}],
  ['g3ic3ih20iw12oc6kh7ph3', { activation: { leakyRelu: 0.5 } }],
  ['ic3ih20iw31oc32kh3sh2ph1', { activation: 'relu' }],
  ['ic1ih9iw12oc8kh5ph2', {}],
  ['mb2g5ic20ih40iw33oc20kh3ph1', {}],
  // Filters that are left beside fours: the second vector of a short row lies behind it, at the end of the workspace.
  ['g2ic6ih9iw3oc6kh3ph1', { activation: 'relu' }],
  ['g3ic6ih5iw1oc21kh3ph1', {}],
  ['mb2g4ic8ih12iw4oc20kh3ph1sh2', { shuffle: 5 }],
  ['g3ic12ih11iw9oc24kh3ph1sh2', { algorithm: 'direct', shuffle: 3, activation: { leakyRelu: 0.5 } }],
  ['g2ic40ih9iw3oc8kh2kw3dh3dw2ph1pw4', { paddingMode: 'replicate' }],
  ['mb2ic20ih9iw13oc17kh3ph1', { algorithm: 'winograd' }],
  ['g2ic32ih19iw13oc16kh3dh2ph2', { algorithm: 'winograd', activation: 'silu' }],
  ['ic33ih20iw31oc20kh3', { algorithm: 'winograd', accuracy: 'fast' }],
  ['ic16ih1iw300oc33kh1kw3pw1', { algorithm: 'winograd' }],
  ['ic64ih40iw40oc64kh3ph1', { algorithm: 'winograd', paddingMode: 'reflect' }],
];

const cases = problems.flatMap(([name, options]) =>
  (['nchw', 'nhwc'] as const).map((inputLayout) => [name, { ...options, inputLayout }] as [string, ConvOptions]),
);

/** A block with NaN in it, given back: what comes next lies there. */
function dirty(engine: Engine, floats: number): void {
  const block = engine.alloc([floats]);
  block.data.fill(NaN);
  block.dispose();
}

function sentinel(engine: Engine): EngineTensor {
  const block = engine.alloc([64]);
  block.data.fill(7);
  return block;
}

function intact(...blocks: EngineTensor[]): void {
  for (const block of blocks) expect(block.data.every((value) => value === 7)).toBe(true);
}

function hosted(engine: Engine, value: Tensor): EngineTensor {
  const block = engine.alloc(value.shape);
  block.data.set(value.data);
  return block;
}

describe.each(cases)('%s %j', (name, extra) => {
  const p = problem(name);
  const { input, weight, options } = operands(p, { ...extra, bias: integers(p.oc, 3) });
  const { algorithm, accuracy, ...semantics } = options;
  const want = reference.conv2d(input, weight, semantics);
  const bound = algorithm === 'winograd' ? sumBound((p.ic / p.g) * 9, 16) : undefined;

  it('the workspace is as large as the plan says, and dirty', () => {
    const engine = testEngine();
    dirty(engine, 200_000);
    const layer = engine.conv2d.prepare(weight, options);
    // What is derived of the weights is there from the first run on.
    layer.run(input);
    const before = sentinel(engine);
    const floats = [layer.plan(input.shape).workspaceBytes / 4];
    let hole = engine.alloc(floats);
    const after = sentinel(engine);
    const start = hole.data.byteOffset;
    for (let i = 0; i < 2; i++) {
      hole.data.fill(NaN);
      hole.dispose();
      expectClose(layer.run(input), want, bound, name);
      intact(before, after);
      // The next block lands in the same hole: the call has given all of it back.
      hole = engine.alloc(floats);
      expect(hole.data.byteOffset).toBe(start);
    }
  });

  it('packed weights end where they should', () => {
    const engine = testEngine();
    dirty(engine, 200_000);
    const first = engine.conv2d.prepare(weight, options);
    const after = sentinel(engine);
    const second = engine.conv2d.prepare(weight, options);
    first.dispose();
    // Into the hole that the first left, which has exactly its size.
    const third = engine.conv2d.prepare(weight, options);
    expectClose(third.run(input), want, bound, name);
    expectClose(second.run(input), want, bound, name);
    intact(after);
  });

  it('engine tensors lie at the end of the memory, or among NaN', () => {
    const engine = testEngine();
    // A hole for whatever the calls take; then blocks up to the last byte.
    const hole = engine.alloc([200_000]);
    hole.data.fill(NaN);
    const out = engine.alloc(want.shape);
    const after = sentinel(engine);
    const bytes = Math.ceil(input.data.length / 16) * 64;
    const next = after.data.byteOffset + after.data.length * 4;
    const filler = Math.ceil((next + bytes) / PAGE_BYTES) * PAGE_BYTES - bytes - next;
    if (filler > 0) engine.alloc([filler / 4]).data.fill(NaN);
    const image = hosted(engine, input);
    expect(image.data.byteOffset + bytes).toBe(engine.info.memoryBytes);
    hole.dispose();
    out.data.fill(NaN);
    expectClose(engine.conv2d(image, weight, { ...options, out }), want, bound, name);
    intact(after);
    expect(image.data).toEqual(input.data);
  });

  it('the workspace lies at the end of the memory', () => {
    const engine = testEngine();
    const layer = engine.conv2d.prepare(weight, options);
    const [image, out] = [hosted(engine, input), engine.alloc(want.shape)];
    layer.run(image, { out });
    const lines = (floats: number): number => Math.ceil(floats / 16) * 64;
    const bytes = layer.plan(input.shape).workspaceBytes - lines(input.data.length) - lines(want.data.length);
    if (bytes === 0) return;
    const next = engine.alloc([16]);
    const behind = next.data.byteOffset + 64;
    const filler = Math.ceil((behind + bytes) / PAGE_BYTES) * PAGE_BYTES - bytes - behind;
    if (filler > 0) engine.alloc([filler / 4]);
    const hole = engine.alloc([bytes / 4]);
    const { memoryBytes } = engine.info;
    expect(hole.data.byteOffset + bytes).toBe(memoryBytes);
    hole.data.fill(NaN);
    hole.dispose();
    expectClose(layer.run(image, { out }), want, bound, name);
    expect(engine.info.memoryBytes).toBe(memoryBytes);
  });
});
