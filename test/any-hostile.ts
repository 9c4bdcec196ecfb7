/** Calls of every public function with values that nobody should give, as plain data: what random tests make, print on one line and replay. */

import { createEngineSync, type Engine, factorKernel, type Layer, type Tensor, tensor } from '../src/index.ts';
import * as namespace from '../src/reference/index.ts';
import { canPrepare, type Op } from './any-call.ts';
import { integers } from './cases.ts';
import { exact, firstWrong, sumBound } from './close.ts';
import { build } from './engines.ts';
import { everyCall, splitOptions } from './every-call.ts';
import { type OpenEngine, openEngine } from './open-engine.ts';
import { usedBytes } from './used-bytes.ts';

/** What is called: an operation, its `prepare`, a layer's `run` or `plan`, or a function of the module. */
export const ofOperations = ['call', 'prepare', 'run', 'plan'] as const;
export const otherTargets = ['alloc', 'tensor', 'factorKernel', 'createEngineSync'] as const;

export interface HostileCall {
  readonly target: (typeof ofOperations)[number] | (typeof otherTargets)[number];
  /** Which right call is spoiled. */
  readonly base: number;
  /** Which places of its arguments are given which values; both count round. */
  readonly changes: readonly (readonly [place: number, value: number])[];
}

/** Thrown by what the values below do when they are looked at: it must come back as it is. */
class OwnError extends Error {}

const own = (): never => {
  throw new OwnError();
};

type Make = (original: unknown, tools: Tools) => unknown;

