// Metering Gemini, in the three ways its answers come: whole, as server-sent events, and as one growing JSON array. The
// first byte says which, for some that serve this API ignore what was asked.

import { meterWhole as meterMessage, meterStream as meterMessages } from '../anthropic/meter.ts';
import { objectOrNull } from '../counts.ts';
import type { Description, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, StreamMeter } from '../metered.ts';
import {
  type AnswerReader,
  NOTHING_METERED,
  meterWhole as readEither,
  streamMeter,
} from '../stream-meter.ts';
import { readArray } from './json-array.ts';
import { errorOf, readAnswer } from './read-answer.ts';
import { isMessages } from './recognise.ts';
import { readUsage } from './usage.ts';

const OPENING_BRACKET = 0x5b;
const WHITE = new Set([0x20, 0x0a, 0x0d, 0x09]);
const NOTHING = Buffer.alloc(0);

export function meterWhole(description: Description, bytes: Buffer, ok: boolean): Metered {
  if (isMessages(description.endpoint)) return meterMessage(description, bytes, ok);
  const metered = opensArray(bytes) ? atOnce(description, bytes) : readObject(description, bytes);
  return ok || metered.errorType !== null ? metered : { ...metered, errorType: 'error' };
}

function readObject(description: Description, bytes: Buffer): Metered {
  const reader = readAnswer(description);
  return readEither(
    bytes,
    (answer) => readWholeAnswer(description, answer),
    () => reader,
  );
}

/** Nothing comes after a whole answer, so its counts are the last word whatever its candidates say. */
function readWholeAnswer(description: Description, answer: JsonObject): Metered {
  if (description.endpoint.operation === 'embeddings') return readEmbedding(answer);
  const reader = readAnswer(description);
  reader.take(answer);
  const metered = reader.result();
  return { ...metered, usage: metered.partial, partial: null };
}

function readEmbedding(answer: JsonObject): Metered {
  const usage = readUsage();
  const reported = objectOrNull(answer.usageMetadata);
  if (reported) usage.take({ ...reported, totalTokenCount: null });
  return { ...NOTHING_METERED, usage: usage.result({}), errorType: errorOf(answer) };
}

function atOnce(description: Description, bytes: Buffer): Metered {
  const meter = meterStream(description);
  meter.push(bytes);
  meter.flush();
  return meter.metered();
}

export function meterStream(description: Description): StreamMeter {
  if (isMessages(description.endpoint)) return meterMessages(description);
  const reader = readAnswer(description);
  let meter: StreamMeter | undefined;
  const chosen = (): StreamMeter => {
    meter ??= eventMeter(reader, description);
    return meter;
  };
  return {
    push(chunk) {
      if (!meter && chunk.every((byte) => WHITE.has(byte))) return chunk;
      meter ??= opensArray(chunk) ? arrayMeter(reader) : undefined;
      return chosen().push(chunk);
    },
    flush: () => chosen().flush(),
    metered: () => chosen().metered(),
    outputTokensSeen: () => chosen().outputTokensSeen(),
    unfinishedBytes: () => chosen().unfinishedBytes(),
    cut: () => chosen().cut(),
  };
}

function eventMeter(reader: AnswerReader, description: Description): StreamMeter {
  const events: AnswerReader = { ...reader, ending: () => `data: ${reader.ending()}\r\n\r\n` };
  return streamMeter(events, false, (bytes) => meterWhole(description, bytes, true));
}

function arrayMeter(reader: AnswerReader): StreamMeter {
  let unreadable = 0;
  const array = readArray((text) => {
    const element = parsed(text);
    if (isObject(element)) reader.take(element);
    else unreadable += Buffer.byteLength(text);
  });
  return {
    push(chunk) {
      array.push(chunk);
      return chunk;
    },
    flush: () => NOTHING,
    metered() {
      const metered = reader.result();
      const unread = array.unreadBytes() + unreadable;
      const outputBytesSeen = metered.outputBytesSeen + unread;
      return unread > 0 ? { ...metered, outputBytesSeen, usage: null } : metered;
    },
    outputTokensSeen: () => (array.unreadBytes() > 0 ? 0 : reader.outputTokensSeen()),
    unfinishedBytes: array.unfinishedBytes,
    cut() {
      const { before, after } = array.around();
      return Buffer.from(after === '' ? '' : before + reader.ending() + after);
    },
  };
}

function opensArray(bytes: Buffer): boolean {
  const first = bytes.find((byte) => !WHITE.has(byte));
  return first === OPENING_BRACKET;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
}
