/**
 * Layers from text: one per line, in the words of oneDNN's benchdnn, with their meaning there.
 *
 *   g2ic64ih56oc64oh56kh3ph1n"3x3 64-64 56, two groups"    # a comment
 *   deconv ic256ih16oc128oh32kh4sh2ph1                      # another operation
 *   ic32id16ih56oc64kd3pd1                                  # three dimensions
 *   ic256iw4096oc256kw9pw4                                  # one
 *
 * `g` groups, `mb` batch, `ic` `oc` channels, `id` `ih` `iw` image, `od` `oh` `ow` result, `kd` `kh` `kw` kernel, `sd` `sh` `sw`
 * stride, `dd` `dh` `dw` cells skipped between taps (0 is none, so `dh1` is what the library calls dilation 2), `pd` `ph` `pw`
 * padding at the beginning, `n"…"` a name. `id` makes a layer 3-D; `iw` without `ih` makes it 1-D.
 * Left out: an axis has what the one before it has (depth, height, width), groups, batch and strides are 1, padding and skipped
 * cells 0. The padding at the end is the same as at the beginning where that gives `oh`, else what `oh` asks for.
 *
 * The word in front, and a space, say what is computed; without one it is a convolution:
 *
 *   deconv         transposed convolution; `ic` `ih` are its input, `oc` `oh` its result, as in benchdnn's deconv driver
 *   bwd_d          gradient of a convolution's input; the words are the convolution's, as with benchdnn's --dir=BWD_D
 *   bwd_w          gradient of its weights
 *   deconv_bwd_d   gradient of a transposed convolution's input; the words are the transposed convolution's
 *   deconv_bwd_w   gradient of its weights
 *   separable      2-D: one filter for each of `ic` channels, then 1×1 to `oc`; stride, padding, skipped cells belong to the first step
 *   spatial        2-D: `kh` × 1 from `ic` to `oc` channels, then 1 × `kw` from `oc` to `oc`
 *   flattened      2-D: 1×1 from `ic` to `oc`, then `kh` × 1 and 1 × `kw` in each channel by itself (arXiv 1412.5474)
 *   gaussian       2-D: a Gaussian, the same for each of `ic` channels (`oc` is as many)
 *
 * @see https://github.com/uxlfoundation/oneDNN/blob/main/tests/benchdnn/doc/knobs_desc.md
 */

const operations = [
  'conv',
  'deconv',
  'bwd_d',
  'bwd_w',
  'deconv_bwd_d',
  'deconv_bwd_w',
  'separable',
  'spatial',
  'flattened',
  'gaussian',
] as const;

export type OperationName = (typeof operations)[number];

/** One axis of a layer. `dilation` counts as the library does: 1 is none. */
export interface Axis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly padEnd: number;
}

export interface LayerShape {
  /** For people; the words themselves where the line has no name. */
  readonly name: string;
  /** The words without the name. */
  readonly words: string;
  readonly operation: OperationName;
  readonly batch: number;
  readonly groups: number;
  readonly inC: number;
  readonly outC: number;
  /** One to three, the width last. */
  readonly axes: readonly Axis[];
}

const single: Axis = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 };

/** Ranks below three are 3-D with axes of one cell. */
export function threeAxes(axes: readonly Axis[]): readonly [depth: Axis, height: Axis, width: Axis] {
  const [width = single, height = single, depth = single] = [...axes].reverse();
  return [depth, height, width];
}

type Letter = 'd' | 'h' | 'w';

const letters: readonly Letter[] = ['d', 'h', 'w'];
const known = ['g', 'mb', 'ic', 'oc', ...['i', 'o', 'k', 's', 'd', 'p'].flatMap((word) => letters.map((letter) => word + letter))];
const mayBeZero = new Set(['p', 'd'].flatMap((word) => letters.map((letter) => word + letter)));

interface Words {
  readonly operation: OperationName;
  readonly numbers: ReadonlyMap<string, number>;
  readonly words: string;
  readonly name: string | undefined;
}

/** One line → the operation, numbers by word, and the name. */
function readWords(line: string, where: string): Words {
  const [front, first] = /^([a-z_]+) +/.exec(line) ?? ['', 'conv'];
  const operation = operations.find((name) => name === first);
  if (!operation) throw new SyntaxError(`${where}: unknown operation '${first}'; known are ${operations.join(' ')}`);
  const numbers = new Map<string, number>();
  const pattern = /([a-z]+)(\d+)|n"([^"]*)"/y;
  pattern.lastIndex = front.length;
  let words = operation === 'conv' ? '' : `${operation} `;
  let name: string | undefined;
  while (pattern.lastIndex < line.length) {
    const from = pattern.lastIndex;
    const match = pattern.exec(line);
    if (!match) throw new SyntaxError(`${where}: expected a word and a number as in ic64, got '${line.slice(from)}'`);
    const [text, word, digits, label] = match;
    if (label !== undefined) {
      if (from + text.length < line.length)
        throw new SyntaxError(`${where}: the name must end the line, got '${line.slice(pattern.lastIndex)}'`);
      name = label;
      continue;
    }
    if (word === undefined || !known.includes(word))
      throw new SyntaxError(`${where}: unknown word '${word}'; known are ${known.join(' ')} and n"name"`);
    if (numbers.has(word)) throw new SyntaxError(`${where}: '${word}' stands twice`);
    const value = Number(digits);
    if (!Number.isSafeInteger(value) || (value === 0 && !mayBeZero.has(word)))
      throw new RangeError(`${where}: ${word} must be at least 1, got ${digits}`);
    numbers.set(word, value);
    words += text;
  }
  return { operation, numbers, words, name };
}

