// Dead letters in the control database: taken from records, listed, discarded, replayed. Each step is one SQL function;
// what is kept in memory is only how many wait for each agent's sidecars, because every heartbeat asks.

import {
  type ClaimedReplay,
  DEAD_LETTER_STATES,
  type DeadLetterState,
  OPEN_LETTERS_PER_AGENT_MAX,
  REPLAY_LEASE_MS,
  REPLAY_QUEUED_MS,
  type ReplayClaim,
  type ReplayReport,
} from '../../contract/dead-letter.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Database } from './database.ts';
import { COLUMNS, type LetterRow } from './dead-letter-rows.ts';

/** Why an order on a letter cannot be followed: the letter is unknown, in another state, or not fit for it. */
export type LetterRefusal = DeadLetterState | 'unknown_letter' | 'may_have_happened' | 'not_kept';

/** A call of the store's `dead_letter_calls`, its columns by name; `ended_ms` since 1970. */
export type FailedCallRow = Readonly<Record<string, unknown>>;

export interface LetterFilter {
  readonly agent?: string | undefined;
  readonly upstream?: string | undefined;
  readonly states: readonly DeadLetterState[];
  readonly limit: number;
}

export interface DeadLetters {
  /** Takes calls in the order in which they ended; one that was taken before changes nothing. */
  take(calls: readonly FailedCallRow[], readUntilMs: number): Promise<void>;
  /** Up to when records were read, by the store's `loaded_at`. */
  readUntilMs(): Promise<number>;
  list(filter: LetterFilter): Promise<readonly LetterRow[]>;
  /** By its id or the beginning of it; undefined where none or several begin so. */
  find(id: string): Promise<LetterRow | undefined>;
  /** Its failed calls, oldest first. */
  callsOf(letter: string, limit: number): Promise<readonly FailedCallRow[]>;
  discard(letter: string, reason: string, actor: string): Promise<'done' | LetterRefusal>;
  /** Answers until when it waits for a sidecar. */
  askReplay(letter: string, evenIf: boolean, actor: string): Promise<{ untilMs: number } | LetterRefusal>;
  claim(claim: ReplayClaim): Promise<ClaimedReplay | null>;
  /** False where the letter is no longer this instance's. */
  report(letter: string, attempt: number, report: ReplayReport): Promise<boolean>;
  /** How many letters wait for sidecars of this agent. */
  queuedFor(agent: string): number;
  counts(): Promise<Readonly<Record<DeadLetterState, number>>>;
  close(): void;
}

export interface DeadLettersOptions {
  readonly database: Database;
  readonly retention: { readonly tracesDays: number; readonly bodiesDays: number };
  /** Something waits for this agent's sidecars. */
  queued(agent: string): void;
  readonly clock: Clock;
  readonly log: Log;
  readonly openMax?: number;
}

const DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 10_000;
const TIDY_EVERY_MS = 3_600_000;
const CALLS_KEPT = 20;

