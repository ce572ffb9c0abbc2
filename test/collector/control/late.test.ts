import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { entriesOf, lateLeases } from '../../../collector/control/entries.ts';
import { configOf, dollars, type Fixture, invariantBreaches, ledgerOn, openBench, usd } from './bench.ts';

let bench: Awaited<ReturnType<typeof openBench>>;
let fixture: Fixture;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(async () => {
  await bench.fresh();
  fixture = await ledgerOn(bench.database, await configOf(DAILY));
});
afterAll(() => bench.close());

const DAILY = 'budgets: [$10/day]\nagents: { a: { role: any } }';
const GONE = { reason: 'its machine is gone', dryRun: false };
const HOUR_MS = 3_600_000;

const told = async () =>
  (await bench.database.query<{ event: string }>('select event from control_events order by id')).map(
    ({ event }) => event,
  );
const account = async () => (await fixture.ledger.budgets())[0];
const opened = async () => (await fixture.ask('a/1', { want: usd(1), need: usd(1) })).lease;

describe('a sidecar that slept beyond its lease (BUD-21)', () => {
  test('BUD-16: may settle, is seen to be late, and draws nothing more on the old lease', async () => {
    const { ask, clock } = fixture;
    const lease = await opened();
    clock.advance(HOUR_MS);
    const spending = { lease, seq: 2, granted: usd(5), posted: usd(2), want: usd(4), need: usd(4) };
    expect(await ask('a/1', spending)).toMatchObject({ outcome: 'stale', lease: null });
    expect(await account()).toMatchObject({ posted: dollars(2), held: dollars(3) });
    await ask('a/1', { lease, seq: 3, granted: usd(5), posted: usd(3), release: true, close: true });
    expect(await account()).toMatchObject({ posted: dollars(3), held: '0' });
    expect(await lateLeases(bench.database)).toMatchObject([
      { lease, agent: 'a', state: 'closed', posted: dollars(3), written_off: '0', corrected: '0' },
    ]);
    expect(await told()).toContain('lease_settled_late');
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('a window that ends makes nobody late: the charge stays where it was reserved (BUD-18)', async () => {
    const lease = await opened();
    fixture.clock.advance(24 * HOUR_MS);
    await fixture.ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(2), release: true, close: true });
    expect(await lateLeases(bench.database)).toEqual([]);
    expect(await told()).not.toContain('lease_settled_late');
  });
});

