// When the log is written: within a second of the first that waits, at once when many do, one write after the other. When
// nothing came for a minute it writes that time passed.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';

export const FLUSH_AFTER_MS = 1_000;
/** A write costs some fifty operations of the disk, however many leaves it holds. */
export const FLUSH_AT = 4_096;
export const HEARTBEAT_MS = 60_000;

export interface PaceWorld {
  readonly clock: Clock;
  readonly log: Log;
  /** How many requests wait. */
  waiting(): number;
  write(): Promise<void>;
  /** A minute is over in which nothing came. */
  heartbeat(): void;
}

export interface Pace {
  /** Something waits. */
  soon(): void;
  /** Resolves once everything that waits now is written; throws what the disk throws. */
  now(): Promise<void>;
  /** For how long the oldest has waited. */
  behindMs(): number;
  /** Writes for the last time. */
  close(): Promise<void>;
}

export function createPace({ clock, log, waiting, write, heartbeat }: PaceWorld): Pace {
  let behindSinceMs: number | null = null;
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;
  let isClosed = false;
  let cancelWrite: (() => void) | null = null;
  let cancelHeartbeat: () => void = () => undefined;

  const now = (): Promise<void> => {
    cancelWrite?.();
    cancelWrite = null;
    const written = running.then(async () => {
      isRunning = true;
      await write().finally(() => {
        isRunning = false;
      });
    });
    running = written.then(settled, failed);
    return written;
  };
  const told = (): void => void now().catch(() => undefined); // `failed` tells of it
  const settled = (): void => {
    behindSinceMs = waiting() > 0 ? clock.monotonicMs() : null;
    beat();
    if (waiting() > 0) soon();
  };
  const failed = (failure: unknown): void => {
    log.error('audit.not_written', { reason: sentenceOf(failure), waiting: waiting() });
    soon();
  };
  const soon = (): void => {
    if (isClosed) return;
    behindSinceMs ??= clock.monotonicMs();
    if (waiting() >= FLUSH_AT && !isRunning) told();
    else cancelWrite ??= clock.after(FLUSH_AFTER_MS, told);
  };
  const beat = (): void => {
    cancelHeartbeat();
    if (isClosed) return;
    cancelHeartbeat = clock.after(HEARTBEAT_MS, () => {
      heartbeat();
      soon();
    });
  };

  return {
    soon,
    now,
    behindMs: () => (behindSinceMs === null ? 0 : clock.monotonicMs() - behindSinceMs),
    async close() {
      isClosed = true;
      cancelHeartbeat();
      await now();
    },
  };
}
