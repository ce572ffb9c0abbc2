// Seals control events as they are told: each is the next link of one chain, whichever collector tells it. The place in
// the chain is kept in the database beside the event, so an event that is told again is the same link.

import { randomBytes } from 'node:crypto';
import { CHAIN_START, type Sealed } from '../../contract/audit-entry.ts';
import { type SealableEvent, sealEvent } from '../../contract/control-entry.ts';
import type { Database } from './database.ts';

type Head = {
  readonly stream: string;
  readonly seq: string;
  readonly head: string;
  readonly is_left: boolean;
};

/** Seals events that are none yet, in their order. Null where another collector went on with the chain meanwhile. */
export async function seal(
  database: Database,
  events: readonly SealableEvent[],
): Promise<readonly Sealed[] | null> {
  const [from] = await database.query<Head>(
    'select stream, seq::text as seq, head, is_left from control_chain',
  );
  if (!from) throw new Error('The control database has lost its chain.');
  const links = linksOf(events, from);
  const last = links.at(-1)!;
  const placed = links.map(({ seq, hash, entry }, i) => ({ id: events[i]!.id, seq, hash, entry }));
  const [row] = await database.query<{ done: boolean }>(
    'select seal_events($1, $2, $3, $4, $5, $6) as done',
    [from.stream, from.seq, last.stream, last.seq + 1, last.hash, JSON.stringify(placed)],
  );
  return row?.done ? links : null;
}

function linksOf(events: readonly SealableEvent[], from: Head): Sealed[] {
  const stream = from.is_left ? `control/${randomBytes(8).toString('hex')}` : from.stream;
  const isFirst = from.is_left && from.stream === '';
  const follows =
    from.is_left && !isFirst ? { stream: from.stream, seq: Number(from.seq) - 1, hash: from.head } : null;
  let previous = from.is_left ? CHAIN_START : from.head;
  const first = from.is_left ? 0 : Number(from.seq);
  return events.map((event, i) => {
    const sealed = sealEvent(event, { stream, seq: first + i, previous }, i === 0 ? follows : null);
    previous = sealed.hash;
    return sealed;
  });
}

/** The database was put back to an earlier state: what it told since then is sealed, and not to be sealed again. */
export async function leaveChain(database: Database): Promise<void> {
  await database.query('update control_chain set is_left = true');
}
