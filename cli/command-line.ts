/** The command as one types it: reports name what made them. */

/** As a shell takes it for one word. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`);

export function commandLine(args: readonly string[], command = 'wasm-conv'): string {
  return [command, ...args.map(quoted)].join(' ');
}
