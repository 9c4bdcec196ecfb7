/** src/worker.ts → its text in src/worker-source.ts, for hosts that do not find dist/worker.js. Run from the package's folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'tsdown';

await build({
  config: false,
  entry: { worker: 'src/worker.ts' },
  outDir: 'build',
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  dts: false,
  minify: true,
  clean: false,
  logLevel: 'warn',
});
const text = readFileSync('build/worker.js', 'utf8');
writeFileSync(
  'src/worker-source.ts',
  `/** Made by scripts/build-worker.ts from worker.ts; not to be edited. */
export const workerSource: string = ${JSON.stringify(text)};
`,
);
