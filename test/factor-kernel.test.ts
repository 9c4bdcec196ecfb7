/** factorKernel: which kernels are a column times a row, and what the factors look like. */
import { describe, expect, it } from 'vitest';
import { factorKernel, type Tensor } from '../src/index.ts';
import { fractions } from './cases.ts';
import { t, values } from './family.ts';

function outer(column: readonly number[], row: readonly number[]): Tensor {
  return t(
    column.flatMap((a) => row.map((b) => a * b)),
    [column.length, row.length],
  );
}

/** Largest |K − column · row| of one kernel, as part of its largest |K|. */
function distance(kernel: Tensor, factors: { column: Tensor; row: Tensor } | null, plane = 0): number {
  const [kH, kW] = kernel.shape.slice(-2) as [number, number];
  let [furthest, largest] = [0, 0];
  for (let h = 0; h < kH; h++)
    for (let w = 0; w < kW; w++) {
      const value = kernel.data[(plane * kH + h) * kW + w] as number;
      const product = (factors?.column.data[plane * kH + h] as number) * (factors?.row.data[plane * kW + w] as number);
      furthest = Math.max(furthest, Math.abs(value - product));
      largest = Math.max(largest, Math.abs(value));
    }
  return furthest / largest;
}

const largest = ({ data }: Tensor): number => Math.max(...data.map(Math.abs));

describe('kernels that are a column times a row', () => {
  it('integers are found exactly, with a row whose largest magnitude is 1', () => {
    expect(factorKernel(outer([1, 2, 3], [4, -8, 2]))).toEqual({ column: t([-8, -16, -24], [3, 1]), row: t([-0.5, 1, -0.25], [1, 3]) });
    expect(factorKernel(outer([3], [7]))).toEqual({ column: t([21], [1, 1]), row: t([1], [1, 1]) });
    expect(factorKernel(outer([0, 5, 0], [0, 0, 2]))).toEqual({ column: t([0, 10, 0], [3, 1]), row: t([0, 0, 1], [1, 3]) });
  });

  it('a single row or column always is one', () => {
    const flat = factorKernel(t([3, -6, 1.5], [1, 3]));
    expect(flat).toEqual({ column: t([-6], [1, 1]), row: t([-0.5, 1, -0.25], [1, 3]) });
    const upright = factorKernel(t([3, -6, 1.5], [3, 1]));
    expect(upright).toEqual({ column: t([3, -6, 1.5], [3, 1]), row: t([1], [1, 1]) });
  });

  it('a Gaussian', () => {
    const bell = Array.from({ length: 9 }, (_, i) => Math.exp(-((i - 4) ** 2) / 4.5));
    const kernel = outer(bell, bell);
    const factors = factorKernel(kernel);
    expect(factors?.column.shape).toEqual([9, 1]);
    expect(factors?.row.shape).toEqual([1, 9]);
    expect(distance(kernel, factors)).toBeLessThanOrEqual(1e-6);
  });

  it.each([
    [2, 2],
    [3, 7],
    [11, 1],
    [5, 5],
    [7, 3],
  ])('random factors of %i and %i, rounded to float32', (kH, kW) => {
    for (let seed = 1; seed <= 20; seed++) {
      const kernel = outer([...fractions(kH, seed)], [...fractions(kW, seed + 100)]);
      const factors = factorKernel(kernel);
      expect(distance(kernel, factors)).toBeLessThanOrEqual(1e-6);
      expect(largest(factors?.row as Tensor)).toBe(1);
    }
  });

  it('magnitudes at the ends of float32', () => {
    for (const scale of [2 ** -120, 2 ** 120]) {
      const kernel = outer([scale, 2 * scale], [1, 0.5]);
      expect(factorKernel(kernel)).toEqual({ column: t([scale, 2 * scale], [2, 1]), row: t([1, 0.5], [1, 2]) });
    }
  });

  it('a kernel of zeros', () => {
    const factors = factorKernel(t(new Array(6).fill(0), [2, 3]));
    expect(factors?.column).toEqual(t([0, 0], [2, 1]));
    expect(largest(factors?.row as Tensor)).toBe(1);
    expect(factors?.row.shape).toEqual([1, 3]);
  });

  it('one for each channel', () => {
    const planes = [outer([1, 2], [1, 3, -4]), outer([5, 0], [0, 2, 0]), outer([0, 0], [1, 1, 1])];
    const kernel = t(planes.flatMap(values), [3, 1, 2, 3]);
    const factors = factorKernel(kernel);
    expect(factors?.column.shape).toEqual([3, 1, 2, 1]);
    expect(factors?.row.shape).toEqual([3, 1, 1, 3]);
    for (const [c, plane] of planes.entries()) {
      expect(factors?.column.data.slice(2 * c, 2 * c + 2)).toEqual(factorKernel(plane)?.column.data);
      expect(factors?.row.data.slice(3 * c, 3 * c + 3)).toEqual(factorKernel(plane)?.row.data);
    }
  });

  it('leaves the kernel as it was', () => {
    const kernel = outer([1, 2, 3], [4, -8, 2]);
    factorKernel(kernel);
    expect(kernel).toEqual(outer([1, 2, 3], [4, -8, 2]));
  });
});

