// What a disk does to a segment that lies on it: bytes that were never acknowledged, bytes that changed, bytes it no longer
// gives back. What can be told apart is set aside, and the rest goes its way.

import { basename } from 'node:path';
import type { Log } from '../../kit/log.ts';
import { type Disk, writeDurably } from './disk.ts';
import type { Segment } from './loader.ts';
import type { Quarantine } from './quarantine.ts';
import { readRecords } from './record.ts';

interface World {
  readonly directory: string;
  readonly disk: Disk;
  readonly log: Log;
  readonly quarantine: Quarantine;
}

/** A read that failed for good: the medium lost it. Trying again for ever would hold up all that came after. */
export const isUnreadable = (failure: unknown): boolean =>
  failure instanceof Error && 'code' in failure && (failure.code === 'EIO' || failure.code === 'EBADMSG');

/**
 * A write failed, and so did cutting its remains off then: they were never acknowledged and must not be loaded.
 * False if someone removed the file alone; if the whole directory is away, it may come back, so that throws.
 */
export async function cutUnacknowledged(world: World, segment: Segment): Promise<boolean> {
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
export async function setDamageAside(world: World, segment: Segment): Promise<number> {
  const bytes = await world.disk.read(segment.path);
  const { whole, broken } = readRecords(bytes);
  if (broken.length === 0) return bytes.length;
  for (const { start, end } of broken) {
    world.log.error('queue.damage_quarantined', { segment: segment.id, at: start, bytes: end - start });
    await world.quarantine.keepDamage(
      `${segment.id}-${start}`,
      bytes.subarray(start, end),
      'damaged on disk',
    );
  }
  const rest = whole.map(({ start, end }) => bytes.subarray(start, end));
  await writeDurably(world.disk, segment.path, world.directory, rest);
  return rest.reduce((sum, { length }) => sum + length, 0);
}
