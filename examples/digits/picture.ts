/** Pictures made of block characters: two pixels to a character, one above the other. */

const shades = ' ░▒▓█';

/** Brightness 0 … 1 of a pair of pixels as one character: halves where they differ much, a shade where they do not. */
function block(above: number, below: number): string {
  if (above - below > 0.5) return '▀';
  if (below - above > 0.5) return '▄';
  return shades[Math.min(4, Math.round(((above + below) / 2) * 4))] as string;
}

/** Lines of a `size` × `size` picture; the brightest value is full ink. */
export function blockPicture(values: ArrayLike<number>, size: number): string[] {
  let top = 0;
  for (let i = 0; i < size * size; i++) top = Math.max(top, values[i] as number);
  const at = (y: number, x: number): number => (y < size && top > 0 ? Math.max(0, values[y * size + x] as number) / top : 0);
  return Array.from({ length: Math.ceil(size / 2) }, (_, row) =>
    Array.from({ length: size }, (_, x) => block(at(2 * row, x), at(2 * row + 1, x))).join(''),
  );
}

/** Pictures of equal height next to each other, each under its title. */
export function sideBySide(pictures: readonly { title: string; lines: readonly string[] }[]): string {
  const width = (lines: readonly string[]): number => lines[0]?.length ?? 0;
  const titles = pictures.map(({ title, lines }) => title.slice(0, width(lines)).padEnd(width(lines))).join('  ');
  const rows = (pictures[0]?.lines ?? []).map((_, row) => pictures.map(({ lines }) => lines[row] ?? '').join('  '));
  return [titles, ...rows].map((line) => line.trimEnd()).join('\n');
}

/** A bar of `width` characters, `part` of it filled. */
export function bar(part: number, width: number): string {
  const filled = Math.round(Math.max(0, Math.min(1, part)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