describe('kernels that are not', () => {
  it.each([
    ['the identity', t([1, 0, 0, 1], [2, 2])],
    ['a disc', t([0, 1, 0, 1, 1, 1, 0, 1, 0], [3, 3])],
    ['a Laplacian', t([0, 1, 0, 1, -4, 1, 0, 1, 0], [3, 3])],
    ['rank 2', t([1, 2, 3, 2, 4, 6.01], [2, 3])],
  ])('%s', (_, kernel) => expect(factorKernel(kernel)).toBeNull());

  it('one channel of several', () => {
    const kernel = t([1, 2, 2, 4, 1, 0, 0, 1], [2, 1, 2, 2]);
    expect(factorKernel(kernel)).toBeNull();
    expect(factorKernel({ data: kernel.data.slice(0, 4), shape: [1, 1, 2, 2] })).not.toBeNull();
  });

  it.each([NaN, Infinity, -Infinity])('%s among its values', (value) => {
    expect(factorKernel(t([1, value, 2, 4], [2, 2]))).toBeNull();
    expect(factorKernel(t([value], [1, 1]))).toBeNull();
    expect(factorKernel(t([value, value, value, value], [2, 2]), { tolerance: 1 })).toBeNull();
  });
});

describe('tolerance', () => {
  /** 8·(1 2)ᵀ(1 2) with one cell moved by 2⁻¹⁰ of the largest. */
  const moved = t([8, 16, 16 + 2 ** -5, 32], [2, 2]);

  it('is part of the largest magnitude', () => {
    expect(factorKernel(moved)).toBeNull();
    const factors = factorKernel(moved, { tolerance: 2 ** -10 });
    expect(distance(moved, factors)).toBeLessThanOrEqual(2 ** -10);
    for (const scale of [2 ** -60, 2 ** 60]) {
      const scaled = { ...moved, data: moved.data.map((value) => value * scale) };
      expect(factorKernel(scaled)).toBeNull();
      expect(factorKernel(scaled, { tolerance: 2 ** -10 })).not.toBeNull();
    }
  });

  it('is that of each channel, not of the largest of them', () => {
    const small = moved.data.map((value) => value * 2 ** -20);
    const kernel = { data: Float32Array.of(8, 16, 16, 32, ...small), shape: [2, 1, 2, 2] };
    expect(factorKernel(kernel)).toBeNull();
    expect(factorKernel(kernel, { tolerance: 2 ** -10 })).not.toBeNull();
  });

  it('nearly rank 1: better factors than the kernel’s own row and column are found', () => {
    // Each cell lies within 1e-3 of a product.
    const [column, row] = [fractions(7, 5), fractions(7, 6)];
    const noise = fractions(49, 7);
    const product = outer([...column], [...row]);
    const top = largest(product);
    const kernel = { ...product, data: product.data.map((value, i) => value + (noise[i] as number) * top * 1e-3) };
    expect(factorKernel(kernel, { tolerance: 1e-4 })).toBeNull();
    // The row and the column through its largest cell are further off.
    const at = kernel.data.findIndex((value) => Math.abs(value) === largest(kernel));
    const [y, x] = [Math.floor(at / 7), at % 7];
    const through = {
      column: t(
        values(kernel).filter((_, i) => i % 7 === x),
        [7, 1],
      ),
      row: t(
        values(kernel)
          .slice(7 * y, 7 * y + 7)
          .map((value) => value / (kernel.data[at] as number)),
        [1, 7],
      ),
    };
    expect(distance(kernel, through)).toBeGreaterThan(1.2e-3);
    const factors = factorKernel(kernel, { tolerance: 1.2e-3 });
    expect(distance(kernel, factors)).toBeLessThanOrEqual(1.2e-3);
    expect(largest(factors?.row as Tensor)).toBe(1);
  });

  it('0 asks for the kernel itself', () => {
    expect(factorKernel(outer([1, 2, 3], [4, -8, 2]), { tolerance: 0 })).not.toBeNull();
    expect(factorKernel(t([8, 16, 16 + 2 ** -18, 32], [2, 2]), { tolerance: 0 })).toBeNull();
  });
});

