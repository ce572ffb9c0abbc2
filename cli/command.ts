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

export const EXIT = { done: 0, failed: 1, usage: 2, config: 78 } as const;
