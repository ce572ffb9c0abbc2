// What Gemini's answers mean, whole or chunk by chunk: every chunk is a whole answer with the next parts in it and the
// usage so far. There is no last event: a stream is over when each candidate gave its reason to finish.

import { bytesOf, objectOrNull, stringOrNull } from '../counts.ts';
import type { Description, Json, JsonObject } from '../dialect.ts';
import { isObject } from '../fields.ts';
import { type AnswerReader, NOTHING_METERED } from '../stream-meter.ts';
import { visibleOutput } from '../visible-output.ts';
import { readCalls } from './calls.ts';
import { endingChunk } from './ending.ts';
import { readHostedUses } from './hosted-uses.ts';
import { readUsage } from './usage.ts';

/** `ending` is one more chunk, as JSON text. */
export function readAnswer(description: Description): AnswerReader {
  const usage = readUsage();
  const uses = readHostedUses(description.hostedTools);
  const calls = readCalls();
  const visible = visibleOutput();
  const finished = new Set<number>();
  const finishReasons: string[] = [];
  let model: string | null = null;
  let responseId: string | null = null;
  let errorType: string | null = null;
  let blocked = false;
  let outputBytesSeen = 0;

  function takeCandidate(candidate: JsonObject): void {
    const index = Number.isSafeInteger(candidate.index) ? (candidate.index as number) : 0;
    const parts = partsOf(candidate);
    uses.take(candidate, parts);
    for (const part of parts) {
      if (!isObject(part)) continue;
      outputBytesSeen += bytesSaid(part) + calls.take(part, index);
      // what is shown of thoughts is a summary, by another model, of what was thought and is billed
      if (part.thought !== true) visible.take(part.text, index);
    }
    const reason = stringOrNull(candidate.finishReason);
    if (reason === null || reason === 'FINISH_REASON_UNSPECIFIED') return;
    finishReasons.push(reason);
    finished.add(index);
  }

  function takeBlock(feedback: JsonObject | null): void {
    const reason = stringOrNull(feedback?.blockReason);
    if (reason === null) return;
    finishReasons.push(reason);
    blocked = true;
  }

  const complete = (): boolean => blocked || finished.size >= description.choices;
  const tokens = (): number => Math.max(usage.outputTokens() ?? 0, visible.tokens());

  return {
    take(event) {
      model = stringOrNull(event.modelVersion) ?? model;
      responseId = stringOrNull(event.responseId) ?? responseId;
      errorType ??= errorOf(event);
      takeBlock(objectOrNull(event.promptFeedback));
      for (const candidate of Array.isArray(event.candidates) ? event.candidates : []) {
        if (isObject(candidate)) takeCandidate(candidate);
      }
      if (isObject(event.usageMetadata)) usage.take(event.usageMetadata);
      return false;
    },
    done: () => undefined,
    outputTokensSeen: tokens,
    ending() {
      const open = Array.from({ length: description.choices }, (_, index) => index).filter(
        (index) => !finished.has(index),
      );
      for (const _ of open) finishReasons.push('MAX_TOKENS');
      return JSON.stringify(endingChunk(open, usage.reported(), tokens(), { model, responseId }));
    },
    result() {
      const reported = usage.result(uses.result());
      return {
        ...NOTHING_METERED,
        // before the end the counts are of what came so far
        usage: complete() ? reported : null,
        partial: reported,
        outputBytesSeen,
        model,
        responseId,
        finishReasons: [...finishReasons],
        serviceTier: usage.tier(),
        toolRequests: calls.result(),
        errorType,
        complete: complete(),
      };
    },
  };
}

/** The status of an error body, or of an error inside a stream that began with 200. */
export function errorOf(event: JsonObject): string | null {
  const error = objectOrNull(event.error);
  return error && (stringOrNull(error.status) ?? 'error');
}

function partsOf(candidate: JsonObject): readonly Json[] {
  const parts = objectOrNull(candidate.content)?.parts;
  return Array.isArray(parts) ? parts : [];
}

const bytesSaid = (part: JsonObject): number =>
  bytesOf(part.text) + bytesOf(objectOrNull(part.executableCode)?.code);
