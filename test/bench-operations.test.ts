import { describe, expect, it } from 'vitest';
import { naiveContestant } from '../bench/naive.ts';
import { onnxModel } from '../bench/onnx.ts';
import { asConv, asTransposed, dimsOf, flopsOf, productsOf, stepsOf } from '../bench/operations.ts';
import { ourContestants } from '../bench/ours.ts';
import { resolvePeer } from '../bench/peer.ts';
import { difference, makeProblem, type Problem, weightedSteps } from '../bench/problem.ts';
import { parseLayer } from '../bench/shapes.ts';
import { createEngine } from '../src/index.ts';

const problemOf = (line: string): Problem => makeProblem(parseLayer(line, 'here'));

function naive(problem: Problem): Float32Array {
  const contestant = naiveContestant(problem);
  contestant.run();
  return contestant.result();
}

const both = (words: readonly string[]): string[] => words.flatMap((word) => [`nchw ${word}`, `nhwc ${word}`]);
const forwards = ['arrays', 'one-shot', 'out', 'tensors'];
const gradients = ['arrays', 'forward', 'out', 'tensors'];

describe('ours', () => {
  it.each([
    ['ic3id4ih5oc2kd2kh3ph1', forwards],
    ['ic3iw9oc4kw3pw1sw2', forwards],
    ['g2ic4ih5oc6kh3sh2ph1', forwards],
    ['deconv ic3ih4oc2kh4sh2ph1', forwards],
    ['deconv g2ic4iw5oc6kw3sw3', forwards],
    ['deconv ic2id3oc3kd2sd2', forwards],
    ['deconv ic2ih3oc3oh7kh3sh2', forwards],
    ['bwd_d ic3ih6oc2kh3ph1sh2', gradients],
    ['bwd_d ic3iw6oc2kw3', gradients],
    ['bwd_d ic2id4oc3kd2', gradients],
    ['bwd_w g2ic4ih6oc2kh3ph1sh2', ['arrays', 'out', 'tensors']],
    ['bwd_w ic3iw9oc4kw3dw1', gradients],
    ['bwd_w ic3id4oc2kd2pd1', gradients],
    ['deconv_bwd_d g2ic4ih4oc2kh4sh2ph1', ['arrays', 'out', 'tensors']],
    ['deconv_bwd_d ic3iw5oc2kw3sw2', ['arrays', 'out', 'tensors']],
    ['deconv_bwd_d ic2id3oc3kd2sd2', ['arrays', 'out', 'tensors']],
    ['deconv_bwd_w g2mb2ic4ih4oc2kh4sh2ph1', ['arrays', 'out', 'tensors']],
    ['deconv_bwd_w ic3iw5oc2kw3sw2', ['arrays', 'out', 'tensors']],
    ['deconv_bwd_w ic2id3oc3kd2sd2', ['arrays', 'out', 'tensors']],
    ['separable mb2ic3ih6oc5kh3sh2ph1', [...forwards, 'two calls']],
    ['spatial g2mb2ic4ih7iw6oc6kh3kw5sh2ph1pw2', forwards],
    ['flattened mb2ic3ih7iw6oc5kh3kw2sh2dw1', forwards],
    ['gaussian ic3ih9oc3kh5ph2', [...forwards, 'unfactored']],
  ])('%s: each way to call finds what the naive loops find', async (line, ways) => {
    const engine = await createEngine();
    const problem = problemOf(line);
    const contestants = ourContestants(engine, problem, ['nchw', 'nhwc']);
    expect(contestants.map(({ name }) => name).sort()).toEqual(both(ways).sort());
    for (const contestant of contestants) {
      const computed = contestant.computes ?? problem;
      contestant.run();
      expect(difference(computed, contestant.result(), naive(computed), contestant.errorTimes), contestant.name).toBeUndefined();
      contestant.dispose();
    }
    engine.dispose();
  });

  it('counts flops as the engine does', async () => {
    const engine = await createEngine();
    const { operands: separable, shape: separableShape } = problemOf('separable ic3ih6iw9oc5kh3sh2ph1');
    const { operands: spatial, shape: spatialShape } = problemOf('spatial ic4ih9iw6oc6kh3kw5sh2ph1pw2');
    const { operands: transposed, shape: transposedShape } = problemOf('deconv ic3ih4oc2kh4sh2ph1');
    const two = { stride: 2, padding: 1 };
    const [, depthwise, pointwise = depthwise] = separable;
    const [, column, row = column] = spatial;
    const geometry = { stride: 2, padding: [1, 2] };
    const layers = [
      [engine.separableConv2d.prepare(depthwise, pointwise, two), separable, separableShape],
      [engine.spatialSeparableConv2d.prepare(column, row, geometry), spatial, spatialShape],
      [engine.convTranspose2d.prepare(transposed[1], two), transposed, transposedShape],
    ] as const;
    for (const [layer, [input], shape] of layers) expect(flopsOf(shape)).toBe(layer.plan(input.shape).flops);
    engine.dispose();
  });
});

