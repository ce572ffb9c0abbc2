// Metering Bedrock: a whole answer is JSON, a streamed one is binary frames that hold JSON. Framing is here, meaning in
// the readers of the two APIs. An error's kind stands in a header of the answer, or in the frame that carries it.

import { type FrameHeaders, readFrames } from '../aws-frames.ts';
import type { AnswerHead, Description, Json } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, StreamMeter } from '../metered.ts';
import { ANSWER_BYTES_MAX, NOTHING_METERED } from '../stream-meter.ts';
import { eventFrame, type FrameEvents } from './frame-events.ts';
import { type ConverseEvents, readConverseStream, readConverseWhole } from './meter-converse.ts';
import { readInvokeStream, readInvokeWhole } from './meter-invoke.ts';
import { readHeaders } from './usage.ts';

const NOTHING = Buffer.alloc(0);

export const isFrameStream = (contentType: string): boolean =>
  /^application\/vnd\.amazon\.eventstream\b/i.test(contentType);

export function meterWhole(description: Description, bytes: Buffer, ok: boolean, head?: AnswerHead): Metered {
  const answer = bytes.length > ANSWER_BYTES_MAX ? undefined : parse(bytes);
  if (!ok) return { ...NOTHING_METERED, errorType: errorTypeOf(answer, head), complete: true };
  if (!isObject(answer)) return { ...NOTHING_METERED, outputBytesSeen: bytes.length, complete: true };
  const metered = description.endpoint.name.startsWith('converse')
    ? readConverseWhole(answer)
    : readInvokeWhole(description, answer);
  const usage = metered.usage ?? (head ? readHeaders(head) : null);
  return { ...metered, usage, complete: true };
}

/** `x-amzn-errortype: ThrottlingException:http://…`; older answers have it in the body. */
function errorTypeOf(answer: Json | undefined, head: AnswerHead | undefined): string {
  const told = head?.header('x-amzn-errortype') ?? (isObject(answer) ? answer.__type : undefined);
  return typeof told === 'string' && told !== '' ? told.replace(/^.*#/, '').replace(/:.*$/s, '') : 'error';
}

export function meterStream(description: Description): StreamMeter {
  const events = description.endpoint.name.startsWith('converse')
    ? framed(readConverseStream(description))
    : readInvokeStream(description);
  let errorType: string | null = null;
  let unreadable = 0;
  const frames = readFrames((headers, payload) => {
    const failed = errorOf(headers);
    if (failed !== null) {
      errorType = failed;
      return;
    }
    const json = parse(payload);
    if (isObject(json)) events.take(headers[':event-type'] ?? '', json);
    else unreadable += payload.length;
  });

  const metered = (): Metered => {
    const result = events.result();
    const unread = frames.unreadBytes();
    return {
      ...result,
      usage: unread > 0 ? null : result.usage,
      outputBytesSeen: result.outputBytesSeen + unreadable + unread,
      errorType: errorType ?? result.errorType,
    };
  };

  return {
    push(chunk) {
      frames.push(chunk);
      return chunk;
    },
    flush: () => NOTHING,
    metered,
    outputTokensSeen: () => (frames.unreadBytes() > 0 ? 0 : events.outputTokensSeen()),
    unfinishedBytes: () => frames.unfinishedBytes(),
    cut: () => events.ending(),
  };
}

const framed = (events: ConverseEvents): FrameEvents => ({
  ...events,
  ending: () => Buffer.concat(events.ending().map(([name, payload]) => eventFrame(name, payload))),
});

/** `exception` is one of the API's own, `error` one of the service's frame. */
function errorOf(headers: FrameHeaders): string | null {
  const kind = headers[':message-type'];
  if (kind === 'exception') return headers[':exception-type'] ?? 'error';
  return kind === 'error' ? (headers[':error-code'] ?? 'error') : null;
}

function parse(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch {
    return undefined;
  }
}
