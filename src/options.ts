/** Options as users write them → settings with every default filled in. No size of any tensor is known here. */
import { checkFields, checkInteger, checkNumber, checkOneOf, conflict, unsupported, wrongType, wrongValue } from './check.ts';
import { isFloat32Array, lengthOf, readTensor } from './tensor.ts';
import type { Accuracy, Activation, Algorithm, ConvOptions, PaddingMode, Tensor } from './types.ts';

/** Number of spatial dimensions. */
export type Rank = 1 | 2 | 3;

/** A function after the sum. `low` and `high` are the bounds of the clamp; `low` is the slope of leakyRelu and the alpha of elu. */
export interface ActivationSetting {
  readonly name: 'clamp' | 'leakyRelu' | 'elu' | 'sigmoid' | 'tanh' | 'silu' | 'hardSwish';
  readonly low: number;
  readonly high: number;
}

/** Where the padding comes from: a rule, or one pair per spatial dimension. */
export type PaddingSetting = 'same' | 'same-lower' | readonly (readonly [begin: number, end: number])[];

/** Options of one operation, whole and checked. Arrays have one entry per spatial dimension. */
export interface ConvSettings {
  readonly rank: Rank;
  readonly bias: Tensor | undefined;
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: PaddingSetting;
  readonly paddingMode: PaddingMode;
  readonly groups: number;
  readonly shuffle: number;
  readonly activation: ActivationSetting;
  readonly channelsLast: boolean;
  readonly filterLayout: string;
  readonly algorithm: Algorithm;
  readonly accuracy: Accuracy;
  /** Of a transposed convolution alone: see transposed-options.ts. */
  readonly outputPadding?: readonly number[];
  readonly outputSize?: readonly number[] | undefined;
}

/** What each kind of operation may be told about its result; `reference/` takes these alone. */
export const gradientFields: readonly string[] = ['stride', 'dilation', 'padding', 'paddingMode', 'groups', 'inputLayout', 'filterLayout'];
export const convFields: readonly string[] = /* @__PURE__ */ gradientFields.concat('bias', 'shuffle', 'activation');

/** Fields of an operation that is prepared for many calls. */
export function layerFields(fields: readonly string[]): readonly string[] {
  return [...fields, 'algorithm', 'accuracy'];
}

/** Fields of an operation that is called once. */
export function callFields(fields: readonly string[]): readonly string[] {
  return [...layerFields(fields), 'out'];
}

export function without(fields: readonly string[], ...names: readonly string[]): readonly string[] {
  return fields.filter((field) => !names.includes(field));
}

const spatialLetters = { 1: 'w', 2: 'hw', 3: 'dhw' } as const;

/** All orders of the letters o, i and the spatial ones, which stay together. */
function filterLayouts(rank: Rank): readonly string[] {
  const s = spatialLetters[rank];
  return [`oi${s}`, `o${s}i`, `io${s}`, `i${s}o`, `${s}io`, `${s}oi`];
}

/** One entry per spatial dimension, each read once, holes and all. @param or what else the field may be */
function entriesOf(op: string, field: string, value: unknown, rank: Rank, or = ''): unknown[] {
  if (!Array.isArray(value)) throw wrongType(op, field, `${or}an array of ${rank}`, value);
  const { length } = value;
  if (length !== rank) throw wrongValue(op, `${field}.length`, `${rank}, one per spatial dimension`, length);
  return Array.from<unknown, unknown>({ length }, (_, i) => value[i]);
}

/** One integer per spatial dimension. */
export function eachDimension(op: string, field: string, value: unknown, rank: Rank, least: number, or?: string): readonly number[] {
  return entriesOf(op, field, value, rank, or).map((entry, i) => checkInteger(op, `${field}[${i}]`, entry, least));
}

/** The same, or one for all. */
export function perDimension(op: string, field: string, value: unknown, rank: Rank, least = 1): readonly number[] {
  if (typeof value === 'number') return new Array<number>(rank).fill(checkInteger(op, field, value, least));
  return eachDimension(op, field, value, rank, least, 'a number or ');
}

function pairOf(op: string, what: string, value: unknown, expected: string): readonly [unknown, unknown] {
  if (!Array.isArray(value)) throw wrongType(op, what, expected, value);
  if (value.length !== 2) throw wrongValue(op, what, expected, value);
  return [value[0], value[1]];
}

function paddingSetting(op: string, value: unknown, rank: Rank): PaddingSetting {
  const given = typeof value === 'string' ? checkOneOf(op, 'padding', value, ['valid', 'same', 'same-lower'] as const) : value;
  if (given === 'same' || given === 'same-lower') return given;
  const all = given === 'valid' ? 0 : given;
  const entries: unknown[] =
    typeof all === 'number'
      ? new Array(rank).fill(checkInteger(op, 'padding', all, 0))
      : entriesOf(op, 'padding', all, rank, 'a number, a string or ');
  return entries.map((entry, i): [number, number] => {
    const what = `padding[${i}]`;
    if (typeof entry === 'number') {
      const both = checkInteger(op, what, entry, 0);
      return [both, both];
    }
    const [begin, end] = pairOf(op, what, entry, 'a number or a pair [begin, end]');
    return [checkInteger(op, `${what}[0]`, begin, 0), checkInteger(op, `${what}[1]`, end, 0)];
  });
}

