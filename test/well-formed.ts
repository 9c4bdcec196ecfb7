/** Is it XML? Enough of the grammar for what is written here: elements, attributes in double quotes, text, the five entities and numbers. */

const name = '[A-Za-z_][\\w.-]*';
const reference = '&(?:amp|lt|gt|quot|apos|#\\d+);';
const attribute = `\\s+${name}="(?:[^<&"]|${reference})*"`;
const token = new RegExp(`<(${name})((?:${attribute})*)\\s*(/?)>|</(${name})>|((?:[^<>&]|${reference})+)`, 'uy');

export interface Markup {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Every element in the order of its opening tag. @throws SyntaxError that shows where the text stops to be XML */
export function elementsOf(xml: string): Markup[] {
  const open: string[] = [];
  const elements: Markup[] = [];
  const text = xml.trim();
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const from = token.lastIndex;
    const match = token.exec(text);
    const stop = (why: string): never => {
      throw new SyntaxError(`${why}: ${text.slice(Math.max(0, from - 60), from + 60)}`);
    };
    if (!match) return stop('not well-formed');
    const [, opened, written = '', empty, closed] = match;
    if (opened !== undefined) {
      const pairs = [...written.matchAll(/([\w.:-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value] as const);
      if (new Set(pairs.map(([key]) => key)).size < pairs.length) stop('an attribute stands twice');
      if (open.length === 0 && elements.length > 0) stop('a second root');
      elements.push({ name: opened, attributes: Object.fromEntries(pairs) });
      if (empty === '') open.push(opened);
    }
    if (closed !== undefined && open.pop() !== closed) stop(`</${closed}> closes nothing`);
  }
  if (open.length > 0) throw new SyntaxError(`not closed: ${open.join(' ')}`);
  return elements;
}
