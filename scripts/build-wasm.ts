/** assembly/ → dist/kernels.wasm, dist/kernels-relaxed.wasm, the same for threads, build/kernels-debug.wasm, src/wasm-binary.ts with the first two inlined, and bench/ceiling-binary.ts. Run from the package's folder. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import asc from 'assemblyscript/asc';
import { ceilingSource, ceilingSteps } from '../bench/ceiling.ts';
import { sharedBinary } from '../src/shared-binary.ts';
import { versionNumber } from '../src/version.ts';
import { compileAssembly } from './compile-assembly.ts';
import { makePatch } from './make-patch.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
async function compile(target: string): Promise<void> {
  const flags = ['assembly/index.ts', '--target', target, '--use', `VERSION=${versionNumber(version)}`, '--disableWarning', '112'];
  const { error, stderr } = await asc.main(flags, {});
  if (error) {
    process.stderr.write(stderr.toString());
    throw error;
  }
}

for (const folder of ['build', 'dist']) mkdirSync(folder, { recursive: true });
for (const target of ['release', 'relaxed', 'debug']) await compile(target);
const plain = readFileSync('dist/kernels.wasm');
const relaxed = readFileSync('dist/kernels-relaxed.wasm');
// For hosts that load files: the library makes them of those that are inlined.
writeFileSync('dist/kernels-threads.wasm', sharedBinary(plain) as Uint8Array);
writeFileSync('dist/kernels-threads-relaxed.wasm', sharedBinary(relaxed) as Uint8Array);
const patch = makePatch(plain, relaxed);
const packed = (bytes: Uint8Array): string => deflateRawSync(bytes, { level: 9 }).toString('base64');
writeFileSync(
  'src/wasm-binary.ts',
  `/** Made by scripts/build-wasm.ts from assembly/; not to be edited. */
export const version: string = '${version}';
/** Deflated, in base64: the build for plain SIMD, and the patch that makes the one for relaxed SIMD of it. */
export const plainText: string =
  '${packed(plain)}';
export const plainBytes: number = ${plain.length};
export const relaxedPatchText: string =
  '${packed(patch)}';
export const relaxedPatchBytes: number = ${patch.length};
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
