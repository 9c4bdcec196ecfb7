import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', reference: 'src/reference/index.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  // kernels.wasm is there already: scripts/build-wasm.ts wrote it.
  clean: false,
  sourcemap: true,
  noExternal: ['@assemblyscript/loader'],
  logLevel: 'warn',
});
