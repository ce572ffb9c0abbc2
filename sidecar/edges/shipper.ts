// Ships the journal's ended calls to the collector as OTLP and keeps them until they are acknowledged. Where a batch
// was cut is on disk before it is sent, so a resend has the same bytes and the collector stores it once.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Journal } from './journal.ts';
import { FRAME_KINDS, type Frame, isBefore, type Position } from './journal-frames.ts';
import type { Shipped } from './shipped.ts';

export interface Shipper {
  /** Something was appended: ship soon. */
  nudge(): void;
  /** Whatever kept the last batch from arriving may be over: try again at once. */
  again(): void;
  /** Ships everything appended so far, or gives up at the deadline. */
  drain(deadlineMs: number): Promise<void>;
  stop(): void;
  readonly acknowledged: Position;
  readonly lastFailure: string | null;
}

export interface ShipperOptions {
  readonly journal: Journal;
  readonly shipped: Shipped;
  readonly clock: Clock;
  readonly log: Log;
  ship(body: Buffer): Promise<void>;
  /** The spans of some frames as one request; undefined when they hold none. Must depend on the frames alone. */
  encode(frames: readonly Frame[]): Buffer | undefined;
  /** The call that an end's frame ends. */
  callOf(end: Frame): string;
}

export const SHIP_AFTER_MS = 300;
const BATCH_BYTES_MAX = 1024 * 1024;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 10_000;

export function createShipper(options: ShipperOptions): Shipper {
  const { journal, shipped, clock, log, callOf } = options;
  let timer: (() => void) | null = null;
  let running: Promise<void> | null = null;
  let retryMs = RETRY_MS_MIN;
  let lastFailure: string | null = null;
  let stopped = false;

  const nextBatch = (): { frames: Frame[]; end: Position } | null => {
    const { acknowledged, cut } = shipped.cursor;
    const frames = journal.read(
      acknowledged,
      cut?.segment === acknowledged.segment ? cut.offset - acknowledged.offset : BATCH_BYTES_MAX,
    );
    const limit = cut ?? (journal.failing ? null : journal.syncedTo);
    const within = limit ? frames.filter((frame) => !isBefore(limit, endOf(frame))) : frames;
    const last = within.at(-1);
    if (last) return { frames: within, end: endOf(last) };
    if (!cut) return null;
    shipped.skip({ ...shipped.cursor, acknowledged: cut, cut: null }); // what was sent cannot be read any more
    return nextBatch();
  };

  /** What was appended while the disk synced is shipped after the next sync. */
  const awaitsSync = (): boolean => !journal.failing && isBefore(journal.syncedTo, journal.tail);

  /** Calls that the collector hears of, with those it has heard of, and the disk may not have. */
  const unsyncedWith = (ends: readonly Frame[]): readonly string[] => {
    if (!journal.failing) return [];
    const beyond = ends.filter((end) => isBefore(journal.syncedTo, endOf(end)));
    return [...new Set([...shipped.cursor.unsynced, ...beyond.map(callOf)])];
  };

  /** Ships batch after batch while they are full; what has come since in small numbers waits for the next time. */
  const shipAll = async (): Promise<void> => {
    // What a power cut could still take must not be known elsewhere: its call would be ended a second time. Where the
    // disk fails, the records leave all the same: where they were cut, and whose they are, is on it first, and a journal
    // that then holds less begins another chain.
    if (!journal.failing) await journal.synced();
    for (let full = true; full && !stopped && isBefore(shipped.cursor.acknowledged, journal.tail); ) {
      const batch = nextBatch();
      if (!batch) return awaitsSync() ? schedule(SHIP_AFTER_MS) : undefined;
      full = batch.frames.reduce((bytes, { payload }) => bytes + payload.length, 0) > BATCH_BYTES_MAX / 2;
      const ends = batch.frames.filter((frame) => frame.kind === FRAME_KINDS.end);
      const body = options.encode(ends);
      const unsynced = unsyncedWith(ends);
      if (body) {
        if (!shipped.cursor.cut) await shipped.keep({ ...shipped.cursor, cut: batch.end, unsynced });
        await options.ship(body);
      }
      const next = { acknowledged: batch.end, cut: null, unsynced };
      if (body) await shipped.keep(next);
      else shipped.skip(next);
      journal.forget(shipped.cursor.acknowledged);
      retryMs = RETRY_MS_MIN;
      lastFailure = null;
    }
    if (isBefore(shipped.cursor.acknowledged, journal.tail)) schedule(SHIP_AFTER_MS);
  };

  const run = (): Promise<void> => {
    running ??= shipAll()
      .catch((failure) => {
        const sentence = sentenceOf(failure);
        if (sentence !== lastFailure)
          log.warn('records.not_shipped', { failure: sentence, kept: journal.bytes });
        lastFailure = sentence;
        schedule(retryMs);
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      })
      .then(() => {
        running = null;
      });
    return running;
  };

  const schedule = (delayMs: number): void => {
    if (stopped) return;
    timer ??= clock.after(delayMs, () => {
      timer = null;
      void run();
    });
  };

  return {
    nudge: () => schedule(lastFailure ? retryMs : SHIP_AFTER_MS),
    again() {
      retryMs = RETRY_MS_MIN;
      timer?.();
      timer = null;
      schedule(0);
    },
    async drain(deadlineMs) {
      const until = clock.monotonicMs() + deadlineMs;
      const left = (): boolean => (nextBatch() !== null || awaitsSync()) && clock.monotonicMs() < until;
      do {
        await run();
        if (lastFailure && left())
          await new Promise<void>((resolve) => void clock.after(RETRY_MS_MIN, resolve));
      } while (left());
    },
    stop() {
      stopped = true;
      timer?.();
    },
    get acknowledged() {
      return shipped.cursor.acknowledged;
    },
    get lastFailure() {
      return lastFailure;
    },
  };
}

const endOf = ({ segment, end }: Frame): Position => ({ segment, offset: end });
