// The write-ahead log between the door and the store: what `append` said is stored survives kill -9 and is loaded exactly
// once; whatever fails behind it is tried again for as long as it takes, in order, and nothing is given up.
//
//   <directory>/lock        held by the one process that uses it
//   <directory>/segments/   what was accepted and is not known to be in the store
//   <directory>/manifest/   what became of each segment, and the digests of the last 24 hours
//   <directory>/quarantine/ messages the store can't take, and damage, each with its reason

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { createAlarm } from './alarm.ts';
import { createDigests, type Digests } from './digests.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { landSegment } from './landing.ts';
import type { Loader, Segment } from './loader.ts';
import { type Manifest, openManifest, REMEMBER_MS } from './manifest.ts';
import { Closing, createPatience } from './patience.ts';
import { createQuarantine, type Quarantine } from './quarantine.ts';
import { type LeftSegment, recoverSegments } from './recover.ts';
import { createRoom } from './room.ts';
import { type Appended, createShelf } from './shelf.ts';
import { createWriter } from './writer.ts';

export const SEGMENT_BYTES_MAX = 8 * 1024 * 1024;
export const LOAD_AFTER_MS = 1_000;
export const QUEUE_BYTES_MAX = 64 * 1024 ** 3;
export const BYTES_FREE_MIN = 512 * 1024 ** 2;
export const DIGESTS_MAX = 4_000_000;
/** A segment that lay on disk this long is checked before it is loaded. */
const OLD_AFTER_MS = 60_000;
const SEQUENCE_DIGITS = 12;

export interface QueueCounters {
  readonly appended: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly loads: number;
  readonly spans: number;
  readonly retries: number;
  readonly quarantined: number;
  /** Segments whose file someone removed. */
  readonly lost: number;
}

export interface Queue {
  /** Resolves once the request is durable, was before, or can't be. A duplicate of one in flight waits for it. */
  append(request: Buffer, sender: string): Promise<Appended>;
  /** What is accepted and not yet known to be in the store; `oldestMs` is the age of the oldest of it. */
  depth(): { readonly segments: number; readonly bytes: number; readonly oldestMs: number };
  /** Resolves once everything appended before is in the store (or quarantine). Never, while the store is away. */
  drain(): Promise<void>;
  /** Takes nothing new, makes durable what waits, stops loading; what is left is loaded by the next life. */
  close(): Promise<void>;
  readonly counters: QueueCounters;
}

export interface QueueOptions {
  readonly directory: string;
  readonly loader: Loader;
  readonly log: Log;
  readonly clock: Clock;
  readonly disk?: Disk;
  readonly segmentBytesMax?: number;
  readonly loadAfterMs?: number;
  readonly bytesMax?: number;
  readonly bytesFreeMin?: number;
  readonly digestsMax?: number;
}

interface QueuedSegment extends Segment {
  readonly sinceMs: number;
  readonly isLeft: boolean;
  readonly landed: PromiseWithResolvers<void>;
}

/** Throws DirectoryInUse if another process has the directory, and what the disk throws. */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { log, clock, disk = nodeDisk } = options;
  await disk.makeDirectory(options.directory);
  const unlock = disk.lock(join(options.directory, 'lock'));
  try {
    const digests = createDigests(options.digestsMax ?? DIGESTS_MAX);
    const directories = await makeDirectories(disk, options.directory);
    const manifest = await openManifest({ directory: directories.manifest, disk, clock, log, digests });
    const quarantine = createQuarantine(disk, directories.quarantine);
    const world = { directory: directories.segments, disk, log, manifest, digests, quarantine };
    const sequence = lastSequence([...manifest.segments.keys()]);
    const left = await recoverSegments(world);
    return runQueue({ ...world, options, clock, left, sequence, unlock });
  } catch (failure) {
    unlock();
    throw failure;
  }
}

interface World {
  readonly directory: string;
  readonly disk: Disk;
  readonly log: Log;
  readonly manifest: Manifest;
  readonly digests: Digests;
  readonly quarantine: Quarantine;
  readonly options: QueueOptions;
  readonly clock: Clock;
  readonly left: readonly LeftSegment[];
  /** The highest number any segment on record had. */
  readonly sequence: number;
  unlock(): void;
}

