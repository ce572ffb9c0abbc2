// The journal's segments as they lie on the disk, and what of them can still be read. A tail that a killed process left
// half written is cut off. Anything else that should be a frame and is none is damage: what stands behind it is still
// read, the file is kept beside the journal, and its owner is told, for what was in it may be known elsewhere.
//
//   journal-00000003.log           a segment
//   journal-00000003.damaged.log   one whose damage a start has met already; read like any other
//   damaged-00000003.log           the same once all of it was shipped: kept for whoever wants to know why

import { join } from 'node:path';
import type { Log } from '../../kit/log.ts';
import type { Disk } from './disk.ts';
import { type Frame, framesOf, looksTorn, nextFrame, type Position } from './journal-frames.ts';

/** Bytes that should be frames and are none, up to `end` of their segment. */
export interface Damage extends Position {
  readonly end: number;
  /** A start before this one has met it. */
  readonly known: boolean;
}

export interface Segment {
  readonly number: number;
  path: string;
  /** Bytes, with what is damaged. */
  size: number;
  readonly damage: Damage[];
}

const DAMAGED_KEPT_MAX = 4;
const NAME = /^journal-(\d{8})(\.damaged)?\.log$/;
const digitsOf = (number: number): string => String(number).padStart(8, '0');

export const pathOf = (directory: string, number: number): string =>
  join(directory, `journal-${digitsOf(number)}.log`);

/**
 * Every segment, oldest first, and every whole frame in them. A torn tail counts as nothing: the newest segment's `size`
 * is where its whole frames end. `knownTo` is how far others may know what was written here: what lies before it and is
 * not there any more is damage too. Throws when a file cannot be read.
 */
export function readSegments(
  disk: Disk,
  directory: string,
  knownTo: Position,
): { segments: Segment[]; frames: Frame[] } {
  const found = disk.list(directory).map((name) => NAME.exec(name));
  const names = found.filter((match) => match !== null).sort((a, b) => Number(a[1]) - Number(b[1]));
  const frames: Frame[] = [];
  const segments = names.map(([name, digits, damaged], i) => {
    const number = Number(digits);
    const segment: Segment = { number, path: join(directory, name), size: 0, damage: [] };
    const bytes = disk.read(segment.path);
    const isNewest = i === names.length - 1;
    for (const frame of scan(bytes, segment, damaged !== undefined, isNewest)) frames.push(frame);
    return segment;
  });
  const missing = missingOf(segments.at(-1), knownTo);
  if (missing) segments.push(missing);
  return { segments, frames };
}

/** Reads what can be read, notes in `segment` what cannot. */
function scan(bytes: Buffer, segment: Segment, known: boolean, isNewest: boolean): Frame[] {
  const frames: Frame[] = [];
  const note = (offset: number, end: number): void =>
    void segment.damage.push({ segment: segment.number, offset, end, known });
  for (let at = 0; ; ) {
    const run = framesOf(bytes.subarray(at), segment.number, at);
    for (const frame of run.frames) frames.push(frame);
    at = run.whole;
    segment.size = at;
    const next = at < bytes.length ? nextFrame(bytes, at + 1) : null;
    if (next === null) break;
    note(at, next);
    at = next;
  }
  const isTorn = isNewest && segment.damage.length === 0 && looksTorn(bytes, segment.size);
  if (segment.size < bytes.length && !isTorn) {
    note(segment.size, bytes.length);
    segment.size = bytes.length;
  }
  return frames;
}

/** What others know of and is gone: the newest segment's tail, or whole segments behind it. */
function missingOf(newest: Segment | undefined, { segment: number, offset }: Position): Segment | null {
  if (newest && newest.number > number) return null;
  if (newest?.number === number) {
    if (newest.size < offset)
      newest.damage.push({ segment: number, offset: newest.size, end: offset, known: false });
    return null;
  }
  if (offset === 0) return null;
  return { number, path: '', size: 0, damage: [{ segment: number, offset: 0, end: offset, known: false }] };
}

/** Says by its name that a start has met the damage in a segment's file. */
export function markDamaged(disk: Disk, directory: string, segment: Segment): void {
  const path = join(directory, `journal-${digitsOf(segment.number)}.damaged.log`);
  if (segment.path === '' || segment.path === path) return;
  disk.rename(segment.path, path);
  segment.path = path;
}

/** Deletes a segment whose records are all safe elsewhere; one with damage is kept beside the journal, the last few. */
export function dismiss(disk: Disk, directory: string, segment: Segment): void {
  if (segment.path === '') return;
  if (segment.damage.length === 0) return disk.remove(segment.path);
  disk.rename(segment.path, join(directory, `damaged-${digitsOf(segment.number)}.log`));
  const kept = disk.list(directory).filter((name) => /^damaged-\d{8}\.log$/.test(name));
  for (const name of kept.sort().slice(0, -DAMAGED_KEPT_MAX)) disk.remove(join(directory, name));
}

/** Frames from a position on, at most `bytesMax` of them, but one if there is any before `to`. */
export function readFrames(
  { disk, segments, log }: { disk: Disk; segments: ReadonlyMap<number, Segment>; log: Log },
  from: Position,
  { to, bytesMax }: { to: Position; bytesMax: number },
): Frame[] {
  for (let number = from.segment; number <= to.segment; number += 1) {
    const segment = segments.get(number);
    if (!segment) continue;
    let at = pastDamage(segment, number === from.segment ? from.offset : 0);
    while (at < segment.size) {
      const left = segment.size - at;
      const slice = framesOf(disk.readSlice(segment.path, at, Math.min(left, bytesMax)), number, at);
      if (slice.frames.length > 0) return slice.frames;
      const bytes = disk.readSlice(segment.path, at, left);
      const whole = framesOf(bytes, number, at);
      if (whole.frames.length > 0) return whole.frames.slice(0, 1);
      noteDamage(segment, at, bytes, log);
      at = pastDamage(segment, at);
    }
  }
  return [];
}

/** Bytes that were right when they were written, or when this process started: what follows them is read all the same. */
function noteDamage(segment: Segment, offset: number, bytes: Buffer, log: Log): void {
  const next = nextFrame(bytes, 1);
  const end = next === null ? segment.size : offset + next;
  segment.damage.push({ segment: segment.number, offset, end, known: false });
  log.error('journal.damaged', { segment: segment.number, offset, end });
}

/** Where reading goes on: behind the damage at `offset`, if there is any. */
const pastDamage = ({ damage }: Segment, offset: number): number =>
  damage.find((hole) => hole.offset <= offset && offset < hole.end)?.end ?? offset;
