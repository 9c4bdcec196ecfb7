/** The command: the build for relaxed SIMD against the plain one. `--help` says how. */
import { CommandError, failure } from '../cli/usage.ts';
import { createEngine } from '../src/index.ts';
import { compareEngines, sharedHelp, sharedOptionsHelp } from './two-engines.ts';

const help = `Usage: npm run bench:builds -- [set or file …] [options]

Times each layer, prepared, by the build for plain SIMD and by the one for relaxed SIMD, in turns: on engine tensors, and from arrays to a fresh array.
It needs a host with relaxed SIMD: Node 22 or later, or Node 20 with --experimental-wasm-relaxed-simd.

${sharedHelp} (default core)
${sharedOptionsHelp}`;

const command = compareEngines({
  help,
  sets: ['core'],
  open: async () => {
    const [plain, relaxed] = [await createEngine({ relaxedSimd: false }), await createEngine({ relaxedSimd: true })];
    if (relaxed.info.simd !== 'relaxed') throw new CommandError(`Node ${process.versions.node} has no relaxed SIMD`);
    return [plain, relaxed];
  },
  title: () => 'relaxed',
});

process.exitCode = await command.catch((error) => failure(error, help));
