/** Every example of the README is run, its `// →` comments are checked, and its types are. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as index from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { type Block, type Compare, codeBlocks, runBlock, typeErrors, withChecks } from './readme-blocks.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
const sources = { 'wasm-conv': 'src/index.ts', 'wasm-conv/reference': 'src/reference/index.ts' };
const modules = new Map<string, unknown>([
  ['wasm-conv', index],
  ['wasm-conv/reference', reference],
]);
const load = async (specifier: string): Promise<unknown> => modules.get(specifier) ?? (await import(specifier));

const compare: Compare = (got, want, line) => expect(got, `line ${line}`).toEqual(want);

describe('the reader of examples', () => {
  const page = (code: string): Block => codeBlocks(`# Title\n\ntext\n\n\`\`\`ts\n${code}\n\`\`\`\n`)[0] as Block;
  const run = (code: string): Promise<void> => runBlock(page(code), load, compare);

  it('finds blocks in the languages that run, and where they begin', () => {
    const markdown = '```sh\nls\n```\n\n```ts\nlet a;\n```\n```js title\nb\nc\n```\n';
    expect(codeBlocks(markdown)).toEqual([
      { line: 6, language: 'ts', code: 'let a;\n' },
      { line: 9, language: 'js', code: 'b\nc\n' },
    ]);
  });

  it('turns arrows into checks and keeps the rest', () => {
    const code = 'f(1); // → 2\nconst y: number = g(); // → 3\n  console.log(z.w); // → [1, 2]\n// → nothing\nh();';
    expect(withChecks({ line: 10, language: 'ts', code }).split('\n')).toEqual([
      'check(f(1), (2), 10);',
      'const y: number = g(); check(y, (3), 11);',
      '  check(z.w, ([1, 2]), 12);',
      '// → nothing',
      'h();',
    ]);
  });

  it('passes what is right', async () => {
    await run("import { tensor, createEngineSync as create } from 'wasm-conv';\nconst t = tensor([0.1, 2], [2]);\nt.data; // → [0.1, 2]");
    await run("import { tensor } from 'wasm-conv';\ntensor([1], [2]); // → throws RangeError: the product of shape = 2");
    await run("import * as all from 'wasm-conv/reference';\ntypeof all.conv2d; // → 'function'");
    await run("import { cpus } from 'node:os';\ncpus().length > 0; // → true");
  });

  it('fails what is wrong', async () => {
    await expect(run('1 + 1; // → 3')).rejects.toThrow('line 6');
    await expect(run('const a = [1, 2]; // → [1, 3]')).rejects.toThrow('line 6');
    await expect(run('\n\nconsole.log(2); // → 1')).rejects.toThrow('line 8');
    await expect(run('1; // → throws Error')).rejects.toThrow('line 6');
    await expect(run("import { tensor } from 'wasm-conv';\ntensor([1], [2]); // → throws TypeError")).rejects.toThrow('line 7');
    await expect(run("import { tensor } from 'wasm-conv';\ntensor([1], [2]); // → throws RangeError: other")).rejects.toThrow('line 7');
    await expect(run("throw new Error('as it stands');")).rejects.toThrow('as it stands');
  });

  it('reports types that do not fit, with their line', () => {
    const right = page("import { tensor } from 'wasm-conv';\nconst t: readonly number[] = tensor([1], [1]).shape;\nawait t;");
    expect(typeErrors([right], root, sources)).toEqual([]);
    const wrong = page("import { tensor } from 'wasm-conv';\n\nconst t: string = tensor([1], [1]);");
    expect(typeErrors([wrong], root, sources)).toEqual([expect.stringMatching(/^8: Type 'Tensor/) as string]);
  });
});

describe('README.md', () => {
  const page = `${root}/README.md`;
  const blocks = existsSync(page) ? codeBlocks(readFileSync(page, 'utf8')) : [];
  it('has examples, and checks in them', () => {
    expect(blocks.length).toBeGreaterThan(0);
    expect(blocks.some(({ code }) => code.includes('// → '))).toBe(true);
  });
  it.each(blocks.map((block) => [block.line, block] as const))('line %i runs', (_, block) => runBlock(block, load, compare));
  it('type-checks', () => expect(typeErrors(blocks, root, sources)).toEqual([]));
});
