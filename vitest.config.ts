import { defineConfig } from 'vitest/config';

/** Every test runs twice: on the release binary and on the debug binary, whose assertions are on. test/engines.ts reads the variable. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'release', include: ['test/**/*.test.ts'], env: { WASM_CONV_BUILD: 'release' } },
      },
      {
        extends: true,
        // What never reaches a kernel of ours need not run twice.
        test: {
          name: 'debug',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{bench,check,digits,options,plan,reference,shape,wasm}.test.ts', 'test/{package,readme}.test.ts'],
          env: { WASM_CONV_BUILD: 'debug' },
        },
      },
    ],
  },
});
