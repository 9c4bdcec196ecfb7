/** The package as a user gets it: packed, unpacked into an empty project, imported, bundled, run. test/types.test.ts checks its types, test/tarball.test.ts what it holds. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PackedPackage, packPackage } from './packed-package.ts';

let packed: PackedPackage;
let project = '';

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

beforeAll(() => {
  packed = packPackage();
  project = packed.project;
});
afterAll(() => packed.remove());

const example = `
const x = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
const w = tensor([1, 1, 1, 1], [1, 1, 2, 2]);
`;

it('imports without anything else installed', () => {
  writeFileSync(
    join(project, 'a.js'),
    `import { conv2d, tensor } from 'wasm-conv';\nimport * as reference from 'wasm-conv/reference';${example}
const [got, want] = [await conv2d(x, w), reference.conv2d(x, w)];
console.log(got.data[0], want.data[0]);`,
  );
  expect(run(process.execPath, 'a.js').trim()).toBe('10 10');
});

const threaded = `import { createEngine } from 'wasm-conv';
const filled = (...shape) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape });
createEngine({ threads: 2 }).then(({ conv2d, info, dispose }) => {
  console.log(conv2d(filled(1, 64, 40, 40), filled(64, 64, 3, 3), { algorithm: 'gemm' }).data[0], info.threads, info.threadsReason);
  dispose();
});`;

it('reads its binary in Node, and unpacks the inlined one where that is not there', () => {
  const program = (text: string): string => `import { syncBuiltinESMExports } from 'node:module';
import fs from 'node:fs';
const read = [];
const { readFileSync } = fs;
fs.readFileSync = (file, ...more) => {
  if (String(file).endsWith('.wasm')) read.push(String(file).split('/').pop());
  ${text}
  return readFileSync(file, ...more);
};
syncBuiltinESMExports();
const { createEngineSync, tensor } = await import('wasm-conv');${example}
console.log(createEngineSync({ relaxedSimd: false }).conv2d(x, w).data[0], ...read);`;
  writeFileSync(join(project, 'read.js'), program(''));
  expect(run(process.execPath, 'read.js')).toBe('10 kernels.wasm\n');
  writeFileSync(join(project, 'unread.js'), program("if (String(file).endsWith('.wasm')) throw new Error('not there');"));
  expect(run(process.execPath, 'unread.js')).toBe('10 kernels.wasm\n');
  writeFileSync(
    join(project, 'cut.js'),
    program("if (String(file).endsWith('.wasm')) return readFileSync(file, ...more).subarray(0, 50_000);"),
  );
  expect(run(process.execPath, 'cut.js')).toBe('10 kernels.wasm\n');
});

it('has threads', () => {
  writeFileSync(join(project, 'threads.js'), threaded);
  expect(run(process.execPath, 'threads.js')).toBe('576 2 undefined\n');
});

it.each(['esm', 'cjs'] as const)('has threads in one bundled file, %s', async (format) => {
  const [entry, outfile] = [join(project, 'threads.js'), join(project, 'bundled', format === 'esm' ? 'all.mjs' : 'all.cjs')];
  writeFileSync(entry, threaded);
  const { warnings } = await build({ entryPoints: [entry], outfile, bundle: true, format, platform: 'node', logLevel: 'silent' });
  expect(warnings).toEqual([]);
  expect(run(process.execPath, outfile)).toBe('576 2 undefined\n');
});

it('serves the binary as a file', () => {
  writeFileSync(
    join(project, 'b.js'),
    `import { createEngine, tensor } from 'wasm-conv';\nimport { readFileSync } from 'node:fs';${example}
const engine = await createEngine({ wasm: readFileSync(new URL(import.meta.resolve('wasm-conv/kernels.wasm'))) });
console.log(engine.conv2d(x, w).data[0]);`,
  );
  expect(run(process.execPath, 'b.js').trim()).toBe('10');
});

it('brings its command, which needs nothing else', () => {
  const { folder } = packed;
  const { bin, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
    version: string;
  };
  const cli = join(folder, bin['wasm-conv'] ?? 'none');
  expect(readFileSync(cli, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(run(process.execPath, cli, '--version')).toBe(`${version}\n`);
  const report = JSON.parse(run(process.execPath, cli, 'bench', '--set', 'digits', '--layers', '7x7', '--time', '2', '--json'));
  expect(report.layers).toMatchObject([{ set: 'digits', wrong: {} }]);
});

// README.md, "Where it runs".
it.each(['chrome92', 'firefox90', 'safari16.4', 'node20'])('has no syntax that %s does not know', async (oldest) => {
  const script = readFileSync(join(project, 'node_modules', 'wasm-conv', 'dist', 'index.js'), 'utf8');
  const lowered = async (target: string): Promise<string> => (await transform(script, { target })).code;
  const asItIs = await lowered('esnext');
  expect((await lowered(oldest)) === asItIs).toBe(true);
  expect((await lowered('chrome84')) === asItIs).toBe(false);
});

it('holds what it names, no source of ours and no dependency', () => {
  const { folder } = packed;
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: object;
    exports: Record<string, unknown>;
  };
  expect(manifest.dependencies).toBeUndefined();
  const files = JSON.stringify(manifest.exports).match(/\.\/dist\/[^"]+/g) ?? [];
  expect(files.length).toBeGreaterThanOrEqual(5);
  for (const file of files) expect(existsSync(join(folder, file)), file).toBe(true);
  expect(existsSync(join(folder, 'src'))).toBe(false);
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md']) expect(existsSync(join(folder, file)), file).toBe(true);
});
