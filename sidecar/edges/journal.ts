// The journal: what this sidecar decided and what came of it, on disk before and after. It survives `kill -9` by being
// written before the first upstream byte, and power loss by an fsync within 50 ms (or before the byte when strict).
//
// A new segment opens with a snapshot (chain tail, leases, calls still open), so older segments may go once shipped. Behind
// damage nothing is written any more: a new segment begins.

import { crc32 } from 'node:zlib';
import { Refusal } from '../../contract/refusals.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { type Disk, systemDisk } from './disk.ts';
import {
  FRAME_KINDS,
  type Frame,
  type FrameKind,
  HEADER_BYTES,
  isBefore,
  type Position,
} from './journal-frames.ts';
import { type Damage, dismiss, markDamaged, pathOf, readFrames, readSegments } from './journal-segments.ts';
import { segmentFile } from './segment-file.ts';

export interface Journal {
  /**
   * In the kernel when it resolves: all frames of one turn of the event loop go in one write. Throws, or rejects with,
   * Refusal `audit_unavailable` when they cannot be written.
   */
  append(kind: FrameKind, payload: Buffer): Promise<void>;
  /** Writes what this turn appended at once. Throws Refusal `audit_unavailable`. */
  flush(): void;
  /** Resolves once everything appended so far is on the disk. */
  synced(): Promise<void>;
  /** Frames from a position on, at most `bytesMax` of them (but at least one frame if there is any). */
  read(from: Position, bytesMax: number): Frame[];
  readonly tail: Position;
  /** Everything before this is on the disk. */
  readonly syncedTo: Position;
  /** Everything before this has been acknowledged by the collector: whole segments before it are deleted. */
  forget(before: Position): void;
  /** Whoever reads the journal has made up for the damage that was found at the start: the next start knows of it. */
  markDamage(): void;
  /** Bytes on disk that are not yet forgotten. */
  readonly bytes: number;
  readonly failing: boolean;
  close(): Promise<void>;
}

export interface JournalOptions {
  readonly directory: string;
  readonly sizeBytesMax: number;
  readonly segmentBytesMax?: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The machine's own when not given. */
  readonly disk?: Disk;
  /** How far others may know what was written here; nothing is written again before it. */
  readonly knownTo?: Position;
  /** Calls at the end of this turn of the event loop; the event loop's own when not given. */
  readonly atTurnsEnd?: (call: () => void) => void;
  /** What a new segment opens with. */
  snapshot(): Buffer;
}

export const SYNC_WITHIN_MS = 50;
const SEGMENT_BYTES = 8 * 1024 * 1024;
/** A full journal has room again once its oldest segment was shipped: so it is never a single one. */
const SEGMENTS_MIN = 4;
const BATCH_BYTES = 64 * 1024;
const START: Position = { segment: 0, offset: 0 };

export interface Opened {
  readonly journal: Journal;
  /** Every whole frame, oldest first. */
  readonly recovered: Frame[];
  /** What should have been a frame and was none; a torn tail is cut off and is not among it. */
  readonly damage: readonly Damage[];
}

