import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'tsdown';

const engine = fileURLToPath(new URL('src/index.ts', import.meta.url));

/** What users import. */
const library: UserConfig = {
  // place.ts tells by where it is whether the files of the package are still files: see host.ts.
  entry: { index: 'src/index.ts', reference: 'src/reference/index.ts', place: 'src/place.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  // Users' projects may not name the library that declares Symbol.dispose; bundling drops the reference in types.ts.
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
  // Not the binaries, which are there already: scripts/build-wasm.ts wrote them.
  clean: ['dist/*.js', 'dist/*.ts', 'dist/*.map'],
  sourcemap: true,
  deps: { alwaysBundle: ['@assemblyscript/loader'] },
  logLevel: 'warn',
};

/** The module of a thread: a file that needs no other, so that it can be served from anywhere. */
const worker: UserConfig = {
  entry: { worker: 'src/worker.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  dts: false,
  clean: false,
  // It is short and readable, and a map would hold the binaries, whose version it knows.
  sourcemap: false,
  logLevel: 'warn',
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

export default defineConfig([library, worker, command]);
