/** Random calls of every operation against the plain loops, as many as one has time for. `--help` says how. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { progressBar } from '../bench/progress.ts';
import { createEngine, createEngineSync } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { anyCall } from '../test/any-call.arbitrary.ts';
import { type AnyCall, difference, type Op } from '../test/any-call.ts';
import { anyHostileCall, hostileSubjects } from '../test/any-hostile.arbitrary.ts';
import { type HostileCall, Hostility } from '../test/any-hostile.ts';

const help = `Usage: npm run fuzz -- [options]

Computes random calls of every operation, over its whole option space, and compares each result bit for bit with wasm-conv/reference,
each refusal word for word. Integers, so that sums are exact in any order.

With --hostile, calls of every public function with values that nobody should give: wrong types, sizes that are negative, fractions or beyond
memory, getters that throw or change, proxies, buffers that are detached or resized. Each is refused in the form of the library's errors, or its result
is right; after each a right call gives the right bits, and nothing is kept in the memory.

  --cases <n>      how many calls, shared out evenly among the operations (default 10000)
  --seed <n>       of the random numbers (default: another one each time; it is printed)
  --op <name>      only this operation, or with --hostile this function
  --hostile        values that nobody should give
  --debug          on the debug binary, whose assertions are on
  --threads <n>    of the engine, without --hostile and --debug (default 1)
  --case <json>    only this call, as it is printed when it fails
  --json           one JSON object on standard output
  --help           this text

Progress goes to standard error. Exit code: 0, 1 when a call came out wrong, 2 for a wrong option.
`;

/** Calls of one operation at a turn. */
const TURN = 50;

class UsageError extends Error {}

interface Failure {
  readonly subject: string;
  /** As plain data, which `--case` takes. */
  readonly call: unknown;
  readonly what: string;
}

/** What is called, and how one looks at a call. */
interface Subject {
  readonly name: string;
  readonly calls: fc.Arbitrary<unknown>;
}

/** @returns what is wrong with a call, or undefined */
type Judge = (call: unknown) => string | undefined;

const operations: readonly Subject[] = (Object.keys(reference) as Op[]).map((name) => ({ name, calls: anyCall(name) }));
const functions: readonly Subject[] = hostileSubjects.map((name) => ({ name, calls: anyHostileCall(name) }));

function readOptions() {
  try {
    return parseArgs({
      options: {
        cases: { type: 'string', default: '10000' },
        seed: { type: 'string' },
        op: { type: 'string' },
        case: { type: 'string' },
        hostile: { type: 'boolean', default: false },
        debug: { type: 'boolean', default: false },
        threads: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause));
  }
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > 2 ** 31 - 1)
    throw new UsageError(`--${name} must be a whole number from ${least} to 2^31 − 1, got '${text}'`);
  return value;
}

function chosen(subjects: readonly Subject[], name: string | undefined): readonly Subject[] {
  if (name === undefined) return subjects;
  const found = subjects.filter((subject) => subject.name === name);
  if (found.length === 0) throw new UsageError(`--op must be one of ${subjects.map((subject) => subject.name).join(', ')}, got '${name}'`);
  return found;
}

function readCall(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new UsageError(`--case is not JSON: ${(cause as Error).message}`);
  }
}

async function judgeOf(hostile: boolean, debug: boolean, threads: number): Promise<Judge> {
  if (threads > 1 && (hostile || debug)) throw new UsageError('--threads goes neither with --hostile nor with --debug');
  if (hostile) {
    const hostility = new Hostility(debug);
    return (call) => hostility.fault(call as HostileCall);
  }
  if (threads > 1) {
    const engine = await createEngine({ threads });
    if (engine.info.threads !== threads) throw new Error(engine.info.threadsReason);
    return (call) => difference(engine, call as AnyCall);
  }
  const engine = createEngineSync(debug ? { wasm: readFileSync(new URL('../build/kernels-debug.wasm', import.meta.url)) } : {});
  return (call) => difference(engine, call as AnyCall);
}

/** One turn. @returns the smallest call that comes out wrong, or undefined */
function turn(judge: Judge, { name, calls }: Subject, count: number, seed: number): Failure | undefined {
  const details = fc.check(
    fc.property(calls, (call) => {
      const what = judge(call);
      if (what !== undefined) throw new Error(what);
    }),
    { seed, numRuns: count, skipEqualValues: false },
  );
  if (!details.failed) return undefined;
  const [call] = details.counterexample as [unknown];
  return { subject: name, call, what: judge(call) ?? 'came out right when it was repeated' };
}

interface Outcome {
  readonly seed: number;
  readonly cases: number;
  readonly failures: readonly Failure[];
}

/** Goes on after a failure with the other subjects: each is worth a look. */
function fuzz(judge: Judge, subjects: readonly Subject[], cases: number, seed: number): Outcome {
  const share = Math.ceil(cases / subjects.length);
  const rounds = Math.ceil(share / TURN);
  const turns = rounds * subjects.length;
  const bar = progressBar(process.stderr, turns);
  // A file needs no line for each turn.
  const every = process.stderr.isTTY ? 1 : Math.ceil(turns / 20);
  const failures: Failure[] = [];
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) {
      const step = round * subjects.length + i;
      if (step % every === 0) bar.show(step, `${done} calls, ${failures.length} wrong, ${subject.name}`);
      if (failures.some((failure) => failure.subject === subject.name)) continue;
      const calls = Math.min(TURN, share - round * TURN);
      const failure = turn(judge, subject, calls, (seed + step) | 0);
      if (failure) failures.push(failure);
      done += calls;
    }
  }
  bar.clear();
  return { seed, cases: done, failures };
}

interface Mode {
  readonly hostile: boolean;
  readonly debug: boolean;
  readonly threads: string;
}

function replayLine({ call }: Failure, { hostile, debug, threads }: Mode): string {
  const mode = `${hostile ? ' --hostile' : ''}${debug ? ' --debug' : ''}${threads === '1' ? '' : ` --threads ${threads}`}`;
  return `npm run fuzz --${mode} --case '${JSON.stringify(call)}'`;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const cases = wholeNumber('cases', options.cases, 1);
  const seed = options.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', options.seed, 0);
  const subjects = chosen(options.hostile ? functions : operations, options.op);
  const call = options.case === undefined ? undefined : readCall(options.case);
  const threads = wholeNumber('threads', options.threads, 1);
  const judge = await judgeOf(options.hostile, options.debug, threads);
  if (call !== undefined) {
    const what = judge(call);
    process.stdout.write(options.json ? `${JSON.stringify({ call, what })}\n` : `${what ?? 'right'}\n`);
    return what === undefined ? 0 : 1;
  }
  process.stderr.write(`seed ${seed}\n`);
  const start = performance.now();
  const outcome = fuzz(judge, subjects, cases, seed);
  const seconds = (performance.now() - start) / 1000;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...outcome, seconds })}\n`);
  } else {
    for (const failure of outcome.failures)
      process.stdout.write(`${failure.subject}: ${failure.what}\n  ${replayLine(failure, options)}\n`);
    const wrong = outcome.failures.length;
    process.stdout.write(
      `${outcome.cases} calls of ${subjects.length} ${options.hostile ? 'functions' : 'operations'}, ${wrong} wrong, seed ${seed}, ${seconds.toFixed(0)} s\n`,
    );
  }
  return outcome.failures.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`fuzz: ${error.message}\n`);
  process.exitCode = 2;
}