interface Tools {
  /** A tensor of another engine, one that was disposed of, and a plain view of an engine's memory. */
  readonly foreign: Tensor;
  readonly gone: Tensor;
  readonly inside: Float32Array;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const entriesOf = (value: unknown): object => (isObject(value) ? value : { value });
const copied = (value: unknown): object => (Array.isArray(value) ? [...(value as unknown[])] : { ...entriesOf(value) });

function floats(original: unknown): Float32Array {
  return original instanceof Float32Array ? original.slice() : new Float32Array(8);
}

function resizable(data: Float32Array, bytes: number): Float32Array {
  const made = Reflect.construct(ArrayBuffer, [data.byteLength, { maxByteLength: data.byteLength + 64 }]) as ArrayBuffer & {
    resize(bytes: number): void;
  };
  const view = new Float32Array(made);
  view.set(data);
  made.resize(Math.max(0, bytes));
  return view;
}

/** Each field answers `after` from its second read on. */
function turning(original: unknown, after: unknown): object {
  const made = copied(original);
  for (const field of Object.keys(made)) {
    const before: unknown = Reflect.get(made, field);
    let reads = 0;
    Object.defineProperty(made, field, { get: () => (reads++ === 0 ? before : after), enumerable: true });
  }
  return made;
}

function throwing(original: unknown): object {
  const made = copied(original);
  for (const field of Object.keys(made)) Object.defineProperty(made, field, { get: own, enumerable: true });
  return made;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

class OddArray extends Array<unknown> {
  override map = own as never;
  override every = own as never;
  override reduce = own as never;
  override slice = own as never;
  override [Symbol.iterator] = own as never;
}

/** Named by one of its constructors: types of other packages add more, which differ. */
class OddFloats extends (Float32Array as new (of: ArrayLike<number>) => Float32Array<ArrayBuffer>) {
  override set = own as never;
  override slice = own as never;
  override subarray = own as never;
  override fill = own as never;
}

const holding: unknown[] = [];
holding.push(holding, holding);

const constants: readonly unknown[] = [
  ...[
    NaN,
    Infinity,
    -Infinity,
    -1,
    -0,
    0,
    0.5,
    1,
    2,
    3,
    7,
    1e-300,
    1e308,
    2 ** 16,
    2 ** 30,
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 32,
    2 ** 53,
  ],
  ...[
    undefined,
    null,
    true,
    false,
    '',
    'same',
    'SAME',
    'relu',
    'nhwc',
    'winograd',
    '3',
    'x'.repeat(100_000),
    10n,
    Symbol('s'),
    Symbol.iterator,
  ],
  ...[
    () => 1,
    class {},
    /x/,
    new Date(NaN),
    new Map([[0, 1]]),
    Promise.resolve(1),
    new Number(3),
    new String('same'),
    { valueOf: () => 3 },
  ],
  ...[
    {},
    [],
    [1],
    [2, 2],
    [1, 1, 1],
    [
      [1, 2],
      [0, 1],
    ],
    [[1]],
    [NaN, NaN],
    [2 ** 31, 2 ** 31],
    [-1, 0],
    [0.5, 2],
    holding,
  ],
  ...[new Array(2), new Array(4), new Array(2 ** 32 - 1), new Array(5000).fill(1), { length: 4, 0: 1 }, { length: 2 ** 53 }],
  ...[Object.create(null), Object.freeze({}), new Int32Array(4), new BigInt64Array(2), new Float64Array(8), new ArrayBuffer(8)],
  ...[new SharedArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Float32Array(0), new Float32Array(1), new Float32Array(100_000)],
  ...[
    { leakyRelu: NaN },
    { clamp: [2, 1] },
    { clamp: [NaN, 1] },
    { elu: 1, clamp: [0, 1] },
    { relu: 1 },
    { clamp: new Array(2 ** 32 - 1) },
  ],
  ...[
    { data: new Float32Array(4), shape: [2 ** 16, 2 ** 16, 2 ** 16] },
    { data: [1, 2], shape: [2] },
    { data: new Float32Array(0), shape: [0] },
  ],
  ...[{ data: new Float32Array(1), shape: new Array(2000).fill(1) }, { shape: [1] }, { data: new Float32Array(1) }],
  ...[new Error('no tensor'), Object.create(Float32Array.prototype), new WeakMap(), new URL('file:///none'), globalThis],
];

const changing: readonly Make[] = [(original) => turning(original, 2 ** 31), (original) => turning(original, undefined)];

/** Values that are made of what stood there. */
const made: readonly Make[] = [
  (original) => Object.freeze(copied(original)),
  // Its fields are those of its prototype.
  (original) => Object.create(entriesOf(original)) as object,
  (original) => Object.assign(Object.create(null) as object, original),
  throwing,
  ...changing,
  (original) => new Proxy(entriesOf(original), {}),
  (original) => new Proxy(entriesOf(original), { get: own }),
  (original) => new Proxy(entriesOf(original), { has: own }),
  (original) => new Proxy(entriesOf(original), { ownKeys: own }),
  (original) => new Proxy(entriesOf(original), { getPrototypeOf: own }),
  revoked,
  (original) => Object.defineProperty({ ...entriesOf(original) }, Symbol.toStringTag, { get: own }),
  (original) => Object.defineProperty({ ...entriesOf(original) }, 'constructor', { get: own, enumerable: false }),
  (original) => OddArray.from(Array.isArray(original) ? (original as unknown[]) : [1, 2]),
  (original) => (Array.isArray(original) ? [...(original as unknown[]), 1] : [original, original]),
  (original) => (Array.isArray(original) ? (original as unknown[]).slice(1) : [original]),
  (original) =>
    Array.isArray(original) ? Int32Array.from(original as unknown[], (size) => (typeof size === 'number' ? size : 0)) : new Int32Array(3),
  (original) => (typeof original === 'number' ? -original : String(Array.isArray(original) ? 'array' : typeof original)),
  (original) => (typeof original === 'number' ? original + 0.5 : original),
  (original) => (typeof original === 'number' ? original * 1000 : original),
  (original) => ({ ...entriesOf(original), strides: 2 }),
  (original) => ({ ...entriesOf(original), [Symbol.iterator]: own }),
  (original) => new OddFloats(floats(original)),
  (original) => Object.defineProperty(floats(original), 'length', { value: 2 ** 31 }),
  (original) => Object.defineProperty(floats(original), 'buffer', { get: own }),
  (original) => new Proxy(floats(original), {}),
  (original) => [...floats(original)],
  (original) => Float64Array.from(floats(original)),
  (original) => floats(original).subarray(1),
  (original) => {
    const data = floats(original);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    return data;
  },
  (original) => resizable(floats(original), floats(original).byteLength - 4),
  (original) => resizable(floats(original), 0),
  (original) => resizable(floats(original), floats(original).byteLength),
  (original) => {
    const data = floats(original);
    const shared = new Float32Array(new SharedArrayBuffer(data.byteLength));
    shared.set(data);
    return shared;
  },
  (_, { foreign }) => foreign,
  (_, { gone }) => gone,
  (_, { inside }) => inside,
];

/** The first so many are the same for every place. */
export const constantCount = constants.length;
export const valueCount = constants.length + made.length;

function hostileValue(index: number, original: unknown, tools: Tools): unknown {
  const i = index % valueCount;
  return i < constants.length ? constants[i] : (made[i - constants.length] as Make)(original, tools);
}

/** Options that are looked at though nobody gave them. */
const extraOptions = ['out', 'stride', 'dilation', 'padding', 'paddingMode', 'groups', 'bias', 'shuffle', 'activation', 'inputLayout'];
const moreOptions = [
  'filterLayout',
  'algorithm',
  'accuracy',
  'outputPadding',
  'outputSize',
  'depthwiseBias',
  'depthwiseActivation',
  'strides',
  '__proto__',
];

type Path = readonly (string | number)[];

/** Every place of an argument that can be something else: itself, its fields, their entries. Floats are no places: any will do. */
function placesIn(value: unknown, path: Path): Path[] {
  if (!isObject(value) || ArrayBuffer.isView(value)) return [path];
  return [path, ...Object.keys(value).flatMap((key) => placesIn(Reflect.get(value, key), [...path, key]))];
}

function spoiled(value: unknown, [first, ...rest]: Path, make: (original: unknown) => unknown): unknown {
  if (first === undefined) return make(value);
  const inner = spoiled(isObject(value) ? Reflect.get(value, first) : undefined, rest, make);
  return Object.defineProperty(copied(value), first, { value: inner, enumerable: true, configurable: true, writable: true });
}

const bases = [false, true].flatMap((last) => everyCall(last, 4));
const reference = namespace as unknown as Readonly<Record<Op, (...given: readonly unknown[]) => Tensor>>;
/** Right calls of an operation, by their numbers. */
export function basesOf(op: Op): number[] {
  return bases.flatMap(([name], i) => (name === op ? [i] : []));
}

type Prepare = { readonly prepare: (...given: readonly unknown[]) => Layer };

/** The small tensor that a call of a function of the module is made of. */
const small: Tensor = { data: integers(12), shape: [1, 1, 3, 4] };

/** Arguments of a right call. */
function rightArguments(target: HostileCall['target'], given: readonly unknown[]): readonly unknown[] {
  const [[input, ...weights], options] = splitOptions(given);
  switch (target) {
    case 'call':
      return given;
    case 'prepare':
      return [...weights, options];
    case 'run':
      return [input, {}];
    case 'plan':
      return [(input as Tensor).shape];
    case 'alloc':
      return [small.shape];
    case 'tensor':
      return [[...small.data], small.shape];
    case 'factorKernel':
      return [small, { tolerance: 0.1 }];
    case 'createEngineSync':
      return [{ maxMemory: 2 ** 20, relaxedSimd: false, threads: 1, wasm: undefined, worker: undefined }];
  }
}

function isOfOperations(target: HostileCall['target']): boolean {
  return ofOperations.some((name) => name === target);
}

/** Every place, in the arguments as they are and among options that were not given. */
function placesOf(target: HostileCall['target'], given: readonly unknown[]): Path[] {
  const last = given.length - 1;
  const takesOptions = target === 'call' || target === 'prepare' || target === 'run';
  const absent = takesOptions ? [...extraOptions, ...moreOptions].map((name) => [last, name]) : [];
  return [...given.flatMap((value, i) => placesIn(value, [i])), ...absent, [last + 1]];
}

const codes = ['ERR_ARGUMENT', 'ERR_UNSUPPORTED', 'ERR_MEMORY', 'ERR_DISPOSED', 'ERR_HOST'];

/** What is wrong with a refusal, or undefined. */
function refusal(error: unknown, op: string): string | undefined {
  if (error instanceof OwnError) return undefined;
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  // A proxy that was revoked throws by itself, whoever looks at it.
  if (error instanceof TypeError && /revoked/.test(error.message)) return undefined;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || !codes.includes(code)) return `threw without a code: ${error.stack}`;
  if (!error.message.startsWith(`${op}: `) && !error.message.startsWith('EngineTensor: ')) return `does not name ${op}: ${error.message}`;
  if (error.message.length > 2000) return `a message of ${error.message.length} letters`;
  return undefined;
}

/** Small, so that a lost block is soon missed, and no result takes the plain loops long. */
const MAX_MEMORY = 2 ** 21;

/** Floats of a result that are computed again. */
const MOST_COMPARED = 2 ** 20;

export class Hostility {
  readonly #open: OpenEngine;
  readonly #engine: Engine = createEngineSync({ maxMemory: MAX_MEMORY, relaxedSimd: false });
  readonly #tools: Tools;
  readonly #good: Tensor;
  readonly #weight: Tensor = { data: integers(4 * 3 * 9, 2), shape: [4, 3, 3, 3] };
  readonly #image: Tensor = { data: integers(3 * 49, 1), shape: [1, 3, 7, 7] };

