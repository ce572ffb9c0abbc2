// Modes put in force for a while: kept in the database, so that they outlive a restart, and in memory, because every
// heartbeat asks. One that is over is restored here, once, and everyone who follows hears of it.

import type { Mode } from '../../contract/attributes.ts';
import { agentNamed, type Config, modeOf } from '../../contract/config/config.ts';
import type { ModeInForce, ModeLine, ModeOrder } from '../../contract/mode.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Log, sentenceOf } from '../../kit/log.ts';
import type { Database } from './database.ts';
import type { SharedList } from './neighbours.ts';

export interface Modes extends SharedList {
  set(order: ModeOrder, actor: string): Promise<ModeLine>;
  /** False when none was in force. */
  restore(agent: string, actor: string): Promise<boolean>;
  lines(): ModeLine[];
  /** What holds for an agent by its own name, else by the entry that rules it; null is the config's. */
  inForce(agent: string): ModeInForce;
  close(): void;
}

export interface ModesOptions {
  readonly database: Database;
  /** The one in force. */
  config(): Config;
  readonly clock: Clock;
  readonly log: Log;
  /** The mode of some agents may be another now. */
  changed(): void;
}

interface Kept {
  readonly agent: string;
  readonly mode: Mode;
  readonly setAtMs: number;
  readonly untilMs: number | null;
  readonly actor: string;
  readonly reason: string;
}

const EXPIRE_AGAIN_MS = 5_000;
/** What a timer holds; a longer wait is cut in pieces. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export async function openModes({ database, config, clock, log, changed }: ModesOptions): Promise<Modes> {
  const kept = new Map<string, Kept>();
  let cancel: () => void = () => undefined;
  let closed = false;

  for (const row of await readKept(database)) kept.set(row.agent, row);
  expireInTime();

  const isOver = ({ untilMs }: Kept): boolean => untilMs !== null && untilMs <= clock.nowMs();
  const inForceOf = (name: string): Kept | undefined => {
    const found = kept.get(name);
    return found && !isOver(found) ? found : undefined;
  };

  function expireInTime(): void {
    cancel();
    if (closed) return;
    const ends = [...kept.values()].map(({ untilMs }) => untilMs).filter((untilMs) => untilMs !== null);
    if (ends.length === 0) return;
    const waitMs = Math.min(TIMER_MS_MAX, Math.max(0, Math.min(...ends) - clock.nowMs()));
    cancel = clock.after(waitMs, () => void expire());
  }

  async function expire(): Promise<void> {
    try {
      await restored(null, 'collector', 'its time is over');
      expireInTime();
    } catch (failure) {
      log.error('modes.not_expired', { failure: sentenceOf(failure) });
      if (!closed) cancel = clock.after(EXPIRE_AGAIN_MS, () => void expire());
    }
  }

  async function restored(agent: string | null, actor: string, reason: string): Promise<boolean> {
    const gone = await database.query<{ agent: string }>(
      'select agent from restore_modes($1, $2, $3, $4) as agent',
      [agent, actor, reason, clock.nowMs()],
      'order',
    );
    for (const { agent: name } of gone) {
      kept.delete(name);
      log.info('mode.restored', { agent: name, by: actor, reason });
    }
    if (gone.length > 0) changed();
    return gone.length > 0;
  }

  function configuredFor(name: string): Mode | null {
    const inForce = config();
    const entry = inForce.agents.get(name) ?? agentNamed(inForce, name);
    return entry ? modeOf(inForce, entry) : null;
  }

  const lineOf = ({ agent, mode, setAtMs, untilMs, actor, reason }: Kept): ModeLine => ({
    agent,
    mode,
    configured: configuredFor(agent),
    since: new Date(setAtMs).toISOString(),
    until: untilMs === null ? null : new Date(untilMs).toISOString(),
    actor,
    reason,
  });

  return {
    async set({ agent, mode, for_ms, reason }, actor) {
      const setAtMs = clock.nowMs();
      const untilMs = for_ms === null ? null : setAtMs + for_ms;
      const line = lineOf({ agent, mode, setAtMs, untilMs, actor, reason });
      const details = JSON.stringify({ mode, configured: line.configured, until: line.until });
      const values = [agent, mode, untilMs, actor, reason, details, setAtMs];
      await database.query('select set_mode($1, $2, $3, $4, $5, $6, $7)', values, 'order');
      kept.set(agent, { agent, mode, setAtMs, untilMs, actor, reason });
      log.info('mode.changed', { agent, mode, until: line.until, by: actor, reason });
      expireInTime();
      changed();
      return line;
    },
    async restore(agent, actor) {
      const was = await restored(agent, actor, 'restored by hand');
      expireInTime();
      return was;
    },
    lines: () => [...kept.values()].filter((each) => !isOver(each)).map(lineOf),
    inForce(agent) {
      const found = inForceOf(agent) ?? inForceOf(agentNamed(config(), agent)?.pattern ?? '');
      if (!found) return null;
      const { mode, untilMs } = found;
      return { mode, ms_left: untilMs === null ? null : untilMs - clock.nowMs() };
    },
    mark: `select md5(string_agg(modes::text, ',' order by agent)) from modes`,
    async reread() {
      const before = JSON.stringify([...kept.values()]);
      const rows = await readKept(database);
      kept.clear();
      for (const row of rows) kept.set(row.agent, row);
      expireInTime();
      if (JSON.stringify(rows) !== before) changed();
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

async function readKept(database: Database): Promise<Kept[]> {
  const rows = await database.query<{
    agent: string;
    mode: string;
    since: string;
    until: string | null;
    actor: string;
    reason: string;
  }>(
    'select agent, mode, set_at::text as since, until::text as until, actor, reason from modes order by agent',
  );
  return rows.map(({ agent, mode, since, until, actor, reason }) => ({
    agent,
    mode: mode === 'observe' ? 'observe' : 'enforce',
    setAtMs: Number(since),
    untilMs: until === null ? null : Number(until),
    actor,
    reason,
  }));
}
