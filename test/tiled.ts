/** Convolutions by tiles of F(m, r), against plain loops: their results, and their errors over those of direct sums. */
import { expect } from 'vitest';
import type { ConvOptions, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, guarded, type Operands, operands, problem } from './cases.ts';
import { expectClose, sumBound } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();

export const layouts = ['nchw', 'nhwc'] as const;
/** Those that allow tiles. */
export const accuracies = ['normal', 'fast'] as const;

function semantics({ algorithm, accuracy, ...rest }: ConvOptions): ConvOptions {
  return rest;
}

/** By tiles, through an output that was NaN and whose neighbours still are: an index that is wrong is an error of the size of the data. */
export function check(name: string, extra: ConvOptions = {}, plain?: (given: Operands) => Tensor): void {
  const p = problem(name);
  const given = operands(p, { bias: fractions(p.oc, 3), ...extra }, fractions);
  const { input, weight, options } = given;
  const want = plain?.(given) ?? reference.conv2d(input, weight, semantics(options));
  for (const accuracy of accuracies) {
    const { out, intact } = guarded(want.data.length);
    const got = engine.conv2d(input, weight, { ...options, algorithm: 'winograd', accuracy, out });
    expectClose(got, want, sumBound((p.ic / p.g) * p.kh * p.kw, 2), `${accuracy} ${name} ${JSON.stringify(extra)}`);
    expect(intact()).toBe(true);
  }
}

/** NaN, infinity and its negative at three places of the image are in the results whose window holds them, whatever follows the sum, and in no others. */
export function checkNonFinite(name: string, places: readonly number[], inputLayout: (typeof layouts)[number]): void {
  const special = (data: Float32Array): string => data.map((x) => (Number.isFinite(x) ? 0 : x)).join();
  for (const activation of [undefined, 'relu6', { clamp: [-3, 3] }] as const) {
    const { input, weight, options } = operands(problem(name), { inputLayout, activation });
    for (const [i, place] of places.entries()) input.data[place] = [NaN, Infinity, -Infinity][i] as number;
    const want = reference.conv2d(input, weight, options);
    for (const accuracy of accuracies)
      expect(special(engine.conv2d(input, weight, { ...options, algorithm: 'winograd', accuracy }).data)).toBe(special(want.data));
  }
}

/** The largest error, and the root of the mean square, over the largest result. */
export function errors({ data }: Tensor, want: readonly number[] | Float64Array): readonly [largest: number, mean: number] {
  let [largest, squares] = [0, 0];
  for (const [i, x] of data.entries()) {
    const error = Math.abs(x - (want[i] as number));
    largest = Math.max(largest, error);
    squares += error * error;
  }
  return [largest, Math.sqrt(squares / data.length)];
}

/** Sums in float64, and in float32 one after the other. */
export function sums(input: Tensor, weight: Tensor, stride = 1): readonly [exact: Float64Array, direct: Tensor] {
  const [outC, inC, taps] = weight.shape as [number, number, number];
  const [, , height, width] = input.shape as [number, number, number, number];
  const [outH, outW] = [Math.floor((height - taps) / stride) + 1, Math.floor((width - taps) / stride) + 1];
  const wanted = new Float64Array(outC * outH * outW);
  const direct = new Float32Array(outC * outH * outW);
  for (let o = 0; o < outC; o++)
    for (let c = 0; c < inC; c++)
      for (let tap = 0; tap < taps * taps; tap++) {
        const w = weight.data[(o * inC + c) * taps * taps + tap] as number;
        for (let y = 0; y < outH; y++)
          for (let x = 0; x < outW; x++) {
            const product =
              w * (input.data[(c * height + y * stride + Math.floor(tap / taps)) * width + x * stride + (tap % taps)] as number);
            const at = (o * outH + y) * outW + x;
            wanted[at] = (wanted[at] as number) + product;
            direct[at] = (direct[at] as number) + Math.fround(product);
          }
      }
  return [wanted, { data: direct, shape: [1, outC, outH, outW] }];
}
