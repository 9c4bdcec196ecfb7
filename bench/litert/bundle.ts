/** page.ts and all it imports as one script for a browser, made by what builds the library. */
import { fileURLToPath } from 'node:url';
import { build } from 'tsdown';

export async function bundlePage(): Promise<string> {
  const [bundle] = await build({
    config: false,
    entry: { page: fileURLToPath(new URL('page.ts', import.meta.url)) },
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    dts: false,
    write: false,
    clean: false,
    deps: { alwaysBundle: [/./] },
    outputOptions: { codeSplitting: false },
    logLevel: 'error',
  });
  const script = bundle?.chunks.find((chunk) => chunk.type === 'chunk');
  if (script?.type !== 'chunk') throw new Error('the page has no script');
  return script.code;
}
