// Whether there is room for one more request. Two marks: telemetry of senders nobody knows is refused first, so that a flood
// of it leaves room for what sidecars and the collector itself have to record; those may use the reserve. Lower still a store
// on the same disk gets nothing more to write: what is queued is safe where it is, and a database on a full disk is not.
//
//   ├──────────── anyone ────────────┤── known senders ──┤ full            of the queue's bytes, and of the disk's free ones
//   ├──────────── loaded ────────────────────────────────────┤ kept         of the disk's free ones
//
// The disk is asked at most once a second, and at once after a write failed.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Disk } from './disk.ts';

const ASK_EVERY_MS = 1_000;
/** After a write failed, how long nothing new is taken. */
const REST_MS = 250;

/** The share of the queue that only known senders fill. */
const RESERVE = 1 / 8;
/** The share of the disk's kept bytes that known senders may use. */
const RESERVE_FREE = 3 / 4;
/** The share of them that is left when loading pauses. */
const LEFT_BY_LOADS = 1 / 8;

export interface Room {
  /** Null, or one sentence why nothing can be taken; of a known sender, or of anyone. */
  refusal(queuedBytes: number, isKnown: boolean): Promise<string | null>;
  /** As a known sender would find it, by what was seen last; the disk is asked anew meanwhile. */
  isFull(queuedBytes: number): boolean;
  /** Whether the store may write; always where it writes elsewhere. */
  mayLoad(): Promise<boolean>;
  /** It might not when it was asked last. */
  loadingWaits(): boolean;
  failed(failure: unknown): void;
}

export function createRoom(world: {
  readonly disk: Disk;
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Kept free for everybody else on the disk. */
  readonly bytesFreeMin: number;
  readonly bytesMax: number;
  /** The store's tables lie on the same disk. */
  readonly sharesDisk: boolean;
}): Room {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let bytesFree: Promise<number | string> = Promise.resolve(Number.POSITIVE_INFINITY);
  let failure: { readonly untilMs: number; readonly sentence: string } | null = null;
  const refuses = { known: false, anyone: false };
  let loadingWaits = false;

  const ask = async (): Promise<number | string> => {
    try {
      return await world.disk.bytesFree(world.directory);
    } catch (cause) {
      return `the queue's directory can't be read: ${sentenceOf(cause)}`;
    }
  };
  const freeNow = (): Promise<number | string> => {
    const nowMs = world.clock.monotonicMs();
    if (nowMs - askedAtMs >= ASK_EVERY_MS) {
      askedAtMs = nowMs;
      bytesFree = ask();
    }
    return bytesFree;
  };
  const refusal = async (queuedBytes: number, isKnown: boolean): Promise<string | null> => {
    const nowMs = world.clock.monotonicMs();
    if (failure && nowMs < failure.untilMs) return failure.sentence;
    const bytesMax = isKnown ? world.bytesMax : world.bytesMax * (1 - RESERVE);
    if (queuedBytes >= bytesMax) return `the queue holds ${queuedBytes} bytes; ${bytesMax} are its limit`;
    const free = await freeNow();
    const freeMin = isKnown ? world.bytesFreeMin * (1 - RESERVE_FREE) : world.bytesFreeMin;
    if (typeof free === 'string') return free;
    return free < freeMin ? `the disk of the queue has ${free} bytes free; ${freeMin} are kept` : null;
  };
  const say = async (queuedBytes: number, isKnown: boolean): Promise<string | null> => {
    const reason = await refusal(queuedBytes, isKnown);
    const whom = isKnown ? 'known' : 'anyone';
    if (reason !== null && !refuses[whom]) world.log.error('queue.refuses', { whom, reason });
    refuses[whom] = reason !== null;
    return reason;
  };
  return {
    refusal: say,
    isFull(queuedBytes) {
      void say(queuedBytes, true);
      return refuses.known;
    },
    async mayLoad() {
      if (!world.sharesDisk) return true;
      const free = await freeNow();
      const kept = world.bytesFreeMin * LEFT_BY_LOADS;
      const waits = typeof free === 'number' && free < kept;
      if (waits && !loadingWaits) world.log.error('queue.loading_waits', { bytes_free: free, kept });
      loadingWaits = waits;
      return !waits;
    },
    loadingWaits: () => loadingWaits,
    failed(cause) {
      askedAtMs = Number.NEGATIVE_INFINITY;
      failure = {
        untilMs: world.clock.monotonicMs() + REST_MS,
        sentence: `the queue could not be written: ${sentenceOf(cause)}`,
      };
    },
  };
}
