/**
 * Licences of the packages that are bundled into dist/: the bundler names the file of each, in a script or, where nothing of its comments is left, in its map. Who
 * installs the package gets no others, and those that only build or test it are not passed on.
 */

/** That may be passed on under one's own licence, where the copy names them. */
const permissive: readonly string[] = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

/** Files that a script was made of, as its regions, or else its map, say. @param script not minified */
export function bundledFiles(script: string, map?: string): string[] {
  const regions = [...script.matchAll(/^\/\/#region (.*)/gm)].map(([, file]) => file as string);
  return regions.length > 0 || map === undefined ? regions : (JSON.parse(map) as { sources: string[] }).sources;
}

/** @param files that a script was made of */
export function bundledPackages(files: readonly string[]): string[] {
  const names = files.flatMap((file) => file.match(/.*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/)?.[1] ?? []);
  return [...new Set(names)];
}

/**
 * @param licenceOf what the manifest of a package says
 * @param map       of the script, where there is one
 */
export function licenceFaults(file: string, script: string, licenceOf: (name: string) => string | undefined, map?: string): string[] {
  const files = bundledFiles(script, map);
  if (files.length === 0) return [`nothing says what ${file} was made of`];
  const notices = script.split('\n').filter((line) => line.startsWith('/*!'));
  return bundledPackages(files).flatMap((name) => {
    const licence = licenceOf(name);
    if (licence === undefined || !permissive.includes(licence)) return [`${file} holds ${name}, whose licence is ${licence ?? 'unknown'}`];
    const named = notices.some((line) => line.includes(name) && line.includes(licence) && line.includes('Copyright'));
    return named ? [] : [`${file} holds ${name}, and no notice /*! with its name, ${licence} and the copyright`];
  });
}
