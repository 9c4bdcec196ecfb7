/** What takes turns in a contest: one way to compute one layer. */
export interface Contestant {
  /** Column and key: the same word for every layer. */
  readonly name: string;
  /** One call, as it is timed. */
  run(): void;
  /** The result of the last `run`, channels first. */
  result(): Float32Array;
  dispose(): void;
}

/** The ways a layer can be computed; the README says what each holds in its timed part. */
export const contestantNotes = {
  'nchw tensors': 'prepared layer, input and result are engine tensors, channels first',
  'nhwc tensors': 'the same, channels last',
  'nchw arrays': 'prepared layer, Float32Array to a fresh Float32Array, both copies timed, channels first',
  'nhwc arrays': 'the same, channels last',
  'nchw one-shot': 'conv2d() from Float32Arrays: checks, packing of the weights and both copies timed, channels first',
  'nhwc one-shot': 'the same, channels last',
  'tfjs tensors': 'tfjs-backend-wasm, one thread, SIMD, channels last; input in its heap, the result stays there',
  'tfjs arrays': 'the same with tf.tensor(Float32Array) before and dataSync() after in the timed part',
  naive: 'plain JavaScript loops over Float32Arrays, channels first',
} as const;

export type ContestantName = keyof typeof contestantNotes;

/** In the order of tables. */
export const contestantNames = Object.keys(contestantNotes) as ContestantName[];