describe('operations', () => {
  it('takes composed ones apart into convolutions that fit one another', () => {
    for (const line of ['separable ic3ih7oc5kh3sh2', 'spatial g2ic4ih7iw8oc6kh3kw5sh2pw1', 'flattened ic3ih7iw8oc5kh3kw2dw1']) {
      const problem = problemOf(line);
      const steps = weightedSteps(problem) ?? [];
      const [first] = problem.operands;
      const last = steps.reduce((dims, { shape, weight }) => {
        const { operands, result } = dimsOf(shape);
        expect(operands).toEqual([dims, weight.shape]);
        expect(weight.data).toHaveLength(weight.shape.reduce((a, b) => a * b, 1));
        return result;
      }, first.shape);
      expect(last, line).toEqual(problem.resultDims);
    }
    expect(stepsOf(parseLayer('ic3ih7oc5kh3', 'here'))).toBeUndefined();
    expect(stepsOf(parseLayer('ic3iw7oc5kw3', 'here'))).toBeUndefined();
    expect(flopsOf(parseLayer('flattened ic3ih7iw8oc5kh3kw2', 'here'))).toBe(2 * 5 * (3 * 7 * 8 + 3 * 5 * 8 + 2 * 5 * 7));
    expect(productsOf(parseLayer('flattened ic3ih7iw8oc5kh3kw2', 'here'))).toBe(3 * 3 * 2);
  });

  it('turns a convolution around and back', () => {
    const conv = parseLayer('g2ic4ih9iw8oc6kh3sh2ph1dh1', 'here');
    expect(dimsOf(asTransposed(conv)).operands[0]).toEqual([1, 6, 4, 3]);
    expect(asConv(asTransposed(conv)).axes.map(({ input, output }) => [input, output])).toEqual([
      [9, 4],
      [8, 3],
    ]);
  });

  /** ⟨conv x, g⟩ = ⟨x, bwd_d g⟩ = ⟨w, bwd_w(x, g)⟩, and the same of the transposed. */
  it.each([
    ['conv', 'bwd_d', 'bwd_w', 'g2mb2ic4ih6iw5oc6kh3sh2ph1'],
    ['conv', 'bwd_d', 'bwd_w', 'ic2id4oc3kd3pd1'],
    ['deconv', 'deconv_bwd_d', 'deconv_bwd_w', 'g2mb2ic4ih3iw5oc6kh3sh2ph1'],
    ['deconv', 'deconv_bwd_d', 'deconv_bwd_w', 'ic2iw5oc3kw4sw3'],
  ])('%s, %s and %s are adjoint: %s', (forward, inputGrad, weightGrad, words) => {
    const line = (operation: string): string => (operation === 'conv' ? words : `${operation} ${words}`);
    const problem = problemOf(line(forward));
    const [x, w] = problem.operands;
    const gradient = { data: naive(problem).map((value, i) => value * ((i % 7) - 3)), shape: problem.resultDims };
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
    const want = dot(naive(problem), gradient.data);
    const back = naive({ ...problemOf(line(inputGrad)), operands: [gradient, w] });
    const weights = naive({ ...problemOf(line(weightGrad)), operands: [x, gradient] });
    // Sums are float64, results float32.
    const close = 1e-5 * gradient.data.reduce((sum, value) => sum + Math.abs(value), 1);
    expect(Math.abs(want)).toBeGreaterThan(1);
    expect(Math.abs(dot(x.data, back) - want)).toBeLessThan(close);
    expect(Math.abs(dot(w.data, weights) - want)).toBeLessThan(close);
  });
});

describe('model', () => {
  /** Fields of a protobuf message: varints as numbers, blocks as bytes. */
  function fieldsOf(bytes: Uint8Array): [field: number, value: number | Uint8Array][] {
    const fields: [number, number | Uint8Array][] = [];
    let at = 0;
    const varint = (): number => {
      for (let value = 0, scale = 1; ; scale *= 128) {
        const byte = bytes[at++] ?? 0;
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      const key = varint();
      const size = varint();
      const isBlock = (key & 7) === 2;
      fields.push([key >> 3, isBlock ? bytes.subarray(at, at + size) : size]);
      if (isBlock) at += size;
    }
    return fields;
  }

  const blocks = (bytes: Uint8Array, field: number): Uint8Array[] =>
    fieldsOf(bytes).flatMap(([number, value]) => (number === field && typeof value !== 'number' ? [value] : []));
  const text = (bytes: Uint8Array, field: number): string[] => blocks(bytes, field).map((each) => new TextDecoder().decode(each));

  it('is a chain of nodes with their weights, in the wire format', () => {
    const weight = { data: Float32Array.from({ length: 300 }, (_, i) => i / 4), shape: [1, 1, 300] };
    const attributes = { group: 1, pads: [0, 300] };
    const model = onnxModel(
      [
        { type: 'Conv', weight, attributes },
        { type: 'ConvTranspose', weight, attributes: {} },
      ],
      [1, 1, 500],
      [1, 1, 7],
    );
    const [graph = new Uint8Array()] = blocks(model, 7);
    expect(fieldsOf(model).find(([field]) => field === 1)).toEqual([1, 7]);
    const nodes = blocks(graph, 1);
    expect(nodes.map((node) => [text(node, 1), text(node, 2), text(node, 4)])).toEqual([
      [['x', 'w0'], ['t1'], ['Conv']],
      [['t1', 'w1'], ['y'], ['ConvTranspose']],
    ]);
    const [group, pads] = blocks(nodes[0] ?? graph, 5).map((attribute) => fieldsOf(attribute).slice(1));
    expect(group).toEqual([
      [3, 1],
      [20, 2],
    ]);
    expect(pads).toEqual([
      [8, 0],
      [8, 300],
      [20, 7],
    ]);
    const [first = graph] = blocks(graph, 5);
    expect(fieldsOf(first).filter(([field]) => field === 1)).toEqual([
      [1, 1],
      [1, 1],
      [1, 300],
    ]);
    const [raw = graph] = blocks(first, 9);
    expect(new Float32Array(raw.slice().buffer)).toEqual(weight.data);
    expect([text(blocks(graph, 11)[0] ?? graph, 1), text(blocks(graph, 12)[0] ?? graph, 1)]).toEqual([['x'], ['y']]);
  });
});

describe('peers', () => {
  it('says what to do where one is not installed', () => {
    expect(() => resolvePeer('wasm-conv-no-such-peer')).toThrow('wasm-conv-no-such-peer is not installed: run (cd bench && npm ci)');
  });
});
