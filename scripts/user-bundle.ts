/** What a user's bundler makes of a page that imports the package: minified, for browsers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface UserBundle {
  /** All files that the page would load, one after the other. */
  readonly text: string;
  /** Modules that went into it, by their whole paths, as the bundler says. */
  readonly inputs: readonly string[];
}

/**
 * @param packages that are not installed where the page is
 * @param code     the page's script
 * @param folder   that holds the page
 */
export type UserBundler = (packages: Packages, code: string, folder?: string) => Promise<UserBundle>;

/** Name in an import → file. */
export type Packages = Readonly<Record<string, string>>;

const withEsbuild: UserBundler = async (packages, code, folder = tmpdir()) => {
  // Only now: who asks for help needs no bundler.
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: folder },
    alias: { ...packages },
    absWorkingDir: '/',
    bundle: true,
    minify: true,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  });
  return { text: outputFiles.map(({ text }) => text).join('\n'), inputs: Object.keys(metafile.inputs).map((path) => `/${path}`) };
};

const withVite: UserBundler = async (packages, code, folder = tmpdir()) => {
  const root = mkdtempSync(join(folder, 'wasm-conv-page-'));
  try {
    const input = join(root, 'page.js');
    writeFileSync(input, code);
    const inputs: string[] = [];
    const { build } = await import('vite');
    const built = await build({
      root,
      configFile: false,
      logLevel: 'error',
      resolve: { alias: Object.entries(packages).map(([name, replacement]) => ({ find: new RegExp(`^${name}$`), replacement })) },
      build: { write: false, rolldownOptions: { input } },
      plugins: [{ name: 'inputs', moduleParsed: ({ id }) => void inputs.push(id) }],
    });
    const outputs = [built].flat().flatMap((result) => ('output' in result ? result.output : []));
    const scripts = outputs.filter((file) => file.type === 'chunk').map(({ code }) => code);
    // Vite writes a worker's file before it knows whether anything is left that would load it.
    const loaded = outputs.filter((file) => file.type === 'asset' && scripts.some((script) => script.includes(file.fileName)));
    const assets = loaded.map((file) => (file.type === 'asset' ? Buffer.from(file.source).toString('latin1') : ''));
    return { text: [...scripts, ...assets].join('\n'), inputs };
  } finally {
    rmSync(root, { recursive: true });
  }
};

export const userBundlers: Readonly<Record<'esbuild' | 'Vite', UserBundler>> = { esbuild: withEsbuild, Vite: withVite };

/** Without the binaries that are inlined as base64. @throws Error where there are none */
export function withoutBinaries(text: string): string {
  const stripped = text.replace(/[A-Za-z0-9+/=]{1000,}/g, '');
  if (stripped === text) throw new Error('the bundle has no binaries in it');
  return stripped;
}
