// The ledger on a database of its own, as tests use it: a configuration, a clock whose hands they turn, asks in short.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../../collector/control/database.ts';
import { createLedger, type Ledger } from '../../../collector/control/ledger.ts';
import { openPostgres } from '../../../collector/control/postgres.ts';
import { openRoster, type Roster } from '../../../collector/control/roster.ts';
import type { LeaseAnswer, LeaseAsk, Recall } from '../../../contract/budget.ts';
import type { Config } from '../../../contract/config/config.ts';
import { parseConfig } from '../../../contract/config/parse.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { copyPostgres } from '../../support/empty-stores.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import type { PostgresServer } from '../../support/postgres-server.ts';
import { temporaryDirectory } from '../../support/processes.ts';

export const DOLLAR = 1_000_000_000n;
export const dollars = (n: number): string => (BigInt(Math.round(n * 1e6)) * 1000n).toString();

export async function configOf(yaml: string): Promise<Config> {
  const text = `fleet: test\nroles: { any: { allow: ['http GET https://**/**'] } }\n${yaml}`;
  return (await parseConfig([{ file: 'outrider.yaml', text }])).config;
}

export type Database = Awaited<ReturnType<typeof openDatabase>>;

/** Set by on-a-server.test.ts: the same tests, on a database of a Postgres server. */
let server: PostgresServer | undefined;
export const runOn = (started: PostgresServer): void => {
  server = started;
};

async function openEmpty(directory: string): Promise<Database> {
  const options = { log: silentLog, clock: systemClock };
  if (server) return openPostgres({ url: await server.database(), ...options });
  copyPostgres(join(directory, 'control'));
  return openDatabase({ directory: join(directory, 'control'), ...options });
}

/** A database that outlives many ledgers: `fresh` empties it. */
export async function openBench(): Promise<{
  database: Database;
  fresh(): Promise<void>;
  close(): Promise<void>;
}> {
  const directory = temporaryDirectory('outrider-ledger');
  const database = await openEmpty(directory);
  return {
    database,
    async fresh() {
      await database.query('alter table entries disable trigger all');
      await database.query(
        'truncate accounts, leases, slices, entries, tasks, instances, raises, holds, control_events restart identity',
      );
      await database.query('alter table entries enable trigger all');
      await database.query('update ledger_memory set learning_until = 0, adopting_until = 0');
    },
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface Fixture {
  readonly ledger: Ledger;
  readonly roster: Roster;
  readonly clock: ManualClock;
  readonly recalls: Recall[];
  /** One ask of `agent/instance`. */
  ask(who: string, ask: Partial<LeaseAsk>): Promise<LeaseAnswer>;
}

export async function ledgerOn(database: Database, config: Config, clock = manualClock()): Promise<Fixture> {
  const roster = await openRoster(database, clock);
  const recalls: Recall[] = [];
  const ledger = createLedger({
    database,
    config: () => config,
    clock,
    roster,
    onRecall: (recall) => recalls.push(recall),
  });
  return {
    ledger,
    roster,
    clock,
    recalls,
    async ask(who, ask) {
      const [agent, instance] = who.split('/') as [string, string];
      const { answers } = await ledger.lease({ agent, instance, asks: [{ ...NO_ASK, ...ask }] });
      return answers[0]!;
    },
  };
}

const ZERO = { nanodollars: '0', tokens: '0' };
export const usd = (n: number) => ({ nanodollars: dollars(n), tokens: '0' });
const NO_ASK: LeaseAsk = {
  scope: 'agent',
  lease: null,
  seq: 1,
  granted: ZERO,
  posted: ZERO,
  held: ZERO,
  want: ZERO,
  need: ZERO,
};

/** What must hold at every step, in the ledger's own words and, beside them, in words of our own. */
export async function invariantBreaches(database: Database): Promise<readonly unknown[]> {
  const own = await database.query('select problem from ledger_problems()');
  const beyond = await database.query(
    `select a.level, a.name, a.unit, a.posted::text, a.outstanding::text, a.spend_limit::text, a.excess::text
     from accounts a where a.posted + a.outstanding > a.spend_limit + a.excess or a.posted < 0 or a.outstanding <>
       (select coalesce(sum(s.granted - s.posted), 0) from slices s where s.account_ids @> array[a.account_id])`,
  );
  return [...own, ...beyond];
}
