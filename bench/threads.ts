/** The command: several threads against one. `--help` says how. */
import { failure, wholeNumber } from '../cli/usage.ts';
import { createEngine } from '../src/index.ts';
import { compareEngines, sharedHelp, sharedOptionsHelp } from './two-engines.ts';

const help = `Usage: npm run bench:threads -- [set or file …] [options]

Times each layer, prepared, on one thread and on several, in turns: on engine tensors, and from arrays to a fresh array.

${sharedHelp} (default resnet50)
  --threads <n|auto>   of the other engine, the calling one included (default auto)
${sharedOptionsHelp}`;

const command = compareEngines({
  help,
  sets: ['resnet50'],
  own: { name: 'threads', default: 'auto' },
  open: async (text) => {
    const threads = text === 'auto' ? text : wholeNumber('threads', text);
    return [await createEngine(), await createEngine({ threads })];
  },
  title: ({ info }) => `${info.threads} threads`,
});

process.exitCode = await command.catch((error) => failure(error, help));
