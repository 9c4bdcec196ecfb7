/** The property names that the build makes short: it may, since they are in no type of users, and nobody but src/ declares them. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import ts from 'typescript';
import { beforeAll, expect, it } from 'vitest';
import { shortened, shortNameOf } from '../scripts/short-names.ts';
import { root } from './packed-package.ts';

const names = new Set(shortened);

/** Declarations of the property that a name in the source stands for: of each type that it is asked of, or given to. */
function declarationsOf(checker: ts.TypeChecker, node: ts.Identifier): readonly ts.Declaration[] {
  const { parent } = node;
  const of = (type: ts.Type | undefined): readonly ts.Declaration[] => type?.getProperty(node.text)?.declarations ?? [];
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return of(checker.getTypeAtLocation(parent.expression));
  if (ts.isBindingElement(parent) && ts.isObjectBindingPattern(parent.parent) && (parent.propertyName ?? parent.name) === node)
    return of(checker.getTypeAtLocation(parent.parent));
  if (
    (ts.isPropertyAssignment(parent) || ts.isShorthandPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) &&
    parent.name === node
  )
    return ts.isObjectLiteralExpression(parent.parent) ? of(checker.getContextualType(parent.parent)) : [];
  return [];
}

let foreign: string[];
let seen: Set<string>;
/** Properties of ours that have a short name by themselves. */
let taken: string[];

beforeAll(() => {
  const { config } = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, root);
  const program = ts.createProgram(fileNames, options);
  const checker = program.getTypeChecker();
  foreign = [];
  seen = new Set();
  taken = [];
  const short = new Set(shortened.map((_, n) => shortNameOf(n)));
  const isOurs = (file: ts.SourceFile): boolean => /^src\/(?!types\.ts)/.test(relative(root, file.fileName));
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && names.has(node.text)) {
      for (const declaration of declarationsOf(checker, node)) {
        seen.add(node.text);
        const file = declaration.getSourceFile();
        if (!isOurs(file))
          foreign.push(`${node.text}: ${relative(root, node.getSourceFile().fileName)} → ${relative(root, file.fileName)}`);
      }
    }
    if (ts.isPropertyAccessExpression(node) && short.has(node.name.text)) taken.push(node.getText());
    ts.forEachChild(node, visit);
  };
  for (const file of program.getSourceFiles()) if (isOurs(file)) visit(file);
});

it('are declared in src/ alone, and by no public type', () => {
  expect(foreign).toEqual([]);
  expect(shortened.filter((name) => !seen.has(name))).toEqual([]);
});

it('become names that nothing else has', () => expect(taken).toEqual([]));

it('are in no declaration that users get', () => {
  const declarations = readFileSync(`${root}/dist/index.d.ts`, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  expect(shortened.filter((name) => new RegExp(`\\b${name}\\b`).test(declarations))).toEqual([]);
});

it('are looked up by no text, and are no export of the kernels', async () => {
  const library = readFileSync(`${root}/dist/index.js`, 'utf8');
  expect(shortened.filter((name) => new RegExp(`['"\`]${name}['"\`]`).test(library))).toEqual([]);
  const module = await WebAssembly.compile(readFileSync(`${root}/dist/kernels.wasm`));
  const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  expect(shortened.filter((name) => exported.has(name))).toEqual([]);
});

it('are short in the library', () => {
  const library = readFileSync(`${root}/dist/index.js`, 'utf8');
  expect(shortened.filter((name) => new RegExp(`(?<!\\.\\.)\\.${name}\\b`).test(library))).toEqual([]);
});
