/** Engines under test: the release binary, that for relaxed SIMD, or the debug binary whose assertions are on, as vitest.config.ts says. */
import { readFileSync } from 'node:fs';
import { createEngineSync, type Engine, type EngineSyncOptions } from '../src/index.ts';

export const build = process.env.WASM_CONV_BUILD as 'release' | 'relaxed' | 'debug' | undefined;

/** Undefined where the inlined one is under test. */
export function testBinary(): Uint8Array<ArrayBuffer> | undefined {
  return build === 'debug' ? readFileSync(new URL('../build/kernels-debug.wasm', import.meta.url)) : undefined;
}

export function testEngine(options: EngineSyncOptions = {}): Engine {
  const engine = createEngineSync({ wasm: testBinary(), relaxedSimd: build === 'relaxed', ...options });
  if (build === 'relaxed' && options.relaxedSimd !== false && engine.info.simd !== 'relaxed')
    throw new Error('this host has no relaxed SIMD');
  return engine;
}
