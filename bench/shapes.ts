/**
 * Layers from text: one per line, in the words of oneDNN's benchdnn, with their meaning there.
 *
 *   g2ic64ih56oc64oh56kh3ph1n"3x3 64-64 56, two groups"    # a comment
 *
 * `g` groups, `mb` batch, `ic` `oc` channels, `ih` `iw` image, `oh` `ow` result, `kh` `kw` kernel, `sh` `sw` stride,
 * `dh` `dw` cells skipped between taps (0 is none, so `dh1` is what the library calls dilation 2), `ph` `pw` padding at the
 * beginning, `n"…"` a name. Left out: a width is the height, groups, batch and strides are 1, padding and skipped cells 0.
 * The padding at the end is the same as at the beginning where that gives `oh`, else what `oh` asks for.
 * @see https://github.com/uxlfoundation/oneDNN/blob/main/tests/benchdnn/doc/knobs_desc.md
 */

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
  readonly batch: number;
  readonly groups: number;
  readonly inC: number;
  readonly outC: number;
  readonly height: Axis;
  readonly width: Axis;
}

const known = ['g', 'mb', 'ic', 'ih', 'iw', 'oc', 'oh', 'ow', 'kh', 'kw', 'sh', 'sw', 'ph', 'pw', 'dh', 'dw'];
const mayBeZero = new Set(['ph', 'pw', 'dh', 'dw']);
const required = ['ic', 'ih', 'oc', 'kh'];

/** The words of one line → numbers by word, and the name. */
function readWords(line: string, where: string): { numbers: Map<string, number>; words: string; name: string | undefined } {
  const numbers = new Map<string, number>();
  const pattern = /([a-z]+)(\d+)|n"([^"]*)"/y;
  let words = '';
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
  for (const word of required) if (!numbers.has(word)) throw new SyntaxError(`${where}: '${word}' is missing`);
  return { numbers, words, name };
}

/** @param letter 'h' or 'w': a width that is not given is the height's value */
function axis(numbers: Map<string, number>, letter: 'h' | 'w', where: string): Axis {
  const given = (word: string): number | undefined => numbers.get(word + letter) ?? numbers.get(`${word}h`);
  const input = given('i') ?? 0;
  const kernel = given('k') ?? 0;
  const stride = given('s') ?? 1;
  const dilation = (given('d') ?? 0) + 1;
  const padBegin = given('p') ?? 0;
  const extent = (kernel - 1) * dilation + 1;
  const result = Math.floor((input + 2 * padBegin - extent) / stride) + 1;
  const asked = given('o');
  if (asked === undefined || asked === result) {
    if (result < 1)
      throw new RangeError(`${where}: a kernel of extent ${extent} does not fit an image of ${input} padded by ${padBegin} on both sides`);
    return { input, output: result, kernel, stride, dilation, padBegin, padEnd: padBegin };
  }
  const padEnd = (asked - 1) * stride + extent - input - padBegin;
  if (padEnd < 0 || padEnd >= extent) {
    throw new RangeError(
      `${where}: o${letter} is ${asked}, but input ${input}, extent ${extent}, stride ${stride}, padding ${padBegin} give ${result}`,
    );
  }
  return { input, output: asked, kernel, stride, dilation, padBegin, padEnd };
}

/**
 * One layer.
 * @param where said first in every error: a file and a line, or an option
 * @throws SyntaxError for words that cannot be read, RangeError for numbers that do not fit together
 */
export function parseLayer(line: string, where: string): LayerShape {
  const { numbers, words, name } = readWords(line, where);
  const number = (word: string): number => numbers.get(word) ?? 1;
  const [groups, inC, outC] = [number('g'), number('ic'), number('oc')];
  for (const [word, channels] of [
    ['ic', inC],
    ['oc', outC],
  ] as const) {
    if (channels % groups !== 0) throw new RangeError(`${where}: g must divide ${word} = ${channels}, got ${groups}`);
  }
  const height = axis(numbers, 'h', where);
  return { name: name ?? words, words, batch: number('mb'), groups, inC, outC, height, width: axis(numbers, 'w', where) };
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

/** 2 × the multiply-adds of the direct sum, padded taps included, whatever the algorithm. */
export function flopsOf({ batch, groups, inC, outC, height, width }: LayerShape): number {
  return 2 * batch * outC * height.output * width.output * (inC / groups) * height.kernel * width.kernel;
}

/** Products summed into one output value. */
export function productsOf({ groups, inC, height, width }: LayerShape): number {
  return (inC / groups) * height.kernel * width.kernel;
}
