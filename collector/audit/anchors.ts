// Checkpoints told where the collector's owner can't take them back: whoever holds the key could else rewrite the whole log
// unseen. Each place outside gets the newest checkpoint once in its while, and after a failure again, later each time. No
// request waits for any of it, and no place for another.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { AnchorBook } from '../control/anchor-book.ts';
import type { SignedCheckpoint } from './growth.ts';

const AGAIN_MS = 1_000;
export const AGAIN_MS_MAX = 300_000;

export interface AnchorPlace {
  /** For people, and what is remembered of it: no two have the same. */
  readonly name: string;
  readonly everyMs: number;
  /** Resolves once the checkpoint is there for good, or was; rejects with a sentence. `signal`: the collector stops. */
  publish(checkpoint: SignedCheckpoint, signal: AbortSignal): Promise<void>;
}

export interface AnchorState {
  readonly name: string;
  /** Leaves of the last checkpoint that is there; 0 for none of this log. */
  readonly size: number;
  /** For how long every try has failed. */
  readonly failingMs: number;
  /** Why the last one did; empty where it did not. */
  readonly reason: string;
}

export interface Anchors {
  /** Never waits, never throws. */
  tell(checkpoint: SignedCheckpoint): void;
  states(): readonly AnchorState[];
  close(): Promise<void>;
}

export interface AnchorWorld {
  readonly book: AnchorBook;
  readonly clock: Clock;
  readonly log: Log;
}

export function startAnchors(places: readonly AnchorPlace[], world: AnchorWorld): Anchors {
  const anchors = places.map((place) => startAnchor(place, world));
  return {
    tell(checkpoint) {
      for (const anchor of anchors) anchor.tell(checkpoint);
    },
    states: () => anchors.map((anchor) => anchor.state()),
    async close() {
      await Promise.all(anchors.map((anchor) => anchor.close()));
    },
  };
}

function startAnchor(place: AnchorPlace, { book, clock, log }: AnchorWorld) {
  const { name: anchor, everyMs } = place;
  const stop = new AbortController();
  let newest: SignedCheckpoint | null = null;
  /** Of the log that `newest` is of; null while it was not asked for. */
  let size: number | null = null;
  let failures = 0;
  let failingSinceMs = 0;
  let reason = '';
  let cancel: (() => void) | null = null;
  let running: Promise<void> | null = null;
  let notBeforeMs = clock.monotonicMs();

  const publish = async (checkpoint: SignedCheckpoint): Promise<void> => {
    size ??= await book.sizeOf(anchor, checkpoint.origin);
    if (checkpoint.size <= size) return;
    await place.publish(checkpoint, stop.signal);
    await book.keep(anchor, checkpoint, clock.nowMs());
    size = checkpoint.size;
  };
  const succeeded = (): void => {
    if (failures > 0) log.info('audit.anchored_again', { anchor, size, failures });
    failures = 0;
    reason = '';
    notBeforeMs = clock.monotonicMs() + everyMs;
  };
  const failed = (failure: unknown): void => {
    if (failures === 0) failingSinceMs = clock.monotonicMs();
    const nextInMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** Math.min(failures, 30));
    failures += 1;
    reason = sentenceOf(failure);
    notBeforeMs = clock.monotonicMs() + nextInMs;
    if (!stop.signal.aborted) log.warn('audit.not_anchored', { anchor, reason, failures, nextInMs });
  };
  const next = (): void => {
    cancel = null;
    running = publish(newest!)
      .then(succeeded, failed)
      .finally(() => {
        running = null;
        schedule();
      });
  };
  const schedule = (): void => {
    const isDone = newest === null || (size !== null && newest.size <= size && failures === 0);
    if (isDone || cancel || running || stop.signal.aborted) return;
    cancel = clock.after(Math.max(0, notBeforeMs - clock.monotonicMs()), next);
  };

  return {
    tell(checkpoint: SignedCheckpoint): void {
      newest = checkpoint;
      schedule();
    },
    state: (): AnchorState => ({
      name: anchor,
      size: size ?? 0,
      failingMs: failures === 0 ? 0 : clock.monotonicMs() - failingSinceMs,
      reason,
    }),
    async close(): Promise<void> {
      stop.abort();
      cancel?.();
      await running;
    },
  };
}
