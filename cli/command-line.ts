/** The command as one types it: reports name what made them. */

/** As a shell takes it for one word. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`);

export function commandLine(args: readonly string[]): string {
  return ['wasm-conv', ...args.map(quoted)].join(' ');
}
