// What is held apart: kept in the database, so that it outlives a restart and is read before anybody is answered, and in
// memory, because every heartbeat asks for its revision. What is over is lifted here, once, and all who follow hear of it.

import {
  QUARANTINES_MAX,
  type QuarantineKind,
  type QuarantineLine,
  type QuarantineOrder,
  readSubject,
} from '../../contract/quarantine.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Database } from './database.ts';
import type { SharedList } from './neighbours.ts';

export interface Quarantines extends SharedList {
  /** Null where a rule finds it held apart already. Throws QuarantinesFull. */
  set(order: QuarantineOrder, actor: string, by: QuarantineLine['by']): Promise<QuarantineLine | null>;
  /** False when it was not held apart. */
  lift(subject: string, actor: string, reason: string): Promise<boolean>;
  lines(): QuarantineLine[];
  /** Another number than before says that some line changed. */
  revision(): number;
  close(): void;
}

export interface QuarantinesOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** The list is another now. */
  changed(): void;
}

/** So many are held apart that no more can be told: lift some, or quarantine what they have in common. */
export class QuarantinesFull extends Error {
  override name = 'QuarantinesFull';
}

interface Kept {
  readonly subject: string;
  readonly reason: string;
  readonly setAtMs: number;
  readonly untilMs: number | null;
  readonly actor: string;
  readonly by: QuarantineLine['by'];
}

const EXPIRE_AGAIN_MS = 5_000;
/** What a timer holds; a longer wait is cut in pieces. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export async function openQuarantines(options: QuarantinesOptions): Promise<Quarantines> {
  const { database, clock, log, changed } = options;
  let kept: readonly Kept[] = [];
  let revision = 0;
  let cancel: () => void = () => undefined;
  let closed = false;

  const read = async (): Promise<void> => {
    const next = await readRevision(database); // first: the lines are then at least as new
    const lines = await readKept(database);
    if (next < revision) return; // somebody's later reading was faster
    revision = next;
    kept = lines;
    expireInTime();
  };

  const isOver = ({ untilMs }: Kept): boolean => untilMs !== null && untilMs <= clock.nowMs();

  function expireInTime(): void {
    cancel();
    const ends = kept.map(({ untilMs }) => untilMs).filter((untilMs) => untilMs !== null);
    if (closed || ends.length === 0) return;
    const waitMs = Math.min(TIMER_MS_MAX, Math.max(0, Math.min(...ends) - clock.nowMs()));
    cancel = clock.after(waitMs, () => void expire());
  }

  async function expire(): Promise<void> {
    try {
      await lifted(null, 'collector', 'its time is over');
      expireInTime();
    } catch (failure) {
      log.error('quarantine.not_expired', { failure: sentenceOf(failure) });
      if (!closed) cancel = clock.after(EXPIRE_AGAIN_MS, () => void expire());
    }
  }

  async function lifted(subject: string | null, actor: string, reason: string): Promise<boolean> {
    const gone = await database.query<{ subject: string }>(
      'select subject from lift_quarantines($1, $2, $3, $4) as subject',
      [subject, actor, reason, clock.nowMs()],
      'order',
    );
    if (gone.length === 0) return false;
    await read();
    for (const { subject: name } of gone) log.warn('quarantine.lifted', { subject: name, by: actor, reason });
    changed();
    return true;
  }

  await read();
  return {
    async set({ subject, reason, for_ms }, actor, by) {
      if (kept.length >= QUARANTINES_MAX && !kept.some((each) => each.subject === subject))
        throw new QuarantinesFull(`${QUARANTINES_MAX} subjects are in quarantine already: lift some first.`);
      const nowMs = clock.nowMs();
      const untilMs = for_ms === null ? null : nowMs + for_ms;
      const until = untilMs === null ? null : new Date(untilMs).toISOString();
      const { kind } = readSubject(subject)!;
      const details = JSON.stringify({ subject, kind, until, by });
      const values = [subject, agentIn(subject), reason, untilMs, actor, by, details, nowMs];
      const [row] = await database.query<{ was_set: boolean }>(
        'select set_quarantine($1, $2, $3, $4, $5, $6, $7, $8) as was_set',
        values,
        'order',
      );
      if (!row?.was_set) return null;
      await read();
      log.warn('quarantine.set', { subject, until, by: actor, reason });
      changed();
      return lineOf({ subject, reason, setAtMs: nowMs, untilMs, actor, by }, nowMs);
    },
    lift: (subject, actor, reason) => lifted(subject, actor, reason),
    lines: () => kept.filter((each) => !isOver(each)).map((each) => lineOf(each, clock.nowMs())),
    revision: () => revision,
    mark: REVISION,
    async reread() {
      const before = revision;
      await read();
      if (revision !== before) changed();
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

/** Whose events it is among: empty where it concerns no single agent. */
function agentIn(text: string): string {
  const { kind, owner } = readSubject(text)!;
  return kind === 'agent' || kind === 'task' ? owner : '';
}

function lineOf(kept: Kept, nowMs: number): QuarantineLine {
  const { subject, reason, setAtMs, untilMs, actor, by } = kept;
  return {
    subject,
    kind: readSubject(subject)?.kind as QuarantineKind,
    reason,
    since: new Date(setAtMs).toISOString(),
    until: untilMs === null ? null : new Date(untilMs).toISOString(),
    ms_left: untilMs === null ? null : Math.max(0, untilMs - nowMs),
    actor,
    by,
  };
}

async function readKept(database: Database): Promise<readonly Kept[]> {
  const rows = await database.query<{
    subject: string;
    reason: string;
    since: string;
    until: string | null;
    actor: string;
    set_by: string;
  }>(
    `select subject, reason, set_at::text as since, until::text as until, actor, set_by
     from quarantines order by set_at desc, subject`,
    [],
    'order',
  );
  return rows.map(({ subject, reason, since, until, actor, set_by }) => ({
    subject,
    reason,
    setAtMs: Number(since),
    untilMs: until === null ? null : Number(until),
    actor,
    by: set_by === 'rule' ? 'rule' : 'person',
  }));
}

/** Grows with every change, and is not read from the lines: the last one lifted leaves none behind. */
const REVISION = 'select revision::text as revision from quarantine_list';

async function readRevision(database: Database): Promise<number> {
  const [row] = await database.query<{ revision: string }>(REVISION, [], 'order');
  return Number(row!.revision);
}
