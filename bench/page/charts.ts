/** The command: everything that README.md shows of the speed, measured and drawn anew. `--help` says how. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, readArgs, UsageError, wholeNumber } from '../../cli/usage.ts';
import { type File, measureChromium, measureNode, roofOf, writeFiles } from './make.ts';
import { type Run, reportPage } from './page.ts';
import { checkTables, pickCharts, readmeBlock, readmeFolder, withBlock, withTables } from './readme.ts';
import { type Results, readResults } from './results.ts';

const help = `Usage: npm run bench:charts -- [options]

Measures core in Chromium with LiteRT.js, then core and sizes in Node with all peers; writes what bench:report does, report.html and charts/, into
bench/, the three charts of README.md into ${readmeFolder}/, the part of README.md that shows them, and the tables of bench/README.md. Its results
are kept in bench/results-node.json and bench/results-chromium.json.

  --time <ms>      how long each contestant is timed on a layer, about, in all (default 120)
  --from <file>    draws such results again instead; as often as there are files
  --folder <path>  of the package (default .)
  --help           this text

It needs (cd bench && npm ci), and Chromium: npm run bench:litert says how to install it. Leave the machine alone meanwhile.

Progress goes to standard error, the names of the files to standard output. Exit code: 0, 1 when something failed or a result of ours was
wrong, 2 for a wrong option.
`;

function readOptions() {
  const { values, positionals } = readArgs({
    allowPositionals: true,
    options: {
      time: { type: 'string', default: '120' },
      from: { type: 'string', multiple: true, default: [] },
      folder: { type: 'string', default: '.' },
      help: { type: 'boolean', default: false },
    },
  });
  if (positionals[0] !== undefined) throw new UsageError(`'${positionals[0]}' is no option`);
  return { ...values, time: wholeNumber('time', values.time) };
}

interface Measured {
  readonly results: readonly Results[];
  readonly files: readonly File[];
  readonly exitCode: number;
}

async function measure(time: number): Promise<Measured> {
  const more = ['--time', String(time)];
  // The shorter one first: where there is no browser, one knows it before ten minutes have passed.
  const [chromium, chromiumCode] = await measureChromium(['core', ...more]);
  const [node, nodeCode] = await measureNode(['core', 'sizes', '--peers', ...more], true);
  return {
    results: [node, chromium],
    files: [
      { name: 'bench/results-node.json', content: `${JSON.stringify(node)}\n` },
      { name: 'bench/results-chromium.json', content: `${JSON.stringify(chromium)}\n` },
    ],
    exitCode: nodeCode || chromiumCode,
  };
}

async function main(): Promise<number> {
  const { help: wanted, from, folder, time } = readOptions();
  if (wanted) {
    process.stdout.write(help);
    return 0;
  }
  // Before minutes of measuring, not after them.
  const text = (name: string): string => {
    const path = join(folder, name);
    if (!existsSync(path)) throw new UsageError(`no ${name} in '${folder}'`);
    return readFileSync(path, 'utf8');
  };
  const [readme, tables] = ['README.md', 'bench/README.md'] as const;
  withBlock(text(readme), '');
  checkTables(text(tables));
  const measured: Measured = from.length > 0 ? { results: from.map(readResults), files: [], exitCode: 0 } : await measure(time);
  const runs: Run[] = [];
  for (const results of measured.results) runs.push({ results, roof: await roofOf(results, undefined) });
  const page = reportPage(runs);
  const shown = pickCharts(page);
  const files: File[] = [
    ...measured.files,
    { name: 'bench/report.html', content: page.html },
    ...page.charts.map(({ file, svg }) => ({ name: `bench/charts/${file}`, content: svg })),
    ...shown.map(({ file, svg }) => ({ name: `${readmeFolder}/${file}`, content: svg })),
    { name: readme, content: withBlock(text(readme), readmeBlock(shown, measured.results)) },
    { name: tables, content: withTables(text(tables), measured.results) },
  ];
  for (const path of writeFiles(folder, files)) process.stdout.write(`${path}\n`);
  return measured.exitCode;
}

process.exitCode = await main().catch((error) => failure(error, help));
