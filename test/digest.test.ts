/**
 * Results are the same to the bit on every machine: for the same version, input and options, and without relaxed SIMD.
 *
 * The digests below are of that version. A kernel that sums in another order changes them, and that is fine: copy the new ones from the
 * failure. A machine, host or build that changes them breaks the promise.
 */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { ConvOptions } from '../src/index.ts';
import { fractions, operands, problem } from './cases.ts';
import { testEngine } from './engines.ts';

const engine = testEngine({ relaxedSimd: false });

it.each<[name: string, digest: string, options: ConvOptions]>([
  ['ic64ih14oc24kh3ph1', '14961ed22dd1aae3', { activation: 'relu' }],
  ['ic64ih14oc24kh3ph1', '454c0ddb54effd98', { inputLayout: 'nhwc', activation: 'relu' }],
  ['ic3ih21oc17kh5sh2ph2', 'aec691374b9cdc18', { activation: 'sigmoid' }],
  ['ic3ih21oc17kh5sh2ph2', '5ca5167b547f161c', { inputLayout: 'nhwc', activation: 'tanh' }],
  ['mb3ic40ih7oc33kh1', 'a94ddcb030663cdb', { activation: 'silu', shuffle: 3 }],
  ['mb3ic40ih7oc33kh1', 'e844f80abac487e2', { inputLayout: 'nhwc', activation: { elu: 0.5 } }],
  ['g4ic20ih9oc12kh3dh2ph2', '3113474c9630f56a', { paddingMode: 'reflect' }],
  ['g20ic20ih15oc40kh3ph1', '83e021f744cc6307', { activation: 'hardSwish' }],
  ['g20ic20ih15oc40kh3ph1', '7db3b8dc18571300', { inputLayout: 'nhwc', activation: { leakyRelu: 0.3 } }],
  ['g20ic20ih15oc20kh7ph3sh2', 'e7776270996b58e2', { algorithm: 'direct' }],
  ['g5ic20ih15oc20kh3ph1sh2', '774027311759c305', { activation: 'relu' }],
  ['g5ic20ih15oc20kh3ph1', '3f549b73de85f30e', { inputLayout: 'nhwc', activation: 'silu' }],
])('%s %s %j', (name, digest, options) => {
  const p = problem(name);
  const made = operands(p, { ...options, bias: fractions(p.oc, 3) }, fractions);
  const { data } = engine.conv2d(made.input, made.weight, made.options);
  // Little-endian bytes, as WebAssembly keeps them, on any machine.
  const bytes = new DataView(new ArrayBuffer(data.length * 4));
  for (const [i, value] of data.entries()) bytes.setFloat32(i * 4, value, true);
  expect(createHash('sha256').update(bytes).digest('hex').slice(0, 16)).toBe(digest);
});
