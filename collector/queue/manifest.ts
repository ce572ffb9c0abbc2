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
import { isUnreadable } from './damage.ts';
import type { Digests } from './digests.ts';
import type { Disk, DiskFile } from './disk.ts';

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
  /** It holds what was set aside under this name, and comes again. */
  readonly again?: string;
}

export interface Manifest {
  /** Those whose file is there. */
  readonly segments: ReadonlyMap<string, SealedSegment>;
  /** The highest number that any segment on record had. */
  readonly lastSequence: number;
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
  /** Ids of the segments whose files are there; what is on record of others is only which requests they held. */
  readonly present: ReadonlySet<string>;
}

/** Reads what earlier lives left in `directory`, feeding `digests`, and begins a new file at the first flush. */
export async function openManifest(world: ManifestWorld): Promise<Manifest> {
  const { directory, disk, clock } = world;
  const { segments, lastSequence } = await readManifests(world);
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
    lastSequence,
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

interface OnRecord {
  readonly segments: Map<string, SealedSegment>;
  readonly lastSequence: number;
}

/**
 * Reads every file and writes what still matters into one. Any of them may hold lines that only the page cache has, after
 * a kill or a failed fsync, and from here on we act on them. One file at a time is in memory, for a day of them is large.
 */
async function readManifests(world: ManifestWorld): Promise<OnRecord> {
  const segments = new Map<string, SealedSegment>();
  const names = await manifestNames(world);
  let lastSequence = 0;
  for (const name of names) {
    for (const { digests, ...segment } of await entriesOf(world, name)) {
      lastSequence = Math.max(lastSequence, Number.parseInt(segment.id, 10));
      if (world.present.has(segment.id)) segments.set(segment.id, segment);
      for (const digest of digests) world.digests.add(digest, segment.atMs);
    }
  }
  if (names.length > 0) await replaceFiles(world, names, segments);
  return { segments, lastSequence };
}

/** A line that matters: of a segment whose file is there, if only to be removed, and what was held within a day. */
function matters(segments: ReadonlyMap<string, SealedSegment>, sinceMs: number): (entry: Entry) => boolean {
  return ({ id, atMs, digests }) => segments.has(id) || (digests.length > 0 && atMs >= sinceMs);
}

async function replaceFiles(
  world: ManifestWorld,
  names: readonly string[],
  segments: ReadonlyMap<string, SealedSegment>,
): Promise<void> {
  const { disk, directory, clock } = world;
  const path = join(directory, await nextName(disk, directory, clock.nowMs()));
  const isKept = matters(segments, clock.nowMs() - REMEMBER_MS);
  const part = `${path}.part`;
  await disk.remove(part);
  const file = await disk.create(part);
  try {
    for (const name of names) {
      const kept = (await entriesOf(world, name)).filter(isKept);
      await append(
        file,
        kept.map(({ digests, ...segment }) => lineOf(segment, digests)),
      );
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.rename(part, path);
  await disk.syncDirectory(directory);
  for (const name of names) await removeLeniently(world, name);
}

type Entry = SealedSegment & { readonly digests: readonly Buffer[] };

/** The whole lines of a file. One that the disk no longer gives back counts as damaged: its segments are scanned. */
async function entriesOf(world: ManifestWorld, name: string): Promise<Entry[]> {
  const text = await world.disk.read(join(world.directory, name)).catch((failure: unknown) => {
    if (!isUnreadable(failure)) throw failure;
    world.log.error('queue.manifest_unreadable', { file: name, reason: sentenceOf(failure) });
    return Buffer.alloc(0);
  });
  const lines = text.toString('latin1').split('\n');
  lines.pop(); // what follows the last line's end: nothing, or a line that was torn
  const entries = lines.map(parseLine);
  const damaged = entries.filter((entry) => entry === null).length;
  if (damaged > 0) world.log.warn('queue.manifest_lines_damaged', { file: name, lines: damaged });
  return entries.filter((entry) => entry !== null);
}

/** An old file that stays does no harm: it is read before the newer ones. */
async function removeLeniently(world: ManifestWorld, name: string): Promise<void> {
  await world.disk.remove(join(world.directory, name)).catch((failure: unknown) => {
    world.log.warn('queue.manifest_not_removed', { file: name, reason: sentenceOf(failure) });
  });
}

/** Oldest first; a rewrite cut short is removed. */
async function manifestNames(world: { readonly disk: Disk; readonly directory: string }): Promise<string[]> {
  const names = (await world.disk.list(world.directory)).sort();
  for (const name of names.filter((each) => each.endsWith('.part')))
    await world.disk.remove(join(world.directory, name));
  return names.filter((name) => name.endsWith('.log'));
}

function parseLine(line: string): Entry | null {
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
