// A process with a ledger that spends as fast as it can, to be killed at any moment. On stdout, one line for each post
// the ledger acknowledged: `<lease> <posted in all>`. Arguments: the database's directory.

import { openDatabase } from '../../../collector/control/database.ts';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { configOf, ledgerOn, usd } from './bench.ts';

const database = await openDatabase({ directory: process.argv[2]!, log: silentLog, clock: systemClock });
const config = await configOf(
  'budgets: [$9000000000/month]\nagents: { a: { role: any, budgets: [$8000000000/month] } }',
);
const clock = { ...systemClock, advance: () => undefined };
const { ask } = await ledgerOn(database, config, clock);

async function spend(instance: number): Promise<never> {
  const opened = await ask(`a/${instance}`, { want: usd(1), need: usd(1) });
  if (opened.lease === null) throw new Error(`no lease: ${JSON.stringify(opened)}`);
  const { lease } = opened;
  let granted = BigInt(opened.granted.nanodollars!);
  for (let seq = 2; ; seq++) {
    const posted = { nanodollars: String(seq), tokens: '0' };
    const answer = await ask(`a/${instance}`, {
      lease,
      seq,
      granted: { nanodollars: String(granted), tokens: '0' },
      posted,
      want: usd(0.001),
      need: usd(0.001),
    });
    granted = BigInt(answer.granted.nanodollars!);
    process.stdout.write(`${lease} ${seq}\n`);
  }
}

await Promise.all([1, 2, 3].map(spend));
