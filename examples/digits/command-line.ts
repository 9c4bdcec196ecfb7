/** What both commands share: flags that are wrong are answered with a line and the usage, not with a stack. */

/** The command line is wrong, in words for the one who typed it. */
export class UsageError extends Error {}

/** A flag's text as a whole number of at least `least`. @throws UsageError */
export function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
    throw new UsageError(`${flag} must be a whole number of at least ${least}, got '${text}'`);
  return value;
}

/** Runs `parse`, which calls `parseArgs`: what it has against a flag becomes a UsageError. */
export function readFlags<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
      // The text goes on to explain how to give positional arguments, which these commands do not take.
      throw new UsageError(error.message.split('. ')[0]);
    }
    throw error;
  }
}

/** Answers a UsageError with exit code 2; anything else is passed on. */
export function answerUsage(error: unknown, usage: string): void {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}\n`);
  process.exitCode = 2;
}
