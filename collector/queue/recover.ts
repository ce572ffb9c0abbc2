// What an earlier life left behind, made loadable before the doors open. Two kinds of segments, told apart by the manifest:
// sealed ones may have begun to load, so their bytes stay exactly as they are; others never did, and are mended here.
//
//   in the manifest, loaded      remove it
//   in the manifest, sealed      keep it; cut what was never acknowledged (a failed write that could not be cut before)
//   unknown to the manifest      cut the torn tail, drop what is stored already, quarantine damage, seal

import { join } from 'node:path';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { signalOf } from '../signals.ts';
import { isUnreadable } from './damage.ts';
import { type Digests, markOf } from './digests.ts';
import { type Disk, writeDurably } from './disk.ts';
import type { Manifest } from './manifest.ts';
import type { Quarantine } from './quarantine.ts';
import { readRecords, senderIn, type WholeRecord } from './record.ts';

const SUFFIX = '.segment';

export interface LeftSegment {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  readonly writtenAtMs: number;
}

interface World {
  readonly directory: string;
  readonly disk: Disk;
  readonly log: Log;
  readonly manifest: Manifest;
  readonly digests: Digests;
  readonly quarantine: Quarantine;
}

/** The ids of the segments whose files are there, oldest first; the directory is as durable as it is read. */
export async function listSegments(disk: Disk, directory: string): Promise<string[]> {
  const names = (await disk.list(directory)).sort();
  const leftovers = names.filter((each) => !each.endsWith(SUFFIX)); // halves of a split segment, or a rewrite cut short
  for (const name of leftovers) await disk.remove(join(directory, name));
  await disk.syncDirectory(directory);
  return names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
}

/** Returns what of `ids` is still to be loaded. Reads whole only the few segments that were not sealed. */
export async function recoverSegments(world: World, ids: readonly string[]): Promise<LeftSegment[]> {
  const left: LeftSegment[] = [];
  for (const id of ids) {
    const segment = await recoverOrSetAside(world, id);
    if (segment) left.push(segment);
  }
  await world.disk.syncDirectory(world.directory);
  await world.manifest.flush();
  return left;
}

/** What the disk no longer gives back must not make every start fail. */
async function recoverOrSetAside(world: World, id: string): Promise<LeftSegment | null> {
  try {
    return await recoverSegment(world, id);
  } catch (failure) {
    if (!isUnreadable(failure)) throw failure;
    world.log.error('queue.segment_unreadable', { segment: id, reason: sentenceOf(failure) });
    await world.quarantine.move(id, join(world.directory, `${id}${SUFFIX}`), sentenceOf(failure));
    return null;
  }
}

async function recoverSegment(world: World, id: string): Promise<LeftSegment | null> {
  const path = join(world.directory, `${id}${SUFFIX}`);
  const sealed = world.manifest.segments.get(id);
  if (sealed?.loaded) {
    await world.disk.remove(path);
    world.manifest.forget(id);
    return null;
  }
  const { bytes, writtenAtMs } = await world.disk.measure(path);
  if (!sealed) return await mend(world, id, path, writtenAtMs);
  if (bytes > sealed.bytes) await world.disk.truncate(path, sealed.bytes);
  return { id, path, bytes: sealed.bytes, writtenAtMs: sealed.atMs };
}

async function mend(
  world: World,
  id: string,
  path: string,
  writtenAtMs: number,
): Promise<LeftSegment | null> {
  const bytes = await world.disk.read(path);
  const { whole, broken } = readRecords(bytes);
  for (const { start, end } of broken) {
    if (end === bytes.length) world.log.info('queue.torn_tail_cut', { segment: id, bytes: end - start });
    else
      await world.quarantine.keepDamage(
        `${id}-${start}`,
        bytes.subarray(start, end),
        'damaged before it was sealed',
      );
  }
  const signal = signalOf(id);
  const marked = whole.map((record) => ({
    ...record,
    mark: markOf(record.digest, signal, senderIn(bytes, record).sender),
  }));
  const wanted = marked.filter(({ mark }) => !world.digests.has(mark));
  const size = await rewrite(world, path, bytes, wanted);
  if (size === 0) {
    await world.disk.remove(path);
    return null;
  }
  for (const { mark } of wanted) world.digests.add(mark, writtenAtMs);
  world.manifest.note(
    { id, bytes: size, atMs: writtenAtMs, loaded: false, split: [] },
    wanted.map(({ mark }) => mark),
  );
  return { id, path, bytes: size, writtenAtMs };
}

/**
 * Leaves only `wanted`, in a new file; returns its size. Also what needs no change is written anew: a process that was
 * killed, or met a failed fsync, may have left records that only the page cache holds, and now they count as accepted.
 */
async function rewrite(
  world: World,
  path: string,
  bytes: Buffer,
  wanted: readonly WholeRecord[],
): Promise<number> {
  const chunks = wanted.map(({ start, end }) => bytes.subarray(start, end));
  if (chunks.length > 0) await writeDurably(world.disk, path, world.directory, chunks);
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
