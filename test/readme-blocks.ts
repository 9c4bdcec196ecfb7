/**
 * Code blocks of a Markdown page as programs. A line `expression; // → value` is a check: the value is an expression as well, compared
 * deeply, typed arrays as the numbers they hold; `// → throws RangeError: words` expects an error whose message contains the words.
 * `console.log(expression); // → value` and `const name = expression; // → value` check what they print and name.
 */
import ts from 'typescript';

export interface Block {
  readonly line: number;
  readonly language: 'ts' | 'js';
  readonly code: string;
}

/** Compares what an expression came to with what the page says. */
export type Compare = (got: unknown, want: unknown, line: number) => void;

/** Every block marked ts, typescript, js or javascript, with the line its code begins at. */
export function codeBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  for (const match of markdown.matchAll(/^```(ts|typescript|js|javascript)[^\n]*\n([\s\S]*?)^```/gm)) {
    const line = markdown.slice(0, match.index).split('\n').length + 1;
    blocks.push({ line, language: match[1]?.startsWith('t') ? 'ts' : 'js', code: match[2] as string });
  }
  return blocks;
}

const arrow = /^(\s*)([^\s/].*?);?\s*\/\/ → (.*)$/;

/** The block with its checks as calls of `check` and `throws`; a statement stays one line, so that positions in messages hold. */
export function withChecks({ code, line: first }: Block): string {
  const lines = code.split('\n').map((text, i) => {
    const [found, indent, statement = '', value = ''] = arrow.exec(text) ?? [];
    if (found === undefined) return text;
    const line = first + i;
    const error = /^throws (\w+)(?:: (.*))?$/.exec(value);
    if (error) return `${indent}await throws(async () => ${statement}, '${error[1]}', ${JSON.stringify(error[2] ?? '')}, ${line});`;
    const [, name] = /^(?:const|let) (\w+)\b[^=]*=/.exec(statement) ?? [];
    if (name) return `${indent}${statement}; check(${name}, (${value}), ${line});`;
    const [, printed] = /^console\.log\((.*)\)$/.exec(statement) ?? [];
    return `${indent}check(${printed ?? statement}, (${value}), ${line});`;
  });
  return lines.join('\n');
}

/** Imports as lookups in `modules`; what is left of the block can stand in a function. */
function withoutImports(javascript: string): string {
  return javascript
    .replace(/^import \* as (\w+) from (['"].*?['"]);?$/gm, 'const $1 = await load($2);')
    .replace(/^import \{([^}]*)\} from (['"].*?['"]);?$/gm, (_, names: string, from: string) => {
      return `const {${names.replace(/ as /g, ': ')}} = await load(${from});`;
    })
    .replace(/^import (\w+) from (['"].*?['"]);?$/gm, 'const { default: $1 } = await load($2);');
}

/** Data as plain float32 numbers: `[0.1, 2]` in the page stands for a Float32Array of them. */
function plain(value: unknown): unknown {
  if (typeof value === 'number') return Math.fround(value);
  if (value instanceof Float32Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

type AsyncBody = (...values: unknown[]) => Promise<void>;
const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => AsyncBody;

/**
 * Runs a block.
 * @param load    module of a specifier
 * @param compare throws when the two differ
 */
export async function runBlock(block: Block, load: (specifier: string) => Promise<unknown>, compare: Compare): Promise<void> {
  const { outputText } = ts.transpileModule(withChecks(block), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const check = (got: unknown, want: unknown, line: number): void => compare(plain(got), plain(want), line);
  const throws = async (call: () => unknown, name: string, words: string, line: number): Promise<void> => {
    let error: unknown;
    try {
      await call();
    } catch (thrown) {
      error = thrown;
    }
    const found = error instanceof Error ? { name: error.name, words: error.message } : { name: 'nothing', words: '' };
    compare({ name: found.name, words: found.words.includes(words) ? words : found.words }, { name, words }, line);
  };
  const silent = { log: () => {}, table: () => {}, error: () => {} };
  const body = withoutImports(outputText.replace(/^export \{\};?$/gm, ''));
  await new AsyncFunction('load', 'check', 'throws', 'console', body)(load, check, throws, silent);
}

/**
 * What the compiler says of the blocks in TypeScript, as `line: message`.
 * @param root  folder whose src/ the package's names stand for
 * @param paths specifier → file below the root
 */
export function typeErrors(blocks: readonly Block[], root: string, paths: Readonly<Record<string, string>>): string[] {
  const files = new Map(blocks.filter(({ language }) => language === 'ts').map((block) => [`${root}/readme-${block.line}.ts`, block]));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    paths: Object.fromEntries(Object.entries(paths).map(([name, file]) => [name, [`${root}/${file}`]])),
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, ...rest) => {
    const block = files.get(name);
    return block ? ts.createSourceFile(name, block.code, ts.ScriptTarget.ES2022, true) : getSourceFile.call(host, name, ...rest);
  };
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name)?.code ?? readFile.call(host, name);
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([name, { line }]) => {
    const source = program.getSourceFile(name);
    return ts.getPreEmitDiagnostics(program, source).map(({ start = 0, messageText }) => {
      const at = line + (source?.getLineAndCharacterOfPosition(start).line ?? 0);
      return `${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}
