/**
 * The peer: @tensorflow/tfjs-backend-wasm, its SIMD build on one thread. It computes channels last; other layouts it has not.
 * Its packages belong to this folder's own package.json, so nothing here may be imported, or typed, by those who have not installed it.
 */
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { Contestant } from './contestant.ts';
import { inputTensor, type Problem, toChannelsFirst, weightTensor } from './problem.ts';

interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}

type Pair = readonly [number, number];
type Pads = readonly [Pair, Pair, Pair, Pair];

/** The part of @tensorflow/tfjs-core that is used. */
interface TfCore {
  readonly version_core: string;
  setBackend(name: string): Promise<boolean>;
  env(): { getAsync(flag: string): Promise<number | boolean>; set(flag: string, value: boolean): void };
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  conv2d(x: TfTensor, filter: TfTensor, strides: Pair, pad: Pads, dataFormat: 'NHWC', dilations: Pair): TfTensor;
  depthwiseConv2d(x: TfTensor, filter: TfTensor, strides: Pair, pad: Pads, dataFormat: 'NHWC', dilations: Pair): TfTensor;
}

interface TfWasm {
  readonly version_wasm: string;
  setWasmPaths(folder: string): void;
  setThreadsCount(count: number): void;
}

export interface Tfjs {
  readonly core: TfCore;
  /** Version of @tensorflow/tfjs-backend-wasm. */
  readonly version: string;
}

/** @throws Error when the packages are not installed, or would not run as the SIMD build on one thread */
export async function loadTfjs(): Promise<Tfjs> {
  const require = createRequire(import.meta.url);
  const backend = '@tensorflow/tfjs-backend-wasm';
  let main: string;
  try {
    main = require.resolve(backend);
  } catch (cause) {
    throw new Error('the peers are not installed: run (cd bench && npm ci)', { cause });
  }
  // require() rather than import(): both packages then share one @tensorflow/tfjs-core.
  const core = require('@tensorflow/tfjs-core') as TfCore;
  const wasm = require(backend) as TfWasm;
  wasm.setWasmPaths(join(dirname(main), sep));
  core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  wasm.setThreadsCount(1);
  if (!(await core.setBackend('wasm'))) throw new Error('tfjs-backend-wasm does not start here');
  if (!(await core.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('tfjs-backend-wasm would not use its SIMD build here');
  return { core, version: wasm.version_wasm };
}

/** The layer as one call of tfjs, or undefined where tfjs has no such operation. */
function callOf({ core }: Tfjs, problem: Problem): { filter: TfTensor; call: (x: TfTensor) => TfTensor } | undefined {
  const { groups, inC, outC, height, width } = problem.shape;
  const strides: Pair = [height.stride, width.stride];
  const dilations: Pair = [height.dilation, width.dilation];
  const pads: Pads = [
    [0, 0],
    [height.padBegin, height.padEnd],
    [width.padBegin, width.padEnd],
    [0, 0],
  ];
  if (groups === 1) {
    const { data, shape } = weightTensor(problem, 'hwio');
    const filter = core.tensor(data, shape);
    return { filter, call: (x) => core.conv2d(x, filter, strides, pads, 'NHWC', dilations) };
  }
  if (groups !== inC) return undefined;
  // oihw with i = 1, o = inC · multiplier → [kH, kW, inC, multiplier]
  const { data } = weightTensor(problem, 'hwio');
  const filter = core.tensor(data, [height.kernel, width.kernel, inC, outC / inC]);
  return { filter, call: (x) => core.depthwiseConv2d(x, filter, strides, pads, 'NHWC', dilations) };
}

/** Input in tfjs's heap; the result stays there. tfjs packs the weights in its first call and keeps them, as a prepared layer does. */
function onTensors(tfjs: Tfjs, problem: Problem): Contestant | undefined {
  const called = callOf(tfjs, problem);
  if (!called) return undefined;
  const given = inputTensor(problem, 'nhwc');
  const input = tfjs.core.tensor(given.data, given.shape);
  return {
    name: 'tfjs tensors',
    run: () => called.call(input).dispose(),
    result: () => {
      const y = called.call(input);
      const result = toChannelsFirst(problem.shape, y.dataSync(), 'nhwc');
      y.dispose();
      return result;
    },
    dispose: () => {
      for (const held of [input, called.filter]) held.dispose();
    },
  };
}

/** From a `Float32Array` to a `Float32Array`. */
function onArrays(tfjs: Tfjs, problem: Problem): Contestant | undefined {
  const called = callOf(tfjs, problem);
  if (!called) return undefined;
  const given = inputTensor(problem, 'nhwc');
  let last: Float32Array = new Float32Array();
  return {
    name: 'tfjs arrays',
    run: () => {
      const x = tfjs.core.tensor(given.data, given.shape);
      const y = called.call(x);
      last = y.dataSync();
      x.dispose();
      y.dispose();
    },
    result: () => toChannelsFirst(problem.shape, last, 'nhwc'),
    dispose: () => called.filter.dispose(),
  };
}

/** None where tfjs cannot compute the layer: it has no grouped convolution. */
export function tfjsContestants(tfjs: Tfjs, problem: Problem): Contestant[] {
  return [onTensors(tfjs, problem), onArrays(tfjs, problem)].filter((contestant) => contestant !== undefined);
}
