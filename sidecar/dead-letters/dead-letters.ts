// What the record of an ended call says of itself as a dead letter: that it is one, what makes a later call the same call,
// what the upstream said, and by which names its request and answer are kept, as far as `capture` lets them.

import { hash } from 'node:crypto';
import { speaksLlm } from '../../contract/attributes.ts';
import type { DeadLetterKind, DeadLetterMark, NotKept } from '../../contract/dead-letter.ts';
import { KEPT_ANSWER_BYTES_MAX } from '../../contract/dead-letter.ts';
import { decode } from '../answer-reader.ts';
import type { Known } from '../call.ts';
import type { Charge, Ending } from '../charge.ts';
import type { CallRecord } from '../record.ts';
import { callDigestOf, callDigestOfRecord } from './call-digest.ts';
import { errorMessageOf } from './error-message.ts';
import { createFailedCalls } from './failed-calls.ts';
import { keepRequest } from './kept-request.ts';
import { asksForSomething, lostMarkOf, markOf } from './mark.ts';
import { maskedText, redacted } from './redact.ts';

export interface DeadLetterNote {
  readonly mark: DeadLetterMark;
  /** Empty where no later call can be known to be the same. */
  readonly callDigest: string;
  readonly message: string;
  /** SHA-256 of what is kept; empty where nothing is. */
  readonly request: string;
  readonly answer: string;
  readonly notKept: NotKept | '';
}

export interface DeadLetters {
  /** Of a call that ended; null for nearly all. */
  noteOf(call: Known, ending: Ending, charged: Charge, upstreamStatus: number): DeadLetterNote | null;
  /** What its end would say if its sidecar died now; null where the record alone tells (`crashNoteOf`). */
  noteBefore(call: Known): DeadLetterNote | null;
  /** Remembers a call that was found without its end. */
  found(record: CallRecord): void;
}

/** Where bodies wait until the collector has them: the name of what is kept, or null where there is no room. */
export type KeepBody = (bytes: Buffer) => string | null;

const NOTHING_KEPT = { message: '', request: '', answer: '' } as const;

export function createDeadLetters(keep: KeepBody): DeadLetters {
  const failed = createFailedCalls();

  const remembered = (place: string, note: DeadLetterNote): DeadLetterNote => {
    if (note.callDigest !== '') failed.add(place, note.callDigest);
    return note;
  };

  const letterOf = (call: Known, mark: DeadLetterKind): DeadLetterNote => {
    const errorBody = errorBodyOf(call);
    return remembered(placeOf(call), {
      mark,
      callDigest: callDigestOf(call),
      message: call.agent?.capture === 'none' ? '' : errorMessageOf(errorBody),
      ...kept(call, errorBody, keep),
    });
  };

  const recoveredBy = (call: Known): DeadLetterNote | null => {
    const place = placeOf(call);
    if (!failed.anyOf(place)) return null;
    const callDigest = callDigestOf(call);
    if (!failed.take(place, callDigest)) return null;
    return { ...NOTHING_KEPT, mark: 'recovered', callDigest, notKept: '' };
  };

  return {
    noteOf(call, ending, charged, upstreamStatus) {
      if (charged.status === 'success') return failed.size === 0 ? null : recoveredBy(call);
      const mark = markOf(call, ending, charged, upstreamStatus);
      return mark && letterOf(call, mark);
    },
    noteBefore(call) {
      if (!call.upstream || speaksLlm(call.upstream.speaks) || !asksForSomething(call)) return null;
      const callDigest = callDigestOf(call);
      return { ...NOTHING_KEPT, mark: lostMarkOf(call), callDigest, notKept: 'crash' };
    },
    found(record) {
      if (record.deadLetter) remembered(placeOfRecord(record), record.deadLetter);
    },
  };
}

/** Of a call whose end was not found. A model may be asked again, so that nothing of it need be noted before. */
export function crashNoteOf(record: CallRecord): DeadLetterNote | null {
  if (record.deadLetter || record.action !== 'llm_inference' || record.operation === '')
    return record.deadLetter;
  return { ...NOTHING_KEPT, mark: 'failed', callDigest: callDigestOfRecord(record), notKept: 'crash' };
}

const EMPTY = Buffer.alloc(0);

/** Decoded; empty where it cannot be, or holds a secret that only its coding hid. */
function errorBodyOf({ errorBody, answer, outbound }: Known): Buffer {
  if (!errorBody || errorBody.length === 0) return EMPTY;
  const plain = decode(Buffer.concat(errorBody), answer?.header('content-encoding') ?? 'identity') ?? EMPTY;
  return outbound?.secret && plain.includes(outbound.secret) ? EMPTY : plain;
}

const placeOf = ({ agent, lineage }: Known): string => `${agent?.name}/${lineage?.task}`;
const placeOfRecord = ({ agent, task }: CallRecord): string => `${agent}/${task}`;

type Kept = Pick<DeadLetterNote, 'request' | 'answer' | 'notKept'>;

function kept(call: Known, errorBody: Buffer, keep: KeepBody): Kept {
  switch (call.agent?.capture) {
    case 'full':
      return keptWhole(call, errorBody, keep);
    case 'redacted':
      return keptRedacted(call, errorBody, keep);
    default:
      return { request: '', answer: '', notKept: 'capture' };
  }
}

function keptWhole(call: Known, errorBody: Buffer, keep: KeepBody): Kept {
  const answer = keptAnswer(errorBody, keep);
  const request = keepRequest(asked(call));
  if (typeof request === 'string') return { request: '', answer, notKept: request };
  const name = keep(request);
  return name === null ? { request: '', answer, notKept: 'no_room' } : { request: name, answer, notKept: '' };
}

function keptRedacted(call: Known, errorBody: Buffer, keep: KeepBody): Kept {
  const answer = keptAnswer(redacted(errorBody) ?? EMPTY, keep);
  const first = asked(call);
  const body = redacted(first.body ?? EMPTY);
  const request = body && keepRequest({ ...first, head: maskedHead(first), body } as Known);
  const name = request === null || typeof request === 'string' ? null : keep(request);
  return { request: name ?? '', answer, notKept: 'redacted' };
}

/** Whichever attempt failed, what was asked first. */
const asked = (call: Known): Known => call.later?.first ?? call;

/** What stands in its path stands in the record as well. */
function maskedHead({ head }: Known): Known['head'] {
  if (!head) return head;
  const headers = Object.entries(head.headers).map(([name, value]) => [
    name,
    value === undefined ? value : maskedText(String(value)),
  ]);
  return { ...head, query: '', headers: Object.fromEntries(headers) };
}

const keptAnswer = (body: Buffer, keep: KeepBody): string =>
  body.length === 0 ? '' : (keep(body.subarray(0, KEPT_ANSWER_BYTES_MAX)) ?? '');

/** Lower-case hex SHA-256: the name of what is kept. */
export const nameOf = (bytes: Buffer): string => hash('sha256', bytes, 'hex');