export async function openDeadLetters(options: DeadLettersOptions): Promise<DeadLetters> {
  const { database, retention, clock, log, openMax = OPEN_LETTERS_PER_AGENT_MAX } = options;
  let waiting = new Map<string, number>();
  let cancel: () => void = () => undefined;
  let closed = false;
  let tidyAtMs = clock.monotonicMs();

  const ask = <T extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) =>
    database.query<T>(sql, values);
  const one = async <T>(sql: string, values: readonly unknown[]): Promise<T> =>
    ((await ask<{ it: T }>(`select ${sql} as it`, values))[0] as { it: T }).it;

  const countWaiting = async (): Promise<void> => {
    const rows = await ask<{ agent: string; n: string }>(
      "select agent, count(*)::text as n from dead_letters where state = 'queued' group by agent",
    );
    waiting = new Map(rows.map(({ agent, n }) => [agent, Number(n)]));
  };

  const tidy = async (): Promise<void> => {
    if (clock.monotonicMs() < tidyAtMs) return;
    tidyAtMs = clock.monotonicMs() + TIDY_EVERY_MS;
    const nowMs = clock.nowMs();
    const before = (days: number) => nowMs - days * DAY_MS;
    const values = [before(retention.tracesDays), before(retention.bodiesDays), before(1), CALLS_KEPT];
    await ask('select tidy_dead_letters($1, $2, $3, $4)', values);
  };

  const look = async (): Promise<void> => {
    try {
      await one('expire_replays($1)', [clock.nowMs()]);
      await countWaiting();
      await tidy();
    } catch (failure) {
      log.warn('dead_letters.not_looked_at', { failure: sentenceOf(failure) });
    }
    if (!closed) cancel = clock.after(LOOK_EVERY_MS, () => void look());
  };
  await look();

  return {
    async take(calls, readUntilMs) {
      const values = [JSON.stringify(calls), openMax, readUntilMs, clock.nowMs()];
      const arrived = Number(await one<string>('take_dead_letters($1::jsonb, $2, $3, $4)::text', values));
      if (arrived > 0) log.warn('dead_letters.arrived', { letters: arrived });
    },
    readUntilMs: async () =>
      Number(await one<string>('(select read_until::text from dead_letter_reader)', [])),
    list: ({ agent, upstream, states, limit }) =>
      ask<LetterRow>(
        `select ${COLUMNS} from dead_letters
         where ($1::text is null or agent = $1) and ($2::text is null or upstream = $2) and state = any($3::text[])
         order by last_seen desc, letter_id limit $4`,
        [agent ?? null, upstream ?? null, states, limit],
      ),
    async find(id) {
      const rows = await ask<LetterRow>(
        `select ${COLUMNS} from dead_letters where letter_id >= $1 and letter_id < $2 limit 2`,
        [id, `${id}g`],
      );
      return rows.find((row) => row.letter_id === id) ?? (rows.length === 1 ? rows[0] : undefined);
    },
    async callsOf(letter, limit) {
      const rows = await ask<{ facts: FailedCallRow }>(
        'select facts from dead_letter_calls where letter_id = $1 order by at desc limit $2',
        [letter, limit],
      );
      return rows.map(({ facts }) => facts).reverse();
    },
    discard: (letter, reason, actor) =>
      one('discard_dead_letter($1, $2, $3, $4)', [letter, actor, reason, clock.nowMs()]),
    async askReplay(letter, evenIf, actor) {
      const untilMs = clock.nowMs() + REPLAY_QUEUED_MS;
      const values = [letter, evenIf, untilMs, actor, clock.nowMs()];
      const came = await one<'done' | LetterRefusal>('ask_replay($1, $2, $3, $4, $5)', values);
      if (came !== 'done') return came;
      await countWaiting();
      const agent = (
        await ask<LetterRow>(`select ${COLUMNS} from dead_letters where letter_id = $1`, [letter])
      )[0];
      if (agent) options.queued(agent.agent);
      return { untilMs };
    },
    async claim({ agent, instance }) {
      const nowMs = clock.nowMs();
      const [row] = await ask<LetterRow>(`select ${COLUMNS} from claim_replay($1, $2, $3, $4)`, [
        agent,
        instance,
        nowMs + REPLAY_LEASE_MS,
        nowMs,
      ]);
      await countWaiting();
      return row ? claimed(row) : null;
    },
    report: (letter, attempt, { instance, result, answer }) => {
      const nowMs = clock.nowMs();
      const of = [letter, attempt, instance];
      return result === null
        ? one('renew_replay($1, $2, $3, $4)', [...of, nowMs + REPLAY_LEASE_MS])
        : one('end_replay($1, $2, $3, $4::jsonb, $5, $6)', [...of, JSON.stringify(result), answer, nowMs]);
    },
    queuedFor: (agent) => waiting.get(agent) ?? 0,
    async counts() {
      const rows = await ask<{ state: DeadLetterState; n: string }>(
        'select state, count(*)::text as n from dead_letters group by state',
      );
      const none = Object.fromEntries(DEAD_LETTER_STATES.map((state) => [state, 0]));
      const found = Object.fromEntries(rows.map(({ state, n }) => [state, Number(n)]));
      return { ...none, ...found } as Record<DeadLetterState, number>;
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

const claimed = ({ letter_id, attempt, agent, task, facts, request }: LetterRow): ClaimedReplay => ({
  letter: letter_id,
  attempt: Number(attempt),
  agent,
  task,
  trace_id: facts.trace_id,
  span_id: facts.span_id,
  request,
});
