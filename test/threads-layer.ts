import type { Engine } from '../src/index.ts';
import { fractions } from './cases.ts';

/** The bits of a result that is worth several threads, and has tasks for them, as a digest. */
export async function digestOf(engine: Engine): Promise<string> {
  const image = { data: fractions(32 * 40 * 40, 1), shape: [1, 32, 40, 40] };
  const weight = { data: fractions(64 * 32 * 9, 2), shape: [64, 32, 3, 3] };
  const { data } = engine.conv2d(image, weight, { padding: 1, algorithm: 'gemm' });
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data.slice())).join();
}
