import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'tsdown';
import { shortNames } from './scripts/short-names.ts';

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url));
const engine = source('index.ts');

/** For any host. */
const anywhere = { format: 'esm', platform: 'neutral', target: 'es2022', logLevel: 'warn' } as const satisfies UserConfig;

/** What users import: files that share nothing, since each one more takes Node a millisecond to find. */
const typed: UserConfig = {
  ...anywhere,
  dts: true,
  // Users' projects may not name the library that declares Symbol.dispose; bundling drops the reference in types.ts.
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
  clean: false,
  sourcemap: true,
};

const library: UserConfig = {
  ...typed,
  // place.ts tells by where it is whether the files of the package are still files: see host.ts.
  entry: { index: 'src/index.ts', place: 'src/place.ts' },
  // Not the binaries, which are there already: scripts/build-wasm.ts wrote them.
  clean: ['dist/*.js', 'dist/*.ts', 'dist/*.map'],
  plugins: [shortNames],
};

const reference: UserConfig = { ...typed, entry: { reference: 'src/reference/index.ts' } };

/** The same for hosts that compile no bytes while they run: the binaries are files beside it, which their bundlers turn into modules. */
function precompiled(host: 'workerd' | 'edge-light'): UserConfig {
  return {
    ...anywhere,
    entry: { [host]: 'src/index.ts' },
    dts: false,
    clean: false,
    sourcemap: true,
    plugins: [
      {
        name: 'binaries-as-files',
        resolveId: (id) => {
          if (id.endsWith('/own-binary.ts')) return source(`own-binary.${host}.ts`);
          if (id.endsWith('/node-module.ts')) return source('node-module.none.ts');
          return /\.wasm(\?module)?$/.test(id) ? { id, external: true } : null;
        },
      },
      shortNames,
    ],
  };
}

/** The module of a thread: a file that needs no other, so that it can be served from anywhere. */
const worker: UserConfig = {
  ...anywhere,
  entry: { worker: 'src/worker.ts' },
  dts: false,
  clean: false,
  // It is short and readable, and a map would hold the binaries, whose version it knows.
  sourcemap: false,
};

/** The command `wasm-conv`: one file beside the library, with the clock of the benchmark in it, so that users install nothing more. */
const command: UserConfig = {
  entry: { cli: 'cli/main.ts' },
  format: 'esm',
  platform: 'node',
  target: 'node20',
  dts: false,
  clean: ['dist/shapes'],
  copy: [{ from: 'bench/shapes', to: 'dist' }],
  fixedExtension: false,
  deps: { alwaysBundle: ['tinybench'] },
  // It measures the library as users import it: that file, not a copy of it with both binaries.
  plugins: [
    {
      name: 'built-library',
      resolveId: async function (source, importer) {
        if (importer === undefined || !source.endsWith('/src/index.ts')) return null;
        const resolved = await this.resolve(source, importer, { skipSelf: true });
        return resolved?.id === engine ? { id: './index.js', external: 'relative' } : null;
      },
    },
  ],
  outputOptions: { codeSplitting: false },
  // Its licence asks for this line in copies.
  banner: '/*! Contains tinybench, MIT License, Copyright (c) 2022 Tinylibs: https://github.com/tinylibs/tinybench */',
  logLevel: 'warn',
};

export default defineConfig([library, reference, precompiled('workerd'), precompiled('edge-light'), worker, command]);
