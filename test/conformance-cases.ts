/**
 * Cases that nobody here wrote (ONNX, ONNX Runtime, WebNN, TensorFlow, PyTorch), read from the folder `shared/conformance` beside the
 * repository, or from WASM_CONV_CONFORMANCE. Where it is absent each of them is reported as skipped.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Activation, ConvOptions, FilterLayout, InputLayout, Padding, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import type { Op } from './any-call.ts';
import { ulps } from './close.ts';
import { testEngine } from './engines.ts';

const folder = process.env.WASM_CONV_CONFORMANCE ?? fileURLToPath(new URL('../../shared/conformance', import.meta.url));
export const present = existsSync(folder);

export interface Operand {
  readonly shape: number[];
  readonly dtype: string;
  readonly data: (number | string)[];
  readonly zeroPoint?: number | number[];
  readonly scale?: number | number[];
}

export interface Tolerance {
  readonly metric: string;
  readonly atol?: number;
  readonly rtol?: number;
  readonly ulp?: number;
  readonly boundAtol?: number;
  readonly gradAtol?: Readonly<Record<'input' | 'weight' | 'bias', number>>;
}

export interface Attributes {
  readonly spatialRank: 1 | 2 | 3;
  readonly strides: number[];
  readonly dilations: number[];
  readonly group: number;
  readonly autoPad: 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';
  /** begins, then ends; `resolvedPads` is what a rule came to. */
  readonly pads: number[] | null;
  readonly resolvedPads?: number[];
  /** Transposed only. */
  readonly outputShape?: number[] | null;
  readonly resolvedOutputPadding?: number[];
  readonly inputLayout: InputLayout;
  readonly filterLayout: string;
  readonly paddingMode?: ConvOptions['paddingMode'];
  readonly activation: ({ name: string } & Record<string, number | null>) | null;
  /** Shapes of a gradient. */
  readonly inputShape?: number[];
  readonly weightShape?: number[];
  /** col2im */
  readonly imageShape?: number[];
  readonly blockShape?: number[];
  /** channelShuffle */
  readonly groups?: number;
}

export interface Case {
  readonly name: string;
  readonly op: string;
  readonly input: Operand;
  readonly weight: Operand;
  readonly pointwiseWeight?: Operand;
  readonly bias?: Operand;
  readonly gradOutput?: Operand;
  readonly pastState?: Operand;
  readonly expectedPresentState?: Operand;
  readonly expected: Operand;
  readonly grads?: { readonly gradOutput: Operand; readonly input: Operand; readonly weight: Operand; readonly bias?: Operand };
  readonly attrs: Attributes;
  readonly tolerance: Tolerance;
}

export function read<T>(file: string): T[] {
  return present ? (JSON.parse(readFileSync(join(folder, file), 'utf8')) as T[]) : [];
}

/** Every case with numbers, and how many the folder holds of each operator. */
export const cases = ['onnx', 'onnxruntime', 'webnn', 'tensorflow', 'pytorch'].flatMap((source) => read<Case>(`${source}.json`));

export function casesOf(...ops: string[]): Case[] {
  return cases.filter(({ op }) => ops.includes(op));
}

const engine = testEngine();
const implementations = { engine, reference };
export type Implementation = keyof typeof implementations;
export type Anything = (...given: readonly unknown[]) => Tensor;

export function operation(implementation: Implementation, op: Op): Anything {
  return implementations[implementation][op] as unknown as Anything;
}

/** Runs `test` for every case, as the engine computes it and as the plain loops do. @param count how many there are */
export function eachCase<C extends { readonly name: string }>(
  title: string,
  count: number,
  list: readonly C[],
  test: (given: C, implementation: Implementation) => void,
): void {
  if (present)
    describe.each(['engine', 'reference'] as const)(`conformance, ${title}: %s`, (implementation) => {
      it.each(list.map((given) => [given.name, given] as const))('%s', (_, given) => test(given, implementation));
    });
  it(`conformance, ${title}: every case of the folder is here, or none`, () => expect(list.length).toBe(present ? count : 0));
  // As many skipped tests as there are cases, so that the summary's count tells what was not run.
  if (!present)
    describe.skipIf(!present)(`conformance, ${title}: no folder shared/conformance beside the repository`, () => {
      it.each(Array.from({ length: count }, (_, i) => i + 1))('case %i', () => expect(present).toBe(true));
    });
}

