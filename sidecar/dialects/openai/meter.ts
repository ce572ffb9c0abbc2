// Which reader an endpoint's answers have.

import type { Description, JsonObject } from '../dialect.ts';
import type { Metered, StreamMeter } from '../metered.ts';
import { type AnswerReader, meterWhole as readEither, streamMeter } from '../stream-meter.ts';
import { readChat, readWholeChat } from './meter-chat.ts';
import { readResponses, readWholeResponse } from './meter-responses.ts';

export function meterWhole(description: Description, bytes: Buffer, ok: boolean): Metered {
  const metered = readEither(bytes, readerOfWhole(description), () => readerOf(description));
  return ok || metered.errorType !== null ? metered : { ...metered, errorType: 'error' };
}

export function meterStream(
  description: Description,
  { dropUsageChunk }: { dropUsageChunk: boolean },
): StreamMeter {
  return streamMeter(readerOf(description), dropUsageChunk, (bytes) => meterWhole(description, bytes, true));
}

const readerOf = (description: Description): AnswerReader =>
  description.endpoint.name === 'responses' ? readResponses(description) : readChat(description);

const readerOfWhole =
  (description: Description) =>
  (answer: JsonObject): Metered =>
    description.endpoint.name === 'responses'
      ? readWholeResponse(answer)
      : readWholeChat(description, answer);
