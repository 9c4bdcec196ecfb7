/** Edge functions, which compile no bytes while they run: their bundlers make a module of each import of a binary with `?module`, and hand it over. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { expect, inject, it } from 'vitest';
import { type Answers, expectDigits } from './answers.ts';
import { describeHosts } from './describe-hosts.ts';
import { edgeRuntime } from './hosts.ts';
import { requireRuntime } from './runtime-package.ts';

interface Library {
  readonly EdgeRuntime: new (options: {
    readonly initialCode: string;
    readonly extend: (context: object) => object;
  }) => { dispatchFetch(url: string): Promise<Response> };
}

type Binaries = Readonly<Record<string, WebAssembly.Module>>;

/** As bundlers for edge functions do it: the import becomes a look-up of what the host compiled before. @param files gets the files asked for */
function binariesOfHost(files: string[]): Plugin {
  return {
    name: 'binaries-of-host',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
        path: join(resolveDir, path.replace('?module', '')),
        namespace: 'binary',
      }));
      onLoad({ filter: /./, namespace: 'binary' }, ({ path }) => {
        files.push(path);
        return { contents: `export default binaries[${JSON.stringify(basename(path))}];` };
      });
    },
  };
}

async function compiled(files: readonly string[]): Promise<Binaries> {
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [basename(file), await WebAssembly.compile(await readFile(file))] as const)),
  );
}

describeHosts([edgeRuntime], () => {
  it('reads digits', async () => {
    const files: string[] = [];
    const { outputFiles } = await build({
      entryPoints: [join(inject('userProject'), 'app/edge.js')],
      bundle: true,
      write: false,
      format: 'iife',
      conditions: ['edge-light', 'browser'],
      plugins: [binariesOfHost(files)],
      logLevel: 'silent',
    });
    // The other one would not compile here where the Node below does not know relaxed SIMD.
    expect(files.map((file) => basename(file))).toEqual(['kernels.wasm']);
    const binaries = await compiled(files);
    const { EdgeRuntime } = requireRuntime<Library>(edgeRuntime.module);
    const host = new EdgeRuntime({
      initialCode: outputFiles[0]?.text ?? '',
      extend: (context) => Object.assign(context, { binaries }),
    });
    const response = await host.dispatchFetch('http://localhost/');
    expectDigits((await response.json()) as Answers, { simd: 'simd128', whyAlone: 'this host has no workers' });
  });
});
