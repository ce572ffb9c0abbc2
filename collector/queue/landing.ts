// One sealed segment on its way into the store, until it is there and its file gone.
//
//   sealed line durable ─▶ load ─▶ requests sequenced ─▶ loaded line durable ─▶ file removed ─▶ directory synced
//                           │ refused whole
//                           └─▶ split line durable ─▶ taken back ─▶ load each half, down to the one message the store can't take
//
// What was set aside and comes again (again.ts) leaves quarantine once it landed, or was set aside anew.
//
// Splits are exact under a crash at any point: how a segment splits follows from its bytes, each half's id from its place,
// and a segment once split is never tried whole again. A message is never cut: its digest, which the audit log holds, is of
// all its bytes, and whole it can be loaded again from quarantine.

import { join } from 'node:path';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Signal } from '../signals.ts';
import { type Attempts, REFUSED_BEFORE, type Refusal } from './attempts.ts';
import { cutUnacknowledged, isUnreadable, setDamageAside } from './damage.ts';
import { type Disk, writeDurably } from './disk.ts';
import type { Loader, Segment } from './loader.ts';
import type { Manifest, SealedSegment } from './manifest.ts';
import type { Patience } from './patience.ts';
import type { Quarantine } from './quarantine.ts';
import { readRecords } from './record.ts';
import type { Sequencer } from './sequencer.ts';

export interface LandingWorld {
  readonly directory: string;
  readonly disk: Disk;
  readonly log: Log;
  readonly loader: Loader;
  readonly attempts: Attempts;
  readonly manifest: Manifest;
  readonly patience: Patience;
  readonly quarantine: Quarantine;
  readonly sequencer: Pick<Sequencer, 'sequenced'>;
  readonly counters: {
    readonly stored: Record<Signal, number>;
    loads: number;
    retries: number;
    lost: number;
  };
}

/**
 * Resolves once every span of the segment is in the store or in quarantine. Throws Closing.
 * `isOld`: it lay on the disk for a while, so it is read back and checked before it is loaded.
 */
export async function landSegment(world: LandingWorld, segment: Segment, isOld: boolean): Promise<void> {
  const note = async (change: Partial<SealedSegment>) => {
    world.manifest.note({ ...world.manifest.segments.get(segment.id)!, ...change });
    await insist(world, 'write the manifest', () => world.manifest.flush());
  };
  const splits: Splits = {
    has: (id) => world.manifest.segments.get(segment.id)!.split.includes(id),
    add: (id) => note({ split: [...world.manifest.segments.get(segment.id)!.split, id] }),
  };

  await insist(world, 'write the manifest', () => world.manifest.flush());
  const isThere = await insist(world, 'cut the segment', () => cutUnacknowledged(world, segment));
  if (!isThere) {
    world.counters.lost += 1;
    world.log.error('queue.segment_lost', { segment: segment.id, bytes: segment.bytes });
  }
  const bytes = isThere && isOld ? await whatIsWhole(world, segment) : segment.bytes;
  const { again } = world.manifest.segments.get(segment.id)!;
  if (isThere && bytes > 0) {
    if (again === undefined) await land(world, { ...segment, bytes }, splits);
    else await landAgain(world, { ...segment, bytes }, again, splits);
  }
  await insist(world, 'sequence the requests', () => world.sequencer.sequenced(segment.id));
  await note({ loaded: true });
  await insist(world, 'remove the segment', async () => {
    await world.disk.remove(segment.path);
    await world.disk.syncDirectory(world.directory);
  });
  world.manifest.forget(segment.id);
}

/** Those parts of a segment that were refused whole before. */
interface Splits {
  has(id: string): boolean;
  add(id: string): Promise<void>;
}