  /** @param debug on the debug binary, whose assertions are on */
  constructor(debug = build === 'debug') {
    this.#open = openEngine(MAX_MEMORY, undefined, debug);
    const foreign = this.#engine.alloc([1, 13, 4, 6]);
    const gone = this.#engine.alloc([4]);
    gone.dispose();
    this.#tools = { foreign, gone, inside: foreign.data };
    this.#good = this.#computed();
  }

  #computed(): Tensor {
    return this.#open.operations.conv2d(this.#image, this.#weight, { padding: 1 });
  }

  /** The arguments, with what is hostile among them: made anew each time, since some change when they are looked at. */
  arguments({ target, base, changes }: HostileCall): readonly unknown[] {
    const [, given] = bases[base % bases.length] as (typeof bases)[0];
    let all = rightArguments(target, given);
    const places = placesOf(target, all);
    const done: Path[] = [];
    for (const [place, value] of changes) {
      const path = places[place % places.length] as Path;
      // What is spoiled already, or holds what is, stays so.
      if (done.some((other) => other.every((step, i) => i >= path.length || step === path[i]))) continue;
      done.push(path);
      all = spoiled(all, path, (original) => hostileValue(value, original, this.#tools)) as readonly unknown[];
    }
    return all;
  }

  /** What the call came to. @returns a result to compare with the plain loops, where there is one */
  #run({ target }: HostileCall, op: Op, base: readonly unknown[], given: readonly unknown[]): Tensor | undefined {
    const { operations } = this.#open;
    const { prepare } = operations[op] as unknown as Prepare;
    switch (target) {
      case 'call':
        return (operations[op] as unknown as (...all: readonly unknown[]) => Tensor)(...given);
      case 'prepare': {
        using layer = prepare(...given);
        return layer.run(base[0] as Tensor);
      }
      case 'run': {
        using layer = prepare(...base.slice(1));
        return layer.run(...(given as [Tensor, object]));
      }
      case 'plan': {
        using layer = prepare(...base.slice(1));
        layer.plan(...(given as [number[]]));
        return undefined;
      }
      case 'alloc':
        this.#engine.alloc(...(given as [number[]])).dispose();
        return undefined;
      case 'tensor': {
        const { data, shape } = tensor(...(given as [number[], number[]]));
        if (!(data.length === shape.reduce((a, b) => a * b, 1))) throw new Error('a tensor whose shape does not fit');
        return undefined;
      }
      case 'factorKernel':
        factorKernel(...(given as [Tensor, object]));
        return undefined;
      case 'createEngineSync':
        createEngineSync(...(given as [object])).dispose();
        return undefined;
    }
  }

  /** Computes the same in plain loops. @returns what differs, or undefined */
  #wrong(call: HostileCall, op: Op, base: readonly unknown[], got: Tensor): string | undefined {
    // A border may be enormous: strips compute what the memory does not hold, and plain loops would take minutes for it.
    if (got.data.length > MOST_COMPARED) return undefined;
    const again = this.arguments(call);
    const all = call.target === 'prepare' ? [base[0], ...again] : call.target === 'run' ? [again[0], ...base.slice(1)] : again;
    const [given, options] = splitOptions(all.length > base.length ? all.slice(0, base.length) : all);
    // The plain loops know no algorithms; what is undefined is absent, also where a prototype has it.
    const kept = Object.getOwnPropertyDescriptors({ ...entriesOf(options), algorithm: undefined, accuracy: undefined, out: undefined });
    const semantics: unknown = isObject(options) ? Object.create(Object.getPrototypeOf(options) as object, kept) : options;
    const { algorithm } = (options ?? {}) as { algorithm?: unknown };
    const want = reference[op](...given, semantics);
    // Sums of small integers are exact, but not those of tiles or functions.
    const bound = algorithm === 'winograd' ? sumBound(19 * 9, 16) : exact;
    const close = (a: number, b: number, i: number): boolean => bound(a, b, i) || Math.abs(a - b) <= 2 ** -20 * Math.abs(b) + 2 ** -126;
    return firstWrong(got, want, close);
  }

