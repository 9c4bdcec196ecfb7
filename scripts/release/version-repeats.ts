/** Where sources repeat the version: it is in package.json alone, all else is made of it. */

/** @returns places, `file:line` */
export function versionRepeats(file: string, text: string, version: string): string[] {
  const pattern = new RegExp(`(?<![\\d.])${version.replaceAll('.', '\\.')}(?![\\d.]*\\d)`);
  return text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}`] : []));
}
