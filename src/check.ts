/** Every error of the library is made here, with its text. Texts are built only when they are thrown. */

export type ErrorCode = 'ERR_ARGUMENT' | 'ERR_UNSUPPORTED' | 'ERR_MEMORY' | 'ERR_DISPOSED' | 'ERR_WORKER' | 'ERR_HOST';

/** What every error thrown by the library carries beside its class and message. */
export interface CodedError extends Error {
  readonly code: ErrorCode;
}

function coded<E extends Error>(error: E, code: ErrorCode): E & CodedError {
  return Object.assign(error, { code });
}

/** A value as it is shown in a message. One that throws when it is looked at must not take the place of the error. */
function describe(value: unknown): string {
  try {
    return described(value);
  } catch {
    return `a value of type ${typeof value} that cannot be read`;
  }
}

/** Short, and telling an array from a typed array, a string from a name. */
function described(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) {
    // Arrays in arrays are not opened: they may hold each other.
    const entry = (item: unknown): string => (Array.isArray(item) ? `an array of ${item.length}` : described(item));
    return value.length > 8 ? `an array of ${value.length}` : `[${Array.from(value, entry).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const name = Object.prototype.toString.call(value).slice(8, -1);
    const made: unknown = Object.getPrototypeOf(value)?.constructor?.name;
    return name === 'Object' && typeof made === 'string' && made !== 'Object' ? made : name;
  }
  return String(value);
}

/** The wrong kind of thing. */
export function wrongType(op: string, what: string, expected: string, got: unknown): TypeError & CodedError {
  return coded(new TypeError(`${op}: ${what} must be ${expected}, got ${describe(got)}`), 'ERR_ARGUMENT');
}

/** The right kind of thing with the wrong value. */
export function wrongValue(op: string, what: string, expected: string, got: unknown): RangeError & CodedError {
  return coded(new RangeError(`${op}: ${what} must be ${expected}, got ${describe(got)}`), 'ERR_ARGUMENT');
}

/** Arguments that are fine alone but not together. */
export function conflict(op: string, text: string): RangeError & CodedError {
  return coded(new RangeError(`${op}: ${text}`), 'ERR_ARGUMENT');
}

export function unsupported(op: string, text: string): RangeError & CodedError {
  return coded(new RangeError(`${op}: ${text}`), 'ERR_UNSUPPORTED');
}

export function outOfMemory(op: string, bytes: number, maximum: number): RangeError & CodedError {
  const text = `${op}: ${bytes} more bytes of linear memory do not fit into maxMemory = ${maximum}`;
  return coded(new RangeError(text), 'ERR_MEMORY');
}

/** The host gives less than it may. */
export function memoryRefused(op: string, bytes: number, present: number, maximum: number): RangeError & CodedError {
  const text = `${op}: the host refuses ${bytes} more bytes of linear memory, which has ${present} of maxMemory = ${maximum}`;
  return coded(new RangeError(text), 'ERR_MEMORY');
}

export function hostFull(op: string, bytes: number): RangeError & CodedError {
  return coded(new RangeError(`${op}: this host gives no array of ${bytes} bytes`), 'ERR_MEMORY');
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && (error as Partial<CodedError>).code === 'ERR_MEMORY';
}

export function disposed(op: string, what: string): Error & CodedError {
  return coded(new Error(`${op}: ${what} was disposed`), 'ERR_DISPOSED');
}

export function hostError(op: string, text: string, cause?: unknown): Error & CodedError {
  return coded(new Error(`${op}: ${text}`, { cause }), 'ERR_HOST');
}

export function detached(op: string, what: string): TypeError & CodedError {
  return coded(new TypeError(`${op}: ${what} has a detached buffer`), 'ERR_ARGUMENT');
}

export function foreignMemory(op: string, what: string): TypeError & CodedError {
  const text = `${op}: ${what} is a plain view of an engine's memory, which moves when it grows: give the engine tensor itself`;
  return coded(new TypeError(text), 'ERR_ARGUMENT');
}

/** Changes of one letter, one insertion or removal, or a shared beginning: what people mistype. */
function resembles(a: string, b: string): boolean {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  const [short, long] = x.length < y.length ? [x, y] : [y, x];
  // `strides`, `pad`; but `out` is not what `outputPadding` meant.
  return (
    (long.startsWith(short) && long.length < 3 * short.length) ||
    (x.length === y.length && [...x].filter((letter, i) => letter !== y[i]).length === 1)
  );
}

/** Throws unless `options` is an object whose defined fields are all `known`. */
export function checkFields(op: string, options: unknown, known: readonly string[], what = 'options'): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw wrongType(op, what, 'an object', options);
  for (const [field, value] of Object.entries(options)) {
    if (value === undefined || known.includes(field)) continue;
    const meant = known.find((name) => resembles(field, name));
    throw coded(new TypeError(`${op}: unknown option ${field}${meant ? `, did you mean ${meant}?` : ''}`), 'ERR_ARGUMENT');
  }
}

export function checkInteger(op: string, what: string, value: unknown, least: number): number {
  if (typeof value !== 'number') throw wrongType(op, what, 'a number', value);
  if (!Number.isSafeInteger(value) || value < least) throw wrongValue(op, what, `an integer of at least ${least}`, value);
  return value;
}

/** A number that float32 can hold, NaN and (unless `infinite`) ±Infinity excluded. */
export function checkNumber(op: string, what: string, value: unknown, infinite = false): number {
  if (typeof value !== 'number') throw wrongType(op, what, 'a number', value);
  const finite = Number.isFinite(Math.fround(value));
  if (!finite && !(infinite && Math.abs(value) === Infinity))
    throw wrongValue(op, what, infinite ? 'a float32 or ±Infinity' : 'a finite float32', value);
  return value;
}

export function checkOneOf<S extends string>(op: string, what: string, value: unknown, names: readonly S[]): S {
  const list = (): string => `one of ${names.map((name) => `'${name}'`).join(', ')}`;
  if (typeof value !== 'string') throw wrongType(op, what, list(), value);
  const found = names.find((name) => name === value);
  if (found === undefined) throw wrongValue(op, what, list(), value);
  return found;
}
