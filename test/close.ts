/** Comparison of results. Names the first element that is wrong. */
import { expect } from 'vitest';
import type { Tensor } from '../src/index.ts';

/** `[b, c, h, w]` of element `index`. */
function position(index: number, shape: readonly number[]): string {
  const at: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    at.unshift(index % size);
    index = Math.floor(index / size);
  }
  return `[${at.join(', ')}]`;
}

/** How far `got` may be from `want`. */
export type Bound = (got: number, want: number, index: number) => boolean;

/** Bit for bit, but for the sign of zero; NaN equals NaN. */
export const exact: Bound = (got, want) => got === want || (Number.isNaN(got) && Number.isNaN(want));

/** Steps between neighbouring float32 from `a` to `b`. */
export function ulps(a: number, b: number): number {
  const order = (x: number): number => {
    const bits = new Int32Array(Float32Array.of(x).buffer)[0] as number;
    return bits < 0 ? -2147483648 - bits : bits;
  };
  return Math.abs(order(a) - order(b));
}

/**
 * Float32 sums of K products in any order: each of K additions rounds by at most 2⁻²⁴ of the running sum, which Σ|x·w| ≤ K·`scale` bounds
 * (Higham, Accuracy and Stability, §4.2), once more for the products.
 */
export function sumBound(k: number, scale: number): Bound {
  const bound = (k + 1) * 2 ** -24 * k * scale;
  return (got, want) => Math.abs(got - want) <= bound || exact(got, want, 0);
}

/** The first element of `got` that is wrong, in words. */
export function firstWrong(got: Tensor, want: Tensor, bound: Bound): string | undefined {
  if (String(got.shape) !== String(want.shape)) return `shape [${got.shape}], want [${want.shape}]`;
  if (got.data.length !== want.data.length) return `${got.data.length} elements, want ${want.data.length}`;
  const wrong = want.data.findIndex((value, i) => !bound(got.data[i] as number, value, i));
  return wrong < 0 ? undefined : `wrong at ${position(wrong, want.shape)}: got ${got.data[wrong]}, want ${want.data[wrong]}`;
}

export function expectClose(got: Tensor, want: Tensor, bound: Bound = exact, title = ''): void {
  const wrong = firstWrong(got, want, bound);
  if (wrong !== undefined) expect.fail(`${title}: ${wrong}`);
}
