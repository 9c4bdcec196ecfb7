/** The types of the packed package: in strict projects, by each way in which TypeScript looks for them, and by tools that know how that goes wrong. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attwRemarks, publintRemarks } from '../scripts/published-package.ts';
import { describeHosts } from './hosts/describe-hosts.ts';
import { oldestTypeScript } from './hosts/hosts.ts';
import { type PackedPackage, packPackage, root } from './packed-package.ts';

let packed: PackedPackage;
beforeAll(() => {
  packed = packPackage();
});
afterAll(() => packed.remove());

const use = `import { type ConvOptions, type Engine, type EngineTensor, type Layer, type Plan, createEngine, tensor } from 'wasm-conv';
import { conv2d as plain } from 'wasm-conv/reference';
export async function result(): Promise<number> {
  const engine: Engine = await createEngine({ threads: 'auto' });
  const options: ConvOptions = { padding: [[1, 0], 2], activation: { clamp: [0, 1] } };
  const layer: Layer = engine.conv2d.prepare(tensor([1], [1, 1, 1, 1]), { groups: 1 });
  const out: EngineTensor = engine.alloc([1, 1, 1, 1]);
  const same: EngineTensor = engine.conv2d(tensor([1], [1, 1, 1, 1]), tensor([1], [1, 1, 1, 1]), { out });
  const plan: Plan = layer.plan([1, 1, 1, 1]);
  // @ts-expect-error people will write strides
  engine.conv2d(same, same, { strides: 2 });
  // @ts-expect-error no binary
  await createEngine({ wasm: 42 });
  // @ts-expect-error a depthwise kernel has its groups already
  engine.depthwiseConv2d(same, same, { groups: 2 });
  return plain(same, out, options).data.length + plan.flops;
}
`;

interface Way {
  readonly module: string;
  readonly moduleResolution: string;
  /** Its ending says whether it is a module; one of CommonJS may load modules since `nodenext`. */
  readonly file: string;
  /** All that the language knows, and browsers, where it is left out. */
  readonly lib?: readonly string[];
}

const ways: readonly Way[] = [
  { module: 'node16', moduleResolution: 'node16', file: 'use.mts' },
  { module: 'nodenext', moduleResolution: 'nodenext', file: 'use.mts' },
  { module: 'nodenext', moduleResolution: 'nodenext', file: 'use.cts' },
  { module: 'esnext', moduleResolution: 'bundler', file: 'use.ts' },
  // A project for Node: no types of browsers.
  { module: 'nodenext', moduleResolution: 'nodenext', file: 'node.mts', lib: ['ES2022'] },
];

/** What else a project may hold: tsc must complain of it, or it has found no types. */
const wrong = use.replace('plan.flops', 'plan.flop');

/** What tsc says of a project that has both. @param tsc the compiler's script */
function typeCheck({ module, moduleResolution, file, lib }: Way, tsc = join(root, 'node_modules/typescript/bin/tsc')): string[] {
  const compilerOptions = { target: 'ES2022', ...(lib && { lib }), module, moduleResolution, strict: true, noEmit: true, types: [] };
  const files = [file, `wrong-${file}`];
  writeFileSync(join(packed.project, file), use);
  writeFileSync(join(packed.project, `wrong-${file}`), wrong);
  writeFileSync(join(packed.project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', packed.project], { encoding: 'utf8' });
  return stdout.trim().split('\n');
}

/** Types that hold, and none that do not. */
function expectTypes(said: string[], { file }: Way): void {
  expect(said).toEqual([expect.stringMatching(new RegExp(`^(\\S*/)?wrong-${file}\\(\\d+,\\d+\\): error TS2551`))]);
}

it.each(ways)('$moduleResolution, $file', (way) => expectTypes(typeCheck(way), way));

// README.md, "Where it runs". It lets no file of CommonJS load a module.
describeHosts([oldestTypeScript], () => {
  it.each(ways.filter(({ file }) => !file.endsWith('.cts')))('$moduleResolution, $file', (way) =>
    expectTypes(typeCheck(way, oldestTypeScript.program), way),
  );
});

describe('tools', () => {
  /** A copy of the package whose manifest says something else, packed again. */
  function spoiled(change: (text: string) => string): { folder: string; tarball: string; remove(): void } {
    const folder = mkdtempSync(join(tmpdir(), 'wasm-conv-spoiled-'));
    cpSync(packed.folder, folder, { recursive: true });
    const manifest = join(folder, 'package.json');
    writeFileSync(manifest, change(readFileSync(manifest, 'utf8')));
    const name = execFileSync('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: folder, encoding: 'utf8' }).trim();
    return { folder, tarball: join(folder, name), remove: () => rmSync(folder, { recursive: true }) };
  }

  it('publint has nothing to say', async () => expect(await publintRemarks(packed.folder)).toEqual([]));
  it('attw has nothing to say', async () => expect(await attwRemarks(packed.tarball)).toEqual([]));

  it('would have, of a package that does not hold its types', async () => {
    const { folder, tarball, remove } = spoiled((text) => text.replaceAll('reference.d.ts', 'none.d.ts'));
    try {
      expect((await publintRemarks(folder)).join()).toContain('FILE_DOES_NOT_EXIST');
      expect((await attwRemarks(tarball)).join()).toContain('Used fallback condition');
    } finally {
      remove();
    }
  });
});
