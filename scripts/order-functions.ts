/** The order of a binary's functions: nothing to whoever runs it, much to gzip, which finds again what it has seen within 32 KB. */
import binaryen from 'binaryen';

/** Share of vector instructions from which on a function is one of loops over vectors. */
const VECTORS = 0.05;

/** Of a function's lines of text, how many are vector instructions. */
function vectorShare(text: string): number {
  return (text.match(/\((v128|[if]\d+x\d+)\./g)?.length ?? 0) / text.split('\n').length;
}

/**
 * Functions of vectors behind those that count and copy: of 40 kB (gzip) 0.75 less. Binaryen orders them by their calls, so that loops of a kind lie farther apart than gzip looks
 * back. See bench/EXPERIMENTS.md, "The order of functions".
 */
export function orderFunctions(binary: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(binary);
  try {
    module.setFeatures(binaryen.Features.All);
    const texts = new Map(Array.from(module.emitText().matchAll(/^ \(func \$(\S+)[\s\S]*?^ \)$/gm), ([text, name]) => [name, text]));
    const functions = Array.from({ length: module.getNumFunctions() }, (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)));
    const isOfVectors = ({ name }: { name: string }): boolean => vectorShare(texts.get(name) as string) > VECTORS;
    for (const { name, params, results, vars, body } of [...functions.filter((f) => !isOfVectors(f)), ...functions.filter(isOfVectors)]) {
      module.removeFunction(name);
      module.addFunction(name, params, results, vars, body);
    }
    if (!module.validate()) throw new Error('order of functions: no valid module');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
