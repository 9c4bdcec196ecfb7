/** Node from the oldest version that is promised, by `import` and by `require`. */
import { it } from 'vitest';
import { expectDigits } from './answers.ts';
import { describeHosts } from './describe-hosts.ts';
import { otherNodes, thisNode } from './hosts.ts';
import { runApp } from './on-console.ts';

/** Node 20 knows relaxed SIMD behind a flag, later versions without. */
const simdOf = (name: string) => (name.startsWith('Node 20') ? 'simd128' : 'relaxed');

for (const node of [thisNode, ...otherNodes]) {
  describeHosts([node], () => {
    it('reads digits, imported', () => {
      expectDigits(runApp(node.program, ['app/console.js']), { simd: simdOf(node.name) });
    });
    // From 20.19 on.
    it.skipIf(node === thisNode && !process.features.require_module)('reads digits, required', () => {
      expectDigits(runApp(node.program, ['app/required.cjs']), { simd: simdOf(node.name) });
    });
  });
}

const oldest = otherNodes[0] as (typeof otherNodes)[number];
describeHosts([oldest], () => {
  it('reads digits by the flag for relaxed SIMD', () => {
    expectDigits(runApp(oldest.program, ['--experimental-wasm-relaxed-simd', 'app/console.js']), { simd: 'relaxed' });
  });
});
