// One sealed segment on its way into the store, until it is there and its file gone.
//
//   sealed line durable ─▶ load ─▶ requests sequenced ─▶ loaded line durable ─▶ file removed ─▶ directory synced
//                           │ refused whole
//                           └─▶ split line durable ─▶ load each half, down to the one message the store can't take
//
// Splits are exact under a crash at any point: how a segment splits follows from its bytes, each half's id from its place,
// and a segment once split is never tried whole again.

import { basename, join } from 'node:path';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { type Signal, signalOf } from '../signals.ts';
import { type Disk, writeDurably } from './disk.ts';
import { isRejection, type Loader, type Segment } from './loader.ts';
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
  const hasSplit = (id: string) => world.manifest.segments.get(segment.id)!.split.includes(id);
  const split = (id: string) => note({ split: [...world.manifest.segments.get(segment.id)!.split, id] });

  await insist(world, 'write the manifest', () => world.manifest.flush());
  const isThere = await insist(world, 'cut the segment', () => cutUnacknowledged(world, segment));
  if (!isThere) {
    world.counters.lost += 1;
    world.log.error('queue.segment_lost', { segment: segment.id, bytes: segment.bytes });
  }
  const check = () => insist(world, 'check the segment', () => setDamageAside(world, segment));
  const bytes = isThere && isOld ? await check() : segment.bytes;
  if (isThere && bytes > 0) await land(world, { ...segment, bytes }, hasSplit, split);
  await insist(world, 'sequence the requests', () => world.sequencer.sequenced(segment.id));
  await note({ loaded: true });
  await insist(world, 'remove the segment', async () => {
    await world.disk.remove(segment.path);
    await world.disk.syncDirectory(world.directory);
  });
  world.manifest.forget(segment.id);
}

/** Loads a segment or a part of one; what is refused whole is loaded in halves. */
async function land(
  world: LandingWorld,
  part: Segment,
  hasSplit: (id: string) => boolean,
  split: (id: string) => Promise<void>,
): Promise<void> {
  const refusal = hasSplit(part.id) ? 'refused before' : await load(world, part);
  if (refusal === null) return;
  const bytes = await insist(world, 'read the segment', () => world.disk.read(part.path));
  const halves = halvesOf(bytes);
  if (!halves) {
    world.log.error('queue.message_quarantined', { segment: part.id, reason: refusal });
    await insist(world, 'quarantine', () => world.quarantine.keep(part.id, bytes, refusal));
    return;
  }
  if (!hasSplit(part.id)) await split(part.id);
  for (const [index, half] of halves.entries()) {
    const id = `${part.id}.${index}`;
    const path = join(world.directory, `${id}.half`);
    await insist(world, 'write a half', () => writeDurably(world.disk, path, world.directory, [half]));
    await land(world, { id, path, bytes: half.length }, hasSplit, split);
    await insist(world, 'remove a half', () => world.disk.remove(path));
  }
}

/** Null once it landed, or why the store refused all of it. */
async function load(world: LandingWorld, part: Segment): Promise<string | null> {
  try {
    world.counters.loads += 1;
    const { items } = await insist(world, 'load', () => world.loader.load(part), isRejection);
    world.counters.stored[signalOf(part.id)] += items;
    return null;
  } catch (failure) {
    if (!isRejection(failure)) throw failure;
    return sentenceOf(failure);
  }
}

/** Two halves by count of messages, or null if there is but one. The same bytes always halve the same way. */
function halvesOf(bytes: Buffer): readonly [Buffer, Buffer] | null {
  const { whole } = readRecords(bytes);
  if (whole.length < 2) return null;
  const middle = whole[whole.length >> 1]!.start;
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

/**
 * A write failed, and so did cutting its remains off then: they were never acknowledged and must not be loaded.
 * False if someone removed the file alone; if the whole directory is away, it may come back, so that throws.
 */
async function cutUnacknowledged(world: LandingWorld, segment: Segment): Promise<boolean> {
  const names = await world.disk.list(world.directory);
  if (!names.includes(basename(segment.path))) return false;
  const { bytes } = await world.disk.measure(segment.path);
  if (bytes > segment.bytes) await world.disk.truncate(segment.path, segment.bytes);
  return true;
}

/**
 * Moves what is no longer readable into quarantine and leaves the rest under the segment's own id: if it had landed
 * before it was damaged, the store knows the id and adds nothing. Returns the bytes left.
 */
async function setDamageAside(world: LandingWorld, segment: Segment): Promise<number> {
  const bytes = await world.disk.read(segment.path);
  const { whole, broken } = readRecords(bytes);
  if (broken.length === 0) return bytes.length;
  for (const { start, end } of broken) {
    world.log.error('queue.damage_quarantined', { segment: segment.id, at: start, bytes: end - start });
    await world.quarantine.keep(`${segment.id}-${start}`, bytes.subarray(start, end), 'damaged on disk');
  }
  const rest = whole.map(({ start, end }) => bytes.subarray(start, end));
  await writeDurably(world.disk, segment.path, world.directory, rest);
  return rest.reduce((sum, { length }) => sum + length, 0);
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
