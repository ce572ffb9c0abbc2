// What an earlier life left behind, made loadable before the doors open. Two kinds of segments, told apart by the manifest:
// sealed ones may have begun to load, so their bytes stay exactly as they are; others never did, and are mended here.
//
//   in the manifest, loaded      remove it
//   in the manifest, sealed      keep it; cut what was never acknowledged (a failed write that could not be cut before)
//   unknown to the manifest      cut the torn tail, drop what is stored already, quarantine damage, seal

import { join } from 'node:path';
import type { Log } from '../../kit/log.ts';
import type { Digests } from './digests.ts';
import { type Disk, writeDurably } from './disk.ts';
import type { Manifest } from './manifest.ts';
import type { Quarantine } from './quarantine.ts';
import { readRecords, type WholeRecord } from './record.ts';

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

/** Returns what is still to be loaded, oldest first. Reads whole only the few segments that were not sealed. */
export async function recoverSegments(world: World): Promise<LeftSegment[]> {
  const names = (await world.disk.list(world.directory)).sort();
  for (const name of names.filter((each) => !each.endsWith(SUFFIX)))
    await world.disk.remove(join(world.directory, name)); // halves of a split segment, or a rewrite cut short
  const ids = names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
  const left: LeftSegment[] = [];
  for (const id of ids) {
    const segment = await recoverSegment(world, id);
    if (segment) left.push(segment);
  }
  for (const id of world.manifest.segments.keys()) if (!ids.includes(id)) world.manifest.forget(id);
  await world.disk.syncDirectory(world.directory);
  await world.manifest.flush();
  return left;
}

async function recoverSegment(world: World, id: string): Promise<LeftSegment | null> {
  const path = join(world.directory, `${id}${SUFFIX}`);
  const sealed = world.manifest.segments.get(id);
  if (sealed?.loaded) {
    await world.disk.remove(path);
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
      await world.quarantine.keep(
        `${id}-${start}`,
        bytes.subarray(start, end),
        'damaged before it was sealed',
      );
  }
  const wanted = whole.filter(({ digest }) => !world.digests.has(digest));
  const size = await rewrite(world, path, bytes, wanted);
  if (size === 0) {
    await world.disk.remove(path);
    return null;
  }
  for (const { digest } of wanted) world.digests.add(digest, writtenAtMs);
  world.manifest.note(
    { id, bytes: size, atMs: writtenAtMs, loaded: false, split: [] },
    wanted.map(({ digest }) => digest),
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
