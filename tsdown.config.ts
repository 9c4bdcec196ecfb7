import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', reference: 'src/reference/index.ts' },
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
});
