/**
 * Problems in one word, as oneDNN's benchdnn writes them, and their data.
 *
 *   g groups · mb batch · ic ih iw · oc · kh kw · sh sw stride · dh dw dilation (1 means none) · ph pw padding; w is h where it is left out
 */
import type { ConvOptions, Tensor } from '../src/index.ts';

export interface Problem {
  readonly name: string;
  readonly g: number;
  readonly mb: number;
  readonly ic: number;
  readonly ih: number;
  readonly iw: number;
  readonly oc: number;
  readonly kh: number;
  readonly kw: number;
  readonly sh: number;
  readonly sw: number;
  readonly dh: number;
  readonly dw: number;
  readonly ph: number;
  readonly pw: number;
}

export function problem(name: string): Problem {
  const found = new Map<string, number>();
  const rest = name.replace(/(mb|ic|ih|iw|oc|kh|kw|sh|sw|dh|dw|ph|pw|g)(\d+)/g, (_, key: string, value: string) => {
    found.set(key, Number(value));
    return '';
  });
  if (rest !== '') throw new SyntaxError(`problem '${name}': cannot read '${rest}'`);
  const get = (key: string, fallback: number): number => found.get(key) ?? fallback;
  const ih = get('ih', 1);
  const [kh, sh, dh, ph] = [get('kh', 1), get('sh', 1), get('dh', 1), get('ph', 0)];
  return {
    name,
    g: get('g', 1),
    mb: get('mb', 1),
    ic: get('ic', 1),
    ih,
    iw: get('iw', ih),
    oc: get('oc', 1),
    kh,
    kw: get('kw', kh),
    sh,
    sw: get('sw', sh),
    dh,
    dw: get('dw', dh),
    ph,
    pw: get('pw', ph),
  };
}

/** Of a linear congruential generator, its 32 bits to a number by `value`. A loop: `Float32Array.from` takes ten times as long, and tests make much data. */
function drawn(length: number, seed: number, value: (state: number) => number): Float32Array {
  const data = new Float32Array(length);
  let state = (seed * 2654435761) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = value(state);
  }
  return data;
}

/** The same numbers in every run: small integers, so that float32 sums are exact in any order. */
export function integers(length: number, seed = 1): Float32Array {
  return drawn(length, seed, (state) => ((state >>> 16) % 9) - 4);
}

/** Uniform in ±1. */
export function fractions(length: number, seed = 1): Float32Array {
  return drawn(length, seed, (state) => state / 2 ** 31 - 1);
}

export interface Operands {
  readonly input: Tensor;
  readonly weight: Tensor;
  readonly options: ConvOptions;
}

export function permute(shape: Record<string, number>, layout: string): number[] {
  return [...layout].map((letter) => shape[letter] as number);
}

/** Operands of a problem in the given layouts. */
export function operands(p: Problem, extra: ConvOptions = {}, data = integers): Operands {
  const inputShape = permute({ n: p.mb, c: p.ic, h: p.ih, w: p.iw }, extra.inputLayout ?? 'nchw');
  const weightShape = permute({ o: p.oc, i: p.ic / p.g, h: p.kh, w: p.kw }, extra.filterLayout ?? 'oihw');
  const size = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);
  return {
    input: { data: data(size(inputShape), 1), shape: inputShape },
    weight: { data: data(size(weightShape), 2), shape: weightShape },
    options: { groups: p.g, stride: [p.sh, p.sw], dilation: [p.dh, p.dw], padding: [p.ph, p.pw], ...extra },
  };
}

/** `size` floats among NaN, with NaN in the gaps before and after: what is not written, and what is written beyond, shows. */
export function guarded(size: number): { out: Float32Array; intact: () => boolean } {
  const gap = 16;
  const all = new Float32Array(size + 2 * gap).fill(NaN);
  const out = all.subarray(gap, gap + size);
  return { out, intact: () => [...all.subarray(0, gap), ...all.subarray(gap + size)].every(Number.isNaN) };
}
