/** What takes turns in a contest: one way to compute one layer. */
import type { Problem } from './problem.ts';

interface ContestantBase {
  /** Column and key: the same word for every layer. */
  readonly name: ContestantName;
  /** What it computes, where that is not the layer itself but something the layer is measured by. */
  readonly computes?: Problem;
  /** How many times the error of direct sums its documentation grants it; 1 where it says nothing. */
  readonly errorTimes?: number;
  /** The result of the last call, channels first. */
  result(): Float32Array;
  dispose(): void | Promise<void>;
}

export interface SyncContestant extends ContestantBase {
  /** One call, as it is timed. */
  run(): void;
}

/** One whose library only has a promise to give: what is timed lasts until that is kept. */
export interface AsyncContestant extends ContestantBase {
  runAsync(): Promise<void>;
}

export type Contestant = SyncContestant | AsyncContestant;

/** The ways a layer can be computed; the README says what each holds in its timed part. */
export const contestantNotes = {
  'nchw tensors': 'prepared layer, or a gradient; operands and result are engine tensors, channels first',
  'nhwc tensors': 'the same, channels last',
  'nchw arrays': 'prepared layer, or a gradient; from Float32Array to a fresh Float32Array, all copies timed, channels first',
  'nhwc arrays': 'the same, channels last',
  'nchw out': 'as arrays, all copies timed, but into the same Float32Array each time, given as out: no fresh memory; channels first',
  'nhwc out': 'the same, channels last',
  'nchw one-shot': 'one call from Float32Arrays: checks, packing of the weights and all copies timed, channels first',
  'nhwc one-shot': 'the same, channels last',
  'nchw two calls': 'separable: a prepared depthwise, then a prepared 1×1 layer on engine tensors, channels first',
  'nhwc two calls': 'the same, channels last',
  'nchw unfactored': "gaussian: prepared with accuracy 'exact', which takes no kernel apart, on engine tensors, channels first",
  'nhwc unfactored': 'the same, channels last',
  'nchw forward': "gradients without groups: the convolution itself, prepared with algorithm 'gemm', on engine tensors, channels first",
  'nhwc forward': 'the same, channels last',
  'tfjs tensors': 'tfjs-backend-wasm, one thread, SIMD, channels last; operands in its heap, the result stays there',
  'tfjs arrays': 'the same with tf.tensor(Float32Array) before and dataSync() after in the timed part',
  'ort arrays':
    'onnxruntime-web, WASM, one thread, SIMD, channels first; new Tensor(Float32Array), run and its data timed: it copies in each call',
  'ort native': 'onnxruntime-node, native code, one thread, channels first; the input tensor is made before, run alone is timed',
  'litert tensors':
    'LiteRT.js, XNNPACK in WASM with relaxed SIMD, channels last; the input lies in its heap, the result stays there; run is awaited',
  'opencv tensors': 'OpenCV.js sepFilter2D, no SIMD, channels interleaved; the image is in its heap, the result stays there',
  'opencv arrays': 'the same with the copies from and to a Float32Array in the timed part',
  'opencv filter2D': 'OpenCV.js filter2D on an image in its heap',
  'optimised js': 'convolutions: JavaScript loops with prepared weights and blocks in registers, over Float32Arrays, channels first',
  naive: 'plain JavaScript loops over Float32Arrays, channels first',
} as const;

export type ContestantName = keyof typeof contestantNotes;

/** In the order of tables. */
export const contestantNames = Object.keys(contestantNotes) as ContestantName[];