  /** Makes a call. @returns what is wrong with what it came to, or undefined */
  fault(call: HostileCall): string | undefined {
    const [op, base] = bases[call.base % bases.length] as (typeof bases)[0];
    if (isOfOperations(call.target) && call.target !== 'call' && !canPrepare(op)) return this.fault({ ...call, target: 'call' });
    const named = isOfOperations(call.target) ? op : call.target;
    const held = usedBytes(this.#open.heap);
    const own = this.#engine.info.memoryBytes;
    const given = this.arguments(call);
    let what: string | undefined;
    try {
      const got = this.#run(call, op, base, given);
      if (got !== undefined && !this.#changes(call)) what = this.#wrong(call, op, base, got);
    } catch (error) {
      what = refusal(error, named);
    }
    if (what !== undefined) return what;
    if (usedBytes(this.#open.heap) !== held) return `${usedBytes(this.#open.heap) - held} bytes are left`;
    if (this.#engine.info.memoryBytes > Math.max(own, MAX_MEMORY)) return 'the memory passed its maximum';
    const wrong = firstWrong(this.#computed(), this.#good, exact);
    return wrong === undefined ? undefined : `the next call is ${wrong}`;
  }

  /** Whether a value is another each time it is looked at: then either is right, and test/hostile*.test.ts say more. */
  #changes({ changes }: HostileCall): boolean {
    return changes.some(([, value]) => changing.includes(made[(value % valueCount) - constants.length] as Make));
  }
}
