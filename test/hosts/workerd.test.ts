/** workerd, which compiles no bytes while it runs: bundled as its own tools do, the binaries remain imports of files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { type Answers, expectDigits } from './answers.ts';
import { describeHosts } from './describe-hosts.ts';
import { workerd } from './hosts.ts';
import { requireRuntime } from './runtime-package.ts';

interface Miniflare {
  dispatchFetch(url: string): Promise<Response>;
  dispose(): Promise<void>;
}

interface Library {
  readonly Miniflare: new (options: object) => Miniflare;
}

const options = {
  modules: true,
  modulesRules: [
    { type: 'ESModule', include: ['**/*.js'] },
    { type: 'CompiledWasm', include: ['**/*.wasm'] },
  ],
  compatibilityDate: '2026-04-01',
  // Asks nobody over the network.
  cf: false,
};

/** @param scriptPath in the folder `rootPath` */
async function answersOf(rootPath: string, scriptPath: string): Promise<Answers> {
  const { Miniflare } = requireRuntime<Library>(workerd.module);
  const host = new Miniflare({ ...options, modulesRoot: rootPath, scriptPath: join(rootPath, scriptPath) });
  try {
    return (await (await host.dispatchFetch('http://localhost/')).json()) as Answers;
  } finally {
    await host.dispose();
  }
}

describeHosts([workerd], () => {
  const project = inject('userProject');
  // At times it leaves its folder behind, which is then removed with the project.
  beforeAll(() => void vi.stubEnv('TMPDIR', project));
  afterAll(() => void vi.unstubAllEnvs());
  const expected = { simd: 'relaxed', whyAlone: 'this host has no workers' } as const;

  it('reads digits, the package as it is', async () => {
    // Nobody looks up names of packages there.
    const script = readFileSync(join(project, 'app/fetched.js'), 'utf8').replace(
      "'wasm-conv'",
      "'../node_modules/wasm-conv/dist/workerd.js'",
    );
    writeFileSync(join(project, 'app/fetched-by-path.js'), script);
    expectDigits(await answersOf(project, 'app/fetched-by-path.js'), expected);
  });

  it('reads digits, bundled by the condition, with the binaries as files', async () => {
    const outdir = join(project, 'built-for-workerd');
    const { metafile } = await build({
      entryPoints: [join(project, 'app/fetched.js')],
      outdir,
      bundle: true,
      format: 'esm',
      conditions: ['workerd', 'worker', 'browser'],
      loader: { '.wasm': 'copy' },
      metafile: true,
      logLevel: 'silent',
    });
    expect(Object.keys(metafile.inputs).filter((file) => file.includes('node_modules/wasm-conv'))).toEqual([
      expect.stringMatching(/dist\/kernels\.wasm$/),
      expect.stringMatching(/dist\/kernels-relaxed\.wasm$/),
      expect.stringMatching(/dist\/workerd\.js$/),
    ]);
    expectDigits(await answersOf(outdir, 'fetched.js'), expected);
  });
});