function runQueue(world: World): Queue {
  const { clock, log, manifest, digests, options } = world;
  const counters = { appended: 0, duplicates: 0, refused: 0, loads: 0, spans: 0, retries: 0, lost: 0 };
  const patience = createPatience(clock);
  const alarm = createAlarm(clock);
  const sealed = world.left.map((segment) => queued(segment, ageStart(clock, segment.writtenAtMs), true));
  let sealedBytes = sealed.reduce((sum, { bytes }) => sum + bytes, 0);
  let isClosed = false;
  let sequence = Math.max(world.sequence, lastSequence(world.left.map(({ id }) => id)));

  const room = createRoom({
    disk: world.disk,
    directory: world.directory,
    clock,
    bytesFreeMin: options.bytesFreeMin ?? BYTES_FREE_MIN,
    bytesMax: options.bytesMax ?? QUEUE_BYTES_MAX,
  });
  const writer = createWriter({
    directory: world.directory,
    disk: world.disk,
    segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
    nowMs: () => clock.monotonicMs(),
    nextId: () => segmentId(++sequence),
    onBegun: () => alarm.ring(),
    onSealed(segment, sinceMs) {
      const { id, bytes } = segment;
      sealed.push(queued(segment, sinceMs, false));
      sealedBytes += bytes;
      manifest.note({ id, bytes, atMs: clock.nowMs(), loaded: false, split: [] }, segment.digests);
      manifest.flush().catch((failure: unknown) => {
        log.warn('queue.manifest_failed', { reason: sentenceOf(failure) }); // landing flushes it again before it loads
      });
      alarm.ring();
    },
    onFailure(failure) {
      log.error('queue.write_failed', { reason: sentenceOf(failure) });
      room.failed(failure);
    },
  });
  const queuedBytes = () => sealedBytes + (writer.active()?.bytes ?? 0);
  const shelf = createShelf({
    room,
    writer,
    digests,
    clock,
    counters,
    queuedBytes,
    isClosed: () => isClosed,
  });

  const landNext = async (next: QueuedSegment): Promise<void> => {
    const isOld = next.isLeft || clock.monotonicMs() - next.sinceMs > OLD_AFTER_MS;
    await landSegment({ ...world, loader: options.loader, patience, counters }, next, isOld);
    sealed.shift();
    sealedBytes -= next.bytes;
    next.landed.resolve();
    digests.forget(clock.nowMs() - REMEMBER_MS);
  };
  /** While the store keeps up, a segment is sealed by its age; while it does not, by its size. */
  const step = async (): Promise<void> => {
    const next = sealed[0];
    if (next) return landNext(next);
    const active = writer.active();
    const dueInMs = active
      ? active.sinceMs + (options.loadAfterMs ?? LOAD_AFTER_MS) - clock.monotonicMs()
      : null;
    if (dueInMs !== null && dueInMs <= 0) await writer.seal();
    else await alarm.rings(dueInMs);
  };
  const loading = (async () => {
    while (!isClosed) {
      await patience
        .insist(step, (failure) => log.error('queue.step_failed', { reason: sentenceOf(failure) }), isClosing)
        .catch((failure: unknown) => {
          if (!isClosing(failure)) throw failure;
        });
    }
  })();

  return {
    append: (request, sender) => shelf.append(request, sender),
    depth() {
      const active = writer.active();
      const oldest = sealed[0]?.sinceMs ?? active?.sinceMs;
      return {
        segments: sealed.length + (active ? 1 : 0),
        bytes: queuedBytes(),
        oldestMs: oldest === undefined ? 0 : clock.monotonicMs() - oldest,
      };
    },
    async drain() {
      await writer.seal();
      await sealed.at(-1)?.landed.promise;
    },
    async close() {
      isClosed = true;
      await writer.seal();
      patience.close();
      alarm.ring();
      await loading;
      for (const { landed } of sealed) landed.reject(new Closing('the queue closed before it was drained'));
      await manifest.close();
      world.unlock();
    },
    get counters() {
      return { ...counters, quarantined: world.quarantine.count };
    },
  };
}

const isClosing = (failure: unknown): boolean => failure instanceof Closing;

function queued(segment: Segment, sinceMs: number, isLeft: boolean): QueuedSegment {
  const landed = Promise.withResolvers<void>();
  landed.promise.catch(() => undefined); // whoever drains hears of it
  return { id: segment.id, path: segment.path, bytes: segment.bytes, sinceMs, isLeft, landed };
}

/** A wall-clock time of an earlier life on this life's monotonic clock. */
function ageStart(clock: Clock, writtenAtMs: number): number {
  return clock.monotonicMs() - Math.max(0, clock.nowMs() - writtenAtMs);
}

async function makeDirectories(disk: Disk, root: string) {
  const directories = {
    segments: join(root, 'segments'),
    manifest: join(root, 'manifest'),
    quarantine: join(root, 'quarantine'),
  };
  for (const directory of Object.values(directories)) await disk.makeDirectory(directory);
  await disk.syncDirectory(root);
  return directories;
}

/** Sorts by age; the random part keeps a wiped or restored directory from using a token the store has seen. */
function segmentId(sequence: number): string {
  return `${String(sequence).padStart(SEQUENCE_DIGITS, '0')}-${randomBytes(4).toString('hex')}`;
}

function lastSequence(ids: readonly string[]): number {
  return ids.reduce((last, id) => Math.max(last, Number.parseInt(id, 10)), 0);
}
