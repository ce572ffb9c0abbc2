// AWS's binary event stream, application/vnd.amazon.eventstream, read from bytes split anywhere and written where a
// stream is ended early. Both checksums of a frame are verified; from the first frame that is not sound on nothing is
// read any more, and the bytes still pass (smithy.io/2.0/aws/amazon-eventstream.html).
//
//   u32 total │ u32 headers │ u32 crc of these 8 │ headers … │ payload … │ u32 crc of all before
//   header: u8 length, name │ u8 type │ value      type 7: u16 length, UTF-8

import { crc32 } from 'node:zlib';

/** A header's text by its name; values of other types than text are left out. */
export type FrameHeaders = Readonly<Record<string, string>>;

export interface FrameReader {
  push(chunk: Buffer): void;
  /** Bytes that were not read, from an unsound or too long frame on; 0 while all is well. */
  unreadBytes(): number;
  /** Bytes of a frame that has begun and not ended. */
  unfinishedBytes(): number;
}

/** A longer frame is not read. The format's own limit is 16 MB of payload; Bedrock's frames hold a few words. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const TEXT = 7;
/** Bytes of a header's value by its type; -1: two bytes of length first. */
const VALUE_BYTES: readonly number[] = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16];
const NOTHING = Buffer.alloc(0);

/** `take` gets each frame, whole and sound, in order. */
export function readFrames(take: (headers: FrameHeaders, payload: Buffer) => void): FrameReader {
  let waiting = createGathered();
  let unread = 0;

  const takeFrame = (frame: Buffer): boolean => {
    const parsed = parseFrame(frame);
    if (parsed) take(parsed.headers, parsed.payload);
    return parsed !== null;
  };

  return {
    push(chunk) {
      if (unread > 0) {
        unread += chunk.length;
        return;
      }
      let rest = chunk;
      while (rest.length > 0) {
        const taken = waiting.add(rest);
        rest = rest.subarray(taken);
        if (waiting.unsound || (waiting.frame && !takeFrame(waiting.frame))) {
          unread = waiting.bytes + rest.length;
          waiting = createGathered();
          return;
        }
        if (waiting.frame) waiting = createGathered();
      }
    },
    unreadBytes: () => unread,
    unfinishedBytes: () => waiting.bytes,
  };
}

interface Gathered {
  /** Takes of `bytes` what belongs to the frame; returns how many that were. */
  add(bytes: Buffer): number;
  readonly bytes: number;
  readonly frame: Buffer | null;
  readonly unsound: boolean;
}

/** One frame as it comes. Its memory grows with what came, not with what its length promises. */
function createGathered(): Gathered {
  let kept: Buffer = NOTHING;
  let bytes = 0;
  let total = PRELUDE_BYTES;
  let unsound = false;
  let frame: Buffer | null = null;

  const keep = (more: Buffer): void => {
    if (bytes + more.length > kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(64, 2 * (bytes + more.length)));
      kept.copy(larger, 0, 0, bytes);
      kept = larger;
    }
    more.copy(kept, bytes);
    bytes += more.length;
  };

  return {
    add(more) {
      let taken = 0;
      if (bytes < PRELUDE_BYTES) {
        taken = Math.min(PRELUDE_BYTES - bytes, more.length);
        keep(more.subarray(0, taken));
        if (bytes < PRELUDE_BYTES) return taken;
        total = totalOf(kept);
        unsound = total === 0;
        if (unsound) return taken;
      }
      const piece = more.subarray(taken, taken + total - bytes);
      keep(piece);
      if (bytes === total) frame = kept.subarray(0, total);
      return taken + piece.length;
    },
    get bytes() {
      return bytes;
    },
    get frame() {
      return frame;
    },
    get unsound() {
      return unsound;
    },
  };
}

/** Bytes of the frame by its prelude; 0 where the prelude is not sound. */
function totalOf(prelude: Buffer): number {
  const total = prelude.readUInt32BE(0);
  const headers = prelude.readUInt32BE(4);
  if (crc32(prelude.subarray(0, 8)) !== prelude.readUInt32BE(8)) return 0;
  const least = PRELUDE_BYTES + headers + CHECKSUM_BYTES;
  return total >= least && total <= FRAME_BYTES_MAX ? total : 0;
}

function parseFrame(frame: Buffer): { headers: FrameHeaders; payload: Buffer } | null {
  const end = frame.length - CHECKSUM_BYTES;
  if (crc32(frame.subarray(0, end)) !== frame.readUInt32BE(end)) return null;
  const payloadStart = PRELUDE_BYTES + frame.readUInt32BE(4);
  const headers = parseHeaders(frame.subarray(PRELUDE_BYTES, payloadStart));
  return headers && { headers, payload: frame.subarray(payloadStart, end) };
}

/** Null where they do not fill their room exactly. */
function parseHeaders(bytes: Buffer): FrameHeaders | null {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = 0;
  while (at < bytes.length) {
    const typeAt = at + 1 + bytes[at]!;
    const type = bytes[typeAt];
    const fixed = type === undefined ? undefined : VALUE_BYTES[type];
    if (fixed === undefined) return null;
    const lengthBytes = fixed === -1 ? 2 : 0;
    const valueAt = typeAt + 1 + lengthBytes;
    if (valueAt > bytes.length) return null;
    const next = valueAt + (fixed === -1 ? bytes.readUInt16BE(typeAt + 1) : fixed);
    if (next > bytes.length) return null;
    if (type === TEXT)
      headers[bytes.toString('utf8', at + 1, typeAt)] = bytes.toString('utf8', valueAt, next);
    at = next;
  }
  return headers;
}

/** One frame. Names at most 255 bytes, values at most 65,535. */
export function writeFrame(headers: FrameHeaders, payload: Buffer): Buffer {
  const named = Buffer.concat(Object.entries(headers).map(([name, value]) => writeHeader(name, value)));
  const total = PRELUDE_BYTES + named.length + payload.length + CHECKSUM_BYTES;
  const frame = Buffer.alloc(total);
  frame.writeUInt32BE(total, 0);
  frame.writeUInt32BE(named.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  named.copy(frame, PRELUDE_BYTES);
  payload.copy(frame, PRELUDE_BYTES + named.length);
  const end = total - CHECKSUM_BYTES;
  frame.writeUInt32BE(crc32(frame.subarray(0, end)), end);
  return frame;
}

function writeHeader(name: string, value: string): Buffer {
  const text = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([
    Buffer.of(Buffer.byteLength(name)),
    Buffer.from(name),
    Buffer.of(TEXT),
    length,
    text,
  ]);
}
