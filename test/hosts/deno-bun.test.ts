/** The other hosts with a console. */
import { it } from 'vitest';
import { expectDigits } from './answers.ts';
import { describeHosts } from './describe-hosts.ts';
import { bun, deno } from './hosts.ts';
import { runApp } from './on-console.ts';

describeHosts([deno], () => {
  it('reads digits', () => {
    expectDigits(runApp(deno.program, ['run', '-A', 'app/console.js'], { DENO_NO_UPDATE_CHECK: '1' }), { simd: 'relaxed' });
  });
  it('reads digits without any permission', () => {
    expectDigits(runApp(deno.program, ['run', '--no-prompt', 'app/console.js'], { DENO_NO_UPDATE_CHECK: '1' }), { simd: 'relaxed' });
  });
});

describeHosts([bun], () => {
  it.each(['console.js', 'required.cjs'])('reads digits, %s', (file) => {
    expectDigits(runApp(bun.program, [`app/${file}`]), { simd: 'relaxed' });
  });
});