describe('errors', () => {
  const kernel = t([1, 2, 2, 4], [2, 2]);
  it.each<[string, 'TypeError' | 'RangeError', unknown, unknown?]>([
    ['kernel must be a tensor { data, shape }, got undefined', 'TypeError', undefined],
    ['kernel.data must be a Float32Array, got [1, 2]', 'TypeError', { data: [1, 2], shape: [1, 2] }],
    ['kernel.data.length must be the product of kernel.shape = 6, got 4', 'RangeError', { data: kernel.data, shape: [2, 3] }],
    ['kernel.shape.length must be 2 or 4: [kH, kW] or [C, 1, kH, kW], got 3', 'RangeError', { data: kernel.data, shape: [1, 2, 2] }],
    ['kernel.shape.length must be 2 or 4: [kH, kW] or [C, 1, kH, kW], got 1', 'RangeError', { data: kernel.data, shape: [4] }],
    ['kernel.shape[1] must be 1, got 2', 'RangeError', { data: kernel.data, shape: [1, 2, 2, 1] }],
    ['kernel.shape[0] must be an integer of at least 1, got 0', 'RangeError', { data: new Float32Array(0), shape: [0, 1, 2, 2] }],
    ['kernel.shape[0] must be an integer of at least 1, got 0', 'RangeError', { data: new Float32Array(0), shape: [0, 2] }],
    ['unknown option tolerances, did you mean tolerance?', 'TypeError', kernel, { tolerances: 1 }],
    ['options must be an object, got 1', 'TypeError', kernel, 1],
    ["tolerance must be a number, got '1'", 'TypeError', kernel, { tolerance: '1' }],
    ['tolerance must be at least 0, got -1', 'RangeError', kernel, { tolerance: -1 }],
    ['tolerance must be a finite float32, got NaN', 'RangeError', kernel, { tolerance: NaN }],
  ])('%s', (message, name, given, options) => {
    const call = (): unknown => factorKernel(given as Tensor, options as { tolerance: number });
    expect(call).toThrow(expect.objectContaining({ name, code: 'ERR_ARGUMENT', message: `factorKernel: ${message}` }));
  });
  it('a tolerance that is undefined is absent', () => expect(factorKernel(kernel, { tolerance: undefined })).not.toBeNull());
});
