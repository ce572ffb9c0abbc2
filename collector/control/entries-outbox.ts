// Tells the store of every entry of the ledger, in batches and in order. Where a batch ends is kept before it is sent, so
// that dying in between only tells it again with the same bytes: the queue remembers those for a day, and after that the
// store's view still counts an entry once, by its number and time.

import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Database } from './database.ts';
import { entryRecords, type ToldEntry } from './entry-records.ts';
import type { Outbox, OutboxOptions } from './outbox.ts';

const LOOK_EVERY_MS = 2_000;
const BATCH_MAX = 1_000;

export function startEntriesOutbox({ database, append, clock, log }: OutboxOptions): Outbox {
  let isClosed = false;
  let cancel: () => void = () => undefined;
  let running: Promise<void> = Promise.resolve();

  const tell = (): Promise<void> => {
    running = running.then(() => tellAll(database, append)).catch(once(log));
    return running;
  };
  const look = (): void => {
    void tell().then(() => {
      if (!isClosed) cancel = after(clock, look);
    });
  };
  cancel = after(clock, look);

  return {
    tell,
    async close() {
      isClosed = true;
      cancel();
      await tell();
    },
  };
}

const after = (clock: Clock, call: () => void): (() => void) => clock.after(LOOK_EVERY_MS, call);

/** Says a failure once, however often it comes. */
function once(log: Log): (failure: unknown) => void {
  let last = '';
  return (failure) => {
    const sentence = sentenceOf(failure);
    if (sentence !== last) log.warn('entries.not_told', { failure: sentence });
    last = sentence;
  };
}

async function tellAll(database: Database, append: OutboxOptions['append']): Promise<void> {
  while ((await tellBatch(database, append)) === BATCH_MAX);
}

/** Answers how many. Throws when they could not be told, and then they are told again. */
async function tellBatch(database: Database, append: OutboxOptions['append']): Promise<number> {
  const entries = await database.query<ToldEntry & { readonly [column: string]: string }>(
    `select e.entry_id::text as id, e.at::text as at, e.kind, coalesce(e.lease_id, '') as lease,
       coalesce(l.agent, '') as agent, coalesce(l.instance, '') as instance, coalesce(l.task, '') as task,
       coalesce(e.unit, '') as unit, e.granted::text as granted, e.posted::text as posted, e.why,
       coalesce((select jsonb_agg(jsonb_build_object('level', a.level, 'name', a.name, 'window', a.budget_window)
           order by a.account_id)
         from accounts a where a.account_id = any (coalesce(e.account_ids, array[e.account_id]))), '[]')::text as accounts
     from entries_to_tell($1) as e left join leases l using (lease_id) order by e.entry_id`,
    [BATCH_MAX],
  );
  const last = entries.at(-1);
  if (!last) return 0;
  if ((await append(entryRecords(entries))).kind === 'refused')
    throw new Error('the queue takes nothing now; it is tried again');
  await database.query('select entries_were_told($1)', [last.id]);
  return entries.length;
}
