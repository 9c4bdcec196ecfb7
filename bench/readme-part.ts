/** Parts of README.md that commands write: each stands between two comments that name it. */

export interface ReadmePart {
  /** The lines of the part, with the comments around them. */
  block(lines: readonly string[]): string;
  /** @throws Error where the text has no such part */
  replace(text: string, block: string): string;
}

export function readmePart(name: string, command: string): ReadmePart {
  const [begin, end] = [`<!-- ${name}: begin, written by ${command} -->`, `<!-- ${name}: end -->`];
  return {
    block: (lines) => [begin, ...lines, end].join('\n'),
    replace: (text, block) => {
      const [from, to] = [text.indexOf(begin), text.indexOf(end)];
      if (from < 0 || to < from) throw new Error(`the README has no part between '${begin}' and '${end}'`);
      return text.slice(0, from) + block + text.slice(to + end.length);
    },
  };
}
