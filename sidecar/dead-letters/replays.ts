// Dead letters that the collector gives to this sidecar to carry again: one at a time for each agent, through the same
// door, rules and budgets as any call, as that agent and in the task it failed in. It is this sidecar's while it says so;
// what it does not say, because it dies, nobody does again by themselves.

import {
  type ClaimedReplay,
  REPLAY_LEASE_MS,
  REPLAY_RENEWED_EVERY_MS,
  type ReplayClaim,
  type ReplayReport,
} from '../../contract/dead-letter.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { ReplayDoor, ReplayRequest } from '../accept/replay-door.ts';
import type { CallRecord } from '../record.ts';
import { type KeepBody, nameOf } from './dead-letters.ts';
import { readKept } from './kept-request.ts';

export interface Replays {
  /** The door is there: replays go through it from now on. */
  open(door: ReplayDoor): void;
  /** Something may wait for this agent; nothing is taken before there is a door. */
  wake(agent: ReplayClaim): void;
  /** A replay's record. */
  ended(record: CallRecord): void;
  /** Takes nothing more. */
  stop(): void;
}

export interface ReplaysOptions {
  claim(claim: ReplayClaim): Promise<ClaimedReplay | null>;
  report(letter: string, attempt: number, report: ReplayReport): Promise<void>;
  body(name: string): Promise<Buffer>;
  /** Keeps an answer, where this agent's bodies are kept whole; else answers null. */
  keepAnswer(agent: string): KeepBody | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** What was written of a replay that runs: a failed attempt of it may be followed by another. */
interface Recorded {
  last: CallRecord | undefined;
  written: ((record: CallRecord) => void) | null;
}

type Result = NonNullable<ReplayReport['result']>;

const REPORT_AGAIN_MS = 2_000;
/** The record is written in the turn in which its answer ends. */
const RECORD_WITHIN_MS = 5_000;

export function createReplays(use: ReplaysOptions): Replays {
  const running = new Map<string, { again: boolean }>();
  const recorded = new Map<string, Recorded>();
  let door: ReplayDoor | null = null;
  let stopped = false;

  const runAll = async (of: ReplayClaim): Promise<void> => {
    for (let claimed = await use.claim(of); claimed; claimed = stopped ? null : await use.claim(of))
      await runOne(claimed, of.instance);
  };

  const runOne = async (claimed: ClaimedReplay, instance: string): Promise<void> => {
    const { letter, attempt } = claimed;
    use.log.info('replay.begun', { letter, attempt, agent: claimed.agent });
    const stopRenewing = renewing(claimed, instance);
    const { result, answer } = await outcomeOf(claimed);
    stopRenewing();
    use.log.info('replay.ended', { letter, attempt, ...result });
    await reportUntilHeard(claimed, { instance, result, answer });
  };

  const renewing = ({ letter, attempt }: ClaimedReplay, instance: string): (() => void) => {
    let cancel: () => void = () => undefined;
    const renew = (): void => {
      use.report(letter, attempt, { instance, result: null, answer: '' }).catch((failure: unknown) => {
        use.log.warn('replay.not_renewed', { letter, failure: sentenceOf(failure) });
      });
      cancel = use.clock.after(REPLAY_RENEWED_EVERY_MS, renew);
    };
    cancel = use.clock.after(REPLAY_RENEWED_EVERY_MS, renew);
    return () => cancel();
  };

  const outcomeOf = async (claimed: ClaimedReplay): Promise<{ result: Result; answer: string }> => {
    const { letter } = claimed;
    const claimedAt = use.clock.monotonicMs();
    recorded.set(letter, { last: undefined, written: null });
    try {
      if (!door) throw new Error('the sidecar has no door yet');
      const request = requestOf(claimed, await use.body(claimed.request));
      if (use.clock.monotonicMs() - claimedAt >= REPLAY_LEASE_MS)
        throw new Error('the sidecar was too late to carry it: another may have');
      const { status, body } = await door(request);
      const record = await recordOf(letter, status);
      const keep = body.length > 0 ? use.keepAnswer(claimed.agent) : null;
      return { result: record ? told(record) : untold(status), answer: keep?.(body) ?? '' };
    } catch (failure) {
      return { result: { ...NOTHING_CAME, why: sentenceOf(failure) }, answer: '' };
    } finally {
      recorded.delete(letter);
    }
  };

  /** Of the attempt that gave the answer with this status, else of the last; undefined where none was written. */
  const recordOf = async (letter: string, status: number): Promise<CallRecord | undefined> => {
    const records = recorded.get(letter)!;
    if (records.last?.httpStatus === status) return records.last;
    await new Promise<void>((resolve) => {
      const cancel = use.clock.after(RECORD_WITHIN_MS, resolve);
      records.written = ({ httpStatus }) => {
        if (httpStatus !== status) return;
        cancel();
        resolve();
      };
    });
    return records.last;
  };

  const reportUntilHeard = async (claimed: ClaimedReplay, report: ReplayReport): Promise<void> => {
    const until = use.clock.monotonicMs() + REPLAY_LEASE_MS;
    for (;;) {
      try {
        return await use.report(claimed.letter, claimed.attempt, report);
      } catch (failure) {
        use.log.warn('replay.not_told', { letter: claimed.letter, failure: sentenceOf(failure) });
        if (stopped || isFinal(failure) || use.clock.monotonicMs() > until) return;
        await new Promise<void>((resolve) => void use.clock.after(REPORT_AGAIN_MS, resolve));
      }
    }
  };

  const wake = (of: ReplayClaim): void => {
    const already = running.get(of.agent);
    if (already) already.again = true;
    if (already || stopped || !door) return;
    const state = { again: false };
    running.set(of.agent, state);
    runAll(of)
      .catch((failure: unknown) => use.log.warn('replay.not_taken', { failure: sentenceOf(failure) }))
      .finally(() => {
        running.delete(of.agent);
        if (state.again) wake(of);
      });
  };

  return {
    open(opened) {
      door = opened;
    },
    wake,
    ended(record) {
      const records = recorded.get(record.replayOf);
      if (!records) return;
      records.last = record;
      records.written?.(record);
    },
    stop() {
      stopped = true;
    },
  };
}

const NOTHING_CAME: Result = {
  call_id: '',
  status: 'failure',
  http_status: 0,
  refusal: '',
  error_type: '',
  why: '',
};

const told = ({ callId, status, httpStatus, refusal, errorType }: CallRecord): Result => ({
  call_id: callId,
  status,
  http_status: httpStatus,
  refusal,
  error_type: errorType,
  why: '',
});

const untold = (status: number): Result => ({
  ...NOTHING_CAME,
  http_status: status,
  why: 'no record of the replay was found',
});

/** The collector heard, and says no: the letter is somebody else's by now. */
const isFinal = (failure: unknown): boolean =>
  failure instanceof Error && 'status' in failure && Number(failure.status) < 500;

/** Throws an Error where what was kept is not what its name says. */
function requestOf(claimed: ClaimedReplay, kept: Buffer): ReplayRequest {
  if (nameOf(kept) !== claimed.request) throw new Error('what was kept is not what its name says');
  const { head, body } = readKept(kept);
  return {
    replay: { agent: claimed.agent, letter: claimed.letter },
    method: head.method,
    url: head.url,
    headers: [
      ...head.headers.filter(([name]) => name !== 'x-outrider-task' && name !== 'traceparent'),
      ['x-outrider-task', claimed.task],
      ['traceparent', `00-${claimed.trace_id}-${claimed.span_id}-01`],
    ],
    body,
  };
}
