// The journal's files: frames one behind the other, each with its length and checksum, and how they are found and read.
//
//   segment file:  [length u32][crc32 u32][kind u8][payload] …        one file per 8 MB, numbered, oldest first

import { crc32 } from 'node:zlib';

export const FRAME_KINDS = { decision: 1, end: 2, lease: 3, snapshot: 4 } as const;
export type FrameKind = (typeof FRAME_KINDS)[keyof typeof FRAME_KINDS];

export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
  readonly segment: number;
  /** Where the frame ends in its segment. */
  readonly end: number;
}

export const HEADER_BYTES = 9;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export const isBefore = (a: Position, b: Position): boolean =>
  a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);

/** The whole frames of `bytes`, which begin at `base` of their segment, and how many bytes they take. */
export function framesOf(bytes: Buffer, segment: number, base = 0): { frames: Frame[]; whole: number } {
  const frames: Frame[] = [];
  let at = 0;
  for (let end = endOfFrame(bytes, at); end !== null; end = endOfFrame(bytes, at)) {
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

/** Where the next whole frame begins, from `from` on; null without one. Only damage makes anyone look for it. */
export function nextFrame(bytes: Buffer, from: number): number | null {
  for (let at = from; at + HEADER_BYTES <= bytes.length; at += 1) {
    const kind = bytes[at + 8]!;
    if (kind < FRAME_KINDS.decision || kind > FRAME_KINDS.snapshot) continue;
    if (endOfFrame(bytes, at) !== null) return at;
  }
  return null;
}

/** What a write leaves that was cut short: less than the frame says it holds. */
export const looksTorn = (bytes: Buffer, at: number): boolean =>
  at + HEADER_BYTES > bytes.length || at + HEADER_BYTES + bytes.readUInt32LE(at) > bytes.length;

function endOfFrame(bytes: Buffer, at: number): number | null {
  if (at + HEADER_BYTES > bytes.length) return null;
  const length = bytes.readUInt32LE(at);
  const end = at + HEADER_BYTES + length;
  if (length > FRAME_BYTES_MAX || end > bytes.length) return null;
  return crc32(bytes.subarray(at + 8, end)) === bytes.readUInt32LE(at + 4) ? end : null;
}