/** Opens the journal and reads every whole frame it holds. Throws when a file cannot be read. */
export function openJournal(options: JournalOptions): Opened {
  const { directory, clock, log, disk = systemDisk, atTurnsEnd = setImmediate } = options;
  const { segmentBytesMax = Math.min(SEGMENT_BYTES, options.sizeBytesMax / SEGMENTS_MIN) } = options;
  const found = readSegments(disk, directory, options.knownTo ?? START);
  const segments = new Map(found.segments.map((each) => [each.number, each]));
  const damage = found.segments.flatMap((each) => each.damage);
  for (const { known, ...where } of damage) if (!known) log.error('journal.damaged', where);

  const newest = found.segments.at(-1);
  let segment = newest ? newest.number + (newest.damage.length > 0 ? 1 : 0) : 0;
  let offset = newest?.number === segment ? newest.size : 0;
  let file = segmentFile(disk.grow(pathOf(directory, segment)));
  if (file.size() > offset) {
    log.warn('journal.torn_tail_cut', { segment, at: offset, bytes: file.size() - offset });
    file.truncate(offset);
  }
  const grown = (size: number): void => {
    const known = segments.get(segment);
    if (known) known.size = size;
    else segments.set(segment, { number: segment, path: pathOf(directory, segment), size, damage: [] });
  };
  grown(offset);

  let failing = false;
  let syncing = false;
  let syncedTo: Position = { segment, offset };
  let timer: (() => void) | null = null;
  let waiting: { at: Position; resolve: () => void; reject: (failure: Error) => void }[] = [];

  /** Full segments whose bytes may not be on the disk yet. */
  let retiring = 0;

  let total = [...segments.values()].reduce((sum, { size }) => sum + size, 0);

  /** Frames of this turn of the event loop, one behind the other: they go to the kernel in one write. */
  let batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  let batched = 0;
  /** What the segment began with: it may be longer than a segment, and then the next would be full at once as well. */
  let opening = 0;
  let turn: { readonly promise: Promise<void>; resolve(): void; reject(failure: Error): void } | null = null;

  const put = (kind: FrameKind, payload: Buffer): void => {
    const bytes = HEADER_BYTES + payload.length;
    if (batched + bytes > batch.length) {
      const bigger = Buffer.allocUnsafeSlow(Math.max(batch.length * 2, batched + bytes));
      batch.copy(bigger, 0, 0, batched);
      batch = bigger;
    }
    batch.writeUInt32LE(payload.length, batched);
    batch[batched + 8] = kind;
    batch.set(payload, batched + HEADER_BYTES);
    batch.writeUInt32LE(crc32(batch.subarray(batched + 8, batched + bytes)), batched + 4);
    batched += bytes;
    total += bytes;
  };

  /** Hands the batch to the kernel, whole or not at all; answers why it could not. */
  const flush = (): Refusal | null => {
    const bytes = batched;
    const ended = turn;
    batched = 0;
    turn = null;
    try {
      for (let written = 0; written < bytes; ) written += file.append(batch, written, bytes - written);
      offset += bytes;
      grown(offset);
      if (offset - opening >= segmentBytesMax) rotate();
      if (bytes > 0) schedule(SYNC_WITHIN_MS);
      ended?.resolve();
      return null;
    } catch (failure) {
      total -= bytes;
      file.truncate(offset);
      log.error('journal.write_failed', { segment, failure: sentenceOf(failure) });
      const refusal = unavailable(failure);
      ended?.reject(refusal);
      return refusal;
    }
  };

  /** Everything put so far is in the kernel when it resolves: at the end of this turn. */
  const written = (): Promise<void> => {
    if (!turn) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      turn = { promise, resolve, reject };
      atTurnsEnd(flush);
    }
    return turn.promise;
  };

  const rotate = (): void => {
    const full = file;
    file = segmentFile(disk.grow(pathOf(directory, segment + 1)));
    retiring += 1;
    full.retire((failure) => {
      retiring -= 1;
      if (failure) syncFailed(failure);
      else if (waiting.length > 0 && retiring === 0) schedule(0);
    });
    segment += 1;
    offset = 0;
    const snapshot = options.snapshot();
    opening = HEADER_BYTES + snapshot.length;
    put(FRAME_KINDS.snapshot, snapshot);
    flush();
  };

  const sync = (): void => {
    timer = null;
    if (syncing) return;
    syncing = true;
    const reached = { segment, offset };
    file.sync((failure) => {
      syncing = false;
      if (failure) return syncFailed(failure);
      if (retiring === 0) {
        syncedTo = reached;
        const done = waiting.filter(({ at }) => !isBefore(reached, at));
        waiting = waiting.filter(({ at }) => isBefore(reached, at));
        for (const { resolve } of done) resolve();
      }
      const isPressing = waiting.length > 0 && retiring === 0;
      if (isBefore(reached, { segment, offset })) schedule(isPressing ? 0 : SYNC_WITHIN_MS);
    });
  };

  /** After a failed fsync the pages may be marked clean: nothing more is promised from this file. */
  const syncFailed = (failure: Error): void => {
    failing = true;
    log.error('journal.sync_failed', { segment, failure: sentenceOf(failure) });
    for (const { reject } of waiting.splice(0)) reject(unavailable(failure));
  };

  const schedule = (delayMs: number): void => {
    if (delayMs === 0) {
      timer?.();
      sync();
    } else timer ??= clock.after(delayMs, sync);
  };

  const journal: Journal = {
    append(kind, payload) {
      if (failing) throw unavailable(null);
      if (total + payload.length > options.sizeBytesMax) {
        throw new Refusal(
          'audit_unavailable',
          'The journal has reached its size and the collector has not taken it over.',
          {
            reason: 'journal_full',
            retryAfterSeconds: 5,
          },
        );
      }
      put(kind, payload);
      return written();
    },
    flush() {
      const refusal = flush();
      if (refusal) throw refusal;
    },
    async synced() {
      await written();
      if (failing) throw unavailable(null);
      return new Promise((resolve, reject) => {
        waiting.push({ at: { segment, offset }, resolve, reject });
        schedule(0);
      });
    },
    read: (from, bytesMax) =>
      readFrames({ disk, segments, log }, from, { to: { segment, offset }, bytesMax }),
    get tail() {
      return { segment, offset };
    },
    get syncedTo() {
      return syncedTo;
    },
    forget(before) {
      for (const old of segments.values()) {
        if (old.number >= Math.min(before.segment, segment)) continue;
        dismiss(disk, directory, old);
        total -= old.size;
        segments.delete(old.number);
      }
    },
    markDamage() {
      for (const each of segments.values()) if (each.damage.length > 0) markDamaged(disk, directory, each);
    },
    get bytes() {
      return total;
    },
    get failing() {
      return failing;
    },
    async close() {
      timer?.();
      if (!failing) await journal.synced();
      file.close();
    },
  };
  return { journal, recovered: found.frames, damage };
}

function unavailable(failure: unknown): Refusal {
  const why = failure instanceof Error && 'code' in failure ? ` (${String(failure.code)})` : '';
  return new Refusal('audit_unavailable', `The journal cannot be written${why}.`, { retryAfterSeconds: 5 });
}
