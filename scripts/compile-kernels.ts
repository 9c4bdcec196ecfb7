/** assembly/ → the binaries that are published. Run from the package's folder. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { sharedBinary } from '../src/shared-binary.ts';
import { versionNumber } from '../src/version.ts';
import { kernelFiles } from './kernel-files.ts';
import { orderFunctions } from './order-functions.ts';

/** The package's version is in package.json alone: all else is made of it. */
export const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** Targets of asconfig.json. */
type Target = 'release' | 'relaxed' | 'debug';

/** @param outFile in place of that in asconfig.json */
export async function compileTarget(target: Target, outFile?: string): Promise<void> {
  const flags = ['assembly/index.ts', '--target', target, '--use', `VERSION=${versionNumber(version)}`, '--disableWarning', '112'];
  const { error, stderr } = await asc.main(outFile === undefined ? flags : [...flags, '--outFile', outFile], {});
  if (error) {
    process.stderr.write(stderr.toString());
    throw error;
  }
}

/** Writes `kernelFiles`. @returns the first two, of which the library makes the others */
export async function compileKernels(folder: string): Promise<{ readonly plain: Uint8Array; readonly relaxed: Uint8Array }> {
  mkdirSync(folder, { recursive: true });
  const [plainFile, relaxedFile, ...threadsFiles] = kernelFiles.map((name) => join(folder, name)) as [string, string, string, string];
  await compileTarget('release', plainFile);
  await compileTarget('relaxed', relaxedFile);
  const [plain, relaxed] = [plainFile, relaxedFile].map((file, i) => {
    const binary = orderFunctions(readFileSync(file));
    writeFileSync(file, binary);
    // For hosts that load files.
    writeFileSync(threadsFiles[i] as string, sharedBinary(binary) as Uint8Array);
    return binary;
  }) as [Uint8Array, Uint8Array];
  return { plain, relaxed };
}
