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
import type { Signal } from '../signals.ts';
import { type Again, createAgain } from './again.ts';
import { createAlarm } from './alarm.ts';
import { createAttempts } from './attempts.ts';
import { createBacklog } from './backlog.ts';
import { createDigests, type Digests } from './digests.ts';
import { type Disk, makeDurably, nodeDisk } from './disk.ts';
import type { Loader } from './loader.ts';
import { carrySegments } from './loading.ts';
import { type Manifest, openManifest } from './manifest.ts';
import { Closing, createPatience, type Patience } from './patience.ts';
import { openQuarantine, type Quarantine } from './quarantine.ts';
import { type LeftSegment, listSegments, recoverSegments } from './recover.ts';
import { createRoom } from './room.ts';
import { type LookInto, leftRequests, noSequencer, type RequestFacts, type Sequencer } from './sequencer.ts';
import { type Appended, createShelf } from './shelf.ts';
import type { ClosedSegment } from './writer.ts';
import { createWriters } from './writers.ts';

export const SEGMENT_BYTES_MAX = 8 * 1024 * 1024;
const LOAD_AFTER_MS = 1_000;
const QUEUE_BYTES_MAX = 64 * 1024 ** 3;
export const BYTES_FREE_MIN = 512 * 1024 ** 2;
export const DIGESTS_MAX = 4_000_000;
const SEQUENCE_DIGITS = 12;
const NOT_LOOKED_INTO: RequestFacts = { items: 0, chains: [] };

export interface QueueCounters {
  readonly appended: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly loads: number;
  /** Spans, log records and data points that are in the store. */
  readonly stored: Readonly<Record<Signal, number>>;
  readonly retries: number;
  readonly quarantined: number;
  /** Messages and damage that lie in quarantine. */
  readonly setAside: number;
  /** Segments whose file someone removed. */
  readonly lost: number;
  /** One message after the other is refused: loading stands still until somebody looks. */
  readonly isStopped: boolean;
}

export interface Queue {
  /** Resolves once the request is durable, was before, or can't be. A duplicate of one in flight waits for it. */
  append(request: Buffer, sender: string, signal?: Signal, facts?: RequestFacts): Promise<Appended>;
  /**
   * What keeps it from its work: `queue` while it takes nothing, `loading` while the store refuses everything, `room to
   * load` while the disk that it shares with the store is all but full.
   */
  missing(): readonly string[];
  /** What is accepted and not yet known to be in the store; `oldestMs` is the age of the oldest of it. */
  depth(): { readonly segments: number; readonly bytes: number; readonly oldestMs: number };
  /** Resolves once everything appended before is in the store (or quarantine). Never, while the store is away. */
  drain(): Promise<void>;
  /** Takes nothing new, makes durable what waits, stops loading; what is left is loaded by the next life. */
  close(): Promise<void>;
  /** What the store could not take, and having it taken after all. */
  readonly again: Again;
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
  /** The store's tables lie on the queue's disk. */
  readonly sharesDisk?: boolean;
  /** Keeps the order in which requests were accepted. */
  readonly sequencer?: Sequencer;
  /** What the door would see in a request that an earlier life accepted. */
  readonly lookInto?: LookInto;
}

/** Throws DirectoryInUse if another process has the directory, and what the disk throws. */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { log, clock, disk = nodeDisk } = options;
  await makeDurably(disk, options.directory);
  const unlock = disk.lock(join(options.directory, 'lock'));
  try {
    const digests = createDigests(options.digestsMax ?? DIGESTS_MAX);
    const directories = await makeDirectories(disk, options.directory);
    const ids = await listSegments(disk, directories.segments);
    const present = new Set(ids);
    const manifest = await openManifest({
      directory: directories.manifest,
      disk,
      clock,
      log,
      digests,
      present,
    });
    const quarantine = await openQuarantine(disk, directories.quarantine);
    const world = { directory: directories.segments, disk, log, manifest, digests, quarantine };
    const left = await recoverSegments(world, ids);
    const lastId = Math.max(manifest.lastSequence, lastSequence(ids));
    return runQueue({ ...world, options, clock, left, lastId, unlock });
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
  /** The highest number that any segment had. */
  readonly lastId: number;
  unlock(): void;
}

