/**
 * Cases that nobody here wrote (ONNX, ONNX Runtime, WebNN, TensorFlow, PyTorch), read from the folder `shared/conformance` beside the
 * repository, or from WASM_CONV_CONFORMANCE. Where it is absent each of them is reported as skipped.
 *
 * Run here: every `conv` and `depthwiseConv`, and the `conv` shapes of WebNN, which have two spatial dimensions. None of them is left out: half precision is computed in float32 and rounded, and an activation the library lacks is applied to the plain result.
 * Not here, since no operation of the library stands behind them yet: convTranspose, separableConv, gradients, col2im,
 * channelShuffle; and, since the contract has no such operation: convInteger, qlinearConv, deformConv, causalConvWithState.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Activation, ConvOptions, FilterLayout, InputLayout, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { ulps } from './close.ts';
import { testEngine } from './engines.ts';

const folder = process.env.WASM_CONV_CONFORMANCE ?? fileURLToPath(new URL('../../shared/conformance', import.meta.url));
const present = existsSync(folder);

/** How many cases the folder holds for what is built so far: convolution, and the shapes of conv2d alone. */
const CASES = 180;
const SHAPES = 29;

interface Operand {
  readonly shape: number[];
  readonly dtype: string;
  readonly data: (number | string)[];
}

interface Case {
  readonly name: string;
  readonly op: string;
  readonly input: Operand;
  readonly weight: Operand;
  readonly bias?: Operand;
  readonly expected: Operand;
  readonly attrs: {
    readonly spatialRank: number;
    readonly strides: number[];
    readonly dilations: number[];
    readonly group: number;
    readonly autoPad: 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';
    /** begins, then ends; `resolvedPads` is what a rule came to. */
    readonly pads: number[] | null;
    readonly resolvedPads?: number[];
    readonly inputLayout: InputLayout;
    readonly filterLayout: string;
    readonly paddingMode?: ConvOptions['paddingMode'];
    readonly activation: ({ name: string } & Record<string, number | null>) | null;
  };
  readonly tolerance: { metric: string; atol?: number; rtol?: number; ulp?: number; boundAtol?: number };
}

function read<T>(file: string): T[] {
  return present ? (JSON.parse(readFileSync(join(folder, file), 'utf8')) as T[]) : [];
}

function tensorOf({ shape, data }: Operand): Tensor {
  return { shape, data: Float32Array.from(data, Number) };
}

/** TensorFlow's depthwise weight [h, w, inC, multiplier] is [h, w, 1, inC · multiplier] in the same order. */
function weightOf({ weight, attrs }: Case): { weight: Tensor; filterLayout: FilterLayout } {
  if (attrs.filterLayout !== 'hwim') return { weight: tensorOf(weight), filterLayout: attrs.filterLayout as FilterLayout };
  const [h, w, c, m] = weight.shape as [number, number, number, number];
  return { weight: { data: tensorOf(weight).data, shape: [h, w, 1, c * m] }, filterLayout: 'hwio' };
}

