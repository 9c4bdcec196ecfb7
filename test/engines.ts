/** Engines under test: the release binary, or the debug binary whose assertions are on, as vitest.config.ts says. */
import { readFileSync } from 'node:fs';
import { createEngineSync, type Engine, type EngineSyncOptions } from '../src/index.ts';

export const build = process.env.WASM_CONV_BUILD === 'debug' ? 'debug' : 'release';

export function testEngine(options: EngineSyncOptions = {}): Engine {
  const wasm = build === 'debug' ? readFileSync(new URL('../build/kernels-debug.wasm', import.meta.url)) : undefined;
  return createEngineSync({ wasm, ...options });
}
