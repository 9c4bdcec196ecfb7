/** The README's examples, each as a module of its own on the built package. `expression; // → value` is checked. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code as string);

/** Node 20 does not know `using`; what it means for these examples is that the engine lives to the end. */
function runnable(code: string): string {
  const checks = code
    .replace(/^using /gm, 'const ')
    .replace(
      /^(\s*)(.+); \/\/ → (.+)$/gm,
      (_, indent: string, expression: string, value: string) => `${indent}check(${expression}, ${value});`,
    );
  return `import assert from 'node:assert';
let checked = 0;
const check = (got, want) => { assert.deepStrictEqual(ArrayBuffer.isView(got) ? [...got] : got, want); checked++; };
${checks}
console.log(checked);
`;
}

it('has examples', () => expect(examples.length).toBeGreaterThanOrEqual(6));

it.each(examples.map((code, i) => [i + 1, code] as const))('example %i', (number, code) => {
  const expected = code.match(/\/\/ → /g)?.length ?? 0;
  expect(expected).toBeGreaterThan(0);
  mkdirSync(`${root}build`, { recursive: true });
  const file = `${root}build/readme-${number}.mjs`;
  writeFileSync(file, runnable(code));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  expect({ status, stdout: stdout.trim(), stderr }).toEqual({ status: 0, stdout: String(expected), stderr: '' });
});

it('names the two lines that do everything', () => {
  expect(readme).toContain('```sh\nnpm ci && npm start\n```');
  expect(readme).toContain('```sh\nnpm ci && npm test\n```');
});
