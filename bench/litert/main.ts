/** The command: our engine and LiteRT.js on the same layers, in turns, in Chromium. `--help` says how. */
import { dirname, join } from 'node:path';
import { commandLine } from '../../cli/command-line.ts';
import { failure, readArgs, say, UsageError, wholeNumber } from '../../cli/usage.ts';
import { workOf } from '../../cli/work.ts';
import { howToInstall, usualChromium } from '../chromium.ts';
import { settlingTime, turnsOf } from '../contest.ts';
import { engineLine, machineLine, thisMachine } from '../machine.ts';
import { requirePeer, resolvePeer } from '../peer.ts';
import { progressBar } from '../progress.ts';
import { type LayerReport, oursWrong, overall, type Report } from '../report.ts';
import { setNames } from '../sets.ts';
import { layerText, markdown, overallText, remarks } from '../tables.ts';
import { inChromium } from './browser.ts';
import type { PageBench } from './page.ts';
import { servePage } from './server.ts';

const help = `Usage: npm run bench:litert -- [set or file …] [options]

Times convolutions in Chromium: engine tensors of ours in both layouts against LiteRT.js (@litertjs/core), in turns, next to the 128-bit
multiply + add ceiling of the core, measured in the same rounds. Layers with a stride pad as TensorFlow does, for all of them.

  set or file          ${setNames.join(', ')}, or a path (default core)
  --layers <text>      only layers whose name or words hold the text
  --threads <n>        of both (default 1)
  --time <ms>          how long each contestant is timed on a layer, about, in all (default 300); a call that takes longer is made 15 times
  --browser <path>     default ${usualChromium}
  --json               one JSON object on standard output
  --markdown           the tables of bench/README.md on standard output
  --help               this text

It needs (cd bench && npm ci), and on Debian ${howToInstall}.

Everything but the figures goes to standard error. Exit code: 0, 1 when something failed or a result of ours was wrong, 2 for a wrong option.
`;

const liteRt = '@litertjs/core';

/** Milliseconds: 200 ticks of the clock of an isolated page. */
const sample = 1;

function readOptions() {
  return readArgs({
    allowPositionals: true,
    options: {
      layers: { type: 'string', default: '' },
      threads: { type: 'string', default: '1' },
      time: { type: 'string', default: '300' },
      browser: { type: 'string', default: usualChromium },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
}

/** The page in a browser, as it is called from here. All is closed when the work is done, or has failed. */
async function withPage<R>(browser: string, work: (bench: PageBench, version: string) => Promise<R>): Promise<R> {
  const binaries = join(dirname(resolvePeer(liteRt)), '../wasm');
  // Only now: help and wrong options need no bundler.
  const { bundlePage } = await import('./bundle.ts');
  const server = await servePage(await bundlePage(), binaries);
  try {
    return await inChromium(browser, { url: server.url, ready: 'globalThis.pageBench !== undefined' }, (page, version) => {
      const bench: PageBench = {
        start: (threads) => page.evaluate((count) => globalThis.pageBench.start(count), threads),
        measure: (...args) => page.evaluate((all) => globalThis.pageBench.measure(...all), args),
      };
      return work(bench, version);
    });
  } finally {
    server.close();
  }
}

async function main(): Promise<number> {
  const { values, positionals } = readOptions();
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.json && values.markdown) throw new UsageError('--json and --markdown exclude each other');
  const [threads, time] = [wholeNumber('threads', values.threads), wholeNumber('time', values.time)];
  const work = workOf(positionals.length > 0 ? positionals : ['core'], values.layers);
  const { rounds, turn } = turnsOf(time);
  const quiet = values.json || values.markdown;
  const command = commandLine(process.argv.slice(2), 'npm run --silent bench:litert --');

  const report = await withPage(values.browser, async (page, browser): Promise<Report> => {
    const machine = { ...thisMachine(), browser };
    const { version } = requirePeer(`${liteRt}/package.json`) as { version: string };
    const engine = await page.start(threads);
    const ours = { version: engine.version, simd: engine.simd, threads: engine.threads };
    const theirs = `${version} (relaxed, ${threads === 1 ? 'one thread' : `${threads} threads`})`;
    say(machineLine(machine));
    say(`${engineLine(engine)}; ${liteRt} ${theirs}`);
    const bar = progressBar(process.stderr, work.length);
    const layers: LayerReport[] = [];
    for (const { set, shape } of work) {
      bar.show(layers.length, `${set}: ${shape.name}`);
      const layer = await page.measure(set, shape, { rounds, turn, warmup: settlingTime, sample });
      layers.push(layer);
      bar.clear();
      if (!quiet) process.stdout.write(`${layerText(layer)}\n\n`);
      for (const remark of remarks(layer)) say(remark);
    }
    return { machine, engine: ours, peers: { [liteRt]: theirs }, rounds, turn, layers, command };
  });

  const all = overall(report.layers);
  if (values.json) process.stdout.write(`${JSON.stringify({ ...report, overall: all })}\n`);
  else if (values.markdown) process.stdout.write(`${markdown(report, command)}\n`);
  else process.stdout.write(`${overallText(all)}\n`);
  return report.layers.some(oursWrong) ? 1 : 0;
}

process.exitCode = await main().catch((error) => failure(error, help));
