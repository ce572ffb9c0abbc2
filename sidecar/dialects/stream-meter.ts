// The meter of a streamed answer, for any dialect that streams JSON over server-sent events: framing here, meaning in
// the dialect's AnswerReader. An answer that turns out to be plain JSON (an error body, a provider that ignores
// `stream`) is read whole instead, and a "whole" answer that turns out to be a stream is read as one: never unmetered.

import type { Json, JsonObject } from './dialect.ts';
import { isObject } from './fields.ts';
import type { Metered, StreamMeter } from './metered.ts';
import { readEvents } from './sse.ts';

/** What a dialect makes of a stream's events. */
export interface AnswerReader {
  /** One event's JSON. True when it holds nothing but the usage that was asked for. */
  take(event: JsonObject): boolean;
  /** `data: [DONE]`. */
  done(): void;
  result(): Metered;
  /** Output tokens so far, surely no more than were made. */
  outputTokensSeen(): number;
  /** Events that end the stream here as if its output limit had been reached. */
  ending(): string;
}

/** A whole answer beyond this is passed on and not read: usage unknown. */
export const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
const OPENING_BRACE = 0x7b;

export const NOTHING_METERED: Metered = {
  usage: null,
  partial: null,
  outputBytesSeen: 0,
  model: null,
  responseId: null,
  finishReasons: [],
  serviceTier: null,
  toolRequests: [],
  errorType: null,
  complete: false,
};

export type ReadWhole = (bytes: Buffer) => Metered;

export function streamMeter(
  reader: AnswerReader,
  dropUsageChunk: boolean,
  readWhole: ReadWhole,
): StreamMeter {
  let whole: { chunks: Buffer[]; bytes: number } | null | undefined;
  let unreadable = 0;
  const events = readEvents((data) => {
    if (data === '[DONE]') {
      reader.done();
      return false;
    }
    const event = parse(data);
    if (isObject(event)) return reader.take(event);
    unreadable += Buffer.byteLength(data);
    return false;
  }, dropUsageChunk);

  return {
    push(chunk) {
      if (whole === undefined && chunk.length > 0) whole = opensJson(chunk) ? { chunks: [], bytes: 0 } : null;
      if (!whole) return events.push(chunk);
      whole.bytes += chunk.length;
      if (whole.bytes <= ANSWER_BYTES_MAX) whole.chunks.push(chunk);
      return chunk;
    },
    flush: () => (whole ? Buffer.alloc(0) : events.end()),
    metered() {
      if (whole)
        return whole.bytes > ANSWER_BYTES_MAX ? unread(whole.bytes) : readWhole(Buffer.concat(whole.chunks));
      const metered = reader.result();
      const bytes = events.unreadBytes();
      const outputBytesSeen = metered.outputBytesSeen + unreadable + bytes;
      return bytes > 0 ? { ...metered, outputBytesSeen, usage: null } : { ...metered, outputBytesSeen };
    },
    outputTokensSeen: () => (whole || events.unreadBytes() > 0 ? 0 : reader.outputTokensSeen()),
    unfinishedBytes: () => events.unfinishedBytes(),
    cut: () => Buffer.from(reader.ending()),
  };
}

/** Reads a whole answer, or a stream that came under another content type. `read` gets the parsed JSON object. */
export function meterWhole(
  bytes: Buffer,
  read: (answer: JsonObject) => Metered,
  reader: () => AnswerReader,
): Metered {
  if (bytes.length > ANSWER_BYTES_MAX) return unread(bytes.length);
  const answer = parse(bytes.toString('utf8', bytes[0] === 0xef ? 3 : 0));
  if (isObject(answer)) return { ...read(answer), complete: true };
  if (!/^(?:data|event|id|retry)?:/.test(bytes.toString('latin1', 0, 8)))
    return { ...unread(bytes.length), complete: true };
  const meter = streamMeter(reader(), false, unreadWhole);
  meter.push(bytes);
  meter.flush();
  return meter.metered();
}

const unread = (bytes: number): Metered => ({ ...NOTHING_METERED, outputBytesSeen: bytes });
const unreadWhole = (bytes: Buffer): Metered => unread(bytes.length);

function opensJson(chunk: Buffer): boolean {
  let at = 0;
  while (chunk[at] === 0x20 || chunk[at] === 0x0a || chunk[at] === 0x0d || chunk[at] === 0x09) at += 1;
  return chunk[at] === OPENING_BRACE;
}

/** Undefined where the text is not JSON. */
export function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
