/** Compiles AssemblyScript in memory with the options of the release build, plus `extra`. */
import asc from 'assemblyscript/asc';

export interface Compiled {
  binary: Uint8Array<ArrayBuffer>;
  text: string | undefined;
}

export const releaseFlags = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  '--noExportMemory',
  '--enable',
  'simd',
  '--use',
  'abort=',
];

export async function compileAssembly(files: Record<string, string>, extra: string[] = [], flags = releaseFlags): Promise<Compiled> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  let text: string | undefined;
  const { error, stderr } = await asc.main(['index.ts', '-o', 'out.wasm', '-t', 'out.wat', ...flags, ...extra], {
    readFile: (name) => files[name] ?? null,
    writeFile: (name, contents) => {
      if (name === 'out.wasm') binary = new Uint8Array(contents as Uint8Array<ArrayBuffer>);
      else if (name === 'out.wat') text = contents as string;
    },
    listFiles: () => [],
  });
  if (error || !binary) throw new Error(`asc failed: ${error?.message}\n${stderr.toString()}`);
  return { binary, text };
}
