/** The command: how large the package is, and how soon there is a first result, beside others. `--help` says how. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine } from '../../cli/command-line.ts';
import { failure, readArgs, say, UsageError, wholeNumber } from '../../cli/usage.ts';
import { isTooLarge, ourSizes } from '../../scripts/sizes.ts';
import { usualChromium } from '../chromium.ts';
import { thisMachine } from '../machine.ts';
import { type ProgressBar, progressBar } from '../progress.ts';
import { measureChromium } from './chromium.ts';
import { measureNode } from './node.ts';
import { peerPages } from './peer-pages.ts';
import { peerPrograms } from './programs.ts';
import { type StartReport, startMarkdown, startText, withStart } from './report.ts';
import { measureWorkerd, noWorkerd } from './workerd.ts';

const help = `Usage: npm run bench:start -- [options]

Measures how much a page ships that computes a convolution, by gzip -9, and how soon there is a first result: in fresh processes of Node, by their
own clocks, in turns with one that does nothing; in fresh browsers, a page each; and in workerd, the CPU time of the first request in a fresh
isolate, over one that is answered without computing. Beside TensorFlow.js, ONNX Runtime Web, and in size LiteRT.js. All of ours is the built
package, dist/.

  --rounds <n>      of each, medians are told (default 20)
  --node <path>     another Node beside the one that runs this; as often as there are some
  --browser <path>  default ${usualChromium}
  --from <file>     a report of --json instead of measuring
  --json            one JSON object on standard output
  --markdown        the part of README.md on standard output
  --readme          writes that part into README.md
  --folder <path>   where README.md is (default .)
  --help            this text

It needs (cd bench && npm ci). Chromium is left out where there is none, workerd where test/runtimes/ is not installed. Leave the machine alone
meanwhile.

Progress goes to standard error. Exit code: 0, 1 when something failed or a size is above its limit, 2 for a wrong option.
`;

function readOptions() {
  const { values } = readArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      node: { type: 'string', multiple: true, default: [] },
      browser: { type: 'string', default: usualChromium },
      from: { type: 'string' },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      readme: { type: 'boolean', default: false },
      folder: { type: 'string', default: '.' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.json && values.markdown) throw new UsageError('--json and --markdown exclude each other');
  return { ...values, rounds: wholeNumber('rounds', values.rounds), node: [process.execPath, ...values.node] };
}
type Options = ReturnType<typeof readOptions>;

interface Manifest {
  readonly version: string;
  readonly dependencies?: object;
}

async function measure({ rounds, node, browser }: Options): Promise<StartReport> {
  const hasBrowser = existsSync(browser);
  if (!hasBrowser) say(`Chromium is left out: there is none at ${browser}`);
  const withoutWorkerd = noWorkerd();
  if (withoutWorkerd !== undefined) say(`workerd is left out: ${withoutWorkerd}`);
  const { version, dependencies = {} } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest;
  const [sizes, peers, programs] = [await ourSizes(), await peerPages(), peerPrograms()];
  const steps = node.length + (hasBrowser ? 1 : 0) + (withoutWorkerd === undefined ? 1 : 0);
  const bar: ProgressBar = progressBar(process.stderr, steps * rounds);
  let step = 0;
  const rounding = (what: string) => {
    const first = rounds * step++;
    return (done: number): void => bar.show(first + done, what);
  };
  try {
    return {
      machine: thisMachine(),
      command: commandLine(process.argv.slice(2), 'npm run --silent bench:start --').replace(/ --$/, ''),
      version,
      rounds,
      sizes,
      dependencies: Object.keys(dependencies).length,
      peers,
      node: node.map((path) => measureNode(path, programs, rounds, rounding(`Node, ${path}`))),
      ...(hasBrowser ? { chromium: await measureChromium(browser, rounds, rounding('Chromium')) } : {}),
      ...(withoutWorkerd === undefined ? { workerd: await measureWorkerd(rounds, rounding('workerd')) } : {}),
    };
  } finally {
    bar.clear();
  }
}

/** @throws UsageError for a file that is no report */
function kept(file: string): StartReport {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as StartReport;
    if (!Array.isArray(report.sizes) || !Array.isArray(report.node)) throw new Error('it has no sizes, or no times of Node');
    return report;
  } catch (cause) {
    throw new UsageError(`--from: '${file}' is no report of bench:start: ${(cause as Error).message}`);
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const readme = join(options.folder, 'README.md');
  if (options.readme) {
    // Before minutes of measuring, not after them.
    if (!existsSync(readme)) throw new UsageError(`no README.md in '${options.folder}'`);
    withStart(readFileSync(readme, 'utf8'), '');
  }
  const report = options.from === undefined ? await measure(options) : kept(options.from);
  if (options.readme) writeFileSync(readme, withStart(readFileSync(readme, 'utf8'), startMarkdown(report)));
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(`${options.markdown ? startMarkdown(report) : startText(report)}\n`);
  return report.sizes.some(isTooLarge) ? 1 : 0;
}

process.exitCode = await main().catch((error) => failure(error, help));
