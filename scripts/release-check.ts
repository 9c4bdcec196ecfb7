/** The command: whether this commit can be published. `--help` says what that takes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failure, readArgs, UsageError } from '../cli/usage.ts';
import { type Outcome, type Step, steps } from './release/steps.ts';

const help = `Usage: npm run release:check -- [options]

Whether this commit can be published, one step per line:

  commit     nothing in this folder waits to be committed
  build      dist/ is made anew
  check      types, lint, format
  tests      all of them, and no host may be missing (REQUIRE_HOSTS=1)
  pack       the tarball, as npm would publish it
  sizes      of what users load, each with its limit
  start      how soon there is a first result, shown and not judged: npm run bench:start, which needs (cd bench && npm ci)
  publint    has nothing to say of the package
  attw       its types resolve (@arethetypeswrong/cli)
  licences   of the packages that are bundled into dist/ allow it, and are named there
  changelog  CHANGELOG.md has a dated entry for the version in package.json
  version    is in package.json alone

  --only <step>   only this step, and 'pack' where it looks at the tarball; as often as there are some. dist/ is taken as it is, without 'build' among them
  --help          this text

Exit code: 0, 1 when a step failed, 2 for a wrong option.
`;

/** What looks at the tarball. */
const ofTarball: readonly string[] = ['publint', 'attw'];

function chosen(only: readonly string[]): readonly Step[] {
  const unknown = only.find((name) => !steps.some((step) => step.name === name));
  if (unknown !== undefined) throw new UsageError(`--only must be one of ${steps.map(({ name }) => name).join(', ')}, got '${unknown}'`);
  if (only.length === 0) return steps;
  const needed = only.some((name) => ofTarball.includes(name)) ? [...only, 'pack'] : only;
  return steps.filter(({ name }) => needed.includes(name));
}

function tell({ name }: Step, { faults, said, shown }: Outcome): void {
  process.stdout.write(`${faults.length === 0 ? '✓' : '✗'} ${name}${said === undefined ? '' : `: ${said}`}\n`);
  if (shown !== undefined) process.stdout.write(`${shown}\n`);
  for (const fault of faults) process.stdout.write(`${fault.replace(/^/gm, '  ')}\n`);
}

async function main(): Promise<number> {
  const { values } = readArgs({
    options: { only: { type: 'string', multiple: true, default: [] }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'wasm-conv-release-'));
  let failed = 0;
  try {
    for (const step of chosen(values.only)) {
      const outcome = await step.run(folder).catch((error): Outcome => ({ faults: [String(error)] }));
      tell(step, outcome);
      if (outcome.faults.length === 0) continue;
      failed++;
      if (step.first) break;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main().catch((error) => failure(error, help));
