/** A call of any operation as plain data: what random tests make, print on one line and replay. */
import type { Engine, EngineTensor, Layer, Tensor } from '../src/index.ts';
import * as namespace from '../src/reference/index.ts';
import type { Operations } from '../src/types.ts';
import { guarded, integers } from './cases.ts';
import { type Bound, exact, firstWrong, sumBound } from './close.ts';

export type Op = keyof Operations;

export interface AnyCall {
  readonly op: Op;
  /** Shapes of the tensors, in the order of the arguments. Their data are small integers, so that sums are exact in any order. */
  readonly tensors: readonly (readonly number[])[];
  /** Arguments that follow the tensors: shapes and sizes. */
  readonly rest: readonly (number | readonly number[])[];
  /** `bias` and `depthwiseBias` are given by their lengths. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Gradients, unfold and such are never prepared. */
  readonly prepared: boolean;
  /** Input and result lie in the engine's memory. */
  readonly hosted: boolean;
  /** Kernels are a column times a row. */
  readonly rankOne: boolean;
}

/** Operations whose weights can be packed. */
export function canPrepare(op: Op): boolean {
  return /^(conv|convTranspose|depthwiseConv|separableConv|spatialSeparableConv|flattenedConv)\dd$/.test(op);
}

type Anything = (...given: readonly unknown[]) => Tensor;
const reference: Readonly<Record<Op, unknown>> = namespace;

function elements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** The last two dimensions as products of powers of two: their factors are exact. */
function rankOneKernels(shape: readonly number[], seed: number): Tensor {
  const [kH, kW] = shape.slice(-2) as [number, number];
  const power = (n: number): number => [1, -2, 4, 2, -1][(n * 7 + seed) % 5] as number;
  const data = Float32Array.from({ length: elements(shape) }, (_, i) => {
    const plane = Math.floor(i / (kH * kW));
    return power(plane + (Math.floor(i / kW) % kH)) * power(plane + 3 + (i % kW));
  });
  return { data, shape };
}

function materialized(call: AnyCall): { first: Tensor; more: unknown[]; options: Record<string, unknown> } {
  const made = call.tensors.map((shape, i): Tensor => {
    if (i === 1 && call.rankOne) return rankOneKernels(shape, i);
    return { data: integers(elements(shape), i + 1), shape };
  });
  const [first, ...weights] = made as [Tensor, ...Tensor[]];
  const options = Object.fromEntries(
    Object.entries(call.options).map(([field, value]) => [field, /bias$/i.test(field) ? integers(value as number, 9) : value]),
  );
  const [channel, vertical, horizontal] = weights;
  const more = call.op === 'flattenedConv2d' ? [{ channel, vertical, horizontal }] : weights;
  return { first, more: [...more, ...call.rest], options };
}

type Outcome<T> = { readonly value: T } | { readonly error: Error & { code?: string } };

function attempt<T>(call: () => T): Outcome<T> {
  try {
    return { value: call() };
  } catch (error) {
    return { error: error as Error };
  }
}

/** A result, and whether it was computed by tiles, whose transforms are not exact on integers. */
interface Computed extends Tensor {
  readonly tiled: boolean;
}

function onEngine(engine: Engine, call: AnyCall, want: Tensor | undefined): Computed {
  const { first, more, options } = materialized(call);
  const operation = engine[call.op] as unknown as Anything & { prepare: (...given: readonly unknown[]) => Layer };
  const { out, intact } = guarded(want?.data.length ?? 0);
  const held: EngineTensor[] = [];
  const hold = (shape: readonly number[]): EngineTensor => {
    const tensor = engine.alloc(shape);
    held.push(tensor);
    return tensor;
  };
  let given = first;
  let into: Float32Array | EngineTensor | undefined = want && out;
  if (call.hosted) {
    given = hold(first.shape);
    given.data.set(first.data);
    into = want && hold(want.shape);
    into?.data.fill(NaN);
  }
  const target = into === undefined ? {} : { out: into };
  const layer = call.prepared ? operation.prepare(...more, options) : undefined;
  try {
    const { data, shape } = layer
      ? layer.run(given, target as { out: EngineTensor })
      : operation(given, ...more, { ...options, ...target });
    if (!intact()) throw new Error('written outside of out');
    const planned = layer?.plan(first.shape);
    if (planned && String(planned.outputShape) !== String(shape)) throw new Error(`planned [${planned.outputShape}], made [${shape}]`);
    return { data: data.slice(), shape, tiled: (planned?.algorithm ?? options.algorithm) === 'winograd' };
  } finally {
    layer?.dispose();
    for (const tensor of held) tensor.dispose();
  }
}

/** Sums of integers are exact in any order; by tiles they are within what their products may round, each at most 4 · 4. */
function boundOf({ tensors: [, weight = []] }: AnyCall, tiled: boolean): Bound {
  return tiled ? sumBound(elements(weight) / Math.min(...weight.slice(0, 2)), 16) : exact;
}

/** Computes a call with `engine` and in plain loops. @returns what differs, or undefined */
export function difference(engine: Engine, call: AnyCall): string | undefined {
  const { first, more, options } = materialized(call);
  const { algorithm, accuracy, ...semantics } = options;
  const want = attempt(() => (reference[call.op] as Anything)(first, ...more, semantics));
  const got = attempt(() => onEngine(engine, call, 'value' in want ? want.value : undefined));
  const unserved = 'error' in got && got.error.code === 'ERR_UNSUPPORTED' && algorithm !== undefined && algorithm !== 'auto';
  if (unserved) {
    // Not every algorithm computes every shape; then the planner's choice must.
    const { algorithm: _, ...others } = call.options;
    return difference(engine, { ...call, options: others });
  }
  if ('error' in want) {
    const [expected, found] = [want.error.message, 'error' in got ? got.error.message : 'a result'];
    return expected === found ? undefined : `want the error '${expected}', got ${found}`;
  }
  if ('error' in got) return `threw ${got.error.stack}`;
  return firstWrong(got.value, want.value, boundOf(call, got.value.tiled));
}
