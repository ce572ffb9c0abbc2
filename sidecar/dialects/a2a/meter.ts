// Reads how a call of an agent ended while its answer passes untouched. Agents report no tokens: a message costs what
// `prices:` says per call.

import type { Description } from '../dialect.ts';
import { isObject } from '../fields.ts';
import type { Metered, StreamMeter } from '../metered.ts';
import { readEvents } from '../sse.ts';
import { ANSWER_BYTES_MAX, NOTHING_METERED, parse } from '../stream-meter.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

const NOTHING = Buffer.alloc(0);

export function meterWhole(description: Description, bytes: Buffer, ok: boolean): Metered {
  const answer = bytes.length > ANSWER_BYTES_MAX ? undefined : parse(bytes.toString());
  const outcome = isObject(answer) ? outcomeOf(answer) : null;
  const failure = ok ? null : 'error';
  return metered(description, outcome, outcome?.errorType ?? failure, true);
}

/**
 * A stream ends with its connection, or before that with the last word on its task: whoever closes it then, or only
 * followed a task, has ended it rightly.
 */
export function meterStream(description: Description): StreamMeter {
  let last: Outcome | null = null;
  let ended = description.listens === true;
  const events = readEvents((data) => {
    const event = parse(data);
    if (isObject(event)) last = later(last, outcomeOf(event));
    return false;
  }, false);
  return {
    push: (chunk) => events.push(chunk),
    flush() {
      ended = true;
      return events.end();
    },
    metered: () => metered(description, last, last?.errorType ?? null, ended || isLastWord(last)),
    outputTokensSeen: () => 0,
    unfinishedBytes: () => events.unfinishedBytes(),
    cut: () => NOTHING,
  };
}

const ON_ITS_WAY: ReadonlySet<string> = new Set(['submitted', 'working']);

const isLastWord = (outcome: Outcome | null): boolean =>
  outcome !== null && (outcome.state === null || !ON_ITS_WAY.has(outcome.state));

/** An error stays; a later state replaces an earlier one, and what names no task keeps the task's id. */
function later(before: Outcome | null, now: Outcome | null): Outcome | null {
  if (now === null || before?.errorType) return before;
  return { errorType: now.errorType, state: now.state ?? before?.state ?? null, id: before?.id ?? now.id };
}

/** Only whoever sent the message has failed with it: to look at a failed task is no failure. */
function metered(
  { endpoint }: Description,
  outcome: Outcome | null,
  errorType: string | null,
  complete: boolean,
): Metered {
  const ofTask = outcome?.state != null && endpoint.operation === null;
  return {
    ...NOTHING_METERED,
    responseId: outcome?.id ?? null,
    finishReasons: outcome?.state ? [outcome.state] : [],
    errorType: ofTask ? null : errorType,
    complete,
  };
}
