/**
 * The peer @tensorflow/tfjs-backend-wasm, its SIMD build on one thread. It computes channels last; other layouts it has not.
 * Its packages belong to this folder's own package.json, so nothing here may be imported, or typed, by those who have not installed it.
 */
import { dirname, join, sep } from 'node:path';
import type { Tensor } from '../src/types.ts';
import type { SyncContestant } from './contestant.ts';
import { separableSteps } from './operations.ts';
import { type Peer, requirePeer, resolvePeer } from './peer.ts';
import { channelsLast, type Problem, pointwiseOf, toChannelsFirst, turned } from './problem.ts';
import type { LayerShape } from './shapes.ts';

interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}

type Sizes = readonly number[];
type Pads = readonly (readonly [number, number])[];
type Window = (x: TfTensor, filter: TfTensor, strides: Sizes, pad: Pads, dataFormat: 'NHWC', dilations: Sizes) => TfTensor;

/** The part of @tensorflow/tfjs-core that is used. */
interface TfCore {
  setBackend(name: string): Promise<boolean>;
  env(): { getAsync(flag: string): Promise<number | boolean>; set(flag: string, value: boolean): void };
  tensor(data: Float32Array, shape: Sizes): TfTensor;
  reshape(x: TfTensor, shape: Sizes): TfTensor;
  readonly conv2d: Window;
  readonly depthwiseConv2d: Window;
  conv2dTranspose(x: TfTensor, filter: TfTensor, shape: Sizes, strides: Sizes, pad: number): TfTensor;
  conv3d(x: TfTensor, filter: TfTensor, strides: Sizes, pad: 'same' | 'valid'): TfTensor;
}

interface TfWasm {
  readonly version_wasm: string;
  setWasmPaths(folder: string): void;
  setThreadsCount(count: number): void;
}

/** A layer as calls of tfjs, and the weights it holds. */
interface Call {
  readonly held: readonly TfTensor[];
  readonly run: (x: TfTensor) => TfTensor;
}

/** An image of one axis is one of height 1: tfjs has no kernel of its own for it either. */
function flat({ data, shape }: Tensor): Tensor {
  return shape.length === 3 ? { data, shape: [shape[0] as number, shape[1] as number, 1, shape[2] as number] } : { data, shape };
}

/** A weight of two axes [o, i, h, w], or one, in tfjs's order [h, w, i, o]. */
function filterOf(core: TfCore, weight: Tensor): TfTensor {
  const { data, shape } = turned(flat(weight), [2, 3, 1, 0]);
  return core.tensor(data, shape);
}

function windowed(core: TfCore, { operation, groups, inC, outC, axes }: LayerShape, weight: Tensor): Call | undefined {
  const both = axes.length === 1 ? [{ kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 }, ...axes] : axes;
  const pads: Pads = [[0, 0], ...both.map(({ padBegin, padEnd }) => [padBegin, padEnd] as const), [0, 0]];
  const [strides, dilations] = [both.map(({ stride }) => stride), both.map(({ dilation }) => dilation)];
  const filter = filterOf(core, weight);
  if (groups === 1 && operation !== 'gaussian')
    return { held: [filter], run: (x) => core.conv2d(x, filter, strides, pads, 'NHWC', dilations) };
  if (groups !== inC) {
    filter.dispose();
    return undefined;
  }
  // [h, w, 1, inC · multiplier] → [h, w, inC, multiplier]
  const each = core.reshape(filter, [...both.map(({ kernel }) => kernel), inC, outC / inC]);
  return { held: [filter, each], run: (x) => core.depthwiseConv2d(x, each, strides, pads, 'NHWC', dilations) };
}

/** tfjs pads three axes by a rule alone. */
function volumetric(core: TfCore, { groups, axes }: LayerShape, weight: Tensor): Call | undefined {
  const same = axes.every(({ kernel, stride, padBegin, padEnd }) => stride === 1 && padBegin === padEnd && kernel === 2 * padBegin + 1);
  const valid = axes.every(({ padBegin, padEnd }) => padBegin === 0 && padEnd === 0);
  if (groups !== 1 || axes.some(({ dilation }) => dilation !== 1) || !(same || valid)) return undefined;
  const { data, shape } = turned(weight, [2, 3, 4, 1, 0]);
  const filter = core.tensor(data, shape);
  const strides = axes.map(({ stride }) => stride);
  return { held: [filter], run: (x) => core.conv3d(x, filter, strides, valid ? 'valid' : 'same') };
}

