// What became of each segment, one line a change, so that a restart knows which were sealed, split or loaded, and which
// digests they held. Files by the hour; each begins with the segments that still exist, so files older than a day go.
//
//   <crc-32> {"id":"…","bytes":8123456,"atMs":…,"loaded":false,"split":[],"digests":"…"}      the last line of an id wins
//
// A line that is lost or damaged is never a lost span: its segment is scanned, or replayed under the same token.

import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Digests } from './digests.ts';
import { type Disk, type DiskFile, writeDurably } from './disk.ts';

const FILE_MS_MAX = 3_600_000;
export const REMEMBER_MS = 24 * 3_600_000;
const DIGEST_BYTES_KEPT = 16;
const NAME_DIGITS = 15;

/** A segment that was sealed: from here on its bytes never change. */
export interface SealedSegment {
  readonly id: string;
  readonly bytes: number;
  readonly atMs: number;
  readonly loaded: boolean;
  /** It, or those halves of it, which the store refused whole and which were therefore loaded in halves. */
  readonly split: readonly string[];
  /** Whoever keeps the order of all requests has all of its. */
  readonly sequenced?: true;
}

export interface Manifest {
  readonly segments: ReadonlyMap<string, SealedSegment>;
  /** Remembers a change; it is durable after the next `flush`. */
  note(segment: SealedSegment, digests?: readonly Buffer[]): void;
  /** The segment's file is gone for good. */
  forget(id: string): void;
  /** Resolves once everything noted before is on disk. After a failure the next call tries again, in a new file. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface ManifestWorld {
  readonly directory: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly digests: Digests;
}

/** Reads what earlier lives left in `directory`, feeding `digests`, and begins a new file at the first flush. */
export async function openManifest(world: ManifestWorld): Promise<Manifest> {
  const { directory, disk, clock } = world;
  const segments = await readManifests(world);
  /** As on disk. A line without digests must never be there before the line with them. */
  const durable = new Map(segments);
  let pending: { readonly segment: SealedSegment; readonly line: string }[] = [];
  let current: { readonly file: DiskFile; readonly startedMs: number } | null = null;
  let writing: Promise<void> = Promise.resolve();

  const begin = async () => {
    const startedMs = clock.nowMs();
    const name = await nextName(disk, directory, startedMs);
    const file = await disk.create(join(directory, name));
    current = { file, startedMs };
    await append(
      file,
      [...durable.values()].map((segment) => lineOf(segment)),
    );
    await file.datasync();
    await disk.syncDirectory(directory);
    await removeOld(world, startedMs - REMEMBER_MS);
    return file;
  };
  const abandon = async () => {
    const file = current?.file;
    current = null;
    await file?.close().catch((failure: unknown) => {
      world.log.warn('queue.manifest_close_failed', { reason: sentenceOf(failure) });
    });
  };
  const write = async () => {
    if (pending.length === 0) return;
    const lines = pending;
    pending = [];
    try {
      if (current && clock.nowMs() - current.startedMs > FILE_MS_MAX) await abandon();
      const file = current?.file ?? (await begin());
      await append(
        file,
        lines.map(({ line }) => line),
      );
      await file.datasync();
      if (!(await file.isLinked())) throw new Error('the manifest was removed');
      for (const { segment } of lines) if (segments.has(segment.id)) durable.set(segment.id, segment);
    } catch (failure) {
      pending = [...lines, ...pending];
      await abandon();
      throw failure;
    }
  };

  return {
    segments,
    note(segment, digests = []) {
      segments.set(segment.id, segment);
      pending.push({ segment, line: lineOf(segment, digests) });
    },
    forget(id) {
      segments.delete(id);
      durable.delete(id);
    },
    flush() {
      const written = writing.then(write);
      writing = written.catch(() => undefined); // this caller hears of it; the next one starts anew
      return written;
    },
    async close() {
      await writing;
      await abandon();
    },
  };
}

function lineOf(segment: SealedSegment, digests: readonly Buffer[] = []): string {
  const kept = digests.map((digest) => digest.subarray(0, DIGEST_BYTES_KEPT));
  const json = JSON.stringify({ ...segment, digests: Buffer.concat(kept).toString('base64') });
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

async function append(file: DiskFile, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const bytes = Buffer.from(lines.join(''));
  if ((await file.append([bytes])) !== bytes.length) throw new Error('short write to the manifest');
}

/**
 * Reads every file and writes what still matters into one. Any of them may hold lines that only the page cache has, after
 * a kill or a failed fsync, and from here on we act on them. Returns the segments as they are now, dead ones too.
 */
async function readManifests(world: ManifestWorld): Promise<Map<string, SealedSegment>> {
  const segments = new Map<string, SealedSegment>();
  const names = await manifestNames(world);
  const entries: { readonly id: string; readonly line: string }[] = [];
  for (const name of names) {
    const lines = (await world.disk.read(join(world.directory, name))).toString('latin1').split('\n');
    lines.pop(); // what follows the last line's end: nothing, or a line that was torn
    for (const line of lines) {
      const entry = parseLine(line);
      if (!entry) {
        world.log.warn('queue.manifest_line_damaged', { file: name });
        continue;
      }
      const { digests, ...segment } = entry;
      segments.set(segment.id, segment);
      for (const digest of digests) world.digests.add(digest, segment.atMs);
      entries.push({ id: segment.id, line });
    }
  }
  const sinceMs = world.clock.nowMs() - REMEMBER_MS;
  const matters = ({ loaded, atMs }: SealedSegment) => !loaded || atMs >= sinceMs;
  const kept = entries.filter(({ id }) => matters(segments.get(id)!));
  if (names.length > 0) await replaceFiles(world, names, kept);
  return segments;
}

async function replaceFiles(
  world: ManifestWorld,
  names: readonly string[],
  entries: readonly { readonly line: string }[],
): Promise<void> {
  const path = join(world.directory, await nextName(world.disk, world.directory, world.clock.nowMs()));
  const text = entries.map(({ line }) => `${line}\n`).join('');
  await writeDurably(world.disk, path, world.directory, [Buffer.from(text, 'latin1')]);
  for (const name of names) await removeLeniently(world, name);
}

/** An old file that stays does no harm: it is read before the newer ones. */
async function removeLeniently(world: ManifestWorld, name: string): Promise<void> {
  await world.disk.remove(join(world.directory, name)).catch((failure: unknown) => {
    world.log.warn('queue.manifest_not_removed', { file: name, reason: sentenceOf(failure) });
  });
}

/** Oldest first; a rewrite cut short is removed. */
async function manifestNames(world: { disk: Disk; directory: string }): Promise<string[]> {
  const names = (await world.disk.list(world.directory)).sort();
  for (const name of names.filter((each) => each.endsWith('.part')))
    await world.disk.remove(join(world.directory, name));
  return names.filter((name) => name.endsWith('.log'));
}

function parseLine(line: string): (SealedSegment & { digests: Buffer[] }) | null {
  const json = line.slice(9);
  if (Number.parseInt(line.slice(0, 8), 16) !== crc32(json)) return null;
  const entry = JSON.parse(json) as SealedSegment & { digests: string };
  const bytes = Buffer.from(entry.digests, 'base64');
  const digests = Array.from({ length: bytes.length / DIGEST_BYTES_KEPT }, (_, index) =>
    bytes.subarray(index * DIGEST_BYTES_KEPT, (index + 1) * DIGEST_BYTES_KEPT),
  );
  return { ...entry, digests };
}

/** Names sort by age even if the wall clock was set back. */
async function nextName(disk: Disk, directory: string, startedMs: number): Promise<string> {
  const last = (await manifestNames({ disk, directory })).at(-1);
  const after = last ? Number.parseInt(last, 10) + 1 : 0;
  return `${String(Math.max(startedMs, after)).padStart(NAME_DIGITS, '0')}.log`;
}

/** A file's last line is older than the next file's first. */
async function removeOld(world: ManifestWorld, beforeMs: number): Promise<void> {
  const names = await manifestNames(world);
  for (const [index, name] of names.entries()) {
    const next = names[index + 1];
    if (next && Number.parseInt(next, 10) < beforeMs) await removeLeniently(world, name);
  }
}
