// What the actions of `outrider store` that ask a collector share.

import type { CollectorClient } from '../collector-client.ts';
import { type Io, UsageError } from '../command.ts';

export interface StoreFlags {
  readonly json: boolean;
  readonly reason?: string | undefined;
  readonly call?: string | undefined;
  readonly agent?: string | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly ended?: boolean | undefined;
  readonly 'trust-clock'?: boolean | undefined;
}

export interface StoreAsked {
  /** The words behind the action's own. */
  readonly rest: readonly string[];
  readonly values: StoreFlags;
  readonly collector: CollectorClient;
  readonly io: Io;
}

export function reasonOf({ reason }: StoreFlags): string {
  const given = reason?.trim();
  if (given) return given;
  throw new UsageError('Say why with --reason TEXT: it is kept on record.');
}

/** The answer as JSON where that was asked for, else as `inWords` says it. */
export function print<T>({ io, values }: StoreAsked, answer: T, inWords: (answer: T) => string): void {
  io.stdout(values.json ? `${JSON.stringify(answer, null, 2)}\n` : inWords(answer));
}
