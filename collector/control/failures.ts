// How the control database fails: for now (try again), or because of what was asked.

/** It is away, restarting, or too many already wait: the same question may succeed shortly. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
  }
}

/** Postgres refused the statement; `code` is its SQLSTATE. Nothing of it happened. */
export class DatabaseFailed extends Error {
  override name = 'DatabaseFailed';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}