describe('settled after its write-off', () => {
  test('less than the slice: what was not spent is given back, but for what is still in flight', async () => {
    const { ask, clock, ledger } = fixture;
    const lease = await opened();
    await ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(1), held: usd(4) });
    clock.advance(HOUR_MS);
    await ledger.writeOff(GONE, 'anna');
    expect(await account()).toMatchObject({ posted: dollars(5), held: '0' });
    const first = { lease, seq: 3, granted: usd(3), posted: usd(2), held: usd(1), release: true };
    expect(await ask('a/1', first)).toMatchObject({ outcome: 'granted', ttlMs: 0 });
    expect(await ask('a/1', first)).toMatchObject({ outcome: 'granted', ttlMs: 0 });
    expect(await account()).toMatchObject({ posted: dollars(3), held: '0' });
    await ask('a/1', { lease, seq: 4, granted: usd(5), posted: usd(2.5), release: true, close: true });
    expect(await account()).toMatchObject({ posted: dollars(2.5) });
    expect(await lateLeases(bench.database)).toMatchObject([
      {
        lease,
        state: 'written_off',
        posted: dollars(2.5),
        written_off: dollars(4),
        corrected: `-${dollars(2.5)}`,
      },
    ]);
    expect(await told()).toEqual([
      'budget_written_off',
      'lease_settled_late',
      'budget_corrected',
      'budget_corrected',
    ]);
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('by a word from before it: nothing is given back while the slice may still be held', async () => {
    const { ask, clock, ledger } = fixture;
    const lease = await opened();
    const renewal = { lease, seq: 2, granted: usd(5) }; // on its way while a call takes all of the slice
    clock.advance(HOUR_MS);
    await ledger.writeOff(GONE, 'anna');
    await ask('a/1', renewal);
    expect(await account()).toMatchObject({ posted: dollars(5), held: '0' });
    await ask('a/1', { lease, seq: 3, granted: usd(4), posted: usd(4), release: true, close: true });
    expect(await account()).toMatchObject({ posted: dollars(4), held: '0' });
  });

  test('more than the slice is an overrun; never less than was reported before', async () => {
    const { ask, clock, ledger } = fixture;
    const lease = await opened();
    await ask('a/1', { lease, seq: 2, granted: usd(5), posted: usd(3) });
    clock.advance(HOUR_MS);
    await ledger.writeOff(GONE, 'anna');
    await ask('a/1', { lease, seq: 3, granted: usd(1), posted: usd(1), release: true });
    expect(await account()).toMatchObject({ posted: dollars(3) });
    await ask('a/1', { lease, seq: 4, granted: usd(5), posted: usd(6) });
    expect(await account()).toMatchObject({ posted: dollars(6), held: '0' });
    const entries = await entriesOf(bench.database, { agent: 'a', account: 'fleet/test', lease, limit: 100 });
    expect(entries.map(({ kind }) => kind)).toEqual([
      'overrun',
      'correction',
      'written_off',
      'posted',
      'granted',
    ]);
    expect(entries[2]).toMatchObject({
      why: GONE.reason,
      accounts: 'fleet/test by the day',
      posted: dollars(2),
    });
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });

  test('a lost first answer of a lease that was written off since is stale, and another nonce opens another', async () => {
    const { ask, clock, ledger } = fixture;
    await ask('a/1', { nonce: 'n1', want: usd(1), need: usd(1) });
    clock.advance(HOUR_MS);
    await ledger.writeOff(GONE, 'anna');
    expect(await ask('a/1', { nonce: 'n1', seq: 2, want: usd(1), need: usd(1) })).toMatchObject({
      outcome: 'stale',
      lease: null,
    });
    expect((await ask('a/1', { nonce: 'n2', want: usd(1), need: usd(1) })).outcome).toBe('granted');
  });
});

describe('budgets that change under a lease', () => {
  test('a limit that was raised and lowered meanwhile binds a lease that knew it before', async () => {
    const { ask, clock } = fixture;
    const lease = await opened();
    const raised = await ledgerOn(bench.database, await configOf(DAILY.replace('$10', '$100')), clock);
    await raised.ask('a/2', { want: usd(1), need: usd(1) });
    const again = { lease, seq: 2, granted: usd(5), want: usd(20), need: usd(20) };
    expect(await ask('a/1', again)).toMatchObject({
      outcome: 'over_budget',
      obstacle: { limit: dollars(10) },
    });
  });

  test('what is in flight when the first budget appears weighs on it', async () => {
    const { clock } = fixture;
    const free = await ledgerOn(
      bench.database,
      await configOf('budgets: none\nagents: { a: { role: any } }'),
      clock,
    );
    const { lease } = await free.ask('a/1', {});
    const bound = await ledgerOn(bench.database, await configOf(DAILY), clock);
    await bound.ask('a/1', { lease, seq: 2, posted: usd(1), held: usd(4) });
    expect((await bound.ledger.budgets())[0]).toMatchObject({ posted: '0', held: dollars(4) });
    expect((await bound.ask('a/2', { want: usd(7), need: usd(7) })).outcome).toBe('held');
    await bound.ask('a/1', { lease, seq: 3, granted: usd(5), posted: usd(5) });
    expect((await bound.ledger.budgets())[0]).toMatchObject({ posted: dollars(4), held: '0' });
    expect(await bench.database.query(`select kind from entries where kind = 'overrun'`)).toEqual([]);
    expect(await invariantBreaches(bench.database)).toEqual([]);
  });
});

test('a book that was tampered with does not add up', async () => {
  await opened();
  await bench.database.query('update accounts set outstanding = outstanding - 1');
  expect(await invariantBreaches(bench.database)).toHaveLength(3);
});