/** The letters of the layer's axes, and that nothing is said of others. */
function axisLetters(numbers: ReadonlyMap<string, number>, where: string): readonly Letter[] {
  const of = numbers.has('id') ? letters : numbers.has('iw') && !numbers.has('ih') ? letters.slice(2) : letters.slice(1);
  for (const word of ['ic', `i${of[0]}`, 'oc', `k${of[0]}`])
    if (!numbers.has(word)) throw new SyntaxError(`${where}: '${word}' is missing`);
  for (const letter of letters.filter((other) => !of.includes(other))) {
    const stray = known.find((word) => word.length === 2 && word.endsWith(letter) && numbers.has(word));
    if (stray !== undefined)
      throw new SyntaxError(`${where}: '${stray}' speaks of an axis that the layer has not: 'i${letter}' is missing`);
  }
  return of;
}

/**
 * @param of the letters of the axis and of those before it, the nearest first: they say what is not given for the axis itself
 * @param transposed whether the convolution goes from the result to the input
 */
function axis(numbers: ReadonlyMap<string, number>, of: readonly Letter[], transposed: boolean, where: string): Axis {
  const given = (word: string): number | undefined => of.map((letter) => numbers.get(word + letter)).find((value) => value !== undefined);
  const [input, kernel, stride] = [given('i') ?? 0, given('k') ?? 0, given('s') ?? 1];
  const dilation = (given('d') ?? 0) + 1;
  const padBegin = given('p') ?? 0;
  const extent = (kernel - 1) * dilation + 1;
  // What a padding of the same size at the end gives.
  const natural = transposed ? (input - 1) * stride + extent - 2 * padBegin : Math.floor((input + 2 * padBegin - extent) / stride) + 1;
  const asked = given('o');
  if (asked === undefined || asked === natural) {
    if (natural < 1 && transposed) throw new RangeError(`${where}: a padding of ${padBegin} on both sides leaves nothing of the result`);
    if (natural < 1)
      throw new RangeError(`${where}: a kernel of extent ${extent} does not fit an image of ${input} padded by ${padBegin} on both sides`);
    return { input, output: natural, kernel, stride, dilation, padBegin, padEnd: padBegin };
  }
  const [small, large] = transposed ? [input, asked] : [asked, input];
  const padEnd = (small - 1) * stride + extent - large - padBegin;
  if (padEnd < 0 || padEnd >= extent) {
    throw new RangeError(
      `${where}: o${of[0]} is ${asked}, but input ${input}, extent ${extent}, stride ${stride}, padding ${padBegin} give ${natural}`,
    );
  }
  return { input, output: asked, kernel, stride, dilation, padBegin, padEnd };
}

/** Operations whose channels or axes follow a rule of their own. @returns the groups */
function checkOperation({ operation, numbers }: Words, rank: number, where: string): number {
  const groups = numbers.get('g') ?? 1;
  const [inC, outC] = [numbers.get('ic') ?? 1, numbers.get('oc') ?? 1];
  const flatOnly: readonly OperationName[] = ['separable', 'spatial', 'flattened', 'gaussian'];
  if (flatOnly.includes(operation) && rank !== 2) throw new RangeError(`${where}: ${operation} has two axes, got ${rank}`);
  if (operation === 'flattened' && numbers.has('g')) throw new RangeError(`${where}: flattened has no groups, got g${groups}`);
  if (operation === 'separable' || operation === 'gaussian') {
    if (numbers.has('g')) throw new RangeError(`${where}: ${operation} has as many groups as channels, got g${groups}`);
    if (operation === 'gaussian' && outC !== inC)
      throw new RangeError(`${where}: gaussian keeps its channels: oc must be ${inC}, got ${outC}`);
    return inC;
  }
  for (const [word, channels] of [
    ['ic', inC],
    ['oc', outC],
  ] as const) {
    if (channels % groups !== 0) throw new RangeError(`${where}: g must divide ${word} = ${channels}, got ${groups}`);
  }
  return groups;
}

/**
 * One layer.
 * @param where said first in every error: a file and a line, or an option
 * @throws SyntaxError for words that cannot be read, RangeError for numbers that do not fit together
 */
export function parseLayer(line: string, where: string): LayerShape {
  const read = readWords(line, where);
  const { operation, numbers, words, name } = read;
  const of = axisLetters(numbers, where);
  const groups = checkOperation(read, of.length, where);
  const axes = of.map((_, i) => axis(numbers, of.slice(0, i + 1).reverse(), operation.startsWith('deconv'), where));
  const number = (word: string): number => numbers.get(word) ?? 1;
  return { name: name ?? words, words, operation, batch: number('mb'), groups, inC: number('ic'), outC: number('oc'), axes };
}

/**
 * The layers of a file, in its order.
 * @throws SyntaxError or RangeError that begins with the file's name and the line
 */
export function parseShapes(text: string, file: string): LayerShape[] {
  const layers: LayerShape[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    // A '#' within a name is part of it.
    const words = line.replace(/^((?:"[^"]*"|[^"#])*)#.*$/, '$1').trim();
    if (words !== '') layers.push(parseLayer(words, `${file}:${i + 1}`));
  }
  if (layers.length === 0) throw new SyntaxError(`${file}: holds no layer`);
  return layers;
}
