/** conv1d and conv3d: what is cut into bands, and conv2d where they are the same. */
import { describe, expect, it } from 'vitest';
import { LAYOUT_BYTES } from '../assembly/blocks.ts';
import { type ConvOptions, conv1d as sharedConv1d, conv3d as sharedConv3d, type Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { guarded, integers } from './cases.ts';
import { exact, expectClose } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const plain = { conv1d: reference.conv1d, conv3d: reference.conv3d };

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const filled = (shape: readonly number[], seed: number): Tensor => ({ data: integers(elements(shape), seed), shape });

/** Equal to the reference bit for bit, through an output that was NaN and whose neighbours still are. */
function check(op: 'conv1d' | 'conv3d', input: Tensor, weight: Tensor, options: ConvOptions = {}): void {
  const { algorithm, ...semantics } = options;
  const want = plain[op](input, weight, semantics);
  const { out, intact } = guarded(want.data.length);
  expectClose(
    engine[op](input, weight, { ...options, out }),
    want,
    exact,
    `${op} ${input.shape} ${weight.shape} ${JSON.stringify(semantics)}`,
  );
  expect(intact()).toBe(true);
  const layer = engine[op].prepare(weight, options);
  expectClose(layer.run(input), want, exact);
  expect(layer.plan(input.shape).outputShape).toEqual(want.shape);
  layer.dispose();
}

describe.each(['channels first', 'channels last'] as const)('%s', (order) => {
  const last = order === 'channels last';
  it('a row longer than a band of the changed layout', () => {
    const length = Math.ceil(LAYOUT_BYTES / 4 / 6) + 3;
    const input = filled(last ? [2, length, 5] : [2, 5, length], 1);
    const inputLayout = last ? 'nwc' : 'ncw';
    check('conv1d', input, filled([4, 5, 9], 2), { inputLayout, padding: 4 });
    check('conv1d', input, filled([4, 5, 3], 2), { inputLayout, stride: 2, dilation: 3, padding: [[0, 5]] });
  });
  it('more slices than a band of the changed layout', () => {
    const size = [9, 17, 40];
    const input = filled(last ? [2, ...size, 20] : [2, 20, ...size], 1);
    const inputLayout = last ? 'ndhwc' : 'ncdhw';
    check('conv3d', input, filled([6, 20, 3, 3, 3], 2), { inputLayout, padding: 1 });
    check('conv3d', input, filled([6, 20, 2, 3, 2], 2), { inputLayout, stride: [2, 1, 2], dilation: [3, 1, 1], padding: [1, 0, [0, 2]] });
  });
  it('one filter to a channel', () => {
    check('conv1d', filled(last ? [2, 50, 9] : [2, 9, 50], 1), filled([18, 1, 5], 2), {
      inputLayout: last ? 'nwc' : 'ncw',
      groups: 9,
      padding: 2,
    });
    const cube = filled(last ? [1, 5, 6, 7, 9] : [1, 9, 5, 6, 7], 1);
    check('conv3d', cube, filled([9, 1, 3, 3, 3], 2), { inputLayout: last ? 'ndhwc' : 'ncdhw', groups: 9, padding: 1 });
  });
});

it('one dimension is two of height one, two are three of depth one', () => {
  const [row, taps] = [filled([2, 6, 40], 1), filled([7, 6, 5], 2)];
  const flat = engine.conv2d({ ...row, shape: [2, 6, 1, 40] }, { ...taps, shape: [7, 6, 1, 5] }, { padding: [0, 2], stride: [1, 2] });
  expect(engine.conv1d(row, taps, { padding: 2, stride: 2 }).data).toEqual(flat.data);
  const [image, kernel] = [filled([2, 6, 9, 8], 1), filled([7, 6, 3, 3], 2)];
  const deep = engine.conv3d({ ...image, shape: [2, 6, 1, 9, 8] }, { ...kernel, shape: [7, 6, 1, 3, 3] }, { padding: [0, 1, 1] });
  expect(engine.conv2d(image, kernel, { padding: 1 }).data).toEqual(deep.data);
});

it('as functions of the module, and refusals', async () => {
  const [row, taps] = [filled([1, 3, 9], 1), filled([2, 3, 3], 2)];
  expectClose(await sharedConv1d(row, taps), reference.conv1d(row, taps), exact);
  const [cube, cubes] = [filled([1, 2, 4, 4, 4], 1), filled([3, 2, 2, 2, 2], 2)];
  expectClose(await sharedConv3d(cube, cubes), reference.conv3d(cube, cubes), exact);
  expect(() => engine.conv1d(cube, taps)).toThrow('conv1d: input.shape.length must be 3: batch, channels and 1 spatial, got 5');
  expect(() => engine.conv3d(cube, cubes, { inputLayout: 'nhwc' })).toThrow('conv3d: inputLayout must be');
  expect(() => engine.conv3d(filled([1, 1, 4, 4, 4], 1), filled([3, 1, 2, 2, 2], 2), { algorithm: 'direct' })).toThrow(
    expect.objectContaining({ code: 'ERR_UNSUPPORTED' }),
  );
});