const named = ['relu', 'relu6', 'sigmoid', 'tanh', 'silu', 'hardSwish'] as const;
export const noActivation: ActivationSetting = { name: 'clamp', low: -Infinity, high: Infinity };

export function activationSetting(op: string, value: Activation | undefined, what = 'activation'): ActivationSetting {
  if (value === undefined) return noActivation;
  if (typeof value === 'string') {
    const name = checkOneOf(op, what, value, named);
    if (name === 'relu') return { name: 'clamp', low: 0, high: Infinity };
    if (name === 'relu6') return { name: 'clamp', low: 0, high: 6 };
    return { name, low: 0, high: 0 };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(op, what, 'a string or an object', value);
  checkFields(op, value, ['leakyRelu', 'elu', 'clamp'], what);
  const given = Object.entries(value as Record<string, unknown>).filter(([, setting]) => setting !== undefined);
  const [name, setting] = given[0] ?? [];
  if (given.length !== 1) throw wrongValue(op, what, 'one of { leakyRelu }, { elu }, { clamp }', Object.keys(value));
  if (name !== 'clamp') return { name: name as 'leakyRelu' | 'elu', low: checkNumber(op, `${what}.${name}`, setting), high: 0 };
  const [min, max] = pairOf(op, `${what}.clamp`, setting, 'a pair [min, max]');
  const low = checkNumber(op, `${what}.clamp[0]`, min, true);
  const high = checkNumber(op, `${what}.clamp[1]`, max, true);
  if (low > high) throw conflict(op, `${what}.clamp[0] = ${low} must not be above ${what}.clamp[1] = ${high}`);
  return { name, low, high };
}

/** A bias as a tensor of one dimension, whichever of its two forms was given. */
export function biasTensor(op: string, bias: unknown, name = 'bias'): Tensor | undefined {
  if (bias === undefined) return undefined;
  const plain = isFloat32Array(bias) ? { data: bias, shape: [lengthOf(bias)] } : bias;
  if (typeof plain !== 'object' || plain === null || !('data' in plain)) throw wrongType(op, name, 'a Float32Array or a tensor', bias);
  const given = readTensor(op, name, plain);
  if (given.shape.length !== 1) throw wrongValue(op, `${name}.shape.length`, '1', given.shape.length);
  return given;
}

/** Whether channels come last, by the tag of the input. */
function channelsLastSetting(op: string, rank: Rank, layout: unknown): boolean {
  const letters = spatialLetters[rank];
  return checkOneOf<string>(op, 'inputLayout', layout === undefined ? `nc${letters}` : layout, [`nc${letters}`, `n${letters}c`]).endsWith(
    'c',
  );
}

/**
 * @param fields what the caller may give: `groups`, for one, is not an option of every operation
 * @param order  of a weight's channels where no layout is given
 * @throws TypeError for a field that is unknown or of another kind, RangeError for a value out of its range
 */
export function convSettings(
  op: string,
  rank: Rank,
  options: ConvOptions = {},
  fields: readonly string[] = callFields(convFields),
  order: 'oi' | 'io' = 'oi',
): ConvSettings {
  checkFields(op, options, fields);
  const { stride = 1, dilation = 1, padding = 0, groups = 1, shuffle = 1, paddingMode = 'zeros' } = options;
  const { algorithm = 'auto', accuracy = 'normal', filterLayout = `${order}${spatialLetters[rank]}` } = options;
  const mode = checkOneOf(op, 'paddingMode', paddingMode, ['zeros', 'reflect', 'replicate', 'circular']);
  if (mode !== 'zeros' && !fields.includes('activation'))
    throw unsupported(op, `paddingMode '${mode}' has no gradient here, only 'zeros' has`);
  return {
    rank,
    bias: biasTensor(op, options.bias),
    stride: perDimension(op, 'stride', stride, rank),
    dilation: perDimension(op, 'dilation', dilation, rank),
    padding: paddingSetting(op, padding, rank),
    paddingMode: mode,
    groups: checkInteger(op, 'groups', groups, 1),
    shuffle: checkInteger(op, 'shuffle', shuffle, 1),
    activation: activationSetting(op, options.activation),
    channelsLast: channelsLastSetting(op, rank, options.inputLayout),
    filterLayout: checkOneOf(op, 'filterLayout', filterLayout, filterLayouts(rank)),
    algorithm: checkOneOf(op, 'algorithm', algorithm, ['auto', 'gemm', 'winograd', 'direct', 'factored']),
    accuracy: checkOneOf(op, 'accuracy', accuracy, ['exact', 'normal', 'fast']),
  };
}
