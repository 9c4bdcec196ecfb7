/** In place of own-binary.ts for edge functions, which compile no bytes while they run: there an import of a binary with `?module` is a module. */
import plain from './kernels.wasm?module';
import relaxed from './kernels-relaxed.wasm?module';

export function ownBinary(isRelaxed: boolean): WebAssembly.Module {
  return isRelaxed ? relaxed : plain;
}
