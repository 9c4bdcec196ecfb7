/** Kernels of rank 1: a column times a row. */
import { checkFields, checkNumber, wrongValue } from './check.ts';
import { readTensor } from './tensor.ts';
import type { Tensor } from './types.ts';

/** One kernel as a column times a row; the row's largest magnitude is 1. */
export interface PlaneFactors {
  readonly column: Float32Array;
  readonly row: Float32Array;
}

/** Rounds of the least squares: each brings a kernel that is nearly of rank 1 nearer by the ratio of its singular values, squared. */
const ROUNDS = 32;

type Plane = (h: number, w: number) => number;

/** Columns of float64 and rows, before they are rounded. */
type Pair = readonly [column: number[], row: number[]];

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Place of the largest magnitude. */
function largest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best] as number) ? i : best), 0);
}

/** Given one factor, the best other one. */
function refinedOnce(at: Plane, [column, row]: Pair): Pair {
  const fit = (along: readonly number[], each: readonly number[], cell: Plane): number[] => {
    const square = along.reduce((sum, value) => sum + value * value, 0);
    return each.map((_, i) => along.reduce((sum, value, j) => sum + value * cell(i, j), 0) / square);
  };
  const across = fit(column, row, (w, h) => at(h, w));
  return [fit(across, column, at), across];
}

/** The least squares. */
function refined(at: Plane, given: Pair): Pair {
  let pair = given;
  for (let i = 0; i < ROUNDS; i++) pair = refinedOnce(at, pair);
  return pair;
}

/** Rounded to float32, with a row whose largest magnitude is 1. */
function roundedPair([column, row]: Pair): PlaneFactors {
  const pivot = row[largest(row)] as number;
  return { column: Float32Array.from(column, (value) => value * pivot), row: Float32Array.from(row, (value) => value / pivot) };
}

/**
 * @param at        element of a kernel of `kH` × `kW`
 * @param tolerance largest difference of an element, as part of the largest magnitude
 * @param refine    brings a row and a column of the kernel nearer, where they are too far from it
 * @returns null when it is not of rank 1, or not finite
 */
export function factorPlane(
  at: Plane,
  kH: number,
  kW: number,
  tolerance: number,
  refine?: (at: Plane, pair: Pair) => Pair,
): PlaneFactors | null {
  const [rows, columns] = [indices(kH), indices(kW)];
  const all = rows.flatMap((h) => columns.map((w) => at(h, w)));
  if (!all.every(Number.isFinite)) return null;
  const top = largest(all);
  const scale = Math.abs(all[top] as number);
  if (scale === 0) return { column: new Float32Array(kH), row: Float32Array.from(columns, (w) => (w === 0 ? 1 : 0)) };
  const close = ({ column, row }: PlaneFactors): boolean =>
    rows.every((h) => columns.every((w) => Math.abs(at(h, w) - (column[h] as number) * (row[w] as number)) <= tolerance * scale));
  const [topH, topW] = [Math.floor(top / kW), top % kW];
  // A kernel that was made as a product is the product of its own row and column through the largest element.
  const pair: Pair = [rows.map((h) => at(h, topW)), columns.map((w) => at(topH, w) / at(topH, topW))];
  const exact = roundedPair(pair);
  if (close(exact)) return exact;
  const best = refine && roundedPair(refine(at, pair));
  return best && close(best) ? best : null;
}

/**
 * Splits a kernel into a column and a row, if it is one times the other.
 *
 * @param kernel `[kH, kW]` or `[C, 1, kH, kW]`
 * @param options `tolerance`: largest difference of an element of column · row, as part of its kernel's largest magnitude; default 1e-6
 * @returns `column` `[…, kH, 1]` and `row` `[…, 1, kW]`, whose largest magnitude is 1; null unless every kernel of the tensor is of rank 1
 * @throws TypeError for the wrong kind of thing, RangeError for the wrong value
 */
export function factorKernel(
  kernel: Tensor,
  options: { readonly tolerance?: number | undefined } = {},
): { column: Tensor; row: Tensor } | null {
  const op = 'factorKernel';
  const { data, shape } = readTensor(op, 'kernel', kernel);
  checkFields(op, options, ['tolerance']);
  const { tolerance: given = 1e-6 } = options;
  const tolerance = checkNumber(op, 'tolerance', given);
  if (tolerance < 0) throw wrongValue(op, 'tolerance', 'at least 0', tolerance);
  if (shape.length !== 2 && shape.length !== 4)
    throw wrongValue(op, 'kernel.shape.length', '2 or 4: [kH, kW] or [C, 1, kH, kW]', shape.length);
  if (shape.length === 4 && shape[1] !== 1) throw wrongValue(op, 'kernel.shape[1]', '1', shape[1]);
  if (shape[0] === 0) throw wrongValue(op, 'kernel.shape[0]', 'an integer of at least 1', 0);
  const outer = shape.slice(0, -2);
  const [kH, kW] = shape.slice(-2) as [number, number];
  const planes = outer[0] ?? 1;
  const column = new Float32Array(planes * kH);
  const row = new Float32Array(planes * kW);
  for (let c = 0; c < planes; c++) {
    const found = factorPlane((h, w) => data[(c * kH + h) * kW + w] as number, kH, kW, tolerance, refined);
    if (found === null) return null;
    column.set(found.column, c * kH);
    row.set(found.row, c * kW);
  }
  return { column: { data: column, shape: [...outer, kH, 1] }, row: { data: row, shape: [...outer, 1, kW] } };
}
