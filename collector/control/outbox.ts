// Tells the store what changed in control state: each noted event goes through the queue as a log record, in order, and is
// marked told once the queue has it for good.
//
//   change + note_event(…)   ──one transaction──▶  control_events, told = false
//                                                         │ seal: its place in the chain, once
//                                                         │ append: durable, or known already
//                                                         ▼
//                                                  told = true   ──a week later──▶  forgotten here
//
// Dying between the two only tells it again, with the same bytes: the queue remembers them for a day, and after that the
// store's view still counts an event once, by its id and time.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import { seal } from './control-chain.ts';
import { controlEventRecord, type NotedEvent } from './control-event-record.ts';
import type { Database } from './database.ts';

export interface Outbox {
  /** Resolves once everything noted before is with the queue, or that failed. */
  tell(): Promise<void>;
  close(): Promise<void>;
}

export interface OutboxOptions {
  readonly database: Database;
  /** Makes one request of log records durable, as the collector's own. */
  append(request: Buffer): Promise<{ readonly kind: 'stored' | 'duplicate' | 'refused' }>;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_EVERY_MS = 500;
const TOGETHER_MAX = 256;
const KEEP_TOLD_MS = 7 * 86_400_000;
const FORGET_EVERY_MS = 3_600_000;

export function startOutbox({ database, append, clock, log }: OutboxOptions): Outbox {
  let isClosed = false;
  let cancel: () => void = () => undefined;
  let running: Promise<void> = Promise.resolve();
  let forgetAtMs = clock.monotonicMs();
  let lastFailure = '';

  async function tellAll(): Promise<void> {
    while ((await tellSome(database, append)) === TOGETHER_MAX);
    if (clock.monotonicMs() < forgetAtMs) return;
    forgetAtMs = clock.monotonicMs() + FORGET_EVERY_MS;
    await forget(database, clock.nowMs() - KEEP_TOLD_MS);
  }

  const tell = (): Promise<void> => {
    running = running.then(tellAll).then(
      () => {
        lastFailure = '';
      },
      (failure: unknown) => {
        const sentence = sentenceOf(failure);
        if (sentence !== lastFailure) log.warn('control_events.not_told', { failure: sentence });
        lastFailure = sentence;
      },
    );
    return running;
  };

  const look = (): void => {
    void tell().then(() => {
      if (!isClosed) cancel = clock.after(LOOK_EVERY_MS, look);
    });
  };
  look();

  return {
    tell,
    async close() {
      isClosed = true;
      cancel();
      await tell();
    },
  };
}

/** What was told before then, and what ran on instances that were last heard of before then. */
async function forget(database: Database, beforeMs: number): Promise<void> {
  await database.query('delete from control_events where told and at < $1', [beforeMs]);
  await database.query(
    `delete from policies_in_force as p where loaded_at < $1 and agent <> '' and not exists (
       select from instances as i where i.agent = p.agent and i.instance = p.instance and i.last_seen >= $1)`,
    [beforeMs],
  );
}

interface Row extends Omit<NotedEvent, 'atMs' | 'link'> {
  readonly at: string;
  readonly stream: string | null;
  readonly seq: string | null;
  readonly hash: string | null;
  readonly entry: string | null;
}

/** Tells the oldest; answers how many. Throws when one could not be told, and then all of them are told again. */
async function tellSome(database: Database, append: OutboxOptions['append']): Promise<number> {
  const rows = await database.query<Row & Record<string, unknown>>(
    `select id::text as id, at::text as at, event, actor, agent, reason, details::text as details,
       stream, seq::text as seq, hash, entry
     from control_events where not told order by control_events.seq, control_events.id limit $1`,
    [TOGETHER_MAX],
  );
  if (rows.length === 0) return 0;
  const events = await sealed(database, rows);
  if (!events) return tellSome(database, append);
  const appended = await Promise.all(events.map((event) => append(controlEventRecord(event))));
  if (appended.some(({ kind }) => kind === 'refused'))
    throw new Error('the queue takes nothing now; it is tried again');
  await database.query('update control_events set told = true where id = any($1::bigint[])', [
    rows.map(({ id }) => id),
  ]);
  return rows.length;
}

/** The events with their places in the chain; null where another collector took the places. */
async function sealed(database: Database, rows: readonly Row[]): Promise<readonly NotedEvent[] | null> {
  const events = rows.map(({ at, ...row }) => ({ ...row, atMs: Number(at) }));
  const bare = events.filter(({ entry }) => entry === null);
  const links = bare.length > 0 ? await seal(database, bare) : [];
  if (!links) return null;
  const fresh = new Map(bare.map(({ id }, i) => [id, links[i]!]));
  return events.map(({ stream, seq, hash, entry, ...event }) => ({
    ...event,
    link: fresh.get(event.id) ?? { stream: stream!, seq: Number(seq), hash: hash!, entry: entry! },
  }));
}