/** What was set aside as `again` goes from there; refused anew it lies there under its own id, unread it stays as it was. */
async function landAgain(
  world: LandingWorld,
  segment: Segment,
  again: string,
  splits: Splits,
): Promise<void> {
  const refused = { ...segment, id: again };
  if (again !== segment.id)
    await insist(world, 'take back what was refused', async () => world.loader.takeBack?.(refused));
  const isLanded = await land(world, segment, splits);
  const anew = await insist(world, 'look into quarantine', () => world.quarantine.find(segment.id));
  if (isLanded || (again !== segment.id && anew?.kind === 'message'))
    await insist(world, 'leave quarantine', () => world.quarantine.release(again));
}

/** Loads a segment or a part of one; what is refused whole is loaded in halves. False if any of it was set aside. */
async function land(world: LandingWorld, part: Segment, splits: Splits): Promise<boolean> {
  const refusal = splits.has(part.id) ? REFUSED_BEFORE : await world.attempts.load(part);
  if (refusal === null) return true;
  const bytes = await readWhole(world, part);
  if (bytes === null) return false;
  const halves = refusal.partly ? null : halvesOf(bytes);
  if (!halves) return landAlone(world, part, bytes, refusal);
  if (!splits.has(part.id)) await splits.add(part.id);
  await insist(world, 'take back a refused segment', async () => world.loader.takeBack?.(part));
  let isWhole = true;
  for (const [index, half] of halves.entries()) {
    const id = `${part.id}.${index}`;
    const path = join(world.directory, `${id}.half`);
    await insist(world, 'write a half', () => writeDurably(world.disk, path, world.directory, [half]));
    isWhole = (await land(world, { id, path, bytes: half.length }, splits)) && isWhole;
    await insist(world, 'remove a half', () => world.disk.remove(path));
  }
  return isWhole;
}

/** What can't be halved is tried for longer, then kept aside under the id it has, so that it may come again. */
async function landAlone(
  world: LandingWorld,
  part: Segment,
  bytes: Buffer,
  first: Refusal,
): Promise<boolean> {
  const refusal = await world.attempts.loadAlone(part, first);
  if (refusal === null) return true;
  const { reason, partly } = refusal;
  world.log.error('queue.message_quarantined', { segment: part.id, reason });
  await insist(world, 'quarantine', () => world.quarantine.keep(part.id, bytes, reason, partly));
  return false;
}

/** Null, and set aside, if the disk doesn't give it back. */
async function readWhole(world: LandingWorld, part: Segment): Promise<Buffer | null> {
  try {
    return await insist(world, 'read the segment', () => world.disk.read(part.path), isUnreadable);
  } catch (failure) {
    if (!isUnreadable(failure)) throw failure;
    await setAsideUnread(world, part, failure);
    return null;
  }
}

/** The bytes left once what was damaged is out of the way. */
async function whatIsWhole(world: LandingWorld, segment: Segment): Promise<number> {
  try {
    return await insist(world, 'check the segment', () => setDamageAside(world, segment), isUnreadable);
  } catch (failure) {
    if (!isUnreadable(failure)) throw failure;
    await setAsideUnread(world, segment, failure);
    return 0;
  }
}

async function setAsideUnread(world: LandingWorld, { id, path }: Segment, failure: unknown): Promise<void> {
  world.log.error('queue.segment_unreadable', { segment: id, reason: sentenceOf(failure) });
  await insist(world, 'quarantine', () => world.quarantine.move(id, path, sentenceOf(failure)));
}

/** Two halves by count of messages, or null if there is but one. The same bytes always halve the same way. */
function halvesOf(bytes: Buffer): readonly [Buffer, Buffer] | null {
  const { whole } = readRecords(bytes);
  if (whole.length < 2) return null;
  const middle = whole[whole.length >> 1]!.start;
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

function insist<T>(
  world: LandingWorld,
  what: string,
  attempt: () => Promise<T>,
  isFinal?: (failure: unknown) => boolean,
): Promise<T> {
  const onFailure = (failure: unknown, nextInMs: number) => {
    world.counters.retries += 1;
    world.log.warn('queue.retry', { what, reason: sentenceOf(failure), nextInMs });
  };
  return world.patience.insist(attempt, onFailure, isFinal);
}
