/**
 * The peer @tensorflow/tfjs-backend-wasm, its SIMD build on one thread. It computes channels last; other layouts it has not.
 * Its packages belong to this folder's own package.json, so nothing here may be imported, or typed, by those who have not installed it.
 */
import { dirname, join, sep } from 'node:path';
import type { Tensor } from '../src/types.ts';
import type { SyncContestant } from './contestant.ts';
import { asConv } from './operations.ts';
import { type Peer, requirePeer, resolvePeer } from './peer.ts';
import { channelsLast, findsWeights, type Problem, permute, type Step, toChannelsFirst, turned, weightedSteps } from './problem.ts';
import type { Axis, LayerShape } from './shapes.ts';

interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}

type Sizes = readonly number[];
type Pads = readonly (readonly [number, number])[];
type Rule = 'same' | 'valid';
type Window = (x: TfTensor, filter: TfTensor, strides: Sizes, pad: Pads, dataFormat: 'NHWC', dilations: Sizes) => TfTensor;

/** The part of @tensorflow/tfjs-core that is used. */
interface TfCore {
  setBackend(name: string): Promise<boolean>;
  env(): { getAsync(flag: string): Promise<number | boolean>; set(flag: string, value: boolean): void };
  tensor(data: Float32Array, shape: Sizes): TfTensor;
  reshape(x: TfTensor, shape: Sizes): TfTensor;
  readonly conv2d: Window;
  readonly depthwiseConv2d: Window;
  conv2dTranspose(x: TfTensor, filter: TfTensor, shape: Sizes, strides: Sizes, pad: Pads): TfTensor;
  conv3d(x: TfTensor, filter: TfTensor, strides: Sizes, pad: Rule): TfTensor;
  conv3dTranspose(x: TfTensor, filter: TfTensor, shape: Sizes, strides: Sizes, pad: Rule): TfTensor;
  engine(): { runKernel(name: string, inputs: Readonly<Record<string, TfTensor>>, attributes: object): TfTensor };
}

interface TfWasm {
  readonly version_wasm: string;
  setWasmPaths(folder: string): void;
  setThreadsCount(count: number): void;
}

/** A layer as a call of tfjs, and the weights it holds. */
interface Call {
  readonly held: readonly TfTensor[];
  readonly run: (first: TfTensor, second: TfTensor) => TfTensor;
}

/** tfjs computes one axis as two, of which the first has one cell. */
const single: Axis = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 };
const twoOrMore = (axes: readonly Axis[]): readonly Axis[] => (axes.length === 1 ? [single, ...axes] : axes);
const padsOf = (axes: readonly Axis[]): Pads => [[0, 0], ...axes.map(({ padBegin, padEnd }) => [padBegin, padEnd] as const), [0, 0]];
const stridesOf = (axes: readonly Axis[]): Sizes => axes.map(({ stride }) => stride);

/** `[a, b, …kernel]` → `[…kernel, b, a]`, of two axes or three: tfjs's order. */
function filterOf(core: TfCore, { data, shape }: Tensor): TfTensor {
  const [a = 0, b = 0, ...kernel] = shape;
  const whole = { data, shape: kernel.length === 1 ? [a, b, 1, ...kernel] : shape };
  const filter = turned(whole, [...whole.shape.slice(2).map((_, i) => i + 2), 1, 0]);
  return core.tensor(filter.data, filter.shape);
}

/** An image as tfjs takes it. */
function lastOf(image: Tensor): Tensor {
  const { data, shape } = channelsLast(image);
  const [batch = 0, ...rest] = shape;
  return { data, shape: shape.length === 3 ? [batch, 1, ...rest] : shape };
}

/** tfjs pads three axes by a rule alone. @param axes of the convolution, or of the one that is run backwards */
function ruleOf(axes: readonly Axis[]): Rule | undefined {
  if (axes.some(({ dilation }) => dilation !== 1)) return undefined;
  if (axes.every(({ padBegin, padEnd }) => padBegin === 0 && padEnd === 0)) return 'valid';
  const same = ({ input, output, kernel, stride, padBegin }: Axis): boolean =>
    output === Math.ceil(input / stride) && padBegin === Math.floor(Math.max(0, (output - 1) * stride + kernel - input) / 2);
  return axes.every(same) ? 'same' : undefined;
}

function convolution(core: TfCore, { operation, groups, inC, outC, axes }: LayerShape, weight: Tensor): Call | undefined {
  const each = twoOrMore(axes);
  const [strides, dilations] = [stridesOf(each), each.map(({ dilation }) => dilation)];
  if (each.length === 3) {
    const pad = ruleOf(axes);
    if (groups !== 1 || !pad) return undefined;
    const filter = filterOf(core, weight);
    return { held: [filter], run: (x) => core.conv3d(x, filter, strides, pad) };
  }
  // One channel filtered by itself is either.
  const depthwise = groups === inC && (groups > 1 || operation === 'gaussian');
  if (groups !== 1 && !depthwise) return undefined;
  const filter = filterOf(core, weight);
  if (!depthwise) return { held: [filter], run: (x) => core.conv2d(x, filter, strides, padsOf(each), 'NHWC', dilations) };
  // [h, w, 1, inC · multiplier] → [h, w, inC, multiplier]
  const split = core.reshape(filter, [...each.map(({ kernel }) => kernel), inC, outC / inC]);
  return { held: [filter, split], run: (x) => core.depthwiseConv2d(x, split, strides, padsOf(each), 'NHWC', dilations) };
}

