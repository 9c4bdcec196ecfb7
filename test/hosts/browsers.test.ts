/** Pages and module workers without a bundler, by an import map or by path, isolated or not, and under a strict policy. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { isolating } from '../../bench/local-server.ts';
import type { EngineInfo } from '../../src/index.ts';
import { expectDigits } from './answers.ts';
import { type Browser, openChromium, openFirefox, openWebkit } from './browsers.ts';
import { describeHosts } from './describe-hosts.ts';
import { chromium, firefox, type Host, webkit } from './hosts.ts';
import { pageOf, strictPolicy, visit } from './visit.ts';

const importMap = '<script type="importmap">{ "imports": { "wasm-conv": "/node_modules/wasm-conv/dist/index.js" } }</script>';

/** Import maps do not reach into workers, and are scripts that this policy forbids. */
const pages = [
  ['a page with an import map', pageOf('/app/page.js', importMap)],
  ['a module worker', pageOf('/by-path/page-of-worker.js')],
] as const;

const notIsolated = 'this page is not cross-origin isolated';

interface Kind {
  readonly title?: string;
  readonly open: () => Promise<Browser>;
  readonly simd?: EngineInfo['simd'];
  /** Why there are no threads where a page is isolated. */
  readonly whyAlone?: string;
  /** … and where it is not. */
  readonly whyAloneOutside?: string;
}

function testIn(host: Host, { open, simd, whyAlone, whyAloneOutside }: Kind): void {
  describeHosts([host], () => {
    const folder = inject('userProject');
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await open();
    });
    afterAll(() => browser?.close());

    it.each(pages)('reads digits in %s, isolated', async (_, html) => {
      const answers = await visit(browser!, { folder, html, headers: isolating });
      expect(answers.isolated).toBe(true);
      expectDigits(answers, { simd, whyAlone });
    });

    it.each(pages)('reads digits in %s, not isolated', async (_, html) => {
      const answers = await visit(browser!, { folder, html });
      expect(answers.isolated).toBe(false);
      expectDigits(answers, { simd, whyAlone: whyAloneOutside });
    });

    it.each(['page.js', 'page-of-worker.js'])('reads digits under a strict policy, %s', async (file) => {
      const html = pageOf(`/by-path/${file}`);
      expectDigits(await visit(browser!, { folder, html, headers: { ...isolating, ...strictPolicy } }), { simd, whyAlone });
    });

    it('compiles nothing under a stricter one', async () => {
      const headers = { 'content-security-policy': "script-src 'self'" };
      const refused = /script-src forbids wasm-eval|this host refuses to (compile|run) the binary here/;
      await expect(visit(browser!, { folder, html: pageOf('/by-path/page.js'), headers })).rejects.toThrow(refused);
    });
  });
}

testIn(chromium, { open: openChromium, simd: 'relaxed', whyAloneOutside: notIsolated });
// From version 146 on it has relaxed SIMD: Debian's may be older.
testIn(firefox, { open: openFirefox, whyAloneOutside: notIsolated });
testIn(webkit, {
  open: () => openWebkit({}),
  simd: 'simd128',
  whyAlone: 'this host has no SharedArrayBuffer',
  whyAloneOutside: notIsolated,
});
// Its switch gives every page shared memory.
testIn(
  { ...webkit, name: `${webkit.name} with shared memory` },
  { open: () => openWebkit({ JSC_useSharedArrayBuffer: '1' }), simd: 'simd128' },
);
