// What the collector says to its store process over stdin, and what it hears over stdout: one JSON line each way.
// The password travels here and nowhere else, so no other user of the machine can read it off a command line.

export interface EngineLimits {
  /** Bytes one read-only query may hold; sorting and grouping spill to disk at half of it. */
  readonly queryMemoryBytes: number;
  readonly querySecondsMax: number;
  /** A read that long past its time is cut, and that long after ends the process. */
  readonly graceSeconds: number;
  readonly resultRowsMax: number;
  readonly resultBytesMax: number;
  /** Read-only queries that run at once; as many again may wait for each. */
  readonly readers: number;
  /** Bytes that all queries, loads and merges may hold together; what asks for more fails. */
  readonly engineMemoryBytes: number;
}

/** Threads of one query. */
export const READER_THREADS = 2;

export const DEFAULT_LIMITS: EngineLimits = {
  queryMemoryBytes: 200_000_000,
  querySecondsMax: 30,
  graceSeconds: 10,
  resultRowsMax: 1_000_000,
  resultBytesMax: 64_000_000,
  readers: 3,
  engineMemoryBytes: 1_600_000_000,
};

export interface StartOrder {
  readonly dataDirectory: string;
  readonly password: string;
  /** The read-only door. */
  readonly sql: { readonly host: string; readonly port: number };
  readonly limits: EngineLimits;
}

export type StartReport =
  | { readonly event: 'ready'; readonly privatePort: number; readonly sqlPort: number }
  /** `code` is Node's (EADDRINUSE) or ClickHouse's number as text. */
  | { readonly event: 'failed'; readonly code: string; readonly message: string };

export const PRIVATE_USER = 'collector';
/**
 * Sessions behind the private door. Alerts ask one question at a time and the fleet's figures another, so a load, whose
 * every statement would wait in line behind them, finds a third.
 */
export const PRIVATE_SESSIONS = 3;
