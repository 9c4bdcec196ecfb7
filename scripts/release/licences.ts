/**
 * Licences of the packages that are bundled into dist/: the bundler names the file of each. Who installs the package gets no others, and those that
 * only build or test it are not passed on.
 */

/** That may be passed on under one's own licence, where the copy names them. */
const permissive: readonly string[] = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

/** @param script as the bundler wrote it, not minified */
export function bundledPackages(script: string): string[] {
  const names = [...script.matchAll(/^\/\/#region .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/gm)].map(([, name]) => name as string);
  return [...new Set(names)];
}

/** @param licenceOf what the manifest of a package says */
export function licenceFaults(file: string, script: string, licenceOf: (name: string) => string | undefined): string[] {
  const notices = script.split('\n').filter((line) => line.startsWith('/*!'));
  return bundledPackages(script).flatMap((name) => {
    const licence = licenceOf(name);
    if (licence === undefined || !permissive.includes(licence)) return [`${file} holds ${name}, whose licence is ${licence ?? 'unknown'}`];
    const named = notices.some((line) => line.includes(name) && line.includes(licence) && line.includes('Copyright'));
    return named ? [] : [`${file} holds ${name}, and no notice /*! with its name, ${licence} and the copyright`];
  });
}
