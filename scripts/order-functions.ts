/** The order of a binary's functions: nothing to whoever runs it, much to gzip, which finds again what it has seen within 32 KB. */
import binaryen from 'binaryen';
import { readLeb } from '../src/shared-binary.ts';
import { packedOrder } from './packed-order.ts';

/** Share of vector instructions from which on a function is one of loops over vectors. */
const VECTORS = 0.05;

/** The section of functions' bodies. */
const CODE = 10;

/** Of a function's lines of text, how many are vector instructions. */
function vectorShare(text: string): number {
  return (text.match(/\((v128|[if]\d+x\d+)\./g)?.length ?? 0) / text.split('\n').length;
}

/** The functions' bytes, in the binary's order. */
function bodiesOf(binary: Uint8Array): readonly Uint8Array[] {
  const cursor = { at: 8 };
  while (binary[cursor.at++] !== CODE) {
    if (cursor.at >= binary.length) return [];
    const size = readLeb(binary, cursor);
    cursor.at += size;
  }
  readLeb(binary, cursor);
  return Array.from({ length: readLeb(binary, cursor) }, () => {
    const size = readLeb(binary, cursor);
    cursor.at += size;
    return binary.subarray(cursor.at - size, cursor.at);
  });
}

type Functions = readonly binaryen.FunctionInfo[];

function functionsOf(module: binaryen.Module): Functions {
  return Array.from({ length: module.getNumFunctions() }, (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)));
}

function putInOrder(module: binaryen.Module, functions: Functions): Uint8Array {
  for (const { name, params, results, vars, body } of functions) {
    module.removeFunction(name);
    module.addFunction(name, params, results, vars, body);
  }
  return module.emitBinary();
}

/**
 * Functions of vectors behind those that count and copy, then each beside one that is like it: of 40 kB (gzip) one less and more. Binaryen orders them by their calls, so that loops of a kind lie
 * farther apart than gzip looks back. See bench/EXPERIMENTS.md, "The order of functions".
 */
export function orderFunctions(binary: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(binary);
  try {
    module.setFeatures(binaryen.Features.All);
    // What locals are numbered by are their uses before the last inlining: 140 to 300 bytes.
    module.runPasses(['reorder-locals']);
    const texts = new Map(Array.from(module.emitText().matchAll(/^ \(func \$(\S+)[\s\S]*?^ \)$/gm), ([text, name]) => [name, text]));
    const isOfVectors = ({ name }: { name: string }): boolean => vectorShare(texts.get(name) as string) > VECTORS;
    const functions = functionsOf(module);
    const sorted = [...functions.filter((f) => !isOfVectors(f)), ...functions.filter(isOfVectors)];
    const bodies = bodiesOf(putInOrder(module, sorted));
    const ordered = putInOrder(
      module,
      packedOrder(bodies).map((i) => sorted[i] as binaryen.FunctionInfo),
    );
    if (!module.validate()) throw new Error('order of functions: no valid module');
    return ordered;
  } finally {
    module.dispose();
  }
}
