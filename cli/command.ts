// What every command is: a help text with an example, and a function that gives its exit code.

export interface Io {
  stdout(text: string): void;
  stderr(text: string): void;
  readonly env: NodeJS.ProcessEnv;
}

export interface Command {
  readonly help: string;
  run(args: readonly string[], io: Io): Promise<number>;
}

/** Bad usage: exit 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Of every command that asks a collector. */
const EVERYWHERE = ['json', 'collector', 'data'];

/**
 * A flag that another action takes is a mistake here, not a wish to be ignored: `budgets write-off --account agent/a` would
 * write off everybody's slices. Throws UsageError.
 */
export function refuseIdleFlags(
  values: Readonly<Record<string, string | boolean | undefined>>,
  taken: readonly string[],
  typed: string,
): void {
  for (const [flag, value] of Object.entries(values)) {
    if (value === undefined || value === false || taken.includes(flag) || EVERYWHERE.includes(flag)) continue;
    throw new UsageError(`--${flag} means nothing to \`outrider ${typed}\`: leave it out; see --help.`);
  }
}

export const EXIT = { done: 0, failed: 1, usage: 2, config: 78 } as const;
