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

/** Reads what earlier lives left in `directory`, feeding `digests`, and begins a new file at the first flush. */
export async function openManifest(world: {
  readonly directory: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly digests: Digests;
}): Promise<Manifest> {
  const { directory, disk, clock } = world;
  const segments = await readManifests(world);
  let pending: string[] = [];
  let current: { readonly file: DiskFile; readonly startedMs: number } | null = null;
  let writing: Promise<void> = Promise.resolve();

  const begin = async () => {
    const startedMs = clock.nowMs();
    const name = await nextName(disk, directory, startedMs);
    const file = await disk.create(join(directory, name));
    current = { file, startedMs };
    await append(
      file,
      [...segments.values()].map((segment) => lineOf(segment)),
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
      await append(file, lines);
      await file.datasync();
      if (!(await file.isLinked())) throw new Error('the manifest was removed');
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
      pending.push(lineOf(segment, digests));
    },
    forget: (id) => void segments.delete(id),
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

async function readManifests(world: {
  directory: string;
  disk: Disk;
  log: Log;
  digests: Digests;
}): Promise<Map<string, SealedSegment>> {
  const segments = new Map<string, SealedSegment>();
  for (const name of (await world.disk.list(world.directory)).sort()) {
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
    }
  }
  return segments;
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
  const last = (await disk.list(directory)).sort().at(-1);
  const after = last ? Number.parseInt(last, 10) + 1 : 0;
  return `${String(Math.max(startedMs, after)).padStart(NAME_DIGITS, '0')}.log`;
}

/** A file's last line is older than the next file's first. */
async function removeOld(world: { disk: Disk; directory: string }, beforeMs: number): Promise<void> {
  const names = (await world.disk.list(world.directory)).sort();
  for (const [index, name] of names.entries()) {
    const next = names[index + 1];
    if (next && Number.parseInt(next, 10) < beforeMs) await world.disk.remove(join(world.directory, name));
  }
}
