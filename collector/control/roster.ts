// Who is there: the instances that were heard of, in memory, because every grant asks how many are live. What changes,
// and a sign of life now and then, is kept in the database, so that an absence outlives a restart: a whole fleet that
// starts is a few statements.

import {
  type AgentLine,
  AWAY_AFTER_MS,
  type Heartbeat,
  type WaitingLine,
  type WaitingTask,
} from '../../contract/budget.ts';
import { agentNamed, type Config } from '../../contract/config/config.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Database } from './database.ts';
import type { Presence } from './paths.ts';
import { createTogether } from './together.ts';

export interface Roster {
  heartbeat(beat: Heartbeat): Promise<void>;
  /** An ask is a sign of life too. */
  seen(agent: string, instance: string): void;
  present(): Iterable<Presence>;
  lines(): AgentLine[];
  /** Which tasks wait for money, as their sidecars last said; not those of an instance that is away. */
  waiting(): WaitingLine[];
}

interface Member extends Presence {
  readonly mode: string;
  readonly health: 'ok' | 'degraded';
  readonly policy: string;
  /** When the database last heard of it. */
  readonly keptMs: number;
  readonly waiting: readonly WaitingTask[];
}

type SignOfLife = Readonly<
  Record<'agent' | 'instance' | 'mode' | 'health' | 'policy', string> & { last_seen: number }
>;

const KEEP_EVERY_MS = 60_000;
const INSTANCES_MAX = 20_000;

export async function openRoster(database: Database, clock: Clock): Promise<Roster> {
  const members = new Map<string, Member>();
  const kept = createTogether(
    (signs: readonly SignOfLife[]) => keep(database, signs),
    'Too many heartbeats wait for the control database.',
  );

  const rows = await database.query<{
    agent: string;
    instance: string;
    mode: string;
    health: string;
    policy: string;
    seen: string;
  }>(
    'select agent, instance, mode, health, policy, last_seen::text as seen from instances order by last_seen desc limit $1',
    [INSTANCES_MAX],
  );
  for (const { agent, instance, mode, health, policy, seen } of rows.toReversed()) {
    const lastSeenMs = Number(seen);
    members.set(keyOf(agent, instance), {
      agent,
      instance,
      mode,
      health: health === 'ok' ? 'ok' : 'degraded',
      policy,
      lastSeenMs,
      keptMs: lastSeenMs,
      waiting: [],
    });
  }

  /** The most recently heard of stands last; the one not heard of for longest makes room. */
  function put(member: Member): void {
    const key = keyOf(member.agent, member.instance);
    members.delete(key);
    members.set(key, member);
    if (members.size > INSTANCES_MAX) members.delete(members.keys().next().value!);
  }

  return {
    async heartbeat({ name: agent, instance, mode, health, policy, waiting = [] }) {
      const nowMs = clock.nowMs();
      const before = members.get(keyOf(agent, instance));
      const same = before && before.mode === mode && before.health === health && before.policy === policy;
      const isNews = !same || nowMs - before.keptMs >= KEEP_EVERY_MS;
      const keptMs = isNews ? nowMs : before.keptMs;
      put({ agent, instance, mode, health, policy, lastSeenMs: nowMs, keptMs, waiting });
      if (!isNews) return;
      await kept.run({ agent, instance, mode, health, policy, last_seen: nowMs });
    },
    seen(agent, instance) {
      const known = members.get(keyOf(agent, instance));
      const lastSeenMs = clock.nowMs();
      put(
        known
          ? { ...known, lastSeenMs }
          : { agent, instance, mode: '', health: 'ok', policy: '', lastSeenMs, keptMs: 0, waiting: [] },
      );
    },
    present: () => members.values(),
    waiting() {
      const nowMs = clock.nowMs();
      const there = [...members.values()].filter(({ lastSeenMs }) => nowMs - lastSeenMs < AWAY_AFTER_MS);
      return there.flatMap(({ agent, instance, waiting }) =>
        waiting
          .filter(({ until }) => until === null || Date.parse(until) > nowMs)
          .map((task) => ({ agent, instance, ...task })),
      );
    },
    lines: () =>
      [...members.values()].map(({ agent, instance, mode, health, policy, lastSeenMs }) => ({
        name: agent,
        instance,
        mode,
        last_seen: new Date(lastSeenMs).toISOString(),
        health: clock.nowMs() - lastSeenMs >= AWAY_AFTER_MS ? 'away' : health,
        policy,
      })),
  };
}

const keyOf = (agent: string, instance: string) => `${agent}/${instance}`;

/** Of several by one instance, the last: a statement may not write a row twice. */
async function keep(database: Database, signs: readonly SignOfLife[]): Promise<readonly true[]> {
  const last = new Map(signs.map((sign) => [keyOf(sign.agent, sign.instance), sign]));
  await database.query(
    `insert into instances (agent, instance, mode, health, policy, last_seen)
     select agent, instance, mode, health, policy, last_seen from jsonb_to_recordset($1::jsonb)
       as sign (agent text, instance text, mode text, health text, policy text, last_seen bigint)
     on conflict (agent, instance) do update set mode = excluded.mode, health = excluded.health,
       policy = excluded.policy, last_seen = excluded.last_seen`,
    [JSON.stringify([...last.values()])],
  );
  return signs.map(() => true);
}

/** One of the config's, or one that was heard of. */
export function isKnownAgent(agent: string, config: Config, roster: Roster): boolean {
  if (agentNamed(config, agent)) return true;
  for (const present of roster.present()) if (present.agent === agent) return true;
  return false;
}
