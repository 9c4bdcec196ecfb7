/** The command: results of the benchmark → report.html and charts. `--help` says how. */
import { failure, readArgs, UsageError } from '../../cli/usage.ts';
import { type File, measureNode, roofOf, writeFiles } from './make.ts';
import { type Run, reportPage } from './page.ts';
import { readResults } from './results.ts';

const help = `Usage: node --import tsx bench/page/main.ts [options] [-- options of wasm-conv bench]

Writes report.html, one file without scripts, and its charts as SVG files in charts/: bars per layer, rooflines, and growth with image
size for a set whose layers differ in nothing else (sizes).

  --from <file>        results of \`npm run --silent bench -- … --json\`; as often as there are files. Without it the benchmark is run,
                       with what follows --, and its results are kept in results.json beside the page: --from takes them too
  --out <folder>       where all of this goes (default bench)
  --bandwidth <GB/s>   of the memory, both directions together; without it what the results say, or else it is measured where machine and
                       Node are those of the results
  --help               this text

  npm run bench:report -- -- core sizes --peers

Progress goes to standard error, the names of the files to standard output. Exit code: 0, 1 when something failed or a result of ours was
wrong, 2 for a wrong option.
`;

function readOptions() {
  const { values, tokens } = readArgs({
    allowPositionals: true,
    tokens: true,
    options: {
      from: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'bench' },
      bandwidth: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? Number.POSITIVE_INFINITY;
  const rest: string[] = [];
  for (const token of tokens) {
    if (token.kind !== 'positional') continue;
    if (token.index < end)
      throw new UsageError(`'${token.value}' is no option; results are given as --from ${token.value}, options of the benchmark after --`);
    rest.push(token.value);
  }
  if (values.from.length > 0 && end < Number.POSITIVE_INFINITY)
    throw new UsageError('--from reads results, options after -- make new ones: give one of them');
  const bandwidth = values.bandwidth === undefined ? undefined : Number(values.bandwidth);
  if (bandwidth !== undefined && !(bandwidth > 0 && Number.isFinite(bandwidth)))
    throw new UsageError(`--bandwidth must be a number above 0, got '${values.bandwidth}'`);
  return { help: values.help, from: values.from, out: values.out, bandwidth, rest };
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const { from, out, bandwidth, rest } = options;
  const files: File[] = [];
  const runs: Run[] = [];
  let exitCode = 0;
  if (from.length > 0) {
    for (const results of from.map(readResults)) runs.push({ results, roof: await roofOf(results, bandwidth) });
  } else {
    const [results, code] = await measureNode(rest, bandwidth === undefined);
    runs.push({ results, roof: await roofOf(results, bandwidth) });
    files.push({ name: 'results.json', content: `${JSON.stringify(results)}\n` });
    exitCode = code;
  }
  const { html, charts } = reportPage(runs);
  files.push({ name: 'report.html', content: html }, ...charts.map(({ file, svg }) => ({ name: `charts/${file}`, content: svg })));
  for (const path of writeFiles(out, files)) process.stdout.write(`${path}\n`);
  return exitCode;
}

process.exitCode = await main().catch((error) => failure(error, help));
