/** Random calls of every operation against the plain loops, as many as one has time for. `--help` says how. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { progressBar } from '../bench/progress.ts';
import { createEngineSync, type Engine } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { anyCall } from '../test/any-call.arbitrary.ts';
import { type AnyCall, difference, type Op } from '../test/any-call.ts';

const help = `Usage: npm run fuzz -- [options]

Computes random calls of every operation, over its whole option space, and compares each result bit for bit with wasm-conv/reference,
each refusal word for word. Integers, so that sums are exact in any order.

  --cases <n>      how many calls, shared out evenly among the operations (default 10000)
  --seed <n>       of the random numbers (default: another one each time; it is printed)
  --op <name>      only this operation
  --debug          on the debug binary, whose assertions are on
  --case <json>    only this call, as it is printed when it fails
  --json           one JSON object on standard output
  --help           this text

Progress goes to standard error. Exit code: 0, 1 when a call came out wrong, 2 for a wrong option.
`;

/** Calls of one operation at a turn. */
const TURN = 50;

class UsageError extends Error {}

interface Failure {
  readonly call: AnyCall;
  readonly what: string;
}

const operations = Object.keys(reference) as Op[];

function readOptions() {
  try {
    return parseArgs({
      options: {
        cases: { type: 'string', default: '10000' },
        seed: { type: 'string' },
        op: { type: 'string' },
        case: { type: 'string' },
        debug: { type: 'boolean', default: false },
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

function chosen(name: string | undefined): readonly Op[] {
  if (name === undefined) return operations;
  const found = operations.find((op) => op === name);
  if (found === undefined) throw new UsageError(`--op must be one of ${operations.join(', ')}, got '${name}'`);
  return [found];
}

function readCall(text: string): AnyCall {
  try {
    return JSON.parse(text) as AnyCall;
  } catch (cause) {
    throw new UsageError(`--case is not JSON: ${(cause as Error).message}`);
  }
}

/** One turn. @returns the smallest call that comes out wrong, or undefined */
function turn(engine: Engine, op: Op, calls: number, seed: number): Failure | undefined {
  const details = fc.check(
    fc.property(anyCall(op), (call) => {
      const what = difference(engine, call);
      if (what !== undefined) throw new Error(what);
    }),
    { seed, numRuns: calls, skipEqualValues: false },
  );
  if (!details.failed) return undefined;
  const [call] = details.counterexample as [AnyCall];
  return { call, what: difference(engine, call) ?? 'came out right when it was repeated' };
}

interface Outcome {
  readonly seed: number;
  readonly cases: number;
  readonly failures: readonly Failure[];
}

/** Goes on after a failure with the other operations: each is worth a look. */
function fuzz(engine: Engine, ops: readonly Op[], cases: number, seed: number): Outcome {
  const share = Math.ceil(cases / ops.length);
  const rounds = Math.ceil(share / TURN);
  const turns = rounds * ops.length;
  const bar = progressBar(process.stderr, turns);
  // A file needs no line for each turn.
  const every = process.stderr.isTTY ? 1 : Math.ceil(turns / 20);
  const failures: Failure[] = [];
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [i, op] of ops.entries()) {
      const step = round * ops.length + i;
      if (step % every === 0) bar.show(step, `${done} calls, ${failures.length} wrong, ${op}`);
      if (failures.some(({ call }) => call.op === op)) continue;
      const calls = Math.min(TURN, share - round * TURN);
      const failure = turn(engine, op, calls, (seed + step) | 0);
      if (failure) failures.push(failure);
      done += calls;
    }
  }
  bar.clear();
  return { seed, cases: done, failures };
}

function replayLine({ call }: Failure, debug: boolean): string {
  return `npm run fuzz --${debug ? ' --debug' : ''} --case '${JSON.stringify(call)}'`;
}

function main(): number {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const cases = wholeNumber('cases', options.cases, 1);
  const seed = options.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', options.seed, 0);
  const ops = chosen(options.op);
  const call = options.case === undefined ? undefined : readCall(options.case);
  const wasm = options.debug ? readFileSync(new URL('../build/kernels-debug.wasm', import.meta.url)) : undefined;
  const engine = createEngineSync({ wasm });
  if (call !== undefined) {
    const what = difference(engine, call);
    process.stdout.write(options.json ? `${JSON.stringify({ call, what })}\n` : `${what ?? 'right'}\n`);
    return what === undefined ? 0 : 1;
  }
  process.stderr.write(`seed ${seed}\n`);
  const start = performance.now();
  const outcome = fuzz(engine, ops, cases, seed);
  const seconds = (performance.now() - start) / 1000;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...outcome, seconds })}\n`);
  } else {
    for (const failure of outcome.failures)
      process.stdout.write(`${failure.call.op}: ${failure.what}\n  ${replayLine(failure, options.debug)}\n`);
    const wrong = outcome.failures.length;
    process.stdout.write(`${outcome.cases} calls of ${ops.length} operations, ${wrong} wrong, seed ${seed}, ${seconds.toFixed(0)} s\n`);
  }
  return outcome.failures.length > 0 ? 1 : 0;
}

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`fuzz: ${error.message}\n`);
  process.exitCode = 2;
}
