// What money costs a call: a hold within a live lease, against a hold taken and settled at the ledger each time.
//
//   node bench/leases.ts

import { openDatabase } from '../collector/control/database.ts';
import { openHolds } from '../collector/control/holds.ts';
import { createLedger } from '../collector/control/ledger.ts';
import { openRoster } from '../collector/control/roster.ts';
import { parseConfig } from '../contract/config/parse.ts';
import { toMessage } from '../contract/money.ts';
import { systemClock } from '../kit/clock.ts';
import { silentLog } from '../kit/log.ts';
import { createLeases } from '../sidecar/state/leases/leases.ts';
import { temporaryDirectory } from '../test/support/processes.ts';

const LEASED = 100_000;
const DIRECT = 500;
const TOGETHER = 32;
const CENT = { nanodollars: 10_000_000n, tokens: 100n };
const YAML = `fleet: bench
budgets: [$9000000/month, 900B tokens/month]
roles: { r: { allow: ['http GET https://**/**'] } }
agents: { a: { role: r, budgets: [$8000000/day], task_budgets: [$5000000] } }
`;

const { config } = await parseConfig([{ file: 'bench.yaml', text: YAML }]);
const clock = { ...systemClock };
const directory = `${temporaryDirectory('bench-leases')}/control`;
const database = await openDatabase({ directory, log: silentLog, clock });
const shared = { database, config: () => config, clock, log: silentLog, onRecall: () => undefined };
const ledger = createLedger({ ...shared, roster: await openRoster(database, clock) });
const holds = openHolds(shared);
let asked = 0;
const leases = createLeases({
  instance: '1',
  tasksAreLimited: () => true,
  money: () => config.money,
  clock,
  nonce: () => `n${asked}`,
  ask(request) {
    asked += 1;
    return ledger.lease(request);
  },
  record: () => undefined,
  forget: () => undefined,
  unanswered: () => undefined,
});

async function leased(): Promise<void> {
  (await leases.hold('a', 't', CENT)).settle(CENT);
}

async function direct(call: number): Promise<void> {
  const amounts = toMessage(CENT);
  await holds.take({ id: `c${call}`, agent: 'a', task: 'd', amounts, ttl_ms: 60_000 }, 'bench');
  await holds.settle(`c${call}`, { post: amounts }, 'bench');
}

/** Microseconds of each, one after the other. */
async function timed(count: number, one: (call: number) => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let call = 0; call < count; call++) {
    const start = performance.now();
    await one(call);
    times.push((performance.now() - start) * 1_000);
  }
  return times.sort((a, b) => a - b);
}

async function manyAtOnce(count: number, one: (call: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await one(1_000_000 + next++);
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  return count / ((performance.now() - start) / 1_000);
}

await leased();
await direct(-1);
const ofLease = await timed(LEASED, leased);
const ofLedger = await timed(DIRECT, direct);
const figures = [
  ['a hold and its settlement', 'within a lease', 'at the ledger'],
  ['p50, µs', at(ofLease, 0.5).toFixed(1), at(ofLedger, 0.5).toFixed(0)],
  ['p99, µs', at(ofLease, 0.99).toFixed(1), at(ofLedger, 0.99).toFixed(0)],
  [
    `a second, ${TOGETHER} at once`,
    (await manyAtOnce(LEASED, leased)).toFixed(0),
    (await manyAtOnce(DIRECT, direct)).toFixed(0),
  ],
];
for (const line of figures) process.stdout.write(`| ${line.join(' | ')} |\n`);
process.stdout.write(`The leases asked the ledger ${asked} times for ${2 * LEASED} calls.\n`);
await leases.close();
holds.close();
await database.close();

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)]!;
}
