import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Node 20 knows relaxed SIMD behind a flag, later versions without. */
const relaxedFlags = Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];

/**
 * Every test runs on the release binary, and what reaches a kernel on the debug binary too, whose assertions are on, and on the one for relaxed SIMD.
 * test/engines.ts reads the variable.
 */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // By default one processor of two would have nothing to do.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'release',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{hosts,runtimes}/**'],
          env: { WASM_CONV_BUILD: 'release' },
        },
      },
      {
        extends: true,
        // The package as users get it, wherever they run it: it brings its binaries.
        test: { name: 'hosts', include: ['test/hosts/*.test.ts'], globalSetup: 'test/hosts/packed.ts' },
      },
      {
        extends: true,
        test: {
          name: 'relaxed',
          include: [
            'test/{conformance*,conv*,depthwise,factored,flattened,gemm-dots,gradients*,groups,memory-edges,non-finite,pointwise,property,separable,strips,tasks*,threads,winograd*}.test.ts',
          ],
          env: { WASM_CONV_BUILD: 'relaxed' },
          execArgv: relaxedFlags,
        },
      },
      {
        extends: true,
        // What never reaches a kernel of ours need not run again.
        test: {
          name: 'debug',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/{hosts,runtimes}/**',
            'test/{bench*,command*,check,digits,digits-images,digits-training-command,options,plan,reference*,shape,wasm,factor-kernel}.test.ts',
            'test/{examples*,package,readme,release-check,reproducible,size,soak,tarball,threads-browser,tree-shaking,types}.test.ts',
          ],
          env: { WASM_CONV_BUILD: 'debug' },
        },
      },
    ],
  },
});
