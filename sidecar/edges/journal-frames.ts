// The journal's files: frames one behind the other, each with its length and checksum, and how they are found and read.
//
//   segment file:  [length u32][crc32 u32][kind u8][payload] …        one file per 8 MB, numbered, oldest first

import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Disk } from './disk.ts';

export const FRAME_KINDS = { decision: 1, end: 2, lease: 3, snapshot: 4 } as const;
export type FrameKind = (typeof FRAME_KINDS)[keyof typeof FRAME_KINDS];

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
  readonly segment: number;
  /** Where the frame ends in its segment. */
  readonly end: number;
}

export const HEADER_BYTES = 9;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export const pathOf = (directory: string, segment: number): string =>
  join(directory, `journal-${String(segment).padStart(8, '0')}.log`);

export function segmentsIn(disk: Disk, directory: string): number[] {
  const numbers = disk.list(directory).map((name) => /^journal-(\d{8})\.log$/.exec(name)?.[1]);
  return numbers
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** The whole frames of `bytes`, which begin at `base` of their segment, and how many bytes they take. */
export function framesOf(bytes: Buffer, segment: number, base = 0): { frames: Frame[]; whole: number } {
  const frames: Frame[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const end = at + HEADER_BYTES + length;
    if (length > FRAME_BYTES_MAX || end > bytes.length) break;
    if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32LE(at + 4)) break;
    frames.push({
      kind: bytes[at + 8] as FrameKind,
      payload: bytes.subarray(at + HEADER_BYTES, end),
      segment,
      end: base + end,
    });
    at = end;
  }
  return { frames, whole: base + at };
}
