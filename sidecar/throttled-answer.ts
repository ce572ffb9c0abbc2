// An answer that says too much was asked: what its head says holds at once, what its body says once that is read.

import { type AnswerReader, decode } from './answer-reader.ts';
import type { Answer, Answered } from './call.ts';
import type { Dialect, Json, Throttle } from './dialects/dialect.ts';
import { limitedOf } from './guarded.ts';
import type { Throttles } from './state/throttles.ts';

/** Errors are short; of a longer one only the head is heard. */
const BODY_BYTES_MAX = 64 * 1024;
/** Those that may say that a quota is spent, beside 429 (Anthropic). */
const MAY_BE_SPENT = new Set([400, 402]);

/** Whether an answer's status lets it say anything of the kind. */
export const sendsAway = (status: number): boolean => status === 429 || MAY_BE_SPENT.has(status);

/** `body` is undefined as long as it was not read. */
export function hear(
  call: Pick<Answered, 'dialect' | 'agent' | 'upstream' | 'description' | 'policy'>,
  answer: Pick<Answer, 'status' | 'header'>,
  body: Buffer | undefined,
  throttles: Throttles,
  nowMs: number,
): void {
  const told = toldBy({ ...call, answer }, body, nowMs);
  if (answer.status === 429 || told.spent) throttles.heard(limitedOf(call), told);
}

/** What it says of waiting and of quotas. */
export const toldBy = (
  { dialect, answer }: { dialect: Dialect; answer: Pick<Answer, 'status' | 'header'> },
  body: Buffer | undefined,
  nowMs: number,
): Throttle => dialect.throttle(answer, body && jsonIn(body, answer), nowMs);

/** The same answer, heard as it passes. */
export function hearing(
  call: Answered,
  reader: AnswerReader,
  throttles: Throttles,
  nowMs: () => number,
): AnswerReader {
  const chunks: Buffer[] = [];
  let bytes = 0;
  hear(call, call.answer, undefined, throttles, nowMs());
  return {
    ...reader,
    push(chunk) {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
      return reader.push(chunk);
    },
    flush() {
      if (bytes <= BODY_BYTES_MAX) hear(call, call.answer, Buffer.concat(chunks), throttles, nowMs());
      return reader.flush();
    },
  };
}

function jsonIn(body: Buffer, answer: Pick<Answer, 'header'>): Json | undefined {
  const plain = decode(body, answer.header('content-encoding') ?? 'identity');
  try {
    return plain === null ? undefined : (JSON.parse(plain.toString()) as Json);
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined;
    throw failure;
  }
}
