/** How a contestant looks, the same in every chart: a colour, a pattern, a mark. None of them alone has to tell it from another. */

/** What a contestant is held against: operands and results in a heap, or in `Float32Array`s of JavaScript. */
export type Kind = 'tensors' | 'arrays';

export const kinds: readonly Kind[] = ['tensors', 'arrays'];

type Pattern = 'solid' | 'stripes' | 'dots' | 'lines' | 'checks' | 'bars' | 'waves' | 'steps' | 'dashes';
type Mark = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'saltire' | 'star' | 'wedge' | 'pentagon';

/** Of whom the figure is: one colour each. */
export interface Family {
  readonly id: string;
  /** Fill and outline on a light ground, then on a dark one. */
  readonly light: readonly [fill: string, outline: string];
  readonly dark: readonly [fill: string, outline: string];
  readonly pattern: Pattern;
  readonly mark: Mark;
}

/**
 * Hues in the manner of Okabe and Ito (Color Universal Design), moved apart in lightness too: a test sees them as people with each kind of colour
 * blindness do.
 */
export const families: readonly Family[] = [
  { id: 'nchw', light: ['#004699', '#002f66'], dark: ['#3f97e7', '#a5d2ff'], pattern: 'solid', mark: 'circle' },
  { id: 'nhwc', light: ['#e69a1c', '#8a5600'], dark: ['#ffc34d', '#ffe9bd'], pattern: 'stripes', mark: 'square' },
  { id: 'tfjs', light: ['#067e54', '#034a31'], dark: ['#50d59e', '#c4ffe6'], pattern: 'dots', mark: 'triangle' },
  { id: 'ort', light: ['#bc4f9b', '#7d2860'], dark: ['#f189c4', '#ffd0ec'], pattern: 'lines', mark: 'diamond' },
  { id: 'litert', light: ['#7a1f12', '#cf8a7b'], dark: ['#c4553f', '#ffb5a6'], pattern: 'waves', mark: 'star' },
  { id: 'opencv', light: ['#6fc3f0', '#1c6f9c'], dark: ['#d8f6ff', '#3a8fb8'], pattern: 'checks', mark: 'cross' },
  { id: 'optimised', light: ['#2b1230', '#8f6a99'], dark: ['#a238f0', '#dfb3ff'], pattern: 'steps', mark: 'wedge' },
  { id: 'naive', light: ['#a49d99', '#4b4b52'], dark: ['#77757d', '#c4c4cc'], pattern: 'bars', mark: 'saltire' },
  { id: 'other', light: ['#8811ee', '#4b0a85'], dark: ['#446699', '#b9d2f2'], pattern: 'dashes', mark: 'pentagon' },
];

/** How bar and mark are filled: a lighter one is a measure of our own, a call that prepares nothing, or native code, which no browser runs. */
type Strength = 'full' | 'light';

export interface Look {
  readonly family: Family;
  readonly strength: Strength;
  /** Beside a bar whose chart says the kind. */
  readonly short: string;
  /** For who does not know the names of the benchmark. */
  readonly long: string;
}

const shorter: readonly (readonly [RegExp, string])[] = [
  [/ (tensors|arrays)$/, ''],
  [/ two calls$/, ' 2 calls'],
  // What it is asked for: `accuracy: 'exact'`.
  [/ unfactored$/, ' exact'],
  [/^opencv filter2D$/, 'filter2D'],
];

/** Whose a contestant is, by the beginning of its short name. */
const longer: readonly (readonly [RegExp, string])[] = [
  [/^(?=n(chw|hwc)\b)/, 'wasm-conv '],
  [/^tfjs\b/, 'TensorFlow.js'],
  [/^ort native$/, 'ONNX Runtime, native'],
  [/^ort\b/, 'ONNX Runtime Web'],
  [/^litert\b/, 'LiteRT.js'],
  [/^(opencv\b|(?=filter2D$))/, 'OpenCV.js '],
  [/^optimised js$/, 'optimised JavaScript'],
];

/** Whether it is this library that computes. */
export const isOurs = (name: string): boolean => /^n(chw|hwc) /.test(name);

export function lookOf(name: string): Look {
  const first = name.split(' ')[0] ?? name;
  const family = families.find(({ id }) => id === first) ?? (families.at(-1) as Family);
  const ownMeasure = isOurs(name) && !/ (tensors|arrays)$/.test(name);
  const short = shorter.reduce((text, [pattern, by]) => text.replace(pattern, by), name);
  const long = longer.reduce((text, [pattern, by]) => text.replace(pattern, by), short).trim();
  return { family, strength: ownMeasure || name === 'opencv filter2D' || name === 'ort native' ? 'light' : 'full', short, long };
}

/** In which comparisons a contestant stands. One that works in place, such as the naive loops, copies nothing: it stands in both. */
export function kindsOf(name: string): readonly Kind[] {
  // Of ours alone: it stands in the tables.
  if (/ out$/.test(name)) return [];
  if (/ (arrays|one-shot)$/.test(name)) return ['arrays'];
  if (/ (tensors|native|two calls|unfactored|forward|filter2D)$/.test(name)) return ['tensors'];
  return kinds;
}

/** Measures that belong to a few layers: where there is none, nothing is missing. */
export function belongsToFew(name: string): boolean {
  return / (two calls|unfactored|forward)$/.test(name) || name.startsWith('opencv ');
}
