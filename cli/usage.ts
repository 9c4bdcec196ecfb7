/** What the commands share: how options are read, and how a wrong one is refused. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A wrong option: exit code 2, and how the command is called on standard error. */
export class UsageError extends Error {}

/** What went wrong outside of the command: its message says all there is to say. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

/**
 * As `parseArgs`.
 * @throws UsageError
 */
export function readArgs<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause));
  }
}

/** @throws UsageError */
export function oneOf<T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((value) => value === text);
  if (found === undefined) throw new UsageError(`--${option} must be ${listed(known)}, got '${text}'`);
  return found;
}

/** @throws UsageError */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${option} must be a whole number of at least 1, got '${text}'`);
  return value;
}

function listed(values: readonly string[]): string {
  return values.length === 1 ? `${values[0]}` : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Says what has ended a command. @returns its exit code */
export function failure(error: unknown, help: string): number {
  if (error instanceof UsageError) {
    // The whole of a long help would push the message out of sight.
    say(`${error.message}\n\n${help.split('\n', 1)[0]}\n--help says more.`);
    return 2;
  }
  if (error instanceof CommandError) {
    say(error.message);
    return error.exitCode;
  }
  say(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return 1;
}
