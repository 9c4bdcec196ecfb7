/** What webpack makes of the package for Node: a file that may be moved, and reads none of the package's, whatever lies where these were. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Answers, expectDigits } from './answers.ts';
import { describeHosts } from './describe-hosts.ts';
import { thisNode, webpackBundler } from './hosts.ts';
import { runWebpack } from './webpack.ts';

describeHosts([webpackBundler], () => {
  let project = '';
  beforeAll(async () => {
    project = mkdtempSync(join(tmpdir(), 'wasm-conv-node-bundle-'));
    cpSync(inject('userProject'), project, { recursive: true });
    const remarks = await runWebpack({
      target: 'node20',
      context: project,
      entry: join(project, 'app', 'console.js'),
      output: { path: join(project, 'built'), filename: 'app.mjs', module: true },
      experiments: { outputModule: true },
    });
    expect(remarks).toEqual([]);
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  const answers = (folder: string): Answers =>
    JSON.parse(execFileSync(thisNode.program, [join(folder, 'app.mjs')], { cwd: folder, encoding: 'utf8', timeout: 60_000 })) as Answers;
  const simd = process.versions.node.startsWith('20.') ? 'simd128' : 'relaxed';

  it('reads digits where it was built', () => expectDigits(answers(join(project, 'built')), { simd }));

  it('reads digits where the files of the package were spoilt', () => {
    const dist = join(project, 'node_modules', 'wasm-conv', 'dist');
    for (const name of readdirSync(dist)) if (name.endsWith('.wasm') || name === 'place.js') writeFileSync(join(dist, name), 'spoilt');
    expectDigits(answers(join(project, 'built')), { simd });
  });

  it('reads digits where it was moved to', () => {
    const moved = join(project, 'elsewhere');
    mkdirSync(moved);
    renameSync(join(project, 'built'), join(moved, 'built'));
    rmSync(join(project, 'node_modules'), { recursive: true });
    expectDigits(answers(join(moved, 'built')), { simd });
  });
});
