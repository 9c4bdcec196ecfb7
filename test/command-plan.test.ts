import { describe, expect, it } from 'vitest';
import { createEngine, tensor } from '../src/index.ts';
import { command } from './command.ts';

const plan = (...args: string[]) => command(['plan', ...args]);

describe('plan', () => {
  it('prints help', () => {
    const { status, stdout, stderr } = plan('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: wasm-conv plan --conv <words> /);
  });

  it('says how a layer would be computed, with units', () => {
    const { status, stdout, stderr } = plan('--conv', 'g2ic64ih56oc64oh56kh3ph1');
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('conv g2ic64ih56oc64oh56kh3ph1');
    expect(lines.slice(1).map((line) => line.trim().split(/ +/)[0])).toEqual([
      'algorithm',
      'variant',
      'result',
      'work',
      'workspace',
      'weights',
      'reason',
    ]);
    expect(stdout).toContain('  result     [1, 64, 56, 56]\n  work       116 Mflop, as a direct sum\n');
    expect(stdout).toMatch(/\n {2}workspace {2}[\d.]+ MB,/);
    expect(stdout).toMatch(/\n {2}weights {4}[\d.]+ kB,/);
  });

  it.each([
    ['nchw', 'ncw', [1, 8, 20]],
    ['nhwc', 'nwc', [1, 20, 8]],
  ] as const)('gives the plan of the engine as JSON: %s', async (layout, inputLayout, shape) => {
    const { status, stdout } = plan('--conv', 'ic8iw20oc16kw3pw1', '--layout', layout, '--accuracy', 'exact', '--json');
    expect(status).toBe(0);
    const engine = await createEngine();
    const weight = tensor(new Float32Array(16 * 8 * 3), [16, 8, 3]);
    const layer = engine.conv1d.prepare(weight, { padding: 1, inputLayout, accuracy: 'exact' });
    expect(JSON.parse(stdout)).toEqual({ words: 'ic8iw20oc16kw3pw1', operation: 'conv', layout, ...layer.plan(shape) });
    engine.dispose();
  });

  it.each([
    ['deconv ic8ih6oc4oh12kh4sh2ph1', [1, 4, 12, 12]],
    ['separable ic8ih9oc4kh3ph1', [1, 4, 9, 9]],
    ['spatial ic8ih9oc4kh3ph1', [1, 4, 9, 9]],
    ['flattened ic8ih9oc4kh3ph1', [1, 4, 9, 9]],
    ['gaussian ic3ih32oc3kh9ph4', [1, 3, 32, 32]],
    ['g8mb2ic8ih9oc8kh3sh2ph1', [2, 8, 5, 5]],
    ['ic2id4ih5iw6oc3kd2kh3kw3', [1, 3, 3, 3, 4]],
  ])('knows %s', (words, outputShape) => {
    const { status, stdout } = plan('--conv', words, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ words, outputShape });
  });

  it.each([
    [[], '--conv is missing'],
    [['--conv', 'ic64ih56'], "--conv: 'oc' is missing"],
    [['--conv', 'ic1ih2oc1kh5'], '--conv: a kernel of extent 5 does not fit an image of 2'],
    [['--conv', 'bwd_w ic8ih6oc4kh3'], '--conv: bwd_w is a gradient: those prepare no weights and have no plan'],
    [['--conv', 'deconv_bwd_d ic8ih6oc4kh3'], '--conv: deconv_bwd_d is a gradient'],
    [['--conv', 'ic8ih6oc4kh3', '--layout', 'both'], "--layout must be nchw or nhwc, got 'both'"],
    [['--conv', 'ic8ih6oc4kh3', '--algorithm', 'fft'], "--algorithm must be auto, gemm, winograd, direct or factored, got 'fft'"],
    [['--conv', 'ic8ih6oc4kh3', '--accuracy', 'low'], "--accuracy must be exact, normal or fast, got 'low'"],
    [['ic8ih6oc4kh3'], "Unexpected argument 'ic8ih6oc4kh3'"],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = plan(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: wasm-conv plan');
  });

  it('fails in one line where the algorithm cannot serve the layer', () => {
    const { status, stdout, stderr } = plan('--conv', 'ic8ih6oc4kh3', '--algorithm', 'factored');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^RangeError: conv2d: algorithm 'factored' needs .*\n$/);
  });
});