/** Activations that the library has, and a function for those that it has not (gelu in its erf form, linear). */
function activationOf(attrs: Case['attrs']): { inside?: Activation; after?: (x: number) => number } {
  const given = attrs.activation;
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

function passes(got: number, want: number, { tolerance, expected }: Case): boolean {
  const difference = Math.abs(got - want);
  if (difference <= (tolerance.boundAtol ?? 0) || got === want) return true;
  if (tolerance.metric === 'atol') return difference <= (tolerance.atol ?? 0);
  if (tolerance.metric === 'allclose') return difference <= (tolerance.atol ?? 0) + (tolerance.rtol ?? 0) * Math.abs(want);
  if (tolerance.metric !== 'ulp') return false;
  // A unit of half precision is 2¹³ of float32.
  return ulps(got, want) <= (tolerance.ulp ?? 0) * (expected.dtype === 'float16' ? 2 ** 13 : 1);
}

const engine = testEngine();
const implementations = { engine, reference };

function run(c: Case, implementation: keyof typeof implementations): void {
  const { conv1d, conv2d, conv3d, depthwiseConv2d } = implementations[implementation];
  const { attrs } = c;
  const conv = { 1: conv1d, 2: conv2d, 3: conv3d }[attrs.spatialRank];
  if (!conv) throw new Error(`${c.name}: ${attrs.spatialRank} spatial dimensions`);
  const { weight, filterLayout } = weightOf(c);
  const pads = (attrs.resolvedPads ?? attrs.pads) as number[];
  const { inside, after } = activationOf(attrs);
  const pairs = pads.slice(attrs.spatialRank).map((end, i): [number, number] => [pads[i] as number, end]);
  const paddings: ConvOptions['padding'][] = [pairs];
  const rule = { NOTSET: undefined, VALID: 'valid', SAME_UPPER: 'same', SAME_LOWER: 'same-lower' } as const;
  if (rule[attrs.autoPad]) paddings.push(rule[attrs.autoPad]);
  for (const padding of paddings) {
    const options = {
      bias: c.bias && tensorOf(c.bias),
      stride: attrs.strides,
      dilation: attrs.dilations,
      padding,
      paddingMode: attrs.paddingMode,
      inputLayout: attrs.inputLayout,
      filterLayout,
      activation: inside,
    };
    const input = tensorOf(c.input);
    const results = [conv(input, weight, { ...options, groups: attrs.group })];
    if (c.op === 'depthwiseConv') results.push(depthwiseConv2d(input, weight, options));
    for (const { shape, data } of results) {
      expect(shape).toEqual(c.expected.shape);
      const want = tensorOf(c.expected).data;
      const final = data.map((x) => (after ? after(x) : x)).map((x) => (c.expected.dtype === 'float16' ? half(x) : x));
      const wrong = want.findIndex((value, i) => !passes(final[i] as number, value, c));
      expect(wrong < 0 ? undefined : { index: wrong, got: final[wrong], want: want[wrong] }).toBeUndefined();
    }
  }
}

const sources = ['onnx', 'onnxruntime', 'webnn', 'tensorflow', 'pytorch'];
const cases = sources.flatMap((source) => read<Case>(`${source}.json`).filter(({ op }) => op === 'conv' || op === 'depthwiseConv'));

if (present)
  describe('conformance: convolution', () => {
    it.each(cases.map((c) => [c.name, c] as const))('engine: %s', (_, c) => run(c, 'engine'));
    it.each(cases.map((c) => [c.name, c] as const))('reference: %s', (_, c) => run(c, 'reference'));
  });

interface ShapeCase {
  readonly name: string;
  readonly op: string;
  readonly input: { shape: number[]; dtype: string };
  readonly weight: { shape: number[]; dtype: string };
  readonly bias?: { shape: number[]; dtype: string };
  readonly webnnOptions: {
    padding?: number[];
    strides?: number[];
    dilations?: number[];
    groups?: number;
    inputLayout?: InputLayout;
    filterLayout?: FilterLayout;
  };
  readonly expected: { shape: number[] } | { error: true; reason: string };
}

const shapeCases = read<ShapeCase>('webnn-validation.json').filter(({ op }) => op === 'conv');

function blank({ shape, dtype }: { shape: number[]; dtype: string }): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  // Other kinds of data stand for other types.
  const data: unknown = dtype === 'float32' ? new Float32Array(size) : new Int32Array(size);
  return { data: data as Float32Array, shape };
}

if (present)
  describe('conformance: shapes of WebNN', () => {
    describe.each(['engine', 'reference'] as const)('%s', (implementation) => {
      it.each(shapeCases.map((c) => [c.name, c] as const))('%s', (_, { input, weight, bias, webnnOptions, expected }) => {
        const { padding, strides, dilations, ...rest } = webnnOptions;
        const [top = 0, bottom = 0, left = 0, right = 0] = padding ?? [];
        const call = (): Tensor =>
          implementations[implementation].conv2d(blank(input), blank(weight), {
            ...rest,
            stride: strides,
            dilation: dilations,
            bias: bias && blank(bias),
            padding: [
              [top, bottom],
              [left, right],
            ],
          });
        if ('error' in expected)
          expect(call).toThrow(expect.objectContaining({ message: expect.stringMatching(/^conv2d: /), code: 'ERR_ARGUMENT' }));
        else expect(call().shape).toEqual(expected.shape);
      });
    });
  });

it('every case of the folder is here, or none', () => {
  expect([cases.length, shapeCases.length]).toEqual(present ? [CASES, SHAPES] : [0, 0]);
});

// As many skipped tests as there are cases, so that the summary's count tells what was not run.
if (!present) {
  describe.skipIf(!present)('conformance: no folder shared/conformance beside the repository', () => {
    it.each(Array.from({ length: CASES + SHAPES }, (_, i) => i + 1))('case %i', () => expect(present).toBe(true));
  });
}
