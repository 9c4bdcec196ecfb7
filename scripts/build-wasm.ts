/** assembly/ → dist/kernels.wasm, dist/kernels-relaxed.wasm, the same for threads, build/kernels-debug.wasm, src/wasm-binary.ts with the first two inlined, and bench/ceiling-binary.ts. Run from the package's folder. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { ceilingSource, ceilingSteps } from '../bench/ceiling.ts';
import { compileAssembly } from './compile-assembly.ts';
import { compileKernels, compileTarget, version } from './compile-kernels.ts';
import { makePatch } from './make-patch.ts';

mkdirSync('build', { recursive: true });
const { plain, relaxed } = await compileKernels('dist');
await compileTarget('debug');
const patch = makePatch(plain, relaxed);
writeFileSync(
  'src/wasm-binary.ts',
  `/** Made by scripts/build-wasm.ts from assembly/; not to be edited. */
export const version: string = '${version}';
/** Deflated, with zlib's header, in base64: the build for plain SIMD, behind it the patch that makes the one for relaxed SIMD of it. */
export const binariesText: string =
  '${deflateSync(Buffer.concat([plain, patch]), { level: 9 }).toString('base64')}';
export const plainBytes: number = ${plain.length};
export const patchBytes: number = ${patch.length};
export const relaxedBytes: number = ${relaxed.length};
`,
);
// The benchmark is part of the package, the compiler is not.
const ceiling = await compileAssembly({ 'index.ts': ceilingSource(ceilingSteps) });
writeFileSync(
  'bench/ceiling-binary.ts',
  `/** Made by scripts/build-wasm.ts from ceiling.ts; not to be edited. */
export const ceilingBinary: string = '${Buffer.from(ceiling.binary).toString('base64')}';
`,
);
process.stderr.write(`kernels.wasm: ${plain.length} bytes, kernels-relaxed.wasm: ${relaxed.length} bytes\n`);
