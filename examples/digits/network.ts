/** A small network of nothing but convolutions, and how it runs on the library. */
import { readFileSync } from 'node:fs';
import { type Engine, type EngineTensor, type Layer, tensor } from '../../src/index.ts';
import { PIXELS, SIDE } from './data.ts';

export interface ConvSpec {
  readonly name: string;
  readonly inC: number;
  readonly outC: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly relu: boolean;
  readonly inSize: number;
  readonly outSize: number;
}

/** The last layer is the classifier: a valid convolution over the whole 7×7 map that remains, one number per digit. */
export const layers: readonly ConvSpec[] = [
  { name: 'strokes', inC: 1, outC: 8, kernel: 5, stride: 1, padding: 2, relu: true, inSize: 28, outSize: 28 },
  { name: 'halved', inC: 8, outC: 16, kernel: 3, stride: 2, padding: 1, relu: true, inSize: 28, outSize: 14 },
  { name: 'corners', inC: 16, outC: 32, kernel: 3, stride: 1, padding: 1, relu: true, inSize: 14, outSize: 14 },
  { name: 'parts', inC: 32, outC: 48, kernel: 3, stride: 2, padding: 1, relu: true, inSize: 14, outSize: 7 },
  { name: 'digits', inC: 48, outC: 10, kernel: 7, stride: 1, padding: 0, relu: false, inSize: 7, outSize: 1 },
];

export const CLASSES = 10;

export function weightShape({ inC, outC, kernel }: ConvSpec): readonly number[] {
  return [outC, inC, kernel, kernel];
}

export function weightCount(spec: ConvSpec): number {
  return weightShape(spec).reduce((product, size) => product * size, 1);
}

export const parameterCount = layers.reduce((sum, spec) => sum + weightCount(spec) + spec.outC, 0);

export interface LayerWeights {
  /** [outC, inC, kernel, kernel] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

export interface Weights {
  readonly seed: number;
  readonly epochs: number;
  /** Of the 10,000 test digits, as train.ts measured it. */
  readonly accuracy: number;
  readonly layers: readonly LayerWeights[];
}

/** weights.json: float32 in base64, little-endian. */
export interface WeightsFile {
  readonly seed: number;
  readonly epochs: number;
  readonly accuracy: number;
  readonly layers: readonly { readonly name: string; readonly weight: string; readonly bias: string }[];
}

function floats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

export const weightsFile = new URL('./weights.json', import.meta.url);

export function loadWeights(): Weights {
  const file = JSON.parse(readFileSync(weightsFile, 'utf8')) as WeightsFile;
  return {
    ...file,
    layers: layers.map((spec, i) => {
      const weight = floats(file.layers[i]?.weight ?? '');
      const bias = floats(file.layers[i]?.bias ?? '');
      if (weight.length !== weightCount(spec) || bias.length !== spec.outC)
        throw new Error(`weights.json does not fit the layer '${spec.name}'`);
      return { weight, bias };
    }),
  };
}

/** The text of weights.json. */
export function weightsText(weights: Weights): string {
  const text = (values: Float32Array): string => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
  const file: WeightsFile = {
    ...weights,
    layers: weights.layers.map(({ weight, bias }, i) => ({ name: layers[i]?.name ?? '', weight: text(weight), bias: text(bias) })),
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}

/** Images computed at a time: enough to fill the kernels, few enough for the maps to stay in the cache. */
const BATCH = 25;

/** The network on an engine. Its maps live in the engine's memory, so that a layer hands its result to the next one without a copy. */
export class Network {
  readonly #engine: Engine;
  readonly #layers: readonly Layer[];
  #input: EngineTensor | undefined;
  #maps: readonly EngineTensor[] = [];

  constructor(engine: Engine, weights: Pick<Weights, 'layers'>) {
    this.#engine = engine;
    this.#layers = layers.map((spec, i) => {
      const { weight, bias } = weights.layers[i] as LayerWeights;
      const { stride, padding, relu } = spec;
      return engine.conv2d.prepare(tensor(weight, weightShape(spec)), {
        bias,
        stride,
        padding,
        activation: relu ? 'relu' : undefined,
      });
    });
  }

  /** [count, 10] of `count` images [count, 1, 28, 28]. */
  logits(images: Float32Array, count: number): Float32Array {
    const result = new Float32Array(count * CLASSES);
    for (let first = 0; first < count; first += BATCH) {
      const size = Math.min(BATCH, count - first);
      const maps = this.#run(images.subarray(first * PIXELS, (first + size) * PIXELS), size);
      result.set((maps[layers.length - 1] as EngineTensor).data, first * CLASSES);
    }
    return result;
  }

  /** The output of every layer for one image, after its activation. */
  featureMaps(image: Float32Array): Float32Array[] {
    return this.#run(image, 1).map(({ data }) => data.slice());
  }

  dispose(): void {
    for (const held of [...this.#layers, ...this.#maps]) held.dispose();
    this.#input?.dispose();
  }

  /** Fills the maps of `size` images; valid until the next call. */
  #run(images: Float32Array, size: number): readonly EngineTensor[] {
    if (this.#input?.shape[0] !== size) this.#reserve(size);
    let map = this.#input as EngineTensor;
    map.data.set(images);
    this.#layers.forEach((layer, i) => {
      map = layer.run(map, { out: this.#maps[i] as EngineTensor });
    });
    return this.#maps;
  }

  #reserve(size: number): void {
    for (const map of this.#maps) map.dispose();
    this.#input?.dispose();
    this.#input = this.#engine.alloc([size, 1, SIDE, SIDE]);
    this.#maps = layers.map(({ outC, outSize }) => this.#engine.alloc([size, outC, outSize, outSize]));
  }
}

/** Probabilities of logits: e^(x − max) / Σ. */
export function softmax(logits: Float32Array): Float32Array {
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = logits.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
