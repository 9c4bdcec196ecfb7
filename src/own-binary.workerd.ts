/** In place of own-binary.ts for workerd, which compiles no bytes while it runs: there an import of a binary is a module. */
import plain from './kernels.wasm';
import relaxed from './kernels-relaxed.wasm';

export function ownBinary(isRelaxed: boolean): WebAssembly.Module {
  return isRelaxed ? relaxed : plain;
}

export async function ownBinaryLater(isRelaxed: boolean): Promise<WebAssembly.Module> {
  return isRelaxed ? relaxed : plain;
}

export function isAtHand(): boolean {
  return true;
}
