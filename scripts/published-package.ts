/** What publint and attw, "Are the types wrong?", have to say of the package as it would be published. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Subpaths without types: the binaries are no JavaScript, and the module of a thread is started by its address, nobody imports it. */
const untyped = ['kernels.wasm', 'kernels-relaxed.wasm', 'kernels-threads.wasm', 'kernels-threads-relaxed.wasm', 'worker'];

/**
 * @param folder of the unpacked package
 * @returns publint's remarks, suggestions too
 */
export async function publintRemarks(folder: string): Promise<string[]> {
  const { messages, pkg } = await publint({ pkgDir: folder, pack: false, level: 'suggestion', strict: true });
  return messages.map((message) => `${message.code}: ${formatMessage(message, pkg, { color: false })}`);
}

/**
 * The profile leaves out CommonJS, as the package holds modules alone, which `require` loads too where Node can, and resolution from before
 * `exports`.
 *
 * @returns attw's text where types are wrong; nothing where they are right
 */
export async function attwRemarks(tarball: string): Promise<string[]> {
  const manifest = join(root, 'node_modules/@arethetypeswrong/cli/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { attw: string } };
  const args = [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-color', '--exclude-entrypoints', ...untyped];
  try {
    await promisify(execFile)(process.execPath, [join(dirname(manifest), bin.attw), ...args]);
    return [];
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return [`${stdout}${stderr}`.trim() || String(error)];
  }
}
