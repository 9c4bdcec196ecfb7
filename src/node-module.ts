/** Modules of Node, imported when they are needed. Where there can be none another file stands in for this one: see tsdown.config.ts. */

/** Undefined in other hosts, where asking for it would be reported as an error. Bundlers for the web do not see its name. */
export async function nodeModule<T>(name: string): Promise<T | undefined> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node === undefined) return undefined;
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`)) as T;
  } catch {
    return undefined;
  }
}