/** The way back through a convolution, which tfjs calls transposed. `weight` is that of the convolution: [o, i, h, w]. */
function transposed(core: TfCore, { groups, axes }: LayerShape, weight: Tensor, resultDims: readonly number[]): Call | undefined {
  const pad = axes[0]?.padBegin ?? 0;
  const even = axes.every(({ padBegin, padEnd, dilation }) => padBegin === pad && padEnd === pad && dilation === 1);
  if (groups !== 1 || axes.length !== 2 || !even) return undefined;
  const filter = filterOf(core, weight);
  const [batch = 1, channels = 1, height = 1, width = 1] = resultDims;
  const strides = axes.map(({ stride }) => stride);
  return { held: [filter], run: (x) => core.conv2dTranspose(x, filter, [batch, height, width, channels], strides, pad) };
}

function callOf(core: TfCore, problem: Problem): Call | undefined {
  const { shape, operands, resultDims } = problem;
  const [, weight] = operands;
  switch (shape.operation) {
    case 'conv':
    case 'gaussian':
      return shape.axes.length === 3 ? volumetric(core, shape, weight) : windowed(core, shape, weight);
    case 'deconv':
    case 'bwd_d':
      return transposed(core, shape, weight, resultDims);
    case 'separable': {
      const [first, second] = separableSteps(shape);
      const [depthwise, pointwise] = [windowed(core, first, weight), windowed(core, second, pointwiseOf(problem))];
      if (!depthwise || !pointwise) return undefined;
      const run = (x: TfTensor): TfTensor => {
        const between = depthwise.run(x);
        const result = pointwise.run(between);
        between.dispose();
        return result;
      };
      return { held: [...depthwise.held, ...pointwise.held], run };
    }
    case 'bwd_w':
      // Its kernel is not registered for this backend.
      return undefined;
  }
}

/** tfjs packs the weights in its first call and keeps them, as a prepared layer does. */
function contestantsOf(core: TfCore, problem: Problem): SyncContestant[] {
  const [call, other] = [callOf(core, problem), callOf(core, problem)];
  if (!call || !other) return [];
  const given = flat(channelsLast(problem.operands[0]));
  if (given.shape.length === 4 && problem.operands[0].shape.length === 3) {
    // [n, W, 1, C] → [n, 1, W, C]: the same numbers.
    const [n, width, one, channels] = given.shape as [number, number, number, number];
    Object.assign(given, { shape: [n, one, width, channels] });
  }
  const input = core.tensor(given.data, given.shape);
  let held: TfTensor | undefined;
  let last: Float32Array = new Float32Array();
  const found = (data: Float32Array): Float32Array => toChannelsFirst(data, problem.resultDims, 'nhwc');
  return [
    {
      name: 'tfjs tensors',
      run: () => {
        held?.dispose();
        held = call.run(input);
      },
      result: () => found(held?.dataSync() ?? new Float32Array()),
      dispose: () => {
        for (const tensor of [input, held, ...call.held]) tensor?.dispose();
      },
    },
    {
      name: 'tfjs arrays',
      run: () => {
        const x = core.tensor(given.data, given.shape);
        const y = other.run(x);
        last = y.dataSync();
        x.dispose();
        y.dispose();
      },
      result: () => found(last),
      dispose: () => {
        for (const tensor of other.held) tensor.dispose();
      },
    },
  ];
}

/** @throws Error when the packages are not installed, or would not run as the SIMD build on one thread */
export async function loadTfjs(): Promise<Peer> {
  const name = '@tensorflow/tfjs-backend-wasm';
  const main = resolvePeer(name);
  const core = requirePeer('@tensorflow/tfjs-core') as TfCore;
  const wasm = requirePeer(name) as TfWasm;
  wasm.setWasmPaths(join(dirname(main), sep));
  core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  wasm.setThreadsCount(1);
  if (!(await core.setBackend('wasm'))) throw new Error('tfjs-backend-wasm does not start here');
  if (!(await core.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('tfjs-backend-wasm would not use its SIMD build here');
  return { name, version: wasm.version_wasm, contestants: (problem) => contestantsOf(core, problem) };
}
