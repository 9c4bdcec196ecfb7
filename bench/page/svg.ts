/** SVG and HTML as text: elements, attributes, escaping. Nothing here knows what a chart is. */

/** Well-formed markup, as against text that somebody wrote. */
export type Markup = string;

type Attributes = Readonly<Record<string, string | number | undefined>>;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as markup, for contents and attributes. What XML has no place for, such as U+0001, becomes the sign for that. */
export function escaped(text: string): Markup {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

/**
 * A coordinate, to a hundredth of a unit.
 * @throws RangeError for what is no number: a browser would drop the element without a word
 */
export function coordinate(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`svg: a coordinate must be finite, got ${value}`);
  const text = value.toFixed(2).replace(/\.?0+$/, '');
  return text === '-0' ? '0' : text;
}

/** One element; an attribute that is undefined is left out, numbers are coordinates. */
export function element(name: string, attributes: Attributes, ...children: readonly Markup[]): Markup {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escaped(value ?? '')}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): Markup {
  return element('text', { x, y, ...attributes }, escaped(content));
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): Markup {
  return element('line', { x1, y1, x2, y2, class: className });
}

/** Straight lines from point to point, as the `d` of a path. */
export function polyline(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${coordinate(x)} ${coordinate(y)}`).join('');
}

/** Em per character of a label: what the widest of the usual system fonts (DejaVu Sans) needs at most. Others leave some room. */
const emOfLabel = 0.61;
/** The same over the words and spaces of a line that is broken where it is full. */
const emOfLine = { normal: 0.55, bold: 0.65 } as const;

/** How wide a label is at most, as nobody can measure it without a browser. */
export function textWidth(content: string, fontSize: number): number {
  return [...content].length * emOfLabel * fontSize;
}

/** Lines no wider than `width`, broken at spaces, and within a word only where that alone is wider. */
export function wrap(content: string, width: number, fontSize: number, weight: 'normal' | 'bold' = 'normal'): string[] {
  const most = Math.max(1, Math.floor(width / (emOfLine[weight] * fontSize)));
  const lines: string[] = [];
  let current = '';
  for (const word of content.split(/\s+/).flatMap((long) => chunks(long, most))) {
    const longer = current === '' ? word : `${current} ${word}`;
    if ([...longer].length > most && current !== '') {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  return current === '' ? lines : [...lines, current];
}

function chunks(word: string, most: number): string[] {
  const signs = [...word];
  return Array.from({ length: Math.ceil(signs.length / most) }, (_, i) => signs.slice(i * most, (i + 1) * most).join(''));
}
