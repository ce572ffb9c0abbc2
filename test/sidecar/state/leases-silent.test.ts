// A call with a live lease does no network I/O for money: what the ledger is asked while calls pass, counted.

import { expect, test } from 'vitest';
import type { LeaseRequest } from '../../../contract/budget.ts';
import type { Hold } from '../../../sidecar/state/leases/hold.ts';
import { createLeases } from '../../../sidecar/state/leases/leases.ts';
import { configOf, invariantBreaches, ledgerOn, openBench } from '../../collector/control/bench.ts';

const CENT = { nanodollars: 10_000_000n, tokens: 0n };
const CALLS = 200;

test(`${CALLS} calls within a slice ask nothing; a second later one report says what they spent`, async () => {
  const bench = await openBench();
  const config = await configOf('agents: { a: { role: any, budgets: [$100/month] } }');
  const { ledger, clock } = await ledgerOn(bench.database, config);
  const asked: LeaseRequest[] = [];
  const leases = createLeases({
    instance: '1',
    money: () => config.money,
    tasksAreLimited: () => true,
    clock,
    nonce: () => `n${asked.length}-${Math.random()}`,
    ask(request) {
      asked.push(request);
      return ledger.lease(request);
    },
    record: () => undefined,
    forget: () => undefined,
    unanswered: (failure) => expect.unreachable(String(failure)),
  });

  (await leases.hold('a', 't', CENT)).settle(CENT);
  await leases.told('a');
  const before = asked.length;
  for (let call = 1; call < CALLS; call++) {
    const hold = leases.hold('a', 't', CENT);
    expect(hold).not.toBeInstanceOf(Promise);
    (hold as Hold).settle(CENT);
  }
  expect(asked.length - before).toBe(0);

  clock.advance(1_000);
  await leases.told('a');
  expect(asked.length - before).toBe(1);
  expect((await ledger.budgets())[0]).toMatchObject({ posted: String(CENT.nanodollars * BigInt(CALLS)) });
  await leases.close();
  expect((await ledger.budgets())[0]).toMatchObject({ held: '0' });
  expect(await invariantBreaches(bench.database)).toEqual([]);
  await bench.close();
});
