// From records to letters: once a segment of spans has landed in the store, those of its calls that are dead letters are
// taken into the control database. Nothing waits for it; what fails is tried again, and what a crash left untaken is
// found at the next start by when it was loaded. A call that is read twice counts once.
//
//   queue ──load──▶ store ──landed──▶ intake ──take──▶ control database

import type { Clock } from '../kit/clock.ts';
import { type Log, sentenceOf } from '../kit/log.ts';
import type { DeadLetters, FailedCallRow } from './control/dead-letters.ts';
import type { Loader } from './queue/loader.ts';
import { signalOf } from './signals.ts';

export interface DeadLetterIntake {
  /** The same loader, whose segments are looked at once they have landed. */
  following(loader: Loader): Loader;
  /** Resolves once all that has landed is taken, or that failed. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface IntakeOptions {
  ask(sql: string, parameters: Record<string, unknown>): Promise<readonly FailedCallRow[]>;
  readonly letters: DeadLetters;
  readonly clock: Clock;
  readonly log: Log;
}

/** A burst of segments is looked at together. */
const GATHER_MS = 300;
const AGAIN_MS = 2_000;
/** A load may take so long between its first row and its last. */
const LOAD_MS_MAX = 10 * 60_000;
const SEGMENTS_MAX = 1_000;
const CALLS_MAX = 1_000;

const SELECT = `SELECT *, toUnixTimestamp64Milli(ended_at) AS ended_ms FROM dead_letter_calls`;
const ORDER = `ORDER BY ended_at, call_id LIMIT {limit:UInt32} OFFSET {offset:UInt64}`;
const OF_SEGMENTS = `${SELECT} WHERE segment_id IN {segments:Array(String)} ${ORDER}`;
const SINCE = `${SELECT} WHERE loaded_at >= fromUnixTimestamp64Milli({since:Int64}) ${ORDER}`;

export function startDeadLetterIntake({ ask, letters, clock, log }: IntakeOptions): DeadLetterIntake {
  /** Null: too many to name, or a start: all that was loaded since then. */
  let landed: Set<string> | null = null;
  let running: Promise<void> = Promise.resolve();
  let cancel: (() => void) | null = null;
  let lastFailure = '';
  let closed = false;

  const takeAll = async (
    sql: string,
    parameters: Record<string, unknown>,
    untilMs: number,
  ): Promise<void> => {
    for (let offset = 0; ; offset += CALLS_MAX) {
      const calls = await ask(sql, { ...parameters, limit: CALLS_MAX, offset });
      await letters.take(calls.map(withoutNames), untilMs);
      if (calls.length < CALLS_MAX) return;
    }
  };

  const run = async (): Promise<void> => {
    const segments = landed;
    const untilMs = clock.nowMs();
    landed = new Set();
    try {
      if (segments === null) {
        const since = Math.max(0, (await letters.readUntilMs()) - LOAD_MS_MAX);
        await takeAll(SINCE, { since }, untilMs);
      } else if (segments.size > 0) await takeAll(OF_SEGMENTS, { segments: [...segments] }, untilMs);
      lastFailure = '';
    } catch (failure) {
      const sentence = sentenceOf(failure);
      if (sentence !== lastFailure) log.warn('dead_letters.not_taken', { failure: sentence });
      lastFailure = sentence;
      landed = null;
    }
  };

  const settle = (): Promise<void> => {
    cancel?.();
    cancel = null;
    running = running.then(run).then(() => {
      if (lastFailure) schedule(AGAIN_MS);
    });
    return running;
  };

  const schedule = (delayMs: number): void => {
    if (closed) return;
    cancel ??= clock.after(delayMs, () => void settle());
  };

  const note = (segment: string): void => {
    landed?.add(segment);
    if (landed && landed.size > SEGMENTS_MAX) landed = null;
    schedule(GATHER_MS);
  };

  schedule(0);
  return {
    following: (loader) => ({
      ...loader,
      async load(segment) {
        const answer = await loader.load(segment);
        if (signalOf(segment.id) === 'traces') note(segment.id);
        return answer;
      },
    }),
    settle,
    async close() {
      closed = true;
      await settle();
      cancel?.();
    },
  };
}

/** What only the store needs is left there. */
function withoutNames({
  segment_id: _,
  loaded_at: __,
  timestamp: ___,
  ended_at: ____,
  ...call
}: FailedCallRow) {
  return call;
}
