/**
 * In place of own-binary.ts for edge functions, which compile no bytes while they run: there an import of a binary with `?module` is a module.
 * The host compiles all that is imported before the first line runs, and one that does not know relaxed SIMD would not start: the plain build serves
 * both. Who knows better gives the other one as the option `wasm`.
 */
import plain from './kernels.wasm?module';

export function ownBinary(_relaxed: boolean): WebAssembly.Module {
  return plain;
}

export async function ownBinaryLater(_relaxed: boolean): Promise<WebAssembly.Module> {
  return plain;
}

export function isAtHand(): boolean {
  return true;
}
