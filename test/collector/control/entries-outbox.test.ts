// The store's budget_entries are the ledger's entries, line for line, whatever dies while they are told.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { entriesOf } from '../../../collector/control/entries.ts';
import { startEntriesOutbox } from '../../../collector/control/entries-outbox.ts';
import { silentLog } from '../../../kit/log.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { type OpenedStore, openTestStore } from '../store/open.ts';
import { configOf, type Fixture, ledgerOn, openBench, usd } from './bench.ts';

const ALL = { agent: null, account: null, lease: null, limit: 1_000 };

const bench = await openBench();
let opened: OpenedStore;
let fleet: Fixture;
beforeAll(async () => {
  opened = await openTestStore();
  const yaml =
    'budgets: [$100/day]\nagents: { a: { role: any, budgets: [$10/month, 1M tokens/month] }, b: { role: any } }';
  fleet = await ledgerOn(bench.database, await configOf(yaml), manualClock(Date.now() - 60_000));
});
afterAll(async () => {
  await opened.close();
  await bench.close();
});

/** What was handed to the queue, which keeps each request once. */
const requests: Buffer[] = [];
type Ending = 'stored' | 'refused' | 'lost';
function outbox(ending: () => Ending) {
  return startEntriesOutbox({
    database: bench.database,
    clock: manualClock(),
    log: silentLog,
    async append(request) {
      const how = ending();
      if (how === 'refused') return { kind: 'refused' };
      const known = requests.some((each) => each.equals(request));
      if (!known) requests.push(request);
      if (how === 'lost') throw new Error('the collector died');
      return { kind: known ? 'duplicate' : 'stored' };
    },
  });
}

async function spend(who: string, posted: number): Promise<void> {
  const { lease } = await fleet.ask(who, { nonce: `${who}-${posted}`, want: usd(2), need: usd(1) });
  await fleet.ask(who, { lease, seq: 2, granted: usd(2), posted: usd(posted) });
}

async function stored(): Promise<Record<string, unknown>[]> {
  for (const [number, request] of requests.entries())
    await opened.store.load(
      opened.segment(`${String(number).padStart(12, '0')}-00c0ffee-logs`, [request], 'collector'),
    );
  return opened.store.query(
    `SELECT toString(entry_id) AS id, toUnixTimestamp64Milli(any(at)) AS at, any(kind) AS kind, any(lease_id) AS lease,
       any(agent_id) AS agent, any(agent_instance) AS instance, any(unit) AS unit, toString(any(granted)) AS granted,
       toString(any(posted)) AS posted, any(why) AS why, arrayStringConcat(arrayMap(
         each -> concat(each.1, '/', each.2, ' by the ', each.3),
         arrayFilter(each -> each.1 != '', groupArray((level, account, window)))), ', ') AS accounts
     FROM budget_entries GROUP BY entry_id ORDER BY entry_id DESC`,
  );
}

test('each entry is told once, though the collector dies before it has noted that it told it', async () => {
  await spend('a/1', 1);
  const dying = outbox(() => 'lost');
  await dying.tell();
  await spend('a/2', 1.25);
  const full = outbox(() => 'refused');
  await full.tell();
  await spend('b/1', 0.5);
  const whole = outbox(() => 'stored');
  await whole.tell();
  await whole.tell();
  expect(requests).toHaveLength(2);

  const inLedger = await entriesOf(bench.database, ALL);
  expect(inLedger.length).toBeGreaterThan(6);
  const expected = inLedger.map((entry) => ({ ...entry, at: String(Date.parse(entry.at)) }));
  expect(await stored()).toEqual(expected);
});

test('what was posted on an account is what its entries come to', async () => {
  const rows = await opened.store.query<{ account: string; posted: string; usd: string }>(
    `SELECT concat(level, '/', account) AS account, toString(sum(posted)) AS posted, toString(sum(posted_usd)) AS usd
     FROM budget_entries WHERE unit = 'nanodollars' AND level != '' GROUP BY account ORDER BY account`,
  );
  const lines = await fleet.ledger.budgets();
  const posted = (level: string, name: string) =>
    lines.find((line) => line.level === level && line.name === name && line.unit === 'nanodollars')?.posted;
  expect(rows).toEqual([
    { account: 'agent/a', posted: posted('agent', 'a'), usd: '2.25' },
    { account: 'fleet/test', posted: posted('fleet', 'test'), usd: '2.75' },
  ]);
});

test('who else names the scope has only written a log record', async () => {
  const before = await opened.store.query('SELECT count() AS entries FROM budget_entries');
  await opened.store.load(opened.segment('000000000099-00c0ffee-logs', [requests[0]!], 'a/1'));
  await opened.store.load(opened.segment('000000000098-00c0ffee-logs', [requests[0]!], ''));
  expect(await opened.store.query('SELECT count() AS entries FROM budget_entries')).toEqual(before);
});