/** @param conv the convolution that is run backwards @param weight its weights */
function transposed(core: TfCore, conv: LayerShape, weight: Tensor): Call | undefined {
  const { groups, batch, inC, axes } = conv;
  const each = twoOrMore(axes);
  if (groups !== 1 || each.some(({ dilation }) => dilation !== 1)) return undefined;
  const shape = [batch, ...each.map(({ input }) => input), inC];
  const strides = stridesOf(each);
  if (each.length === 2) {
    const filter = filterOf(core, weight);
    return { held: [filter], run: (x) => core.conv2dTranspose(x, filter, shape, strides, padsOf(each)) };
  }
  const pad = ruleOf(axes);
  if (!pad) return undefined;
  const filter = filterOf(core, weight);
  return { held: [filter], run: (x) => core.conv3dTranspose(x, filter, shape, strides, pad) };
}

/**
 * The one weight gradient that this backend has a kernel for, that of three axes.
 * @param fromResult whether the first operand belongs to the result's side of the convolution
 */
function weightGradient(core: TfCore, conv: LayerShape, fromResult: boolean): Call | undefined {
  const { groups, inC, outC, axes } = conv;
  const pad = ruleOf(axes);
  if (groups !== 1 || axes.length !== 3 || !pad) return undefined;
  const attributes = { strides: stridesOf(axes), pad, filterShape: [...axes.map(({ kernel }) => kernel), inC, outC] };
  const gradient = (x: TfTensor, dy: TfTensor): TfTensor => core.engine().runKernel('Conv3DBackpropFilterV2', { x, dy }, attributes);
  return { held: [], run: fromResult ? (dy, x) => gradient(x, dy) : gradient };
}

/** One call after the other. */
function chained(core: TfCore, steps: readonly Step[]): Call | undefined {
  const calls = steps.map(({ shape, weight }) => convolution(core, shape, weight));
  const known = calls.filter((call) => call !== undefined);
  const held = known.flatMap((call) => call.held);
  if (known.length < calls.length) {
    for (const tensor of held) tensor.dispose();
    return undefined;
  }
  const run = (x: TfTensor, second: TfTensor): TfTensor => {
    let last = x;
    for (const call of known) {
      const next = call.run(last, second);
      if (last !== x) last.dispose();
      last = next;
    }
    return last;
  };
  return { held, run };
}

function callOf(core: TfCore, problem: Problem): Call | undefined {
  const { shape, operands } = problem;
  const [, weight] = operands;
  switch (shape.operation) {
    case 'conv':
    case 'gaussian':
      return convolution(core, shape, weight);
    case 'deconv':
      return transposed(core, asConv(shape), weight);
    case 'bwd_d':
      return transposed(core, shape, weight);
    case 'bwd_w':
      return weightGradient(core, shape, false);
    case 'deconv_bwd_d':
      return convolution(core, asConv(shape), weight);
    case 'deconv_bwd_w':
      return weightGradient(core, asConv(shape), true);
    case 'separable':
    case 'spatial':
    case 'flattened':
      return chained(core, weightedSteps(problem) ?? []);
  }
}

/** What tfjs gives → channels first, weights → `[a, b, …kernel]`. */
function found(problem: Problem, data: Float32Array): Float32Array {
  const { resultDims } = problem;
  if (!findsWeights(problem)) return toChannelsFirst(data, resultDims, 'nhwc');
  const [a = 0, b = 0, ...kernel] = resultDims;
  return permute(data, [...kernel, b, a], [kernel.length + 1, kernel.length, ...kernel.keys()]);
}

/** tfjs packs the weights in its first call and keeps them, as a prepared layer does. */
function contestantsOf(core: TfCore, problem: Problem): SyncContestant[] {
  const [call, other] = [callOf(core, problem), callOf(core, problem)];
  if (!call || !other) return [];
  // What is given to each call: an image, and for the gradient of weights a second one.
  const given = (findsWeights(problem) ? problem.operands.slice(0, 2) : problem.operands.slice(0, 1)).map(lastOf);
  const feed = (): [TfTensor, TfTensor] => {
    const [first, second] = given.map(({ data, shape }) => core.tensor(data, shape));
    if (!first) throw new RangeError('a layer has an input');
    return [first, second ?? first];
  };
  const inputs = feed();
  let held: TfTensor | undefined;
  let last: Float32Array = new Float32Array();
  return [
    {
      name: 'tfjs tensors',
      run: () => {
        held?.dispose();
        held = call.run(...inputs);
      },
      result: () => found(problem, held?.dataSync() ?? new Float32Array()),
      dispose: () => {
        for (const tensor of new Set([...inputs, held, ...call.held])) tensor?.dispose();
      },
    },
    {
      name: 'tfjs arrays',
      run: () => {
        const fed = feed();
        const y = other.run(...fed);
        last = y.dataSync();
        for (const tensor of new Set([...fed, y])) tensor.dispose();
      },
      result: () => found(problem, last),
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