function runQueue(world: World): Queue {
  const { clock, log, options } = world;
  const stored = { traces: 0, logs: 0, metrics: 0 };
  const counters = { appended: 0, duplicates: 0, refused: 0, loads: 0, stored, retries: 0, lost: 0 };
  const patience = createPatience(clock);
  const alarm = createAlarm(clock);
  const backlog = createBacklog();
  for (const segment of world.left)
    backlog.push({ ...segment, sinceMs: sinceOf(clock, segment), isLeft: true });
  let isClosed = false;
  const sequencer = options.sequencer ?? noSequencer;
  const unsequenced = world.left.filter(({ id }) => !world.manifest.segments.get(id)?.sequenced);
  sequencer.resume(leftRequests(world.disk, unsequenced, options.lookInto ?? (() => NOT_LOOKED_INTO)));

  const noteSequenced = (id: string) => {
    if (options.sequencer) void noteWhenSequenced({ ...world, patience, sequencer: options.sequencer }, id);
  };
  for (const { id } of unsequenced) noteSequenced(id);

  const room = createRoom({
    disk: world.disk,
    directory: world.directory,
    clock,
    bytesFreeMin: options.bytesFreeMin ?? BYTES_FREE_MIN,
    bytesMax: options.bytesMax ?? QUEUE_BYTES_MAX,
    sharesDisk: options.sharesDisk ?? false,
    log,
  });
  const writers = createWriters(
    {
      directory: world.directory,
      disk: world.disk,
      segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
      nowMs: () => clock.monotonicMs(),
      sequencer,
      onBegun: () => alarm.ring(),
      onSealed(segment, sinceMs) {
        noteSealed(world, segment);
        backlog.push({ id: segment.id, path: segment.path, bytes: segment.bytes, sinceMs, isLeft: false });
        noteSequenced(segment.id);
        alarm.ring();
      },
      onFailure(failure) {
        log.error('queue.write_failed', { reason: sentenceOf(failure) });
        room.failed(failure);
      },
    },
    idsAfter(world.lastId),
  );
  const bytes = () => backlog.bytes + (writers.active()?.bytes ?? 0);
  const shared = { ...world, writers, counters, sequencer, isClosed: () => isClosed };
  const shelf = createShelf({ ...shared, room, queuedBytes: bytes });
  const loadAfterMs = options.loadAfterMs ?? LOAD_AFTER_MS;
  const { loader } = options;
  const attempts = createAttempts({ loader, patience, clock, log, counters });
  const loading = carrySegments({ ...shared, loader, attempts, patience, alarm, room, backlog, loadAfterMs });

  const again = createAgain({
    ...shared,
    push(segment) {
      backlog.push({ ...segment, sinceMs: clock.monotonicMs(), isLeft: false });
      alarm.ring();
    },
    refusal: () => room.refusal(bytes(), true),
  });

  return {
    again,
    append: (request, sender, signal = 'traces', facts = NOT_LOOKED_INTO) =>
      shelf.append(request, sender, signal, facts),
    missing: () => [
      ...(room.isFull(bytes()) ? ['queue'] : []),
      ...(attempts.isStopped() ? ['loading'] : []),
      ...(room.loadingWaits() ? ['room to load'] : []),
    ],
    depth() {
      const active = writers.active();
      const oldest = backlog.oldest() ?? active;
      return {
        segments: backlog.segments + (active?.segments ?? 0),
        bytes: bytes(),
        oldestMs: oldest ? clock.monotonicMs() - oldest.sinceMs : 0,
      };
    },
    async drain() {
      await writers.seal();
      await backlog.drained();
    },
    async close() {
      isClosed = true;
      await writers.seal();
      patience.close();
      alarm.ring();
      await loading;
      backlog.close();
      await world.manifest.close();
      world.unlock();
    },
    get counters() {
      const { count: quarantined, lying: setAside } = world.quarantine;
      return { ...counters, quarantined, setAside, isStopped: attempts.isStopped() };
    },
  };
}

/** Its line need not be durable yet: landing sees to that before it loads, and a segment without one is scanned. */
function noteSealed({ manifest, clock, log }: World, { id, bytes, marks }: ClosedSegment): void {
  manifest.note({ id, bytes, atMs: clock.nowMs(), loaded: false, split: [] }, marks);
  manifest.flush().catch((failure: unknown) => {
    log.warn('queue.manifest_failed', { reason: sentenceOf(failure) });
  });
}

/** So that the next life need not read the segment again to find out, however long it waits for the store. */
async function noteWhenSequenced(
  world: { manifest: Manifest; log: Log; patience: Patience; sequencer: Sequencer },
  id: string,
): Promise<void> {
  const { manifest, patience, sequencer, log } = world;
  const failed = (failure: unknown) =>
    log.warn('queue.not_sequenced', { segment: id, reason: sentenceOf(failure) });
  try {
    await patience.insist(() => sequencer.sequenced(id), failed);
    const segment = manifest.segments.get(id); // it may have landed meanwhile
    if (segment) manifest.note({ ...segment, sequenced: true });
    await patience.insist(() => manifest.flush(), failed);
    sequencer.forget(id);
  } catch (failure) {
    if (!(failure instanceof Closing)) throw failure;
  }
}

/** A wall-clock time of an earlier life on this life's monotonic clock. */
function sinceOf(clock: Clock, { writtenAtMs }: LeftSegment): number {
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

/** Ids sort by age; their random part keeps a wiped or restored directory from using a token the store has seen. */
function idsAfter(last: number): () => string {
  let sequence = last;
  return () => `${String(++sequence).padStart(SEQUENCE_DIGITS, '0')}-${randomBytes(4).toString('hex')}`;
}

function lastSequence(ids: readonly string[]): number {
  return ids.reduce((last, id) => Math.max(last, Number.parseInt(id, 10)), 0);
}
