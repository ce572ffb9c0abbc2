// Reads the copy of an answer: live where it is a plain event stream, else kept (not copied) and read at the end.

import { brotliDecompressSync, constants, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Answered } from './call.ts';
import type { Metered, StreamMeter } from './dialects/metered.ts';

export interface AnswerReader {
  readonly streamed: boolean;
  /** Where the answer is read live: its meter, else null. */
  readonly stream: StreamMeter | null;
  /** True when what the agent gets is not what came: then what `push` and `flush` return is what goes out. */
  readonly rewrites: boolean;
  push(chunk: Buffer): Buffer;
  flush(): Buffer;
  /** May be asked at any time; null when nothing can be said. */
  metered(): Metered | null;
}

/** Of a whole answer more than this is not kept: its usage is then unknown. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

export function readerOf({ answer, description, endpoint, dialect, outbound }: Answered): AnswerReader {
  if (!description || !endpoint) return unread;
  const unmetered = endpoint.billed === 'free' || endpoint.operation === null;
  if (unmetered && description.acts.length === 0) return unread;
  const encoding = answer.header('content-encoding') ?? 'identity';
  const streamed = dialect.streams(answer.header('content-type') ?? '', description);
  if (streamed && encoding === 'identity') {
    return live(
      dialect.meterStream(description, { dropUsageChunk: outbound.dropUsageChunk }),
      outbound.dropUsageChunk,
    );
  }
  return kept(streamed, (bytes) => {
    const plain = decode(bytes, encoding);
    if (plain === null) return null;
    if (!streamed) return dialect.meterWhole(description, plain, answer.status < 300, answer);
    return atOnce(dialect.meterStream(description, { dropUsageChunk: false }), plain);
  });
}

const unread: AnswerReader = {
  streamed: false,
  stream: null,
  rewrites: false,
  push: (chunk) => chunk,
  flush: () => NOTHING,
  metered: () => null,
};

function live(meter: StreamMeter, rewrites: boolean): AnswerReader {
  return {
    streamed: true,
    stream: meter,
    rewrites,
    push: (chunk) => meter.push(chunk),
    flush: () => meter.flush(),
    metered: () => meter.metered(),
  };
}

function kept(streamed: boolean, read: (bytes: Buffer) => Metered | null): AnswerReader {
  const chunks: Buffer[] = [];
  let total = 0;
  let ended = false;
  return {
    streamed,
    stream: null,
    rewrites: false,
    push(chunk) {
      total += chunk.length;
      if (total <= KEPT_BYTES_MAX) chunks.push(chunk);
      else chunks.length = 0;
      return chunk;
    },
    flush() {
      ended = true;
      return NOTHING;
    },
    metered() {
      if (total > KEPT_BYTES_MAX) return null;
      const metered = read(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
      return metered && { ...metered, complete: metered.complete && (ended || metered.usage !== null) };
    },
  };
}

function atOnce(meter: StreamMeter, plain: Buffer): Metered {
  meter.push(plain);
  meter.flush();
  return meter.metered();
}

/** Honest JSON that says the same again and again; what grows more is made to. The first MiB is free. */
const GROWTH_MAX = 20;
const GROWTH_FREE_BYTES = 1024 * 1024;
/** 2^23 bytes: what RFC 9659 lets a server ask of a client. */
const ZSTD_WINDOW_LOG_MAX = 23;

/**
 * The reader's copy of a compressed answer, in one coding; null when it cannot be read or grows too much. A cut-off one
 * is read as far as it goes.
 */
export function decode(bytes: Buffer, encoding: string): Buffer | null {
  const maxOutputLength = Math.min(KEPT_BYTES_MAX, Math.max(GROWTH_FREE_BYTES, GROWTH_MAX * bytes.length));
  const limits = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    switch (encoding.trim().toLowerCase()) {
      case 'identity':
        return bytes;
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(bytes, limits);
      case 'deflate':
        return inflateSync(bytes, limits);
      case 'br':
        return brotliDecompressSync(bytes, { ...limits, finishFlush: constants.BROTLI_OPERATION_FLUSH });
      case 'zstd':
        return zstdDecompressSync(bytes, {
          maxOutputLength,
          finishFlush: constants.ZSTD_e_flush,
          params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
        });
      default:
        return null;
    }
  } catch (failure) {
    if (failure instanceof Error) return null;
    throw failure;
  }
}