export function tensorOf({ shape, data }: Operand): Tensor {
  return { shape, data: Float32Array.from(data, Number) };
}

/** TensorFlow's depthwise weight [h, w, inC, multiplier] is [h, w, 1, inC · multiplier] in the same order. */
export function weightOf(weight: Operand, layout: string): { weight: Tensor; filterLayout: FilterLayout } {
  if (layout !== 'hwim') return { weight: tensorOf(weight), filterLayout: layout as FilterLayout };
  const [h, w, c, m] = weight.shape as [number, number, number, number];
  return { weight: { data: tensorOf(weight).data, shape: [h, w, 1, c * m] }, filterLayout: 'hwio' };
}

/** The padding of a case in numbers, and by its rule where it has one: both must give the same. */
export function paddingsOf({ autoPad, pads, resolvedPads, spatialRank }: Attributes): Padding[] {
  const all = (resolvedPads ?? pads) as number[];
  const pairs = all.slice(spatialRank).map((end, i): [number, number] => [all[i] as number, end]);
  const rule = { NOTSET: undefined, VALID: 'valid', SAME_UPPER: 'same', SAME_LOWER: 'same-lower' } as const;
  return rule[autoPad] ? [pairs, rule[autoPad]] : [pairs];
}

/** Activations that the library has, and a function for those that it has not. */
export function activationOf({ activation: given }: Attributes): { inside?: Activation; after?: (x: number) => number } {
  if (given === null) return {};
  const parameter = (key: string, fallback: number): number => given[key] ?? fallback;
  switch (given.name) {
    case 'relu':
    case 'sigmoid':
    case 'tanh':
    case 'silu':
    case 'hardSwish':
      return { inside: given.name };
    case 'clamp':
      return { inside: { clamp: [parameter('min', -Infinity), parameter('max', Infinity)] } };
    case 'leakyRelu':
      return { inside: { leakyRelu: parameter('alpha', 0.01) } };
    case 'elu':
      return { inside: { elu: parameter('alpha', 1) } };
    case 'linear':
      return { after: (x) => parameter('alpha', 1) * x + parameter('beta', 0) };
    case 'hardSigmoid':
      return { after: (x) => Math.max(0, Math.min(1, parameter('alpha', 0.2) * x + parameter('beta', 0.5))) };
    case 'softplus':
      return { after: (x) => Math.log1p(Math.exp(x)) };
    case 'softsign':
      return { after: (x) => x / (1 + Math.abs(x)) };
    case 'gelu':
      return { after: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)) };
    default:
      throw new Error(`the test does not know the activation '${given.name}'`);
  }
}

/** By its Taylor series, which converges for every x; 80 terms suffice for the |x| < 4 of these cases. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return Math.abs(x) > 4 ? Math.sign(x) : (2 / Math.sqrt(Math.PI)) * sum;
}

/** Rounded to half precision, ties to even. */
function half(x: number): number {
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(x) || 1)));
  const step = 2 ** (exponent - 10);
  const steps = x / step;
  const floor = Math.floor(steps);
  const rest = steps - floor;
  return (rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor) * step;
}

function passes(got: number, want: number, tolerance: Tolerance, dtype: string): boolean {
  const difference = Math.abs(got - want);
  if (difference <= (tolerance.boundAtol ?? 0) || got === want) return true;
  if (tolerance.metric === 'atol') return difference <= (tolerance.atol ?? 0);
  if (tolerance.metric === 'allclose') return difference <= (tolerance.atol ?? 0) + (tolerance.rtol ?? 0) * Math.abs(want);
  if (tolerance.metric !== 'ulp') return false;
  // A unit of half precision is 2¹³ of float32.
  return ulps(got, want) <= (tolerance.ulp ?? 0) * (dtype === 'float16' ? 2 ** 13 : 1);
}

/** Half precision is computed in float32 and rounded, an activation that the library lacks is applied to the plain result. */
export function expectCase({ shape, data }: Tensor, expected: Operand, tolerance: Tolerance, after = (x: number): number => x): void {
  expect(shape).toEqual(expected.shape);
  const want = tensorOf(expected).data;
  const final = data.map(after).map((x) => (expected.dtype === 'float16' ? half(x) : x));
  const wrong = want.findIndex((value, i) => !passes(final[i] as number, value, tolerance, expected.dtype));
  expect(wrong < 0 ? undefined : { index: wrong, got: final[wrong], want: want[wrong] }).toBeUndefined();
}
