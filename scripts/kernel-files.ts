/** The binaries that are published, in dist/: for plain and for relaxed SIMD, the same for threads. */
export const kernelFiles = ['kernels.wasm', 'kernels-relaxed.wasm', 'kernels-threads.wasm', 'kernels-threads-relaxed.wasm'] as const;
